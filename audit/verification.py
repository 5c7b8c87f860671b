"""Reading whole chains to verify them: as the role `verifier` where its credentials are at hand, else as the role that serves requests.

Three things are held against each other: the rows with their seals and heads; the statements of the heads that were signed and are held
outside the database; and what the rows of the record say of the acts that wrote them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection

from audit import chain, heads, reconciliation, statements
from audit.chain import COLUMNS, Head, Problem
from audit.models.trail import PARTNERSHIP_CHAIN
from audit.reconciliation import Unrecorded
from audit.services import HEADS, INSTANT, audit_key, head_from
from audit.statements import Held
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


class Outside(NamedTuple):
    """What came out of the statements that are held outside the database. `restored`: before which the operator put the trail back."""

    folder: str
    held: int
    newest: str
    problem: statements.Problem | None
    restored: list[int]


class Report(NamedTuple):
    """All chains, the statements, what was written without the trail, and the database role that read them."""

    role: str
    chains: list[Verified]
    outside: Outside
    unrecorded: list[Unrecorded]

    @property
    def problems(self) -> list[Verified]:
        """The chains that are not whole."""
        return [found for found in self.chains if found.problem]

    @property
    def findings(self) -> int:
        """How many chains, statements and acts are not as they must be."""
        return len(self.problems) + bool(self.outside.problem) + len(self.unrecorded)


def verify_chains(
    slug: str = "", *, folder: Path | None = None, reader: psycopg.Connection[Any] | None = None
) -> Report:
    """Verify one chain (an organisation's slug, or `partnership`), else all, in one snapshot, so that writing may go on.

    `folder`: where the statements are, if not where we keep them; `reader`: a connection that is in a transaction already. Raises
    Organisation.DoesNotExist, ImproperlyConfigured without a key.
    """
    key = audit_key()
    labels = dict(Organisation.objects.values_list("pk", "slug"))
    labels[PARTNERSHIP_CHAIN] = PARTNERSHIP
    only = None
    if slug:
        only = PARTNERSHIP_CHAIN if slug == PARTNERSHIP else Organisation.objects.get(slug=slug).pk
    # What lies outside and what the record says come first: everything that they speak of is then in the snapshot.
    held, files = _held(folder or Path(settings.HEADS_DIR))
    suspects = [
        found
        for pk in ([only] if only else labels)
        if pk != PARTNERSHIP_CHAIN
        for found in reconciliation.suspects(pk, labels[pk], reader)
    ]
    with nullcontext(reader) if reader is not None else _reader() as reading:
        chains = {row[0] for row in reading.execute(_CHAINS)} | set(labels) if only is None else {only}
        chains |= {UUID(c) for c in held.chains} if only is None else set()
        role = reading.execute("SELECT current_user").fetchone()
        found = [_verify(reading, pk, labels.get(pk, "unknown"), key, held) for pk in sorted(chains)]
        problem = held.problem or _compare(reading, files, folder or Path(settings.HEADS_DIR))
        unrecorded = _without_entry(reading, suspects, sorted(chains))
    newest = held.last.statement.at if held.last else ""
    outside = Outside(str(folder or settings.HEADS_DIR), len(files), newest, problem, held.restored)
    return Report(role[0] if role else "", found, outside, unrecorded)


def _held(folder: Path) -> tuple[Held, dict[int, bytes]]:
    """The statements of a folder, looked at one after the other, and the hash of each file by number."""
    held, files = Held(heads.public_keys()), {}
    for number, path in heads.outside(folder):
        line = path.read_bytes()
        files[number] = hashlib.sha256(line).digest()
        held.add(number, line)
    return held, files


def _compare(
    reader: psycopg.Connection[Any], files: dict[int, bytes], folder: Path
) -> statements.Problem | None:
    """The first statement that is not the same in the database and outside. The newest file may have no row yet."""
    newest = max(files, default=0)
    rows: dict[int, bytes] = {}
    with reader.cursor(name="statements") as cursor:
        cursor.execute("SELECT number, body, signature FROM audit_headstatement ORDER BY number")
        for number, body, signature in cursor:
            rows[number] = hashlib.sha256(statements.signed_line(body.encode(), bytes(signature))).digest()
    last = max(rows, default=0)
    now_there = {number for number, _ in heads.outside(folder)} if last > newest else set()
    for number in sorted(rows.keys() | files.keys()):
        if number not in rows and number <= max(last, newest - 1):
            return statements.Problem(number, statements.Fault.NOT_INSIDE)
        if number not in files and number not in now_there:
            return statements.Problem(number, statements.Fault.NOT_OUTSIDE)
        if number in rows and number in files and rows[number] != files[number]:
            return statements.Problem(number, statements.Fault.COPY)
    return None


def _without_entry(
    reader: psycopg.Connection[Any], suspects: list[Unrecorded], chains: list[UUID]
) -> list[Unrecorded]:
    """Of the acts that have no entry where it was looked for, those that have none on any chain."""
    if not suspects:
        return []
    acts = [found.act for found in suspects if found.act is not None]
    known: set[UUID] = set()
    for chain_id in chains:  # as the verifier one of them shows all
        _show(reader, chain_id)
        known |= {
            row[0] for row in reader.execute("SELECT act FROM audit_auditevent WHERE act = ANY(%s)", [acts])
        }
    return [found for found in suspects if found.act not in known]


def _show(reader: psycopg.Connection[Any], chain_id: UUID) -> None:
    """Row security shows the serving role one chain at a time; the verifier sees all and does not read these settings."""
    reader.execute(
        "SELECT set_config('app.organisation', %s, true), set_config('app.operator', 'on', true)",
        [str(chain_id)],
    )


def _verify(reader: psycopg.Connection[Any], chain_id: UUID, label: str, key: bytes, held: Held) -> Verified:
    _show(reader, chain_id)
    row = reader.execute(HEADS, [[chain_id]]).fetchone()
    head: Head | None = head_from(row) if row else None
    counted = _Counted(read_rows(reader, chain_id))
    problem = chain.verify(counted, key, head, chain=str(chain_id), signed=held.signed(str(chain_id)))
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


def read_rows(reader: psycopg.Connection[Any], chain_id: UUID) -> Iterator[tuple[Any, ...]]:
    """A chain as `chain.Row`s, through a cursor of the server, a few thousand rows at a time.

    While some are looked at, the database makes the next: it takes about as long over them as the hashing does.
    """
    with reader.cursor(name="trail", binary=True) as cursor, ThreadPoolExecutor(1) as ahead:
        cursor.execute(_ROWS, [chain_id])
        coming = ahead.submit(cursor.fetchmany, AT_ONCE)
        while rows := coming.result():
            coming = ahead.submit(cursor.fetchmany, AT_ONCE)
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
