"""T10 in the database: the attacks made with the owner's rights, the guards switched off; `verify_audit` must name the first bad row."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID, uuid4

import pytest

from audit.chain import Fault, Head, Problem, Row
from audit.models.trail import PARTNERSHIP_CHAIN
from audit.services import HeadForged
from audit.verification import _reader, read_rows, verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from tests.audit.attacks import (
    ATTACKS,
    DROPPED,
    EDITS,
    drop_the_last_and_make_a_head_of_the_seals_there_are,
    fault_of_edit,
)
from tests.audit.vandal import Vandal
from tests.factories.audit import record_events

pytestmark = pytest.mark.django_db(transaction=True)
LENGTH, AT = 40, 12


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation.objects.create(slug="open-road", name="Open Road", kind="provider")
    record_events(made.pk, LENGTH)
    record_events(None, 3)
    return made


def stored(chain_id: UUID) -> tuple[list[Row], Head]:
    with _reader() as reader:
        rows = [Row(*row) for row in read_rows(reader, chain_id)]
        head = reader.execute(
            "SELECT chain::text, sequence, hash, mac, at::text FROM audit_chainhead WHERE chain = %s",
            [chain_id],
        ).fetchone()
    assert head is not None
    return rows, Head(*head[:4], rows[-1].at)


def found(slug: str) -> Problem | None:
    (only,) = verify_chains(slug).chains
    return only.problem


def make_every_attack(chain_id: UUID, connection: Any, places: list[int]) -> None:
    """All attacks at these positions; the right row must be named each time, and the other chain stay whole."""
    rows, head = stored(chain_id)
    seen: dict[tuple[str, int], Problem | None] = {}
    expected: dict[tuple[str, int], Problem] = {}
    with Vandal(connection) as vandal:
        assert found("open-road") is None
        for name, attack in ATTACKS.items():
            for at in places:
                after, head_after, expected[name, at] = attack(rows, head, at)
                vandal.put(head.chain, after, head_after)
                seen[name, at] = found("open-road")
                assert found("partnership") is None, name
        vandal.restore()
        assert found("open-road") is None
    assert seen == expected


def test_every_attack_is_seen(organisation: Organisation, owner_connection: Any) -> None:
    make_every_attack(organisation.pk, owner_connection, [AT])


@pytest.mark.long
def test_every_attack_is_seen_at_50_positions(organisation: Organisation, owner_connection: Any) -> None:
    record_events(organisation.pk, 100)
    places = random.Random(5).sample(range(2, LENGTH + 100 - DROPPED), 50)
    make_every_attack(organisation.pk, owner_connection, places)


def test_every_edit_in_place_is_seen(organisation: Organisation, owner_connection: Any) -> None:
    seen: dict[tuple[str, int], Problem | None] = {}
    expected: dict[tuple[str, int], Problem] = {}
    with Vandal(owner_connection) as vandal:
        for column, value in EDITS.items():
            for at in (1, AT, LENGTH):
                vandal.edit(str(organisation.pk), at, column, value)
                seen[column, at], fault = found("open-road"), fault_of_edit(column)
                last_gone = column == "chain" and at == LENGTH
                expected[column, at] = Problem(at, Fault.END_MISSING if last_gone else fault)
                vandal.restore()
    assert seen == expected


def test_rows_moved_to_a_chain_of_their_own_are_seen_there_too(
    organisation: Organisation, owner_connection: Any
) -> None:
    with Vandal(owner_connection) as vandal:
        vandal.edit(str(organisation.pk), AT, "chain", EDITS["chain"])
        problems = {str(v.chain): v.problem for v in verify_chains().problems}
    assert problems == {
        str(organisation.pk): Problem(AT, Fault.MISSING),
        EDITS["chain"]: Problem(1, Fault.MISSING),
    }


def test_a_head_taken_away_is_seen_even_where_no_organisation_is_left(owner_connection: Any) -> None:
    nobody = uuid4()
    record_events(nobody, 3)
    with Vandal(owner_connection) as vandal:
        vandal.execute("DELETE FROM audit_chainhead")
        problems = {v.chain: v.problem for v in verify_chains().problems}
    assert problems == {nobody: Problem(3, Fault.HEAD_MISSING)}


def test_a_forged_head_takes_no_more_entries_so_writing_on_covers_nothing_up(
    organisation: Organisation, owner_connection: Any
) -> None:
    rows, head = stored(organisation.pk)
    after, head_after, problem = drop_the_last_and_make_a_head_of_the_seals_there_are(rows, head, AT)
    with Vandal(owner_connection) as vandal:
        vandal.put(head.chain, after, head_after)
        with pytest.raises(HeadForged), open_scope(actor=Actor.PERSON, organisation_id=organisation.pk):
            trail.record("organisations.signed_out")
        assert found("open-road") == problem
        with open_scope(actor=Actor.OPERATOR):
            trail.record("organisations.partnership_loaded")
        assert found("partnership") is None


def test_ten_thousand_untouched_rows_raise_no_alarm(organisation: Organisation) -> None:
    record_events(organisation.pk, 10_000 - LENGTH, at_once=2_500, label='Zoë “Mac” O’Hara \\ "x" 漢字 😀')
    report = verify_chains()
    assert report.problems == []
    assert {v.label: v.rows for v in report.chains} == {"open-road": 10_000, "partnership": 3}
    assert report.chains[0].chain == PARTNERSHIP_CHAIN
