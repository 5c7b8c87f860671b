"""Reading whole chains to verify them: as the role `verifier` where its credentials are at hand, else as the role that serves requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection

from audit import chain
from audit.chain import COLUMNS, Head, Problem
from audit.models.trail import PARTNERSHIP_CHAIN
from audit.services import HEADS, INSTANT, audit_key, head_from
from edatrs.core.embedded import Trouble
from edatrs.organisations.models import Organisation
from edatrs.settings.base import database

PARTNERSHIP = "partnership"
AT_ONCE = 5_000  # rows held at a time
_AS_TEXT = {"act", "actor_id", "chain", "details", "event_id", "organisation_id"}
_DETAILS = COLUMNS.index("details")
_ROWS = "SELECT {}, previous, hash, mac FROM audit_auditevent WHERE chain = %s ORDER BY sequence".format(  # noqa: S608
    ", ".join(INSTANT if c == "at" else f"{c}::text" if c in _AS_TEXT else c for c in COLUMNS)
)
# Every chain that has a row, one index probe per chain.
_CHAINS = """
WITH RECURSIVE c AS (
    (SELECT chain FROM audit_auditevent ORDER BY chain LIMIT 1)
    UNION ALL SELECT (SELECT e.chain FROM audit_auditevent e WHERE e.chain > c.chain ORDER BY e.chain LIMIT 1) FROM c
    WHERE c.chain IS NOT NULL
) SELECT chain FROM c WHERE chain IS NOT NULL UNION SELECT chain FROM audit_chainhead ORDER BY chain
"""


class Verified(NamedTuple):
    """What came out for one chain. `rows` is how many were read: all, or those up to the first bad one."""

    chain: UUID
    label: str
    rows: int
    problem: Problem | None


class Report(NamedTuple):
    """All chains, and the database role that read them."""

    role: str
    chains: list[Verified]

    @property
    def problems(self) -> list[Verified]:
        """The chains that are not whole."""
        return [found for found in self.chains if found.problem]


def verify_chains(slug: str = "") -> Report:
    """Verify one chain (an organisation's slug, or `partnership`), else all, in one snapshot, so that writing may go on.

    Raises Organisation.DoesNotExist, ImproperlyConfigured without a key.
    """
    key = audit_key()
    labels = dict(Organisation.objects.values_list("pk", "slug"))
    labels[PARTNERSHIP_CHAIN] = PARTNERSHIP
    only = None
    if slug:
        only = PARTNERSHIP_CHAIN if slug == PARTNERSHIP else Organisation.objects.get(slug=slug).pk
    with _reader() as reader:
        chains = {row[0] for row in reader.execute(_CHAINS)} | set(labels) if only is None else {only}
        role = reader.execute("SELECT current_user").fetchone()
        found = [_verify(reader, pk, labels.get(pk, "unknown"), key) for pk in sorted(chains)]
    return Report(role[0] if role else "", found)


def _verify(reader: psycopg.Connection[Any], chain_id: UUID, label: str, key: bytes) -> Verified:
    # Row security shows the serving role one chain at a time; the verifier sees all and does not read these settings.
    reader.execute(
        "SELECT set_config('app.organisation', %s, true), set_config('app.operator', 'on', true)",
        [str(chain_id)],
    )
    row = reader.execute(HEADS, [[chain_id]]).fetchone()
    head: Head | None = head_from(row) if row else None
    counted = _Counted(_rows(reader, chain_id))
    problem = chain.verify(counted, key, head, chain=str(chain_id))
    return Verified(chain_id, label, counted.rows, problem)


class _Counted:
    """Rows, counted as they pass."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._from = rows
        self.rows = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._from:
            self.rows += 1
            yield row


def _rows(reader: psycopg.Connection[Any], chain_id: UUID) -> Iterator[tuple[Any, ...]]:
    """A chain through a cursor of the server, a few thousand rows at a time."""
    with reader.cursor(name="trail") as cursor:
        cursor.execute(_ROWS, [chain_id])
        while rows := cursor.fetchmany(AT_ONCE):
            for row in rows:
                yield (*row[:_DETAILS], _details(row[_DETAILS]), *row[_DETAILS + 1 :])


@lru_cache(maxsize=4096)
def _details(text: str) -> Any:
    return json.loads(text)


@contextmanager
def _reader() -> Iterator[psycopg.Connection[Any]]:
    """A connection that reads one snapshot. The name of the database is that of the default connection (a test's, perhaps)."""
    reader = _connect()
    try:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.read_only = True
        yield reader
    finally:
        reader.close()


def _connect() -> psycopg.Connection[Any]:
    """As the verifier, else as the role that serves requests. Raises what psycopg raises when neither gets in."""
    own = connection.get_connection_params()
    params = {
        k: own[k]
        for k in ("dbname", "host", "port", "user", "password", "sslmode", "sslrootcert")
        if own.get(k)
    }
    try:
        verifier = database("verifier")
        named = {
            "user": verifier["USER"],
            "password": verifier["PASSWORD"],
            "host": verifier["HOST"],
            "port": verifier["PORT"],
        }
        return psycopg.connect(**{**params, **{k: v for k, v in named.items() if v}})
    except (psycopg.OperationalError, Trouble):
        return psycopg.connect(**params)
