"""Appending: whole or not at all, without gaps, in the order in which things happened, whoever else writes."""

from __future__ import annotations

import random
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent, ChainHead
from audit.models.trail import PARTNERSHIP_CHAIN
from audit.verification import verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor, ScopeMissing, open_scope
from edatrs.core.trail import record

on_disk = pytest.mark.django_db(transaction=True)
THREADS, ACTS = 8, 12


def entries(organisation_id: UUID | None) -> list[AuditEvent]:
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation_id):
        return list(AuditEvent.objects.order_by("sequence"))


@on_disk
def test_eight_threads_write_without_gaps_and_without_waiting_in_a_ring() -> None:
    chains: list[UUID | None] = [uuid4(), uuid4(), uuid4(), None]
    failed: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def work(seed: int) -> None:
        dice = random.Random(seed)
        try:
            start.wait()
            for _ in range(ACTS):
                first, *others = dice.sample(chains, 3)
                with open_scope(actor=Actor.PERSON, organisation_id=first):
                    record("caseload.client.viewed", also=others)
                    record("caseload.client.changed", organisation_id=others[0], also=[first])
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == [] and not any(thread.is_alive() for thread in threads)

    report = verify_chains()
    assert report.problems == []
    assert sum(v.rows for v in report.chains) == THREADS * ACTS * 5
    by_event: dict[UUID, set[UUID]] = {}
    for chain in chains:
        rows = entries(chain)
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        for row in rows:
            by_event.setdefault(row.event_id, set()).add(row.chain)
    assert sorted(map(len, by_event.values())) == [2] * THREADS * ACTS + [3] * THREADS * ACTS


@on_disk
def test_two_acts_that_begin_a_chain_at_once_make_one_chain() -> None:
    begun, failed = uuid4(), []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            with open_scope(actor=Actor.PERSON, organisation_id=begun):
                record("organisations.signed_in")
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [row.sequence for row in entries(begun)] == [1, 2, 3, 4]


@pytest.mark.django_db
def test_events_stand_in_the_order_in_which_they_were_recorded() -> None:
    organisation = uuid4()
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        for panel in ("c", "a", "b"):
            record("caseload.client.viewed", details={"panel": panel})
    rows = entries(organisation)
    assert [row.details["panel"] for row in rows] == ["c", "a", "b"]
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert bytes(rows[0].previous) == bytes(32)
    assert [bytes(row.previous) for row in rows[1:]] == [bytes(row.hash) for row in rows[:-1]]
    assert len({row.act for row in rows}) == 1 and rows[0].id < rows[1].id < rows[2].id


@pytest.mark.django_db
def test_one_disclosure_is_one_event_in_several_chains() -> None:
    mine, holder = uuid4(), uuid4()
    person = uuid4()
    with open_scope(
        actor=Actor.PERSON,
        organisation_id=mine,
        organisation_label="open-road",
        person_id=person,
        person_label="Anna Bell",
        roles=frozenset({"team_manager", "keyworker"}),
    ):
        event_id = record("caseload.client.viewed", subject="R-1042", also=[holder, mine, None])
    for chain in (mine, holder, None):
        (row,) = entries(chain)
        assert row.event_id == event_id
        assert row.chain == (chain or PARTNERSHIP_CHAIN)
        assert (row.organisation_id, row.organisation_label) == (mine, "open-road"), (
            "who acted for whom is in every copy"
        )
        assert (row.actor_id, row.actor_label, row.roles) == (person, "Anna Bell", "keyworker,team_manager")
        assert row.subject == "R-1042"


@pytest.mark.django_db
def test_nested_scopes_are_one_act_and_each_event_keeps_who_acted_for_whom() -> None:
    outer, inner = uuid4(), uuid4()
    with open_scope(actor=Actor.OPERATOR, person_label="load") as scope:
        record("organisations.partnership_loaded")
        for organisation in (outer, inner):
            with open_scope(actor=Actor.OPERATOR, organisation_id=organisation, person_label="load"):
                record("ndtms.import_started")
    rows = [entries(chain)[0] for chain in (None, outer, inner)]
    assert {row.act for row in rows} == {scope.act}
    assert [row.organisation_id for row in rows] == [None, outer, inner]


@pytest.mark.django_db
def test_the_partnerships_chain_can_be_named_from_inside_an_organisation() -> None:
    organisation = uuid4()
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        record("organisations.signed_in", organisation_id=None)
    assert entries(organisation) == []
    assert [row.name for row in entries(None)] == ["organisations.signed_in"]


@pytest.mark.django_db
def test_an_act_that_fails_leaves_nothing() -> None:
    organisation = uuid4()
    with (
        pytest.raises(ZeroDivisionError),
        open_scope(actor=Actor.PERSON, organisation_id=organisation) as scope,
    ):
        record("caseload.client.changed")
        raise ZeroDivisionError
    assert entries(organisation) == [] and not ChainHead.objects.exists() and scope.events == []


@pytest.mark.django_db
def test_a_nested_act_that_fails_takes_only_its_own_events_along() -> None:
    organisation = uuid4()
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        record("caseload.client.viewed")
        with pytest.raises(ZeroDivisionError), open_scope(actor=Actor.PERSON, organisation_id=organisation):
            record("caseload.client.changed")
            raise ZeroDivisionError
    assert [row.name for row in entries(organisation)] == ["caseload.client.viewed"]


@pytest.mark.django_db
def test_rows_and_their_entry_commit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trail that cannot be written takes the act with it."""
    from edatrs.organisations.models import Organisation

    def cannot(*args: Any) -> Any:
        raise OSError("no trail")

    monkeypatch.setattr("audit.services._lock_heads", cannot)
    with pytest.raises(OSError, match="no trail"), open_scope(actor=Actor.OPERATOR):
        Organisation.objects.create(slug="new", name="New", kind="provider")
        record("organisations.partnership_loaded")
    assert not Organisation.objects.filter(slug="new").exists()


@pytest.mark.django_db
def test_nothing_to_write_costs_nothing() -> None:
    def statements(events: int, organisation: UUID) -> int:
        with (
            CaptureQueriesContext(connection) as queries,
            open_scope(actor=Actor.PERSON, organisation_id=organisation),
        ):
            for _ in range(events):
                record("caseload.client.viewed")
        return sum("audit_" in query["sql"] for query in queries)

    assert statements(0, uuid4()) == 0
    new = uuid4()
    assert statements(1, new) == statements(300, uuid4()) == 4, "the first entry of a chain makes its head"
    assert statements(1, new) == statements(300, new) == 2


@pytest.mark.django_db
def test_many_events_of_one_act_are_written_in_few_statements() -> None:
    organisation = uuid4()
    with open_scope(actor=Actor.WORKER, organisation_id=organisation):
        for number in range(4_100):
            record("caseload.client.changed", details={"version": number})
    rows = entries(organisation)
    assert [row.details["version"] for row in rows] == list(range(4_100))


@pytest.mark.django_db
def test_without_a_key_nothing_is_written(settings: Any) -> None:
    settings.AUDIT_KEY = ""
    with (
        pytest.raises(ImproperlyConfigured, match="EDATRS_AUDIT_KEY"),
        open_scope(actor=Actor.PERSON, organisation_id=uuid4()),
    ):
        record("caseload.client.viewed")


def test_without_a_scope_or_without_the_audit_app_nothing_can_be_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ScopeMissing):
        record("caseload.client.viewed")
    monkeypatch.setattr(trail, "_scrub", [])
    with pytest.raises(trail.TrailMissing):
        trail.record_now("access.refused", actor_id=None, actor_label="")


@on_disk
def test_record_now_stays_although_the_act_around_it_fails() -> None:
    organisation, person = uuid4(), uuid4()
    with (
        pytest.raises(ZeroDivisionError),
        open_scope(actor=Actor.PERSON, organisation_id=organisation) as scope,
    ):
        record("caseload.client.changed")
        trail.record_now(
            "access.refused",
            actor_id=person,
            actor_label="Anna Bell",
            organisation_id=organisation,
            details={"act": "x"},
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.organisation')")
            assert cursor.fetchone() == (str(organisation),), "the scope around it is untouched"
        raise ZeroDivisionError
    (row,) = entries(organisation)
    assert (row.name, row.actor_id, row.actor_label, row.act) == (
        "access.refused",
        person,
        "Anna Bell",
        scope.act,
    )


@on_disk
def test_record_now_outside_a_scope_inside_a_plain_transaction_and_when_it_cannot_be_written(
    settings: Any,
) -> None:
    trail.record_now(
        "organisations.sign_in_failed", actor_id=None, actor_label="", details={"why": "password"}
    )
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        trail.record_now(
            "organisations.sign_in_failed", actor_id=None, actor_label="", details={"why": "code"}
        )
        raise ZeroDivisionError
    assert [row.details["why"] for row in entries(None)] == ["password", "code"]
    settings.AUDIT_KEY = ""
    with pytest.raises(ImproperlyConfigured, match="EDATRS_AUDIT_KEY"):
        trail.record_now("organisations.sign_in_failed", actor_id=None, actor_label="")
    with pytest.raises(ImproperlyConfigured, match="EDATRS_AUDIT_KEY"), open_scope(actor=Actor.PERSON):
        trail.record_now("organisations.sign_in_failed", actor_id=None, actor_label="")


@pytest.mark.django_db
def test_record_now_in_a_tests_own_transaction_writes_with_it() -> None:
    trail.record_now("organisations.sign_in_failed", actor_id=None, actor_label="", details={"why": "a"})
    with open_scope(actor=Actor.PERSON):
        trail.record_now("organisations.sign_in_failed", actor_id=None, actor_label="", details={"why": "b"})
    assert [row.details["why"] for row in entries(None)] == ["a", "b"]
