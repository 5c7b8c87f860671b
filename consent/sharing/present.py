"""Who can see a record, what, why and until when, in words a client understands.

What an organisation can see is read from the grants that both walls go by; consents and decisions say why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from caseload.choices import Category, LawfulGround
from caseload.models import Client, EmergencyAccess, SharingGrant
from consent import parts
from consent.sharing import partners, sources
from consent.sharing.partners import Partner
from consent.sharing.rules import State
from consent.sharing.sources import Book, ConsentLine, DecisionLine
from edatrs.core import clock, registry
from edatrs.core.registry import Ask
from edatrs.core.templatetags.page import short_date

CAN, ASKED, CANNOT, ENDED, WAITING = "can", "asked", "cannot", "ended", "waiting"
SAYS = {
    CAN: "Can see",
    ASKED: "Asked for",
    CANNOT: "Cannot see",
    ENDED: "Ended",
    WAITING: "Waiting for witness",
}


@dataclass(frozen=True)
class Cell:
    """One part for one organisation."""

    state: str
    notes: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """The state in words."""
        return SAYS[self.state]


@dataclass
class Column:
    """An organisation with what it can see. `off`: why it can see nothing at all, where that is so."""

    name: str
    note: str
    cells: dict[str, Cell] = field(default_factory=dict)
    off: tuple[str, ...] = ()

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The same in blocks for a narrow page: parts by state and note."""
        found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for part in parts.PARTS:
            cell = self.cells[part.key]
            found.setdefault((cell.state, cell.notes), []).append(part.words)
        order = [CAN, WAITING, ASKED, CANNOT, ENDED]
        return [
            {"state": state, "says": SAYS[state], "notes": notes, "parts": _line(words)}
            for (state, notes), words in sorted(found.items(), key=lambda item: order.index(item[0][0]))
        ]


def _line(words: list[str]) -> str:
    return ", ".join([*words[:1], *(w[:1].lower() + w[1:] for w in words[1:])])


def open_asks(client: Client) -> list[Ask]:
    """The requests of partners that wait for an answer."""
    return [ask for _, asks in registry.sharing_asks for ask in asks.open_asks(client)]


def columns(client: Client, book: Book, *, own_name: str, called: str) -> list[Column]:
    """The organisations that have or had anything to do with this record, one's own first."""
    own = Column(
        own_name, "holds the record", {p.key: Cell(CAN, ("provides the care",)) for p in parts.PARTS}
    )
    held = granted(client)
    asks = {ask.organisation_id: ask for ask in open_asks(client)}
    found = [own]
    for partner in partners.partners():
        if partner.pk not in book.recipients | set(held) | set(asks):
            continue
        found.append(_column(partner, book, held.get(partner.pk, {}), asks.get(partner.pk), called))
    return found


def others(shown: list[Column]) -> list[str]:
    """The partners that have nothing to do with this record: they can see nothing."""
    names = {column.name for column in shown}
    return [partner.name for partner in partners.partners() if partner.name not in names]


def granted(client: Client) -> dict[UUID, dict[str, SharingGrant]]:
    """What is open today by the grants' own dates, by holder and category."""
    today = clock.today()
    found: dict[UUID, dict[str, SharingGrant]] = {}
    rows = SharingGrant.objects.filter(content_object_id=client.pk, organisation_id=client.organisation_id)
    for row in rows.filter(suspended_at__isnull=True, valid_from__lte=today):
        if row.valid_until is None or row.valid_until >= today:
            found.setdefault(row.holder_id, {})[row.category] = row
    return found


def _column(
    partner: Partner, book: Book, granted: dict[str, SharingGrant], ask: Ask | None, called: str
) -> Column:
    column = Column(partner.name, f"protocol since {short_date(partner.since)}" if partner.since else "")
    consents = [line for line in book.consents if line.consent.recipient_id == partner.pk]
    decisions = [line for line in book.decisions if line.decision.recipient_id == partner.pk]
    if not partner.in_force:
        since = partner.no_protocol_since
        kept = [line for line in consents if line.live]
        column.note = ""
        column.off = (
            f"No protocol in force with {partner.name}" + (f" since {short_date(since)}." if since else "."),
            *(
                f"The consent of {short_date(line.consent.decided_on)} is kept and gives no access."
                for line in kept[:3]
            ),
        )
        granted = {}
    for part in parts.PARTS:
        column.cells[part.key] = _cell(part, granted, consents, decisions, ask, called)
    return column


def _cell(
    part: parts.Part,
    granted: dict[str, SharingGrant],
    consents: list[ConsentLine],
    decisions: list[DecisionLine],
    ask: Ask | None,
    called: str,
) -> Cell:
    held = [c for c in part.categories if c in granted]
    if held:
        only = () if len(held) == len(part.categories) else (f"{Category(held[0]).label.lower()} only",)
        return Cell(CAN, (*only, *_why(granted[held[0]], held, consents, decisions)))
    waiting = next(
        (
            c
            for c in consents
            if c.state is State.WAITING and set(part.categories) & set(c.consent.categories)
        ),
        None,
    )
    if waiting is not None:
        return Cell(WAITING, (f"consent of {short_date(waiting.consent.decided_on)}",))
    if ask is not None and set(part.categories) & set(ask.categories):
        return Cell(ASKED, (f"{short_date(clock.london_date(ask.asked_at))}, no answer yet",))
    return _ended(part, consents, decisions, called)


def _why(
    grant: SharingGrant, held: list[str], consents: list[ConsentLine], decisions: list[DecisionLine]
) -> tuple[str, ...]:
    by = next((c for c in consents if c.live and set(held) & set(c.consent.categories)), None)
    decided = next((d for d in decisions if d.live and set(held) & set(d.decision.categories)), None)
    if by is not None:
        until = f"until {short_date(grant.valid_until)}" if grant.valid_until else "no end date"
        return until, f"consent, {short_date(by.consent.decided_on)}"
    if decided is not None and decided.review_on is not None:
        ground = LawfulGround(decided.decision.ground).label
        return (
            f"until review {short_date(decided.review_on)}",
            f"no consent: {ground[:1].lower()}{ground[1:]}",
        )
    return (f"until {short_date(grant.valid_until)}" if grant.valid_until else "no end date",)


def _ended(part: parts.Part, consents: list[ConsentLine], decisions: list[DecisionLine], called: str) -> Cell:
    """The newest yes that ended, if there was one."""
    ways = {
        State.WITHDRAWN: f"{called} withdrew",
        State.EPISODE_OVER: "the episode ended",
        State.ENDED: "its last day",
    }
    over = [
        (line.ended_on, ways[line.state])
        for line in consents
        if line.state in ways and line.ended_on and set(part.categories) & set(line.consent.categories)
    ]
    over += [
        (line.review_on, "not reviewed in time")
        for line in decisions
        if line.overdue and line.review_on and set(part.categories) & set(line.decision.categories)
    ]
    over += [
        (clock.london_date(line.reviews[-1].recorded_at), "the review ended it")
        for line in decisions
        if line.review_on is None and line.reviews and set(part.categories) & set(line.decision.categories)
    ]
    if not over:
        return Cell(CANNOT)
    day, why = max(over)
    return Cell(ENDED, (f"{short_date(day)}, {why}",))


@dataclass(frozen=True)
class Reason:
    """A row of "why each organisation can see it"."""

    organisation: str
    consent: ConsentLine | None
    decision: DecisionLine | None
    parts: str
    many: int
    since: dt.date
    until: dt.date | None
    days_left: int | None
    in_force: bool


def reasons(book: Book) -> list[Reason]:
    """What counts now, and what waits for a witness; with its partner's protocol."""
    today, found = clock.today(), []
    for line in book.consents:
        if line.consent.answer == "given" and line.state in (State.LIVE, State.WAITING):
            partner = partners.by_id(line.consent.recipient_id) if line.consent.recipient_id else None
            until = line.consent.until
            left = (until - today).days if until and (until - today).days <= 42 else None
            words = parts.words_of(line.consent.categories)
            found.append(
                Reason(
                    line.recipient,
                    line,
                    None,
                    words[0] if len(words) == 1 else "",
                    len(words),
                    line.consent.decided_on,
                    until,
                    left,
                    line.consent.recipient_id is None or (partner is not None and partner.in_force),
                )
            )
    for decided in book.decisions:
        if decided.live:
            partner = partners.by_id(decided.decision.recipient_id)
            words = parts.words_of(decided.decision.categories)
            found.append(
                Reason(
                    decided.decision.recipient.name,
                    None,
                    decided,
                    words[0] if len(words) == 1 else "",
                    len(words),
                    decided.decision.decided_on,
                    decided.review_on,
                    None,
                    partner is not None and partner.in_force,
                )
            )
    return sorted(found, key=lambda row: (row.organisation.casefold(), row.since))


def earlier(book: Book) -> dict[str, list[Any]]:
    """What does not count any more, and what never did: kept, with why."""
    return {
        "consents": [line for line in book.consents if line.state not in (State.LIVE, State.WAITING)],
        "decisions": [line for line in book.decisions if not line.live],
    }


def emergencies(client: Client) -> list[Any]:
    """Who of another organisation opened this record in an emergency and still can."""
    now = clock.now()
    rows = EmergencyAccess.objects.filter(
        client_organisation_id=client.organisation_id, opened_client_id__in=sources.record_ids(client)
    )
    open_now = rows.filter(opened_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
    return list(open_now.select_related("organisation", "user").order_by("opened_at"))
