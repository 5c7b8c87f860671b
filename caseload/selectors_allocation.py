"""Reads of who works with whom: clients without a keyworker, those of a colleague, referrals that wait, and acts of allocation."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from caseload import present
from caseload.models import AllocationRun, Client, Episode
from caseload.selectors_work import PAGE, keyworker_of
from edatrs.core import access, clock
from edatrs.core.access import Denied

ACT = "caseload.allocate"


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
