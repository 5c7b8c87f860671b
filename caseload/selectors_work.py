"""Reads of the day's work: a person's caseload and what needs attention in it, and who works with whom."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery

from caseload import present
from caseload.attention import ClientFacts, EpisodeFacts, Group, Needs, needs_of
from caseload.dataset.reader import load_dictionary
from caseload.models import (
    Allocation,
    AllocationKind,
    Client,
    Episode,
    Intervention,
    Outcome,
    Registration,
    SavedView,
)
from edatrs.core import clock
from edatrs.core.scope import current_scope

PAGE = 50
CLOSED_STAYS_DAYS = 14
SUBSTANCES = {"opiate": "Opiate", "non-opiate": "Non-opiate", "alcohol": "Alcohol"}
STATES = {"open": "Open", "closed": "Closed in the last 14 days", "waiting": "Waiting to start"}
MY_CASELOAD = "my-caseload"


@dataclass(frozen=True)
class Filters:
    """What a caseload is narrowed to; all empty: everybody. Only `client_id` may stand in an address, a name never."""

    kind: str = ""
    substances: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    cover: bool = False
    client_id: str = ""
    name: str = ""

    def kept(self) -> dict[str, Any]:
        """What a saved view keeps: nothing that says who a client is."""
        return {
            "kind": self.kind,
            "substance": list(self.substances),
            "state": list(self.states),
            "cover": self.cover,
        }


@dataclass(frozen=True)
class Row:
    """A client in a caseload."""

    client: UUID
    name: str
    client_ids: tuple[str, ...]
    age: int | None
    needs: Needs
    substances: tuple[str, ...]
    groups: frozenset[str]
    state: str
    week: int | None
    since: dt.date
    covering: str = ""
    until: dt.date | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Sorts the list: what comes first, then the name. A page is asked for by the client it follows: no name is in an address."""
        return (*self.needs.key, self.name, str(self.client))


@dataclass(frozen=True)
class Page:
    """A page of a caseload: its rows, how many there are by group and by kind, and the key of the next page ('' at the end)."""

    rows: list[Row]
    total: int
    matching: int
    kinds: Counter[str] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    covering: int = 0
    more: str = ""


def in_force(day: dt.date) -> QuerySet[Any]:
    """The allocations of a day."""
    return Allocation.objects.filter(valid_from__lte=day).filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day)
    )


def keyworker_of(day: dt.date, client: Any = None) -> QuerySet[Any]:
    """The keyworker allocation of each client that counts on a day: the one that began last."""
    of = OuterRef("pk") if client is None else client
    return (
        in_force(day)
        .filter(client_id=of, kind=AllocationKind.KEYWORKER)
        .order_by("-valid_from", "-created_at", "-pk")
    )


def caseload_of(person_id: UUID | None, day: dt.date) -> QuerySet[Any]:
    """The clients in a person's caseload on a day: their own, and those they cover."""
    covered = in_force(day).filter(
        kind=AllocationKind.COVER, keyworker_id=person_id, client_id=OuterRef("pk")
    )
    return Client.objects.annotate(
        own_keyworker=Subquery(keyworker_of(day).values("keyworker_id")[:1]),
        own_since=Subquery(keyworker_of(day).values("valid_from")[:1]),
        own_keyworker_name=Subquery(keyworker_of(day).values("keyworker__full_name")[:1]),
        covered_until=Subquery(covered.order_by("-valid_until").values("valid_until")[:1]),
        covered_since=Subquery(covered.order_by("-valid_until").values("valid_from")[:1]),
    ).filter(
        Q(own_keyworker=person_id) | Q(covered_until__isnull=False),
        pk__in=in_force(day).filter(keyworker_id=person_id).values("client_id"),
        voided_at__isnull=True,
    )


def _with_dates(rows: QuerySet[Any]) -> QuerySet[Any]:
    tops = Outcome.objects.filter(episode_id=OuterRef("pk"), voided_at__isnull=True)
    started = Intervention.objects.filter(
        episode_id=OuterRef("pk"), voided_at__isnull=True, started_on__isnull=False
    )
    return rows.annotate(
        first_started=Subquery(
            started.order_by().values("episode_id").annotate(first=Min("started_on")).values("first")
        ),
        has_start_top=Exists(tops.filter(stage="S")),
        last_top=Subquery(
            tops.filter(completed_on__isnull=False).order_by("-completed_on").values("completed_on")[:1]
        ),
    ).select_related("quality")


def my_caseload(filters: Filters, *, after: str = "", limit: int = PAGE) -> Page:
    """A page of the caseload of the person acting, what needs attention first. The same number of queries however long it is."""
    today = clock.today()
    person = current_scope().person_id
    recent = today - dt.timedelta(days=CLOSED_STAYS_DAYS)
    episodes = _with_dates(
        Episode.objects.filter(voided_at__isnull=True)
        .filter(Q(discharged_on__isnull=True) | Q(discharged_on__gte=recent))
        .order_by("-referred_on", "pk")
    )
    clients = _with_parts(caseload_of(person, today), episodes)
    facts = [_facts(c, person) for c in clients]
    needs = needs_of(facts, today)
    rows = [_row(c, needs[c.pk], person, today) for c in clients]
    kinds = Counter(kind for row in rows for kind in {a.kind for a in row.needs.all})
    found = sorted((r for r in rows if _matches(r, filters)), key=lambda r: r.key)
    begin = next((r.key for r in rows if str(r.client) == after), None) if after else None
    page = [r for r in found if begin is None or r.key > begin][: limit + 1]
    return Page(
        rows=page[:limit],
        total=len(rows),
        matching=len(found),
        kinds=kinds,
        groups=Counter(row.needs.group for row in found),
        covering=sum(1 for row in rows if row.covering),
        more=str(page[limit - 1].client) if len(page) > limit else "",
    )


def _with_parts(clients: QuerySet[Any], episodes: QuerySet[Any]) -> list[Any]:
    """The clients with their registrations and episodes; the episodes know no way back from a client, so they are gathered here."""
    found = list(clients.select_related("clientidentity"))
    ids = [c.pk for c in found]
    by_id = {c.pk: c for c in found}
    for client in found:
        client.its_ids, client.its_episodes = [], []
    for registration in Registration.objects.filter(client_id__in=ids).order_by("client_id_text"):
        by_id[registration.client_id].its_ids.append(registration)
    for episode in episodes.filter(client_id__in=ids):
        by_id[episode.client_id].its_episodes.append(episode)
    return found


def _facts(client: Any, person: UUID | None) -> ClientFacts:
    own = client.own_keyworker == person
    return ClientFacts(
        client.pk,
        client.own_since if own else client.covered_since,
        tuple(
            EpisodeFacts(
                id=e.pk,
                open=e.discharged_on is None,
                consent=e.consent,
                first_started=e.first_started,
                has_start_top=e.has_start_top,
                last_top=e.last_top,
                errors=tuple(e.quality.errors) if hasattr(e, "quality") else (),
            )
            for e in client.its_episodes
        ),
    )


def _row(client: Any, needs: Needs, person: UUID | None, today: dt.date) -> Row:
    who = getattr(client, "clientidentity", None)
    episodes = client.its_episodes
    current = next((e for e in episodes if e.discharged_on is None), episodes[0] if episodes else None)
    groups = load_dictionary().codes("drug_group", present.ANY_LETTER)
    drugs = [d for d in (current.drug_1, current.drug_2, current.drug_3) if d] if current else []
    own = client.own_keyworker == person
    began = (current.first_started or current.triaged_on) if current else None
    return Row(
        client=client.pk,
        name=present.list_name(who.forename, who.surname) if who else "Name not recorded",
        client_ids=tuple(r.client_id_text for r in client.its_ids),
        age=present.age_on(who.date_of_birth, today) if who else None,
        needs=needs,
        substances=tuple(present.code_words("drug", d) for d in drugs if groups.get(d)),
        groups=frozenset(groups[d] for d in drugs if groups.get(d)),
        state=_state(current),
        week=(today - began).days // 7 + 1 if began and current.discharged_on is None else None,
        since=(client.own_since if own else client.covered_since),
        covering="" if own else (client.own_keyworker_name or "a client without a keyworker"),
        until=None if own else client.covered_until,
    )


def _state(episode: Any) -> str:
    if episode is None:
        return ""
    if episode.discharged_on is not None:
        return "closed"
    return "open" if episode.first_started or episode.triaged_on else "waiting"


def _matches(row: Row, filters: Filters) -> bool:
    typed = filters.name.casefold().split()
    name = row.name.casefold()
    return (
        (not filters.kind or any(a.kind == filters.kind for a in row.needs.all))
        and (not filters.substances or bool(row.groups & set(filters.substances)))
        and (not filters.states or row.state in filters.states)
        and (not filters.cover or bool(row.covering))
        and (not filters.client_id or filters.client_id.strip() in row.client_ids)
        and all(word in name or word in map(str.casefold, row.client_ids) for word in typed)
    )


def saved_views(page: str = MY_CASELOAD) -> list[SavedView]:
    """The views that the person acting keeps of a page."""
    rows = SavedView.objects.filter(user_id=current_scope().person_id, page=page, removed_at__isnull=True)
    return list(rows.order_by("created_at", "pk"))


# ---- who works with whom ----------------------------------------------------------------------------------------


def with_keyworker(rows: QuerySet[Any], day: dt.date) -> QuerySet[Any]:
    """Clients with `keyworker_id`, `keyworker_name` and `keyworker_since` of the one that counts on a day; None without."""
    return rows.annotate(
        keyworker_id=Subquery(keyworker_of(day).values("keyworker_id")[:1]),
        keyworker_name=Subquery(keyworker_of(day).values("keyworker__full_name")[:1]),
        keyworker_since=Subquery(keyworker_of(day).values("valid_from")[:1]),
    )


def to_allocate(
    *, working: list[UUID], waiting: bool = False, keyworker: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[Any], str]:
    """A page of clients with an open episode, the longest waiting first, and the key of the next page.

    Without `keyworker`: those that nobody who works here today has (`working`: who does), leavers' clients included; with one: theirs.
    `waiting`: those with a referral that was not triaged yet, whoever has them. By key, never by offset.
    """
    today = clock.today()
    open_ones = Episode.objects.filter(
        client_id=OuterRef("pk"), voided_at__isnull=True, discharged_on__isnull=True
    )
    first = open_ones.filter(triaged_on__isnull=True) if waiting else open_ones
    first = first.order_by("referred_on", "pk")
    rows = with_keyworker(Client.objects.filter(voided_at__isnull=True), today).annotate(
        episode_pk=Subquery(first.values("pk")[:1]),
        referred=Subquery(first.values("referred_on")[:1]),
        episode_label=Subquery(first.values("episode_id")[:1]),
        agency=Subquery(first.values("service__agency_code")[:1]),
        triaged=Subquery(first.values("triaged_on")[:1]),
        client_id_label=Subquery(first.values("registration__client_id_text")[:1]),
    )
    rows = rows.filter(episode_pk__isnull=False)
    if keyworker:
        rows = rows.filter(keyworker_id=keyworker)
    elif not waiting:
        rows = rows.filter(Q(keyworker_id__isnull=True) | ~Q(keyworker_id__in=working))
    if after:
        on, _, pk = after.partition("~")
        later = Q(record_number__gt=pk)
        rows = (
            rows.filter(Q(referred__gt=on) | Q(referred=on) & later | Q(referred__isnull=True))
            if on
            else rows.filter(Q(referred__isnull=True) & later)
        )
    found = list(
        rows.select_related("clientidentity").order_by(F("referred").asc(nulls_last=True), "record_number")[
            : limit + 1
        ]
    )
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], f"{last.referred or ''}~{last.record_number}" if last else ""


def counts_to_allocate(*, working: list[UUID]) -> dict[str, int]:
    """How many clients with an open episode nobody who works here has, and how many wait for triage."""
    today = clock.today()
    open_ones = Episode.objects.filter(
        client_id=OuterRef("pk"), voided_at__isnull=True, discharged_on__isnull=True
    )
    rows = with_keyworker(Client.objects.filter(voided_at__isnull=True), today)
    nobody = Q(keyworker_id__isnull=True) | ~Q(keyworker_id__in=working)
    return {
        "unallocated": rows.filter(nobody, Exists(open_ones)).count(),
        "waiting": rows.filter(Exists(open_ones.filter(triaged_on__isnull=True))).count(),
    }
