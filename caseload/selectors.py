"""Reads of the caseload app: the one door to a client."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from caseload.models import Client, Episode, Opening, Registration, SearchToken
from caseload.search import WORDS, Asked, Kind, stored_as
from edatrs.core import access
from edatrs.core.access import Denied
from edatrs.core.scope import current_scope

PAGE = 50
MOST_FOUND = 100


@dataclass(frozen=True)
class Found:
    """A client that a search found, and by what."""

    client: Client
    reasons: tuple[str, ...]
    exact: bool


def clients_for(act: str) -> QuerySet[Any]:
    """The clients that the roles of the open scope reach by an act: those of the organisation acted for, voided ones left out.

    Raises Denied where the roles never reach any.
    """
    if "O" not in access.letters(act, "identity") and "O" not in access.letters(act):
        raise Denied(act, "role")
    return Client.objects.filter(voided_at__isnull=True).select_related("clientidentity")


def get_client(pk: UUID | str, act: str, *, along: str = "clientidentity") -> Client:
    """One client, with what is fetched `along`. Raises Denied: absent, another organisation's and out of reach answer alike."""
    try:
        found: Client = clients_for(act).select_related(along).get(pk=pk)
    except Client.DoesNotExist:
        raise Denied(act, "not found", subject=str(pk)) from None
    return found


def list_page(*, after: str = "", limit: int = PAGE) -> tuple[list[dict[str, Any]], str]:
    """A page of the organisation's registrations by CLIENTID, and the key of the next page ('' at the end). By key, never by offset."""
    unasked = Episode.objects.filter(
        registration=OuterRef("pk"), consent="", voided_at__isnull=True, discharged_on__isnull=True
    )
    rows = (
        Registration.objects.filter(client__voided_at__isnull=True)
        .annotate(unasked=Exists(unasked))
        .order_by("client_id_text", "pk")
    )
    if after:
        text, _, last = after.rpartition("~")
        try:
            rows = rows.filter(Q(client_id_text__gt=text) | Q(client_id_text=text, pk__gt=UUID(last)))
        except ValueError:
            pass  # an address that somebody typed or cut off: from the start
    found = list(
        rows.values(
            "pk",
            "client_id",
            "client_id_text",
            "service__agency_code",
            "client__clientidentity__forename",
            "client__clientidentity__surname",
            "client__clientidentity__date_of_birth",
            "unasked",
        )[: limit + 1]
    )
    more = f"{found[limit - 1]['client_id_text']}~{found[limit - 1]['pk']}" if len(found) > limit else ""
    return found[:limit], more


def search(asked: list[Asked]) -> list[Found]:
    """The clients that match every part of a query, best first: exact ids and names before what sounds alike. At most MOST_FOUND."""
    if not asked:
        return []
    candidates: set[UUID] | None = None
    reasons: dict[UUID, dict[Kind, str]] = defaultdict(dict)
    for part in asked:
        rows = SearchToken.objects.filter(token__in={t.text for t in part.alternatives})
        if candidates is not None:
            rows = rows.filter(client_id__in=candidates)
        wanted = {(stored_as(t.kind).value, t.text): t.kind for t in part.alternatives}
        matched: set[UUID] = set()
        for client_id, held, token in rows.values_list("client_id", "kind", "token")[:20_000]:
            if kind := wanted.get((held, token)):
                matched.add(client_id)
                reasons[client_id].setdefault(kind, token)
        candidates = matched if candidates is None else candidates & matched
    return _ranked(candidates or set(), reasons)


def _ranked(candidates: set[UUID], reasons: dict[UUID, dict[Kind, str]]) -> list[Found]:
    order = list(Kind)
    weak = {Kind.SOUND, Kind.BORN_SWAPPED, Kind.EARLIER_NAME}

    def key(client_id: UUID) -> tuple[bool, int, str]:
        kinds = set(reasons[client_id])
        return (not kinds - weak, min(order.index(k) for k in kinds), str(client_id))

    best = sorted(candidates, key=key)[:MOST_FOUND]
    clients = {
        c.pk: c
        for c in clients_for("client.find").filter(pk__in=best).prefetch_related("registrations__service")
    }
    return [
        Found(
            clients[pk],
            tuple(WORDS[kind] for kind in order if _counts(kind, reasons[pk])),
            bool(set(reasons[pk]) - weak),
        )
        for pk in best
        if pk in clients
    ]


def _counts(kind: Kind, kinds: dict[Kind, str]) -> bool:
    """A name that matches as it is also sounds alike: only the first is worth saying."""
    return kind in kinds and not (kind is Kind.SOUND and {Kind.NAME, Kind.EARLIER_NAME} & set(kinds))


def recently_opened(limit: int = 6) -> list[Opening]:
    """The clients that the person acting opened last in this organisation."""
    rows = Opening.objects.filter(user_id=current_scope().person_id, client__voided_at__isnull=True)
    return list(rows.select_related("client__clientidentity").order_by("-at")[:limit])


def episodes_of(client: Client) -> QuerySet[Any]:
    """The episodes of a client, newest first, those entered in error left out."""
    return (
        Episode.objects.filter(client=client, voided_at__isnull=True)
        .select_related("service", "registration")
        .order_by("-referred_on", "-episode_id")
    )
