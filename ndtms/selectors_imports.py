"""Reads of imports through the browser, of the organisation acted for, by key."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from ndtms.choices import LineKind
from ndtms.models import ImportLine, ImportRun

PAGE = 25
LINES = 50


def get_run(pk: UUID) -> ImportRun:
    """One import. Raises ImportRun.DoesNotExist."""
    found: ImportRun = ImportRun.objects.get(pk=pk)
    return found


def page_of_runs(*, before: str = "") -> tuple[list[ImportRun], str]:
    """Imports, newest first, from after the one whose id is given; and the id to ask for next, or ''."""
    rows = ImportRun.objects.order_by("-asked_at", "pk")
    try:
        last = rows.filter(pk=UUID(before)).first() if before else None
    except ValueError:
        last = None
    if last is not None:
        rows = rows.filter(Q(asked_at__lt=last.asked_at) | Q(asked_at=last.asked_at, pk__gt=last.pk))
    found = list(rows[: PAGE + 1])
    return found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else ""


def page_of_lines(run: ImportRun, *, kind: str, file: str, after: str) -> tuple[list[ImportLine], int | None]:
    """Lines of a preview in the order of the bundle, and the place to ask for next. `kind`: one, "changes" or "all"."""
    rows = ImportLine.objects.filter(run=run)
    if kind == "changes":
        rows = rows.filter(kind__in=(LineKind.CREATED, LineKind.CHANGED))
    elif kind != "all":
        rows = rows.filter(kind=kind)
    if file:
        rows = rows.filter(file=file)
    if after.isdecimal() and len(after) < 10:
        rows = rows.filter(place__gt=int(after))
    found = list(rows.order_by("place")[: LINES + 1])
    return found[:LINES], found[LINES - 1].place if len(found) > LINES else None


def job_of(run: ImportRun) -> Job | None:
    """The unfinished job that reads or writes it."""
    unfinished = Job.objects.filter(
        subject=run.pk,
        kind__in=("ndtms.read_import", "ndtms.write_import"),
        state__in=(JobState.QUEUED, JobState.RUNNING),
    )
    return unfinished.order_by("-created_at").first()
