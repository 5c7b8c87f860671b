"""Is this person known here already? Answered inside one organisation, from the search tokens (caseload.search)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from caseload.models import Client, SearchToken
from caseload.search import Kind, digits, name_words, sounds, swapped

MOST = 20
_NAMES = (Kind.NAME, Kind.EARLIER_NAME, Kind.SOUND)


def nhs_number_is_sound(text: str) -> bool:
    """Ten digits of which the last is the check digit (modulus 11)."""
    found = [int(c) for c in digits(text)]
    if len(found) != 10:
        return False
    return (11 - sum(d * w for d, w in zip(found, range(10, 1, -1), strict=False)) % 11) % 11 == found[9]


@dataclass(frozen=True)
class Candidate:
    """A client who may be the same person, and why, strongest first."""

    client: Client
    reasons: tuple[str, ...]


def candidates(
    *,
    forename: str,
    surname: str,
    born: dt.date | None,
    nhs_number: str,
    leave_out: Iterable[UUID] = (),
) -> list[Candidate]:
    """Clients of the organisation acted for with the same NHS number, or with a like name and the same date of birth (also day and month
    swapped); without a date of birth, with a like forename and a like surname. Two queries, three when somebody is found.
    """
    fore, sur = _tokens(forename), _tokens(surname)
    wanted = set(fore | sur)
    if born:
        wanted.add((Kind.BORN.value, born.isoformat()))
        other = swapped(born)
        wanted |= {(Kind.BORN.value, other.isoformat())} if other else set()
    if len(digits(nhs_number)) == 10:
        wanted.add((Kind.NHS_NUMBER.value, digits(nhs_number)))
    if not wanted:
        return []
    held: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    # The rare tokens first: names alone may be shared by thousands.
    rare = {w for w in wanted if w[0] in {Kind.BORN.value, Kind.NHS_NUMBER.value}}
    rows = SearchToken.objects.filter(token__in={text for _, text in wanted})
    if born:
        few = SearchToken.objects.filter(token__in={text for _, text in rare}, kind__in={k for k, _ in rare})
        rows = rows.filter(client_id__in=few.values("client_id"))
    for client_id, kind, text in rows.exclude(client_id__in=list(leave_out)).values_list(
        "client_id", "kind", "token"
    )[:50_000]:
        if (kind, text) in wanted:
            held[client_id].add((kind, text))
    why = {pk: reasons for pk, found in held.items() if (reasons := _why(found, fore, sur, born))}
    best = sorted(why, key=lambda pk: (_WEIGHT[why[pk][0]], str(pk)))[:MOST]
    clients = {
        c.pk: c
        for c in Client.objects.filter(pk__in=best, voided_at__isnull=True)
        .select_related("clientidentity")
        .prefetch_related("registrations__service")
    }
    return [Candidate(clients[pk], why[pk]) for pk in best if pk in clients]


_NHS, _SAME, _ALIKE, _SWAPPED, _NAMES_ONLY = (
    "Same NHS number",
    "Same name and date of birth",
    "Name sounds alike, same date of birth",
    "Like name, day and month of birth swapped",
    "Name sounds alike, and no date of birth to compare",
)
_WEIGHT = {_NHS: 0, _SAME: 1, _ALIKE: 2, _SWAPPED: 3, _NAMES_ONLY: 4}


def _tokens(name: str) -> set[tuple[str, str]]:
    words = name_words(name)
    found = {(kind.value, word) for word in words for kind in (Kind.NAME, Kind.EARLIER_NAME)}
    return found | {(Kind.SOUND.value, sound) for word in words if (sound := sounds(word))}


def _why(
    found: set[tuple[str, str]],
    fore: set[tuple[str, str]],
    sur: set[tuple[str, str]],
    born: dt.date | None,
) -> tuple[str, ...]:
    reasons = []
    if any(kind == Kind.NHS_NUMBER for kind, _ in found):
        reasons.append(_NHS)
    like_name = bool(found & (fore | sur))
    # With both names typed one that is alike could be anybody's: a date beside it makes it worth a look.
    exact = all(any(k == Kind.NAME and (k, t) in found for k, t in part) for part in (fore, sur) if part)
    if born and like_name:
        same = (Kind.BORN.value, born.isoformat()) in found
        other = swapped(born)
        if same:
            reasons.append(_SAME if exact else _ALIKE)
        elif other and (Kind.BORN.value, other.isoformat()) in found:
            reasons.append(_SWAPPED)
    elif not born and found & fore and found & sur:
        reasons.append(_NAMES_ONLY)
    return tuple(reasons)
