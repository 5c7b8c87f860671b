"""Reading the trail. Every read is itself on it (`audit.trail_read`). Which rows a scope reaches: the manager and row security."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit import chain, heads, statements
from audit.events import event_type, scrub_subject
from audit.mails import Mailed, fingerprint, mailed_last
from audit.models import AuditEvent, ChainHead, HeadStatement
from audit.models.trail import PARTNERSHIP_CHAIN
from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import Membership

PAGE = 50


@dataclass(frozen=True)
class TrailPage:
    """A page of entries, the newest first. `older` is what to ask for next as `before`; None: there is no more."""

    entries: list[AuditEvent]
    older: int | None


@dataclass(frozen=True)
class ChainState:
    """How long the own chain is, and what its last verification on this chain found."""

    last: int
    checked_at: dt.datetime | None = None
    checked_to: int = 0
    problems: int = 0
    first_bad: int = 0
    fault: str = ""
    bad: AuditEvent | None = None


@dataclass(frozen=True)
class HeadsState:
    """When signed heads left last. `late`: nothing left for 30 minutes; `next_at`: when the next is expected."""

    number: int = 0
    at: dt.datetime | None = None
    fingerprint: str = ""
    late: bool = False
    next_at: dt.datetime | None = None
    own: int = 0
    mailed_on: dt.date | None = None
    mailed: tuple[Mailed, ...] = ()

    @property
    def received(self) -> int:
        """To how many partners the mail of that day has gone out."""
        return sum(mail.sent_at is not None for mail in self.mailed)


def events_for_subject(
    subject: UUID | str, *, also: Iterable[UUID] = (), before: int | None = None, limit: int = PAGE
) -> TrailPage:
    """What is on the own chain about a record: who looked at it, who changed it, who was refused. Raises ScopeMissing, Unscrubbed.

    `also`: records that were merged into it, whose entries are about the same person.
    """
    rows = AuditEvent.objects.filter(
        subject__in=[scrub_subject(subject), *(scrub_subject(pk) for pk in also)]
    )
    page = _page(rows, before, limit)
    _note(page, subject=str(subject), before=before)
    return page


def search(
    *,
    name: str = "",
    actor_id: UUID | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    subjects: Iterable[UUID] = (),
    before: int | None = None,
    limit: int = PAGE,
) -> TrailPage:
    """Entries of the own chain by event, actor, dates in London (both included) and subject. Raises ScopeMissing, UnknownEvent."""
    rows = AuditEvent.objects.all()
    if name:
        rows = rows.filter(name=event_type(name).name)
    if actor_id is not None:
        rows = rows.filter(actor_id=actor_id)
    if since is not None:
        rows = rows.filter(at__gte=_midnight(since))
    if until is not None:
        rows = rows.filter(at__lt=_midnight(until + dt.timedelta(days=1)))
    about = [str(pk) for pk in subjects]
    if about:
        rows = rows.filter(subject__in=about)
    page = _page(rows, before, limit)
    _note(
        page,
        subject=about[0] if about else "",
        name=name or None,
        actor=actor_id,
        since=since,
        until=until,
        before=before,
    )
    return page


def chain_state() -> ChainState:
    """The own chain: its last entry, and how far it was verified last. Two queries, three where something was found."""
    organisation = current_scope().organisation_id
    head = ChainHead.objects.filter(chain=organisation or PARTNERSHIP_CHAIN).first()
    checked = AuditEvent.objects.filter(name="audit.verified").order_by("-sequence").first()
    last = head.sequence if head else 0
    if checked is None:
        return ChainState(last)
    details = checked.details
    first_bad = details.get("first_bad") or 0
    return ChainState(
        last,
        checked.at,
        details.get("rows") or 0,
        details.get("problems") or 0,
        first_bad,
        _fault(details.get("fault") or ""),
        AuditEvent.objects.filter(sequence=first_bad).first() if first_bad else None,
    )


def _fault(code: str) -> str:
    """What was found, in words."""
    if code == "without_entry":
        return "a record was changed without an entry"
    known: dict[str, str] = {fault.name: fault.value for fault in (*statements.Fault, *chain.Fault)}
    return known.get(code.upper(), "")


def heads_state() -> HeadsState:
    """When signed heads left last, how far they reach on the own chain, and to whom they were mailed. Four queries, for any number."""
    last = HeadStatement.objects.first()
    day, mailed = mailed_last()
    if last is None:
        return HeadsState(mailed_on=day, mailed=tuple(mailed))
    signed = statements.read(heads.line_of(last))
    organisation = str(current_scope().organisation_id or PARTNERSHIP_CHAIN)
    return HeadsState(
        number=last.number,
        at=last.at,
        fingerprint=fingerprint(signed.digest),
        late=clock.now() - last.at > heads.LATE_AFTER,
        next_at=last.at + heads.EVERY + dt.timedelta(minutes=1),
        own=next((head.sequence for head in signed.statement.heads if head.chain == organisation), 0),
        mailed_on=day,
        mailed=tuple(mailed),
    )


def newest_statement() -> tuple[int, bytes] | None:
    """(number, line) of the newest signed statement."""
    last = HeadStatement.objects.first()
    return (last.number, heads.line_of(last)) if last else None


def actors() -> list[tuple[UUID, str]]:
    """Who holds or held a role at the organisation acted for, by name: whom the trail can be asked about."""
    held = Membership.objects.filter(organisation_id=current_organisation()).order_by(
        "user__full_name", "user_id"
    )
    return list(held.values_list("user_id", "user__full_name").distinct())


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
