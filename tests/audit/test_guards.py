"""What the database refuses, whoever asks: by grants, by triggers, by row security. All of it executed."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction
from psycopg import errors

from audit.chain import Row
from audit.models import AuditEvent, ChainHead
from audit.models.trail import PARTNERSHIP_CHAIN, TrailWritten
from audit.verification import _reader
from edatrs.core.scope import Actor, ScopeMissing, open_scope
from edatrs.core.trail import record
from tests.audit.vandal import Vandal
from tests.factories.audit import record_events

CHANGES = (
    "UPDATE audit_auditevent SET name = 'x'",
    "UPDATE audit_auditevent SET name = 'x' WHERE false",
    "DELETE FROM audit_auditevent",
    "TRUNCATE audit_auditevent",
    "TRUNCATE audit_auditevent CASCADE",
    "DELETE FROM audit_chainhead",
    "TRUNCATE audit_chainhead",
    "ALTER TABLE audit_auditevent DISABLE TRIGGER USER",
    "ALTER TABLE audit_auditevent DISABLE ROW LEVEL SECURITY",
    "DROP TRIGGER never_changed ON audit_auditevent",
    "DROP TABLE audit_auditevent",
    "INSERT INTO audit_auditevent SELECT * FROM audit_auditevent ON CONFLICT DO NOTHING RETURNING nothing_there",
    "INSERT INTO audit_auditevent (chain, sequence) VALUES (gen_random_uuid(), 1) ON CONFLICT (id) DO UPDATE SET name = 'x'",
    "MERGE INTO audit_auditevent e USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
    "SET session_replication_role = replica",
)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", CHANGES)
def test_the_serving_role_cannot_change_the_trail(statement: str) -> None:
    record_events(uuid4(), 2)
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("app",)
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_head_of_a_chain_only_goes_forward() -> None:
    organisation = uuid4()
    record_events(organisation, 3)
    for change in ("sequence = 2", "sequence = 3, hash = 'x'", f"chain = '{uuid4()}', sequence = 9"):
        with (
            pytest.raises(DatabaseError, match="only goes forward"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE audit_chainhead SET {change} WHERE chain = %s", [organisation])


@pytest.mark.django_db
def test_a_number_cannot_be_used_twice_in_a_chain() -> None:
    organisation = uuid4()
    record_events(organisation, 1)
    with open_scope(actor=Actor.PERSON, organisation_id=organisation), connection.cursor() as cursor:
        columns = ", ".join(column for column in Row._fields if column != "id")
        with pytest.raises(DatabaseError, match="trail_sequence_once"), transaction.atomic():
            cursor.execute(f"INSERT INTO audit_auditevent ({columns}) SELECT {columns} FROM audit_auditevent")


@pytest.mark.django_db
def test_every_role_holds_exactly_these_rights() -> None:
    expected = {
        ("app", "audit_auditevent"): {"SELECT", "INSERT"},
        ("app", "audit_chainhead"): {"SELECT", "INSERT", "UPDATE"},
        ("verifier", "audit_auditevent"): {"SELECT"},
        ("verifier", "audit_chainhead"): {"SELECT"},
    }
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    held: dict[tuple[str, str], set[str]] = {}
    with connection.cursor() as cursor:
        for role in ("app", "aggregate", "report", "verifier", "destroyer", "matcher"):
            for table in ("audit_auditevent", "audit_chainhead"):
                cursor.execute(
                    "SELECT r FROM unnest(%s::text[]) r WHERE has_table_privilege(%s, %s, r)",
                    [list(rights), role, table],
                )
                found = {row[0] for row in cursor.fetchall()}
                if found:
                    held[role, table] = found
        cursor.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) FROM pg_class "
            "WHERE relname = 'audit_auditevent'"
        )
        assert cursor.fetchone() == ("audit_auditevent", True, True, "owner")
    assert held == expected


@pytest.mark.django_db(transaction=True)
def test_the_owner_too_is_refused_by_the_triggers_and_sees_nothing(owner_connection: Any) -> None:
    organisation = uuid4()
    record_events(organisation, 2)

    def attempt(statement: str) -> int:
        with owner_connection.transaction():
            return int(owner_connection.execute(statement).rowcount)

    assert attempt("SELECT 1 FROM audit_auditevent") == 0, "FORCE: no policy names the owner"
    for statement in (
        "UPDATE audit_auditevent SET name = 'x'",
        "DELETE FROM audit_auditevent",
        "DELETE FROM audit_chainhead",
    ):
        with pytest.raises(errors.RestrictViolation, match="never changed"):
            attempt(statement)
    attempt("ALTER TABLE audit_auditevent NO FORCE ROW LEVEL SECURITY")
    try:
        for statement in (
            "UPDATE audit_auditevent SET name = 'x'",
            "DELETE FROM audit_auditevent WHERE false",
        ):
            with pytest.raises(errors.RestrictViolation, match="never changed"):
                attempt(statement)
    finally:
        attempt("ALTER TABLE audit_auditevent FORCE ROW LEVEL SECURITY")
    with Vandal(owner_connection) as vandal:
        vandal.execute("DELETE FROM audit_auditevent")
    assert len(visible(Actor.PERSON, organisation)) == 2


@pytest.mark.django_db(transaction=True)
def test_only_the_owner_may_empty_the_trail_even_where_the_right_was_given(owner_connection: Any) -> None:
    with owner_connection.transaction():
        owner_connection.execute("GRANT TRUNCATE ON audit_auditevent, audit_chainhead TO app")
    try:
        for table in ("audit_auditevent", "audit_chainhead"):
            with (
                pytest.raises(DatabaseError, match="only the owner"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"TRUNCATE {table}")
    finally:
        with owner_connection.transaction():
            owner_connection.execute("REVOKE TRUNCATE ON audit_auditevent, audit_chainhead FROM app")


@pytest.mark.django_db(transaction=True)
def test_the_verifier_reads_every_chain_and_writes_none() -> None:
    mine = uuid4()
    record_events(mine, 2)
    record_events(None, 1)
    with _reader() as reader:
        assert reader.execute("SELECT current_user").fetchone() == ("verifier",)
        seen = {row[0] for row in reader.execute("SELECT DISTINCT chain FROM audit_auditevent")}
        assert seen == {mine, PARTNERSHIP_CHAIN}
        reader.rollback()
        reader.read_only = False
        for statement in (*CHANGES[:7], "INSERT INTO audit_chainhead SELECT * FROM audit_chainhead"):
            with pytest.raises(psycopg.Error) as refused:
                reader.execute(statement)
            assert isinstance(refused.value, errors.InsufficientPrivilege), statement
            reader.rollback()


def visible(actor: Actor, organisation_id: UUID | None) -> list[tuple[UUID, int]]:
    """What row security alone lets through: read in SQL, past the manager."""
    with open_scope(actor=actor, organisation_id=organisation_id), connection.cursor() as cursor:
        cursor.execute("SELECT chain, sequence FROM audit_auditevent ORDER BY 1, 2")
        return cursor.fetchall()


@pytest.mark.django_db
def test_row_security_alone_shows_the_own_chain_and_the_partnerships_to_the_operator() -> None:
    mine, other = uuid4(), uuid4()
    for chain in (mine, other, None):
        record_events(chain, 1)
    assert visible(Actor.PERSON, mine) == [(mine, 1)]
    assert visible(Actor.WORKER, other) == [(other, 1)]
    assert visible(Actor.PERSON, None) == []
    assert visible(Actor.OPERATOR, None) == [(PARTNERSHIP_CHAIN, 1)]
    assert set(visible(Actor.OPERATOR, mine)) == {(mine, 1), (PARTNERSHIP_CHAIN, 1)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditevent")
        assert cursor.fetchone() == (0,), "no scope, no row"


@pytest.mark.django_db(transaction=True)
def test_the_manager_alone_shows_the_own_chain(owner_connection: Any) -> None:
    mine, other = uuid4(), uuid4()
    for chain in (mine, other, None):
        record_events(chain, 2)
    with owner_connection.transaction():
        owner_connection.execute("ALTER TABLE audit_auditevent DISABLE ROW LEVEL SECURITY")
    try:
        assert len(visible(Actor.PERSON, mine)) == 6, "the second wall is down"
        for chain in (mine, other):
            with open_scope(actor=Actor.PERSON, organisation_id=chain):
                assert {row.chain for row in AuditEvent.objects.all()} == {chain}
                assert AuditEvent._base_manager.count() == 2
        with open_scope(actor=Actor.OPERATOR):
            assert {row.chain for row in AuditEvent.objects.all()} == {PARTNERSHIP_CHAIN}
        with open_scope(actor=Actor.PERSON), pytest.raises(ScopeMissing):
            AuditEvent.objects.count()
        with pytest.raises(ScopeMissing):
            AuditEvent.objects.count()
    finally:
        with owner_connection.transaction():
            owner_connection.execute("ALTER TABLE audit_auditevent ENABLE ROW LEVEL SECURITY")


@pytest.mark.django_db
def test_the_trail_is_not_written_through_the_orm() -> None:
    organisation = uuid4()
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        record("organisations.signed_in")
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        row = AuditEvent.objects.get()
        rows = AuditEvent.objects.all()
        for attempt in (
            row.save,
            row.delete,
            lambda: AuditEvent.objects.create(name="x"),
            lambda: AuditEvent.objects.bulk_create([row]),
            lambda: AuditEvent.objects.get_or_create(name="x"),
            lambda: AuditEvent.objects.update_or_create(name="x"),
            lambda: rows.update(name="x"),
            lambda: rows.bulk_update([row], ["name"]),
            rows.delete,
        ):
            with pytest.raises(TrailWritten):
                attempt()
    assert ChainHead.objects.get(chain=organisation).sequence == 1
