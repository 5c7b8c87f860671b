"""T10: sixteen kinds of tampering at fifty random positions by a superuser's SQL. Every one is found, and the first bad row is named."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import psycopg
import pytest
from django.db import connection

from audit.chain import Fault, Problem, seal
from audit.services import audit_key
from audit.verification import verify_chains
from edatrs.core import embedded
from edatrs.core.embedded import postgres
from edatrs.core.scope import Actor, open_scope
from edatrs.core.trail import record
from edatrs.organisations.models import Organisation
from tests.audit.outside import sign
from tests.audit.superuser import KINDS, Chain, Tampering, edit_and_rewrite_the_rest
from tests.factories.audit import record_events
from tests.factories.caseload import make_record, make_service
from tests.factories.organisations import make_organisation

pytestmark = pytest.mark.django_db(transaction=True)
BATCH, BATCHES, AFTER = 120, 4, 40
POSITIONS, CLIENTS = 50, 25


@pytest.fixture
def organisation() -> Organisation:
    """A chain that was signed four times and grew on, and a record whose rows know the act that wrote them."""
    made = make_organisation("open-road")
    make_service(made)
    with open_scope(actor=Actor.PERSON, organisation_id=made.pk, organisation_label=made.slug):
        for _ in range(CLIENTS):
            record("caseload.client.changed", subject=str(make_record(consent="Y").client_id))
    return made


@pytest.fixture
def superuser(organisation: Organisation) -> Any:
    with postgres.connect(embedded.run_dir(), str(connection.settings_dict["NAME"])) as made:
        yield made


@pytest.fixture
def chain(organisation: Organisation, superuser: psycopg.Connection[Any]) -> Chain:
    signed = {}
    for _ in range(BATCHES):
        record_events(organisation.pk, BATCH, at_once=20)
        statement = sign().statement
        signed[statement.number] = next(
            h.sequence for h in statement.heads if h.chain == str(organisation.pk)
        )
    record_events(organisation.pk, AFTER)
    return Chain(superuser, organisation.pk, signed, random.Random(16))


def found_after(
    chain: Chain, tampering: Tampering | None, at: int
) -> tuple[Problem | None, bool, Problem | None]:
    """(what the verification says of the chain, whether anything else was found, what it should say)."""
    with chain.sql.transaction(force_rollback=True):
        chain.sql.execute("SET LOCAL session_replication_role = replica")
        expected = tampering(chain, at) if tampering else None
        report = verify_chains("open-road", reader=chain.sql)
        (only,) = report.chains
        return only.problem, bool(report.unrecorded), expected


def test_800_of_800_tamperings_are_found(chain: Chain) -> None:
    assert found_after(chain, None, 0) == (None, False, None)
    found: Counter[str] = Counter()
    wrong = []
    began = time.perf_counter()
    for kind in KINDS:
        for at in chain.dice.sample(range(2, chain.last - 1), POSITIONS):
            problem, unrecorded, expected = found_after(chain, kind, at)
            found[kind.__name__] += bool(problem or unrecorded)
            if problem != expected or (expected is None and not unrecorded):
                wrong.append((kind.__name__, at, problem, unrecorded, expected))
    took = time.perf_counter() - began
    print(
        f"T10: {found.total()} of {len(KINDS) * POSITIONS} tamperings of {len(KINDS)} kinds found over {chain.last} entries, {took:.0f} s"
    )
    assert wrong == []
    assert found == {kind.__name__: POSITIONS for kind in KINDS} and found.total() == 800
    assert found_after(chain, None, 0) == (None, False, None)


def test_whoever_has_the_key_of_the_seals_too_is_found_by_the_signed_heads(chain: Chain) -> None:
    """Beyond the sixteen: every seal is right. The first head that was signed after the change does not agree."""

    def with_our_key(chain: Chain, at: int) -> Problem:
        rows = list(chain.rows)
        rows[at - 1] = rows[at - 1]._replace(subject="R-1")
        chain.rewrite(rows, at, key=audit_key())
        return Problem(min(s for s in chain.statements.values() if s >= at), Fault.SIGNED)

    for at in chain.dice.sample(range(2, chain.signed), 10):
        problem, _, expected = found_after(chain, with_our_key, at)
        assert problem == expected
    assert seal(audit_key(), chain.rows[-1].hash) == chain.rows[-1].mac


def test_the_tampering_itself_is_what_is_found(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with no look at what was signed, an old backup is not seen, and everything else still is."""
    from audit.statements import Held
    from tests.audit.superuser import put_an_older_backup_back

    monkeypatch.setattr(Held, "signed", lambda self, chain: {})
    problem, _, expected = found_after(chain, put_an_older_backup_back, 300)
    assert problem is None and expected == Problem(301, Fault.SIGNED_END)
    assert found_after(chain, edit_and_rewrite_the_rest, 300)[0] == Problem(300, Fault.SEAL)


@pytest.mark.long
def test_a_million_untouched_rows_raise_no_alarm_in_the_database(organisation: Organisation) -> None:
    for _ in range(10):
        record_events(organisation.pk, 100_000, at_once=20_000)
        sign()
    began = time.perf_counter()
    report = verify_chains()
    took = time.perf_counter() - began
    rows = sum(found.rows for found in report.chains)
    print(f"no false alarm in {rows:,} untouched rows, {rows / took:,.0f} rows a second")
    assert report.findings == 0 and report.outside.held == 10 and rows > 1_000_000
