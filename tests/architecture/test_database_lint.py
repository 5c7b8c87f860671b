"""The catalogue of the database, held against the rules of design section 6 (T24)."""

from __future__ import annotations

import pytest
from django.db import connection

from edatrs.core import database_lint
from edatrs.core.database_lint import NOT_HIDDEN, REVIEWED_DEFINER_FUNCTIONS
from edatrs.core.embedded.roles import FUNCTIONS_OWNER, LOGINS
from tests.architecture import catalogue
from tests.core.world import histories, in_sql, tenant_models

pytestmark = pytest.mark.django_db
# The matcher compares clients by one table, and keeps three columns of it (caseload 0010).
READ_BY = {
    "verifier": {"audit_auditevent": {"SELECT"}},
    FUNCTIONS_OWNER: {
        "caseload_matchkey": {"SELECT", "UPDATE"},
        # It delivers what is asked and says that it was taken back (consent 0008).
        "consent_ask": {"SELECT"},
        "consent_askend": {"SELECT"},
        "consent_askdelivery": {"SELECT", "INSERT"},
        "consent_askanswer": {"SELECT", "INSERT"},
        # It writes what a link says (caseload 0013): the person, what linked records share, the sensitive flag, each side.
        "caseload_client": {"SELECT", "UPDATE"},
        "caseload_clienthistory": {"INSERT"},
        **{
            f"caseload_{table}": {"SELECT", "INSERT", "UPDATE"}
            for table in ("clientidentity", "clientcontact", "clientequality", "sensitiverecord", "linkside")
        },
        **{
            f"caseload_{table}history": {"INSERT"}
            for table in ("clientidentity", "clientcontact", "clientequality", "sensitiverecord")
        },
    },
}
READERS = {"aggregate", "report", "verifier", FUNCTIONS_OWNER}
# Unique over all organisations, and why that gives nothing away.
REVIEWED_UNIQUE = {
    "caseload_client_record_number_key": "counted by a sequence, never typed",
    "consent_act_sequence_once": "counted by a sequence, never typed",
    "partner_referral_decided_once": "the referral is of two organisations, and only they can name it",
    "partner_referral_done_once": "likewise",
}
# These columns hold an unguessable id of a row of one organisation, so what they make unique does not span two. A service is known to
# all, but only a registration or an episode of its own organisation can name it (registration_at_own_service).
IDS = {"id", "pgh_id", "client_id", "episode_id", "submission_id", "consent_act_id"}
TEXTS = {"caseload_episode": {"episode_id"}}  # EPISODID as it came, not a key
OF_A_SERVICE = {"clientid_once_an_agency", "episodid_once_an_agency"}


def test_the_tests_run_as_the_role_that_serves_requests() -> None:
    assert catalogue.current_role() == "app"
    assert in_sql(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'app'"
    ) == [(False, False, False, False)]


def test_every_tenant_table_has_forced_row_security_and_a_policy() -> None:
    state = {
        name: (on, forced, policies)
        for name, on, forced, policies in in_sql(
            "SELECT relname, relrowsecurity, relforcerowsecurity, "
            "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c "
            "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
    }
    guarded = catalogue.tenant_tables() | set(catalogue.OTHER_POLICY)
    assert {name for name in guarded if state[name][:2] != (True, True) or not state[name][2]} == set()
    assert {name for name, (on, *_) in state.items() if on} == guarded, "no row security that nobody listed"


def test_no_table_of_an_organisation_escapes_the_lists() -> None:
    """By column, whatever Django calls the model: with an organisation or a client it is a tenant table, or it is listed with a reason."""
    # Not information_schema: it shows to a role only what that role has rights on.
    columns = in_sql(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND a.attname IN ('organisation_id', 'client_id', 'episode_id') AND NOT a.attisdropped"
    )
    found = {table for table, _ in columns}
    assert found - catalogue.tenant_tables() - set(catalogue.OPEN) - set(catalogue.OTHER_POLICY) == set()
    with_client = {table for table, column in columns if column == "client_id"}
    assert with_client <= catalogue.tenant_tables()
    assert set(catalogue.OPEN).isdisjoint(with_client)


def test_each_policy_is_of_the_organisation_and_reads_the_setting_once() -> None:
    policies = in_sql(
        "SELECT tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies WHERE tablename = ANY(%s)",
        sorted(catalogue.tenant_tables()),
    )
    own = [policy for policy in policies if policy[1] == "own"]
    assert len(own) == len(catalogue.tenant_tables())
    for table, _, permissive, command, using, check in own:
        assert (permissive, command, check) == ("PERMISSIVE", "ALL", None), table
        wanted = (
            "(organisation_id=(SELECT(NULLIF(current_setting('app.organisation'::text,true),''::text))::uuid"
        )
        assert wanted in using.replace("\n", "").replace(" ", "").replace("SELECT", "SELECT"), table


# What else admits a row, and to what: nothing but reading, and never past `own`, which comes first (`hidden` takes away from all of them).
ADMITS = {
    "also_reached": "caseload_reached",
    "held": "holder_id",
    "of_our_client": "client_organisation_id",
    "matching": "matcher",
    "follows": "matcher",
    "linking": "matcher",
    "delivered": "matcher",
    "received": "receiver_id",
    "of_both": "sender_id",
}


def test_every_other_policy_is_known_and_only_lets_read() -> None:
    policies = in_sql(
        "SELECT tablename, policyname, permissive, cmd, roles::text, COALESCE(qual, with_check) FROM pg_policies "
        "WHERE tablename = ANY(%s) AND policyname NOT IN ('own', 'hidden')",
        sorted(catalogue.tenant_tables()),
    )
    for table, name, permissive, command, roles, using in policies:
        assert permissive == "PERMISSIVE" and ADMITS[name] in using, (table, name)
        assert command == "SELECT" or roles == "{matcher}", (table, name)
    assert {name for _, name, *_ in policies} == set(ADMITS)


def test_every_table_with_a_client_hides_whom_somebody_may_not_find() -> None:
    hidden = {
        table
        for (table,) in in_sql(
            "SELECT tablename FROM pg_policies WHERE policyname = 'hidden' AND permissive = 'RESTRICTIVE' AND cmd = 'ALL' "
            "AND qual LIKE '%%caseload_hidden%%'"
        )
    }
    with_client = {
        model._meta.db_table
        for model in tenant_models()
        if {"client", "record_number"} & {field.name for field in model._meta.fields}
    }
    assert with_client - hidden == NOT_HIDDEN
    assert hidden <= with_client


def test_who_serves_requests_owns_nothing_and_can_become_nobody() -> None:
    owned = "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) <> 'owner' AND relnamespace = 'public'::regnamespace"
    assert in_sql(owned) == []
    for role in {*LOGINS, FUNCTIONS_OWNER} - {"owner"}:
        others = {*LOGINS, FUNCTIONS_OWNER, "postgres"} - {role}
        members = in_sql(
            "SELECT o FROM unnest(%s::text[]) o WHERE pg_has_role(%s, o, 'MEMBER')", sorted(others), role
        )
        assert members == [], role
        assert in_sql(
            "SELECT has_schema_privilege(%s, 'public', 'CREATE'), has_database_privilege(%s, current_database(), 'CREATE')",
            role,
            role,
        ) == [(False, False)], role
    powers = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)"
    assert in_sql(powers, [*LOGINS, FUNCTIONS_OWNER]) == []


def test_nobody_may_do_more_than_is_written_here() -> None:
    tenant = catalogue.tenant_tables() | set(catalogue.OTHER_POLICY)
    grown = catalogue.APPEND_ONLY | {model._meta.db_table for model in histories()}
    app = catalogue.rights("app")
    for table in tenant:
        expected = (
            {"SELECT", "INSERT"}
            if table in grown | {"caseload_personkey"}
            else {"SELECT", "INSERT", "UPDATE"}
        ) | ({"DELETE"} if table in catalogue.MADE_AGAIN else set())
        assert app[table] == expected, table
    for table, may in app.items():
        assert not may & {"TRUNCATE", "TRIGGER", "REFERENCES"}, table
    for role in READERS:
        held = {table: may for table, may in catalogue.rights(role).items() if table in tenant}
        assert held == READ_BY.get(role, {}), role
    destroyer = catalogue.rights("destroyer")
    assert {frozenset(may) for may in destroyer.values()} == {frozenset({"SELECT", "DELETE"})}
    assert set(destroyer) <= tenant | {"caseload_person"}
    assert "audit_auditevent" not in destroyer
    assert {table for table in destroyer if table in catalogue.tenant_tables()} == catalogue.tenant_tables()


def test_everybody_together_may_do_nothing() -> None:
    public = in_sql(
        "SELECT relname FROM pg_class, aclexplode(COALESCE(relacl, acldefault('r', relowner))) a "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND a.grantee = 0"
    )
    assert public == []


def test_views_ask_as_who_asks_and_nothing_is_copied_past_the_policies() -> None:
    assert in_sql("SELECT matviewname FROM pg_matviews") == []
    views = in_sql(
        "SELECT relname, COALESCE(reloptions::text, '') FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    )
    assert [name for name, options in views if "security_invoker=true" not in options] == []
    assert in_sql("SELECT relname FROM pg_class WHERE relkind = 'f'") == []
    assert in_sql("SELECT rulename FROM pg_rules WHERE schemaname = 'public'") == []


def test_functions_run_with_the_rights_of_who_calls_them() -> None:
    """The reviewed ones are listed in edatrs/core/database_lint.py, and every one of the list is there."""
    with connection.cursor() as cursor:
        definers = database_lint.definer_functions(cursor)
    assert {name for name, _ in definers} == REVIEWED_DEFINER_FUNCTIONS
    assert [name for name, config in definers if "search_path" not in config] == []


def test_every_foreign_key_between_tenant_tables_carries_the_organisation() -> None:
    """A foreign-key check ignores row security (threat 6). A narrower one may stand beside one that carries it."""
    with connection.cursor() as cursor:
        bare = database_lint.bare_foreign_keys(cursor)
    assert {name for _, name in bare} == set(database_lint.OTHER_ORGANISATION), bare


def test_every_reference_of_a_tenant_model_is_held_by_the_database() -> None:
    """Django's own constraints are off where ours are on: no reference may be left without either."""
    tenant = catalogue.tenant_tables()
    held = {(table, column) for table, _, columns, _, _ in catalogue.foreign_keys() for column in columns}
    recorded = {model._meta.db_table for model in histories()}
    loose = [
        (model._meta.db_table, field.column)
        for model in tenant_models()
        for field in model._meta.concrete_fields
        if field.is_relation and model._meta.db_table not in recorded
        if (model._meta.db_table, field.column) not in held
    ]
    assert {column for _, column in loose} <= {"organisation_id"}, loose
    "the organisation itself is in every composite key"
    # Theirs carry other organisations than that of the row (database_lint.OTHER_ORGANISATION).
    for table in {table for table, _ in loose} - {"caseload_emergencyaccess", "consent_partnerreferralstep"}:
        assert any(
            "organisation_id" in columns and table == t for t, _, columns, _, _ in catalogue.foreign_keys()
        ), table
    assert tenant


def test_what_is_unique_over_all_organisations_is_reviewed() -> None:
    spanning = {
        index
        for table, index, columns in catalogue.unique_indexes()
        if "organisation_id" not in columns and not IDS & (set(columns) - TEXTS.get(table, set()))
    }
    assert spanning == {*REVIEWED_UNIQUE, *OF_A_SERVICE}


def test_a_sequence_is_counted_and_never_set() -> None:
    held = in_sql(
        "SELECT relname, has_sequence_privilege('app', oid, 'UPDATE') FROM pg_class "
        "WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
    )
    assert [name for name, may_set in held if may_set] == []
