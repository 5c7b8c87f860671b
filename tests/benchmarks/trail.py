"""The trail: how fast a chain is verified, and how many audited acts a second eight writers can commit, beside doing it without the trail.

An audited act here is the smallest there is: a scope with one entry. Its baseline is a bare INSERT of the same row and a COMMIT, by as many
writers, without scope, head, hash or seal.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from audit import chain, heads
from audit.verification import _reader, read_rows, verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from tests.benchmarks import world
from tests.benchmarks.measure import Cost

WRITERS = 8
SECONDS = 6.0
AT_ONCE = 5_000
_COLUMNS = (
    "chain, sequence, event_id, act, name, actor, actor_id, actor_label, roles, organisation_id, organisation_label, subject, details, "
    "at, previous, hash, mac"
)
_BARE = (
    f"INSERT INTO audit_auditevent ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, 'person', %s, 'Anna Bell', 'keyworker', %s, 'open-road', %s, "
    "'{}', now(), %s, %s, %s)"
)


def make_trail(database: str, rows: str) -> Cost:
    """One organisation's chain of so many entries."""
    world.use(database)
    organisation = Organisation.objects.order_by("pk")[0].pk
    begun = time.perf_counter()
    for start in range(0, int(rows), AT_ONCE):
        with open_scope(
            actor=Actor.PERSON,
            organisation_id=organisation,
            organisation_label="open-road",
            person_id=uuid4(),
            person_label="Anna Bell",
            roles=frozenset({"keyworker"}),
        ):
            for step in range(start, min(start + AT_ONCE, int(rows))):
                trail.record(
                    "caseload.client.viewed", subject=str(uuid4()), details={"panel": f"p{step % 7}"}
                )
    return Cost(seconds=time.perf_counter() - begun)


def verify_trail(database: str) -> Cost:
    """The whole verification of that chain: rows, seals, head, signed heads, acts without an entry."""
    world.use(database)
    with TemporaryDirectory() as folder:
        settings.HEADS_DIR = Path(folder)
        heads.sign()
        slug = Organisation.objects.order_by("pk")[0].slug
        begun = time.perf_counter()
        report = verify_chains(slug)
        took = time.perf_counter() - begun
    if report.findings:
        raise SystemExit("a whole chain was not found whole")
    return Cost(seconds=took, facts={"rows": sum(found.rows for found in report.chains)})


def read_trail(database: str) -> Cost:
    """The same rows read and hashed in a row, nothing compared: what any verifier in Python must do."""
    world.use(database)
    organisation = Organisation.objects.order_by("pk")[0].pk
    begun, previous, rows = time.perf_counter(), bytes(32), 0
    with _reader() as reader:
        for row in read_rows(reader, organisation):
            previous, rows = chain.link(previous, chain.canonical(row)), rows + 1
    return Cost(seconds=time.perf_counter() - begun, facts={"rows": rows})


def write_audited(database: str, chains: str) -> Cost:
    """Eight writers, each act one entry, spread over so many chains."""
    return _written(database, _audited, int(chains))


def write_bare(database: str, chains: str) -> Cost:
    """Eight writers, each commit one bare row."""
    return _written(database, _bare, int(chains))


def _written(database: str, work: Any, chains: int) -> Cost:
    found = [uuid4() for _ in range(chains)]
    context = multiprocessing.get_context("fork")
    barrier, made = context.Barrier(WRITERS + 1), context.Queue()
    connection.close()
    writers = [
        context.Process(target=_writer, args=(database, work, found[number % chains], number, barrier, made))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    barrier.wait()
    begun = time.perf_counter()
    done = sum(made.get() for _ in writers)
    took = time.perf_counter() - begun
    for writer in writers:
        writer.join()
    return Cost(seconds=took, facts={"acts": done, "a second": done / SECONDS})


def _writer(database: str, work: Any, chain_id: UUID, number: int, barrier: Any, made: Any) -> None:
    world.use(database)
    connection.ensure_connection()
    work(chain_id, number * 10_000_000)
    barrier.wait()
    until, done = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < until:
        done += 1
        work(chain_id, number * 10_000_000 + done)
    made.put(done)


def _audited(chain_id: UUID, number: int) -> None:
    with open_scope(
        actor=Actor.PERSON,
        organisation_id=chain_id,
        organisation_label="open-road",
        person_id=chain_id,
        person_label="Anna Bell",
        roles=frozenset({"keyworker"}),
    ):
        trail.record("caseload.client.viewed", subject=str(chain_id), details={"panel": "overview"})


def _bare(chain_id: UUID, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _BARE,
            [
                chain_id,
                number + 1,
                uuid4(),
                uuid4(),
                "caseload.client.viewed",
                chain_id,
                chain_id,
                str(chain_id),
                b"p" * 32,
                b"h" * 32,
                b"m" * 32,
            ],
        )
