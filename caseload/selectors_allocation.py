"""Reads of who works with whom: clients without a keyworker, those of a colleague, referrals that wait, and acts of allocation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
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


def _from_key(rows: QuerySet[Any], after: str) -> QuerySet[Any]:
    """Episodes behind a key `referral date~id`, oldest first, those without a date last."""
    if not after:
        return rows
    on, _, pk = after.partition("~")
    if not on:
        return rows.filter(referred_on__isnull=True, pk__gt=pk)
    return rows.filter(Q(referred_on__gt=on) | Q(referred_on=on, pk__gt=pk) | Q(referred_on__isnull=True))


def waiting_referrals(*, after: str = "", limit: int = PAGE) -> tuple[list[Any], str]:
    """A page of episodes that were referred and neither triaged nor discharged, oldest referral first, and the key of the next page.

    One without a referral date stands last: the date is missing, the person waits all the same. With `keyworker_id` and
    `keyworker_name` of today, None where nobody has the client. Two queries at most, however many there are.
    """
    today = clock.today()
    of = OuterRef("client_id")
    rows = Episode.objects.filter(
        voided_at__isnull=True,
        triaged_on__isnull=True,
        discharged_on__isnull=True,
        client__voided_at__isnull=True,
    ).annotate(
        keyworker_id=Subquery(keyworker_of(today, of).values("keyworker_id")[:1]),
        keyworker_name=Subquery(keyworker_of(today, of).values("keyworker__full_name")[:1]),
    )
    found = list(
        _from_key(rows, after)
        .select_related("service", "registration", "client__clientidentity")
        .order_by(F("referred_on").asc(nulls_last=True), "pk")[: limit + 1]
    )
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], f"{last.referred_on or ''}~{last.pk}" if last else ""


# ---- acts of allocation -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunLine:
    """What an act did for one client: `problem` says why nothing, `undone` why it was not taken back."""

    client: UUID
    name: str
    record: str
    before: str
    problem: str = ""
    undone: str = ""


def run_of(pk: UUID) -> AllocationRun:
    """An act of allocation of the organisation acted for. Raises Denied."""
    access.require(ACT)
    found: AllocationRun | None = AllocationRun.objects.filter(pk=pk).select_related("keyworker").first()
    if found is None:
        raise Denied(ACT, "not found", subject=str(pk))
    return found


def run_lines(run: AllocationRun) -> list[RunLine]:
    """Its lines with the names that the clients have today; whom the person may not find is not among them. One query."""
    ids = [line["client"] for line in run.lines]
    clients = {str(c.pk): c for c in Client.objects.filter(pk__in=ids).select_related("clientidentity")}
    return [
        RunLine(
            UUID(line["client"]),
            present.name_of(clients[line["client"]]),
            str(clients[line["client"]]),
            line.get("before", ""),
            line.get("problem", ""),
            line.get("not_undone", ""),
        )
        for line in run.lines
        if line["client"] in clients
    ]


def newest_runs(limit: int = 10) -> list[AllocationRun]:
    """The last acts of allocation, so that one can be looked at again and undone."""
    access.require(ACT)
    return list(AllocationRun.objects.select_related("keyworker").order_by("-at", "pk")[:limit])
