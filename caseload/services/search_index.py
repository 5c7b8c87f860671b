"""Keeps the search tokens of clients what their names, dates, numbers and ids say now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from caseload.models import Client
from caseload.search import Token, tokens_of_client
from caseload.services import match_index
from edatrs.core.scope import Actor, current_organisation, current_scope, open_scope
from edatrs.core.tasks import job_kind
from edatrs.organisations.models import Organisation
from edatrs.organisations.services import jobs

INDEX_CLIENTS = "caseload.index_clients"
AT_ONCE = 2_000
# Nobody types more into the search, and an index row has a limit that a name of 10,000 characters would pass.
LONGEST_TOKEN = 200
# What is found by is read in one query a batch; an array is empty where nothing is recorded. A name of a record that was merged in is an
# earlier name of the one that stands.
_FACTS = """
SELECT c.id, i.forename, i.surname, i.date_of_birth, i.nhs_number, k.postcode,
       ARRAY(SELECT h.forename || ' ' || h.surname FROM caseload_clientidentityhistory h WHERE h.pgh_obj_id = c.id
             UNION SELECT m.forename || ' ' || m.surname FROM caseload_clientmerge g
             JOIN caseload_clientidentity m ON m.client_id = g.client_id
             WHERE g.survivor_id = c.id AND g.undone_at IS NULL),
       ARRAY(SELECT r.clientid FROM caseload_registration r WHERE r.client_id = c.id)
FROM caseload_client c
LEFT JOIN caseload_clientidentity i ON i.client_id = c.id
LEFT JOIN caseload_clientcontact k ON k.client_id = c.id
WHERE c.organisation_id = %s AND c.id = ANY(%s) AND c.voided_at IS NULL
"""


def refresh(client_ids: Iterable[UUID]) -> None:
    """Write the tokens of clients of the organisation acted for (a voided one has none), and what partners' clients are compared with."""
    for ids in _batches(client_ids):
        _write(ids, list(_tokens(ids)))
        match_index.write(ids)


def refresh_later(client_ids: list[UUID]) -> None:
    """`refresh`, at once for a few; for many a worker does it for the whole organisation, so that a load does not wait for it."""
    if len(client_ids) <= AT_ONCE:
        refresh(client_ids)
        return
    organisation = current_organisation()
    key = f"{INDEX_CLIENTS}:{organisation}"
    if jobs.is_waiting(key):
        return
    try:
        with transaction.atomic():
            _enqueue(organisation, key)
    except IntegrityError:
        # One is running and may have passed by what is new: another comes after it.
        _enqueue(organisation, f"{key}:{current_scope().act}")


def _enqueue(organisation: UUID, key: str) -> None:
    jobs.enqueue(
        kind=INDEX_CLIENTS,
        organisation_id=organisation,
        subject=organisation,
        unique_key=key,
        requested_by=None,
    )


def _batches(client_ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    batch: list[UUID] = []
    for client_id in client_ids:
        batch.append(client_id)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _tokens(ids: list[UUID]) -> Iterator[tuple[UUID, Token]]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [current_organisation(), ids])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for client, forename, surname, born, nhs_number, postcode, earlier, client_ids in rows:
        found = tokens_of_client(
            names=[forename or "", surname or ""],
            earlier_names=earlier,
            born=born if isinstance(born, dt.date) else None,
            nhs_number=nhs_number or "",
            postcode=postcode or "",
            client_ids=client_ids,
        )
        for token in found:
            if len(token.text) <= LONGEST_TOKEN:
                yield client, token


def _write(ids: list[UUID], tokens: list[tuple[UUID, Token]]) -> None:
    """Make the table say exactly this for these clients, touching only what differs."""
    wanted = [
        [client for client, _ in tokens],
        [token.kind.value for _, token in tokens],
        [token.text for _, token in tokens],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM caseload_searchtoken t WHERE t.organisation_id = %s AND t.client_id = ANY(%s) AND NOT EXISTS ("
            "  SELECT FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS w(client, kind, token) "
            "  WHERE (w.client, w.kind, w.token) = (t.client_id, t.kind, t.token))",
            [current_organisation(), ids, *wanted],
        )
        cursor.execute(
            "INSERT INTO caseload_searchtoken (organisation_id, client_id, kind, token) "
            "SELECT %s, w.client, w.kind, w.token FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS w(client, kind, token) "
            "ON CONFLICT (client_id, kind, token) DO NOTHING",
            [current_organisation(), *wanted],
        )


@job_kind(INDEX_CLIENTS, timeout=dt.timedelta(hours=2))
def index_clients(lease: Any) -> None:
    """Write the tokens of every client of an organisation, a batch a transaction; safe to run twice."""
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    last: UUID | None = None
    done = 0
    while True:
        with open_scope(
            actor=Actor.WORKER,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_label="worker",
        ):
            after = (
                Client.objects.order_by("pk")
                if last is None
                else Client.objects.filter(pk__gt=last).order_by("pk")
            )
            ids = list(after.values_list("pk", flat=True)[:AT_ONCE])
            refresh(ids)
        if not ids:
            return
        last = ids[-1]
        done += len(ids)
        lease.progress(done, 0, f"{done:,} clients indexed")
