"""Reads of the day's work: a person's caseload and what needs attention in it, and who works with whom."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Subquery

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
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import Service, User
from edatrs.organisations.selectors import services_of

PAGE = 50
CLOSED_STAYS_DAYS = 14
SUBSTANCES = {"opiate": "Opiate", "non-opiate": "Non-opiate", "alcohol": "Alcohol"}
STATES = {
    "open": "Open",
    "waiting": "Waiting to start",
    "closed": "Closed in the last 14 days",
    "ended": "Ended earlier",
    "none": "No episode yet",
}
ENDED = "ended"
CONSENTS = {"yes": "Yes", "no": "No", "not-asked": "Not asked"}
_CONSENT = {"Y": "yes", "N": "no", "": "not-asked"}
MY_CASELOAD = "my-caseload"


@dataclass(frozen=True)
class Filters:
    """What a caseload is narrowed to; all empty: everybody but those whose last episode ended more than 14 days ago (state `ended`).

    Only `client_id` may stand in an address, a name never.
    """

    kind: str = ""
    substances: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    cover: bool = False
    client_id: str = ""
    name: str = ""

    def kept(self) -> dict[str, Any]:
        """What a saved view keeps: nothing that says who a client is."""
        return {
            "kind": self.kind,
            "substance": list(self.substances),
            "state": list(self.states),
            "service": list(self.services),
            "consent": list(self.consents),
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
    agencies: frozenset[str]
    consents: frozenset[str]
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
    """A page of a caseload: its rows, how many there are by group and by kind, and the key of the next page ('' at the end).

    `first` is the place of its first row among all that match, from 1.
    """

    rows: list[Row]
    total: int
    matching: int
    kinds: Counter[str] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    covering: int = 0
    first: int = 1
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
        had_episode=Exists(Episode.objects.filter(client_id=OuterRef("pk"), voided_at__isnull=True)),
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
    ).select_related("quality", "service")


def whose(person_id: UUID | None) -> User | None:
    """The colleague whose caseload is asked for, None for one's own. Raises Denied unless the roles allocate, and for anybody who works
    or worked with no client here.
    """
    if person_id is None or person_id == current_scope().person_id:
        return None
    access.require("caseload.allocate")
    rows = Allocation.objects.filter(keyworker_id=person_id).select_related("keyworker")
    found = rows.first()
    if found is None:
        raise Denied("caseload.allocate", "no caseload here", subject=str(person_id))
    person: User = found.keyworker
    return person


def people_with_a_caseload(day: dt.date) -> list[User]:
    """Who has clients of this organisation on a day, leavers too, by name. For who allocates. Raises Denied."""
    access.require("caseload.allocate")
    ids = in_force(day).order_by().values("keyworker_id").distinct()
    return list(User.objects.filter(pk__in=ids).order_by("full_name"))


def service_choices() -> dict[str, str]:
    """The services of the organisation, for a filter: words by agency code."""
    rows: list[Service] = list(services_of(current_organisation()).order_by("agency_code"))
    return {s.agency_code: f"{s.name} ({s.agency_code})" for s in rows}


def caseload_page(
    filters: Filters, *, person: UUID | None = None, after: str = "", limit: int = PAGE
) -> Page:
    """A page of a caseload, what needs attention first: of the person acting, or of a colleague for who allocates (`whose`).

    The same number of queries however long it is. Paged by the client that a page ends with: one who has left the caseload meanwhile
    leads back to its beginning. Raises Denied.
    """
    today = clock.today()
    whose(person)
    person = person or current_scope().person_id
    recent = today - dt.timedelta(days=CLOSED_STAYS_DAYS)
    episodes = _with_dates(
        Episode.objects.filter(voided_at__isnull=True)
        .filter(Q(discharged_on__isnull=True) | Q(discharged_on__gte=recent))
        .order_by("-referred_on", "pk")
    )
    clients = _with_parts(caseload_of(person, today), episodes)
    facts = [_facts(c, person) for c in clients]
    needs = needs_of(facts, today)
    every = [_row(c, needs[c.pk], person, today) for c in clients]
    rows = every if ENDED in filters.states else [r for r in every if r.state != ENDED]
    kinds = Counter(kind for row in rows for kind in {a.kind for a in row.needs.all})
    found = sorted((r for r in rows if _matches(r, filters)), key=lambda r: r.key)
    begin = next((r.key for r in rows if str(r.client) == after), None) if after else None
    start = sum(1 for r in found if begin is not None and r.key <= begin)
    page = found[start : start + limit + 1]
    return Page(
        rows=page[:limit],
        total=len(rows),
        matching=len(found),
        kinds=kinds,
        groups=Counter(row.needs.group for row in found),
        covering=sum(1 for row in rows if row.covering),
        first=start + 1,
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
                has_tops=_has_tops(e.service.dataset),
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
    current: Any = next((e for e in episodes if e.discharged_on is None), episodes[0] if episodes else None)
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
        state=_state(current, client.had_episode),
        agencies=frozenset(e.service.agency_code for e in episodes),
        consents=frozenset(_CONSENT[e.consent] for e in episodes if e.discharged_on is None),
        week=(today - began).days // 7 + 1 if began and current.discharged_on is None else None,
        since=(client.own_since if own else client.covered_since),
        covering="" if own else (client.own_keyworker_name or "a client without a keyworker"),
        until=None if own else client.covered_until,
    )


@cache
def _has_tops(dataset: str) -> bool:
    """Whether a data set asks for outcome forms of adults."""
    known = load_dictionary()
    columns = known.columns(DataSet(dataset).value, known.default_letter)
    return any(item.name == "TOPDATE" for item in columns)


def _state(episode: Any, had_one: bool) -> str:
    if episode is None:
        return ENDED if had_one else "none"
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
        and (not filters.services or bool(row.agencies & set(filters.services)))
        and (not filters.consents or bool(row.consents & set(filters.consents)))
        and (not filters.cover or bool(row.covering))
        and (not filters.client_id or filters.client_id.strip() in row.client_ids)
        and all(word in name or word in map(str.casefold, row.client_ids) for word in typed)
    )


def saved_views(page: str = MY_CASELOAD) -> list[SavedView]:
    """The views that the person acting keeps of a page."""
    rows = SavedView.objects.filter(user_id=current_scope().person_id, page=page, removed_at__isnull=True)
    return list(rows.order_by("created_at", "pk"))
