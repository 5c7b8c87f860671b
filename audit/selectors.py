"""Reading the trail. Every read is itself on it (`audit.trail_read`). Which rows a scope reaches: the manager and row security."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit.events import event_type, scrub_subject
from audit.models import AuditEvent
from edatrs.core import clock, trail

PAGE = 50


@dataclass(frozen=True)
class TrailPage:
    """A page of entries, the newest first. `older` is what to ask for next as `before`; None: there is no more."""

    entries: list[AuditEvent]
    older: int | None


def events_for_subject(subject: UUID | str, *, before: int | None = None, limit: int = PAGE) -> TrailPage:
    """What is on the own chain about a record: who looked at it, who changed it, who was refused. Raises ScopeMissing, Unscrubbed."""
    rows = AuditEvent.objects.filter(subject=scrub_subject(subject))
    page = _page(rows, before, limit)
    _note(page, subject=str(subject), before=before)
    return page


def search(
    *,
    name: str = "",
    actor_id: UUID | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> TrailPage:
    """Entries of the own chain by event, actor and dates in London (both included). Raises ScopeMissing, UnknownEvent."""
    rows = AuditEvent.objects.all()
    if name:
        rows = rows.filter(name=event_type(name).name)
    if actor_id is not None:
        rows = rows.filter(actor_id=actor_id)
    if since is not None:
        rows = rows.filter(at__gte=_midnight(since))
    if until is not None:
        rows = rows.filter(at__lt=_midnight(until + dt.timedelta(days=1)))
    page = _page(rows, before, limit)
    _note(page, name=name or None, actor=actor_id, since=since, until=until, before=before)
    return page


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=clock.LONDON)


def _page(rows: Any, before: int | None, limit: int) -> TrailPage:
    """By key, not by offset: the last page costs what the first does."""
    if before is not None:
        rows = rows.filter(sequence__lt=before)
    found = list(rows.order_by("-sequence")[: limit + 1])
    return TrailPage(found[:limit], found[limit - 1].sequence if len(found) > limit else None)


def _note(page: TrailPage, *, subject: str = "", **asked: Any) -> None:
    """Put the read on the trail: what was asked for, and how many entries were shown."""
    details = {key: value for key, value in asked.items() if value is not None}
    trail.record("audit.trail_read", subject=subject, details={**details, "rows": len(page.entries)})
