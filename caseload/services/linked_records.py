"""What one's own record and the partners' that it is linked with have in common: identity, contact, equality, and the sensitive flag.

Who changes one of them holds the person first (`hold`), so that two organisations that change the same at once come one after the other.
The functions of migration 0013 write at the partner, from rows of one's own; nothing is handed to them but ids and names of fields.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from caseload.linked import COPIED, LinkProblem
from caseload.models import Client, Episode
from caseload.services import search_index
from edatrs.core import registry, trail
from edatrs.core.crypto import encrypt
from edatrs.core.scope import Actor, current_organisation, current_scope, open_scope
from edatrs.core.tasks import job_kind
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation
from edatrs.organisations.services import jobs, outbox

FROM_PARTNER = "caseload.client.copied_from_partner"
REFRESH = "caseload.refresh_linked"
_MARK = "linking:"


@dataclass(frozen=True)
class Linked:
    """A partner's record that one's own is linked with today."""

    client_id: UUID
    organisation_id: UUID
    since: dt.datetime


def call(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows of a function of migration 0013. Raises LinkProblem for what it refuses, and leaves the transaction usable."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())
    except DatabaseError as error:
        said = getattr(getattr(error.__cause__, "diag", None), "message_primary", None) or ""
        if said.startswith(_MARK):
            raise LinkProblem(said.removeprefix(_MARK)) from None
        raise


def hold(*clients: UUID) -> None:
    """Wait until nobody else changes what these clients of one's own share with others. Before any row of them is locked."""
    call("SELECT caseload_hold_persons(%s::uuid[])", list(clients))


def of_client(client_id: UUID) -> list[Linked]:
    """The partners' records that a client is linked with: agreed by both, and a protocol in force today. One query."""
    rows = call(
        "SELECT client, organisation, since FROM caseload_linked(%s) ORDER BY since, organisation", client_id
    )
    return [Linked(*row) for row in rows]


def also_at(client_id: UUID) -> list[dict[str, Any]]:
    """The same by name, for pages. Two queries, one where there is no link."""
    found = of_client(client_id)
    if not found:
        return []
    names = dict(
        Organisation.objects.filter(pk__in=[one.organisation_id for one in found]).values_list("pk", "name")
    )
    return [{"name": names[one.organisation_id], "since": one.since} for one in found]


def copy(*, client_id: UUID, category: str, fields: Iterable[str]) -> int:
    """Write these fields of a client, as they stand, to each linked record; on both trails under one event. Returns to how many.

    A category that a link does not share is nobody else's business and does nothing.
    """
    changed = sorted(fields)
    if category not in COPIED or not changed:
        return 0
    rows = call(
        "SELECT client, organisation FROM caseload_copy_to_linked(%s, %s, %s::text[])",
        client_id,
        category,
        changed,
    )
    for theirs, organisation_id in rows:
        trail.record(
            FROM_PARTNER,
            organisation_id=organisation_id,
            subject=str(theirs),
            details={"category": category, "what": changed, "from_client": str(client_id)},
            also=[current_organisation()],
        )
        jobs.enqueue(
            kind=REFRESH,
            organisation_id=organisation_id,
            subject=theirs,
            unique_key=f"{REFRESH}:{theirs}:{category}:{current_scope().act}",
            requested_by=None,
        )
    return len(rows)


def raise_flag(client_id: UUID) -> int:
    """Mark each linked record as sensitive too. Its named team is whoever was in it before; the partner's officer is told to look.

    The partner reads that the mark comes from the link, never the reason given here. Returns how many were marked.
    """
    sealed = encrypt("Marked by a partner whose record of the same person is linked with this one")
    rows = call(
        "SELECT client, organisation, known_as FROM caseload_raise_on_linked(%s, %s)", client_id, sealed
    )
    for theirs, organisation_id, number in rows:
        trail.record(
            "caseload.protection.flagged_by_link",
            organisation_id=organisation_id,
            subject=str(theirs),
            also=[current_organisation()],
        )
        outbox.tell(
            unique_key=f"flagged-by-link:{theirs}:{current_scope().act}",
            organisation_id=organisation_id,
            role=Role.INFORMATION_GOVERNANCE,
            words=f"Record R{number} is sensitive now, because a linked record is. Name who may find it",
            link="protection/",
        )
    return len(rows)


def inherit(*, survivor: Client, merged: Client) -> bool:
    """At a merge: where the record that goes is linked, the one that stays takes its place. Raises LinkProblem where both are linked."""
    return bool(call("SELECT caseload_swap_person(%s, %s)", survivor.pk, merged.pk)[0][0])


@job_kind(REFRESH, timeout=dt.timedelta(minutes=10))
def refresh_linked(lease: Any) -> None:
    """At the organisation whose record was written: what the client is found by, and what the rules say. Safe to run twice."""
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    with open_scope(
        actor=Actor.WORKER,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_label="worker",
    ):
        if not Client.objects.filter(pk=lease.subject).exists():
            return
        search_index.refresh([lease.subject])
        episodes = Episode.objects.filter(client_id=lease.subject, voided_at__isnull=True)
        registry.episodes_changed(list(episodes.values_list("pk", flat=True)))
