"""What the database itself refuses to the role that serves requests, said in SQL past everything that Django would check."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, transaction

from caseload.models import Client, ClientIdentity, Episode, Registration
from consent.models import ConsentAct
from edatrs.core import clock
from edatrs.core.scope import Actor
from ndtms.models import Submission, SubmissionDownload
from tests.architecture import catalogue
from tests.core.world import acting_for, fill, histories, in_sql, tenant_models, two_organisations
from tests.factories.asks import make_ask, make_delivery
from tests.factories.caseload import make_client, make_episode, make_registration
from tests.factories.consent import make_act
from tests.factories.ndtms import make_import, make_mismatch, make_submission
from tests.factories.organisations import make_organisation, make_person
from tests.factories.share_consents import make_consent, make_decision
from tests.factories.staff import make_leaver
from tests.factories.work import make_export

pytestmark = pytest.mark.django_db
# What must differ in a copy of a row, so that nothing but what is tried can be wrong with it.
FRESH = {
    "id": "gen_random_uuid()",
    "clientid": "gen_random_uuid()::text",
    "sequence": "nextval('consent_act_sequence')",
    "record_number": "nextval('caseload_record_number')",
}


def columns_of(table: str) -> list[str]:
    """The columns of a table, without those the database counts by itself."""
    return [
        row[0]
        for row in in_sql(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_identity = 'NO'",
            table,
        )
    ]


def copy_row(table: str, **changed: Any) -> None:
    """Insert the one visible row again, with some columns changed."""
    columns = columns_of(table)
    fresh = {**FRESH, **({"episode_id": "gen_random_uuid()::text"} if table == "caseload_episode" else {})}
    values = ["%s" if column in changed else fresh.get(column, f'"{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    in_sql(
        f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}"',
        *(changed[column] for column in columns if column in changed),
    )


def refused(statement: str, *params: Any) -> str:
    """Run a statement that must not work; what the database says."""
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        in_sql(statement, *params)
        pytest.fail(f"was done: {statement}")
    return str(raised.value)


def test_without_an_organisation_every_tenant_table_is_empty() -> None:
    two_organisations()
    counted = {
        model._meta.db_table: in_sql(f'SELECT count(*) FROM "{model._meta.db_table}"')[0][0]
        for model in tenant_models()
    }
    assert {table for table, number in counted.items() if number} == set()
    for wrong in ("", str(uuid4())):
        with transaction.atomic():
            in_sql("SELECT set_config('app.organisation', %s, true)", wrong)
            assert all(in_sql(f'SELECT count(*) FROM "{table}"') == [(0,)] for table in counted)
            in_sql("SELECT set_config('app.organisation', '', true)")


def test_what_is_no_organisation_is_an_error_and_no_answer() -> None:
    message = "invalid input syntax for type uuid"
    two_organisations()  # in an empty table there is no row to ask the policy about
    with transaction.atomic():
        in_sql("SELECT set_config('app.organisation', 'everything', true)")
        assert message in refused("SELECT count(*) FROM caseload_client")
        in_sql("SELECT set_config('app.organisation', '', true)")


def test_no_row_is_inserted_into_or_moved_to_another_organisation() -> None:
    one, _, two, _ = two_organisations()
    for model in tenant_models():
        table = model._meta.db_table
        with acting_for(one):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                copy_row(table, organisation_id=two.pk)
            said = refused(f'UPDATE "{table}" SET organisation_id = %s', two.pk)
            assert "row-level security" in said or "permission denied" in said, table
        said = refused(f'INSERT INTO "{table}" (organisation_id) VALUES (%s)', one.pk)
        assert "row-level security" in said, "without a scope nothing is written either"


def test_rows_of_another_organisation_are_neither_changed_nor_deleted() -> None:
    one, _, two, foreign = two_organisations()
    may = catalogue.rights("app")
    for model in tenant_models():
        table, key = model._meta.db_table, model._meta.pk.column
        with acting_for(one):
            change = f'UPDATE "{table}" SET "{key}" = "{key}" WHERE "{key}" = %s RETURNING 1'
            if "UPDATE" in may[table]:
                assert in_sql(change, foreign[model].pk) == []
            else:
                assert "permission denied" in refused(change, foreign[model].pk)
            delete = f'DELETE FROM "{table}" WHERE "{key}" = %s'
            if table in catalogue.MADE_AGAIN:
                assert in_sql(f"{delete} RETURNING 1", foreign[model].pk) == []
            else:
                assert "permission denied" in refused(delete, foreign[model].pk)
            if "UPDATE" in may[table]:
                assert in_sql(f'SELECT "{key}" FROM "{table}" FOR UPDATE') != [(foreign[model].pk,)]


def test_no_foreign_key_reaches_another_organisation() -> None:
    """Every key that carries the organisation, by INSERT and by UPDATE; the target has no row of that table, so nothing else is wrong."""
    one, two = make_organisation(), make_organisation()
    fill(one)
    fill(two)
    with acting_for(two):
        registration = make_registration(client=make_client())
        episode = make_episode(registration=registration)
        bare = {
            "client_id": registration.client_id,
            "survivor_id": registration.client_id,
            "service_id": registration.service_id,
            "registration_id": registration.pk,
            "episode_id": episode.pk,
            "submission_id": make_submission().pk,
            "consent_act_id": make_act(episode=episode).pk,
            "run_id": make_import().pk,
            "file_id": make_mismatch(None, service=registration.service).file_id,
            "consent_id": make_consent(registration.client).pk,
            "decision_id": make_decision(registration.client, one).pk,
            "export_id": make_export(make_person(two)).pk,
            "ask_id": make_ask(registration.client).pk,
            "delivery_id": make_delivery(registration.client, one).pk,
            "leaver_id": make_leaver(two, make_person(two)).pk,
        }
    tried = 0
    may = catalogue.rights("app")
    keys = [
        key
        for key in catalogue.foreign_keys()
        if key[0] in catalogue.tenant_tables() and "organisation_id" in key[2]
    ]
    for table, name, columns, _, _ in keys:
        changed = {column: bare[column] for column in columns if column not in ("organisation_id", "id")}
        if not changed:
            continue  # of the organisation alone
        if table in ("consent_consentform", "consent_consentinvalidation"):
            changed["consent_act_id"] = bare["consent_act_id"]  # or it would be the second of one act
        if table == "consent_disclosure" and "consent_id" in changed:
            changed |= {"ground": "consent", "standing": "", "condition": "", "lawful_ground": ""}
        if table in ("consent_ask", "consent_lawfuldecision", "consent_sharingconsent"):
            changed["number"] = 999_999  # or it would be the second of one number
        if table == "caseload_linkside":
            changed["proposal"] = uuid4()  # or it would be the second side of one proposal
        if table == "consent_referralhandover":
            changed["referral"] = uuid4()  # or it would be the second of one referral
        if table == "caseload_clientmerge":
            changed["undone_at"] = clock.now()  # or it would be the second merge of one client
        with acting_for(one):
            with pytest.raises(IntegrityError, match="foreign key constraint"), transaction.atomic():
                copy_row(table, **changed)
            tried += 1
            if "UPDATE" in may[table]:
                sets = ", ".join(f'"{column}" = %s' for column in changed)
                said = refused(f'UPDATE "{table}" SET {sets}', *changed.values())
                # An identifier that may never change again is refused by its trigger before the key is looked at.
                assert "foreign key constraint" in said or "Cannot update rows" in said, (table, name)
    assert tried >= 17


@pytest.mark.django_db(transaction=True)
def test_a_foreign_key_put_off_to_commit_is_refused_at_commit() -> None:
    one, _, two, foreign = two_organisations()
    with pytest.raises(IntegrityError, match="foreign key constraint"), acting_for(one):
        in_sql("SET CONSTRAINTS ALL DEFERRED")
        in_sql("UPDATE caseload_registration SET client_id = %s", foreign[Client].pk)
    with acting_for(one):
        assert Registration.objects.get().client.organisation_id == one.pk


def test_the_orm_in_bulk_is_refused_like_raw_sql() -> None:
    one, rows, two, foreign = two_organisations()
    with acting_for(one):
        service = rows[Registration].service_id
        for wrong in (
            Registration(
                organisation=one, client_id=foreign[Client].pk, service_id=service, client_id_text="9"
            ),
            Registration(
                organisation=one, client_id=rows[Client].pk, service_id=foreign[Registration].service_id
            ),
            Episode(
                organisation=one,
                client_id=foreign[Client].pk,
                service_id=service,
                registration_id=foreign[Registration].pk,
                episode_id="9",
            ),
            ConsentAct(
                organisation=one,
                client_id=foreign[Client].pk,
                episode_id=foreign[Episode].pk,
                decision="Y",
                decided_on="2026-04-06",
                method="oral",
                origin="imported",
            ),
            SubmissionDownload(
                organisation=one, submission_id=foreign[Submission].pk, at="2026-04-06T00:00Z"
            ),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                type(wrong).objects.bulk_create([wrong])
            with pytest.raises(IntegrityError), transaction.atomic():
                wrong.save(force_insert=True)
        with pytest.raises(IntegrityError), transaction.atomic():
            ClientIdentity.objects.update(client_id=foreign[Client].pk)


def test_acts_of_consent_and_history_are_never_changed() -> None:
    one, *_ = two_organisations()
    only_grow = [model._meta.db_table for model in histories()] + [
        "consent_consentact",
        "ndtms_submissiondownload",
    ]
    with acting_for(one):
        for table in only_grow:
            for statement in (
                f'UPDATE "{table}" SET organisation_id = organisation_id',
                f'DELETE FROM "{table}"',
                f'TRUNCATE "{table}" CASCADE',
                f'SELECT 1 FROM "{table}" FOR UPDATE',
            ):
                assert "permission denied" in refused(statement), statement


def test_who_serves_requests_cannot_take_the_walls_down() -> None:
    one, *_ = two_organisations()
    with acting_for(one):
        for statement in (
            "ALTER TABLE caseload_client DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE caseload_client NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY own ON caseload_client",
            "CREATE POLICY open ON caseload_client USING (true)",
            "ALTER TABLE caseload_client DISABLE TRIGGER ALL",
            "SET LOCAL session_replication_role = 'replica'",
            "SET LOCAL ROLE owner",
            "SET LOCAL ROLE destroyer",
            "SET SESSION AUTHORIZATION owner",
            "CREATE TABLE public.mine (id int)",
            "CREATE VIEW public.mine AS SELECT * FROM caseload_client",
            "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "COPY caseload_client FROM PROGRAM 'true'",
            "COPY caseload_client TO '/tmp/clients'",
            "SELECT pg_read_file('/etc/passwd')",
        ):
            said = refused(statement)
            assert any(words in said for words in ("permission denied", "must be owner", "superuser")), said
        with transaction.atomic():
            in_sql("SET LOCAL row_security = off")
            assert "would be affected by row-level security" in refused("SELECT 1 FROM caseload_client")
            in_sql("SET LOCAL row_security = on")


@pytest.mark.django_db(transaction=True)
def test_the_owner_too_sees_nothing_without_an_organisation(
    owner_connection: psycopg.Connection[Any],
) -> None:
    one, rows, *_ = two_organisations()
    for model in tenant_models():
        table = model._meta.db_table
        assert owner_connection.execute(f'SELECT count(*) FROM "{table}"').fetchone() == (0,), (
            f"{table}: FORCE"
        )
    with owner_connection.transaction():
        owner_connection.execute("SELECT set_config('app.organisation', %s, true)", [str(one.pk)])
        assert owner_connection.execute(
            "SELECT id FROM caseload_client WHERE voided_at IS NULL"
        ).fetchall() == [(rows[Client].pk,)]
        for statement in (
            "UPDATE caseload_clienthistory SET version = 9",
            "DELETE FROM caseload_clienthistory",
        ):
            with (
                pytest.raises(psycopg.errors.RaiseException, match="Cannot update or delete"),
                owner_connection.transaction(),
            ):
                owner_connection.execute(statement)


def test_a_history_row_belongs_to_the_organisation_of_its_row() -> None:
    one, rows, two, _ = two_organisations()
    for history in histories():
        tracked = history.pgh_tracked_model
        with acting_for(one):
            kept = history.objects.get(pgh_obj_id=rows[tracked].pk)
            assert (kept.organisation_id, kept.pgh_obj_id) == (one.pk, rows[tracked].pk)


def test_the_operators_keys_of_people_are_for_an_operator_alone() -> None:
    one, rows, *_ = two_organisations()
    with acting_for(one, actor=Actor.OPERATOR):
        in_sql("INSERT INTO caseload_personkey (key, person_id) VALUES ('K1', %s)", rows[Client].person_id)
        assert in_sql("SELECT key FROM caseload_personkey") == [("K1",)]
    with acting_for(one):
        assert in_sql("SELECT key FROM caseload_personkey") == []
        assert "row-level security" in refused(
            "INSERT INTO caseload_personkey (key, person_id) VALUES ('K2', %s)", rows[Client].person_id
        )
    assert in_sql("SELECT key FROM caseload_personkey") == []
