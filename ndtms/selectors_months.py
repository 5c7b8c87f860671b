"""Reads of the calendar and of mismatches."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from caseload.dataset.rules import RULES
from caseload.dataset.window import window_start
from caseload.models import EpisodeQuality
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.organisations.models import Service
from edatrs.organisations.selectors import services_of
from ndtms import months
from ndtms.choices import MismatchKind, MismatchState, SubmissionState
from ndtms.models import Mismatch, MismatchFile, NilReturn
from ndtms.months import Attempt, Month
from ndtms.selectors import submissions_for

PAGE = 50


@dataclass(frozen=True)
class Row:
    """An agency code and its months, the oldest first."""

    service: Service
    months: tuple[Month, ...]


def calendar(today: dt.date) -> list[Row]:
    """Every service of the organisation acted for. Four queries, whatever there is."""
    shown = months.shown_on(today)
    services = list(services_of(current_organisation()))
    files: dict[UUID, list[Any]] = defaultdict(list)
    for file in submissions_for():
        files[file.service_id].append(file)
    nils: dict[UUID, dict[dt.date, NilReturn]] = defaultdict(dict)
    for nil in NilReturn.objects.filter(ended_at__isnull=True):
        nils[nil.service_id][nil.month] = nil
    lists = open_by_list()
    return [
        Row(
            service,
            tuple(_months(shown, files[service.pk], nils[service.pk], lists[service.pk], today)),
        )
        for service in services
    ]


def _months(
    shown: list[dt.date],
    files: list[Any],
    nils: dict[dt.date, NilReturn],
    lists: list[tuple[dt.datetime, int]],
    today: dt.date,
) -> Iterable[Month]:
    mismatches = _by_month(files, lists)
    by_month: dict[dt.date, list[Attempt]] = defaultdict(list)
    for file in files:
        by_month[months.month_of(file.as_of)].append(Attempt(file.state, file.taken, file.asked_at, file))
    known = min([*by_month, *nils], default=None)
    for month in shown:
        yield months.stand(
            month,
            by_month.get(month, []),
            today=today,
            known_since=known,
            mismatches=mismatches[month],
            nil=nils.get(month),
        )


def open_by_list() -> dict[UUID, list[tuple[dt.datetime, int]]]:
    """By service: when each list was taken in that has open mismatches, and how many. One query."""
    found: dict[UUID, list[tuple[dt.datetime, int]]] = defaultdict(list)
    rows = Mismatch.objects.filter(state=MismatchState.OPEN).order_by()
    for service, taken_at, number in rows.values_list("file__service_id", "file__taken_at").annotate(
        Count("pk")
    ):
        found[service].append((taken_at, number))
    return found


def _by_month(files: list[Any], lists: list[tuple[dt.datetime, int]]) -> Counter[dt.date]:
    """Open mismatches by the month whose file NDTMS compared: the one that was recorded as loaded last when the list came, or else the
    month that was due last then.
    """
    found: Counter[dt.date] = Counter()
    for taken_at, number in lists:
        loaded = [f for f in files if f.state == SubmissionState.LOADED and f.decided_at <= taken_at]
        if loaded:
            month = months.month_of(max(loaded, key=lambda f: f.decided_at).as_of)
        else:
            month = months.shifted(months.month_of(clock.london_date(taken_at)), -1)
        found[month] += number
    return found


def mismatches(*, state: str = MismatchState.OPEN, agency: str = "", kind: str = "") -> QuerySet[Any]:
    """Mismatches by state, agency code and kind, those of the newest list first, in its order."""
    rows = Mismatch.objects.select_related("file", "episode__service", "client__clientidentity")
    if state in MismatchState.values:
        rows = rows.filter(state=state)
    if agency:
        rows = rows.filter(file__agency_code=agency)
    if kind in MismatchKind.values:
        rows = rows.filter(kind=kind)
    return rows.order_by("-file__taken_at", "file_id", "line")


def get_mismatch(pk: UUID) -> Mismatch:
    """One mismatch. Raises Denied: absent, another organisation's and of somebody one may not find answer alike."""
    found: Mismatch | None = mismatches(state="").filter(pk=pk).first()
    if found is None:
        raise Denied("extract.preview", "not found", subject=str(pk))
    return found


def newest_lists() -> list[MismatchFile]:
    """The lists that were taken in, the newest first."""
    return list(MismatchFile.objects.select_related("service")[:20])


def counts() -> dict[str, int]:
    """How many mismatches are in each state. One query."""
    rows = Mismatch.objects.order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(MismatchState.values, 0) | dict(rows)


def why(rows: Iterable[Mismatch], today: dt.date) -> dict[UUID, str]:
    """Of each mismatch what the record says to it and what to do, in words. One query."""
    shown = list(rows)
    failing = dict(
        EpisodeQuality.objects.filter(pk__in=[m.episode_id for m in shown if m.episode_id]).values_list(
            "pk", "errors"
        )
    )
    return {m.pk: _why(m, failing.get(m.episode_id) or [], window_start(today)) for m in shown}


def _why(m: Mismatch, errors: list[str], start: dt.date) -> str:
    if m.state != MismatchState.OPEN:
        return m.reason
    episode = m.episode
    if episode is None:
        return "No episode here has these IDs. Check both with NDTMS: under a changed client ID nothing they hold can be reached"
    if episode.voided_at is not None:
        return "Entered in error here. Ask NDTMS to take it out"
    if not episode.consent:
        return "Nobody asked for consent, so it is not sent. Ask first"
    if episode.consent == "N":
        return "Consent is no here. It goes with the withdrawal in the next file; look again after that is loaded"
    stopped = [f"{RULES[rule].words} ({rule})" for rule in errors if rule in RULES]
    if stopped:
        return "Held back, so it is not in the file. Put right: " + "; ".join(stopped)
    if m.kind == MismatchKind.DIFFERS:
        return "Agreed and in the file. Send the file again, or check the values with NDTMS"
    if episode.discharged_on is not None and episode.discharged_on < start:
        return "Agreed, and ended before the reporting window: a monthly file does not carry it. If it shall be there, send a full file"
    return "Agreed and nothing holds it back: it is in the next file. Look again after that is loaded"
