"""What needs attention in a caseload, in its settled order (mockups/README.md). Pure: facts and dates come in, no queries.

Each kind is an entry of `edatrs.core.registry.attention`; safeguarding, risk and appointments add theirs under the places kept for them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from uuid import UUID

from caseload import outcomes
from edatrs.core import registry
from edatrs.core.templatetags.page import short_date

NEW_FOR_DAYS = 7
SOON_DAYS = 7


class Place(IntEnum):
    """The order. Gaps are for kinds that do not exist yet."""

    SAFEGUARDING = 10
    RISK_REVIEW = 20
    MISSED = 30
    CONSENT = 40
    TOP_OVERDUE = 50
    SHARING_ENDS = 60
    EXTRACT_ERROR = 70
    SOON = 80
    NEW = 90
    NOTHING = 99


class Group(IntEnum):
    """When it is to be done."""

    TODAY = 1
    WEEK = 2
    NOTHING = 3


GROUP_WORDS = {
    Group.TODAY: "Do today",
    Group.WEEK: "Do this week",
    Group.NOTHING: "Nothing due this week",
}
# How badges stand in a row: now, late, soon, guard, info.
BADGE_ORDER = ("now", "late", "soon", "guard", "info", "ok", "none")


@dataclass(frozen=True)
class EpisodeFacts:
    """What attention needs to know of an episode."""

    id: UUID
    open: bool
    consent: str = ""
    has_tops: bool = True
    first_started: dt.date | None = None
    has_start_top: bool = False
    last_top: dt.date | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClientFacts:
    """What attention needs to know of a client in a caseload."""

    client: UUID
    allocated_on: dt.date | None = None
    episodes: tuple[EpisodeFacts, ...] = ()


@dataclass(frozen=True)
class Attention:
    """One thing to do for a client: a badge, its words, its place in the order, and since or until when (the earlier the more urgent)."""

    kind: str
    place: Place
    group: Group
    badge: str
    words: str
    on: dt.date = dt.date.max


@dataclass(frozen=True)
class Kind:
    """A kind of attention: the words of its filter, and what it finds for the clients of a caseload. One that needs rows of its own asks
    for all clients in one query.
    """

    words: str
    find: Callable[[Sequence[ClientFacts], dt.date], Mapping[UUID, Sequence[Attention]]]


@dataclass(frozen=True)
class Needs:
    """Everything that needs attention for a client, badges in order; `key` sorts a caseload."""

    all: tuple[Attention, ...] = field(default=())

    @property
    def group(self) -> Group:
        """The soonest of all."""
        return min((a.group for a in self.all), default=Group.NOTHING)

    @property
    def key(self) -> tuple[int, int, str]:
        """Group, place and date of what comes first."""
        first = min(self.all, key=lambda a: (a.group, a.place, a.on), default=None)
        if first is None:
            return (Group.NOTHING, Place.NOTHING, dt.date.max.isoformat())
        return (first.group, first.place, first.on.isoformat())


def needs_of(facts: Sequence[ClientFacts], today: dt.date) -> dict[UUID, Needs]:
    """What every client of a caseload needs, from all kinds that are registered."""
    found: dict[UUID, list[Attention]] = {f.client: [] for f in facts}
    for _, kind in registry.attention:
        for client, some in kind.find(facts, today).items():
            found[client] += some
    return {client: arranged(some) for client, some in found.items()}


def arranged(some: Iterable[Attention]) -> Needs:
    """Badges in their order; at most one is `now`, the first by place and date, and what else is for today is shown as late."""
    waiting = sorted(some, key=lambda a: (BADGE_ORDER.index(a.badge), a.place, a.on, a.kind))
    loud = next((a for a in waiting if a.badge == "now"), None)
    shown = [replace(a, badge="late") if a.badge == "now" and a is not loud else a for a in waiting]
    return Needs(tuple(sorted(shown, key=lambda a: (BADGE_ORDER.index(a.badge), a.place, a.on, a.kind))))


def top_due(episode: EpisodeFacts) -> tuple[str, dt.date] | None:
    """Which outcome form an open episode needs next, and by when: the one truth is `caseload.outcomes.next_due`."""
    return outcomes.next_due(episode)


def _consent(facts: Sequence[ClientFacts], today: dt.date) -> dict[UUID, list[Attention]]:
    asked = Attention("consent", Place.CONSENT, Group.TODAY, "late", "Consent not asked")
    return {f.client: [asked] for f in facts if any(e.open and not e.consent for e in f.episodes)}


def _top(facts: Sequence[ClientFacts], today: dt.date) -> dict[UUID, list[Attention]]:
    found: dict[UUID, list[Attention]] = {}
    for client in facts:
        dues = [due for due in map(top_due, client.episodes) if due is not None]
        if not dues:
            continue
        which, on = min(dues, key=lambda due: due[1])
        late = (today - on).days
        if late > 0:
            words = f"TOP {which} {late:,} {'day' if late == 1 else 'days'} overdue"
            found[client.client] = [Attention("top", Place.TOP_OVERDUE, Group.WEEK, "late", words, on)]
        elif -late <= SOON_DAYS:
            when = {0: "today", -1: "tomorrow"}.get(late, short_date(on))
            words = f"TOP {which} due {when}"
            found[client.client] = [Attention("top", Place.SOON, Group.WEEK, "soon", words, on)]
    return found


def _extract(facts: Sequence[ClientFacts], today: dt.date) -> dict[UUID, list[Attention]]:
    found = {}
    for client in facts:
        rules = sorted({rule for e in client.episodes for rule in e.errors})
        if rules:
            words = f"Extract error {rules[0]}" + (f" and {len(rules) - 1} more" if len(rules) > 1 else "")
            found[client.client] = [Attention("extract", Place.EXTRACT_ERROR, Group.WEEK, "info", words)]
    return found


def _new(facts: Sequence[ClientFacts], today: dt.date) -> dict[UUID, list[Attention]]:
    found = {}
    for client in facts:
        since = client.allocated_on
        if since is not None and 0 <= (today - since).days <= NEW_FOR_DAYS:
            words = f"New: allocated {short_date(since).rpartition(' ')[0]}"  # at most a week ago: the year says nothing
            found[client.client] = [Attention("new", Place.NEW, Group.WEEK, "info", words, since)]
    return found


def register_kinds() -> None:
    """Fill in the kinds that the record itself knows."""
    for key, words, find in (
        ("consent", "Consent not asked", _consent),
        ("top", "TOP due or overdue", _top),
        ("extract", "Extract error", _extract),
        ("new", "New", _new),
    ):
        if key not in registry.attention.keys():  # noqa: SIM118  # not a dictionary
            registry.attention.add(key, Kind(words, find))
