"""The system check of the second wall (T24): it finds nothing in the database as it is, and names whatever is broken in it by SQL."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from edatrs.core import checks, database_lint, embedded
from edatrs.core.embedded import postgres

# What somebody with the database could do, and what the check says of it: the rule and the subject.
BROKEN: dict[str, tuple[str, str, str]] = {
    "row security off": (
        "ALTER TABLE caseload_client DISABLE ROW LEVEL SECURITY",
        "row_security",
        "caseload_client",
    ),
    "not forced on the owner": (
        "ALTER TABLE caseload_episode NO FORCE ROW LEVEL SECURITY",
        "row_security",
        "caseload_episode",
    ),
    "no policy at all": ("DROP POLICY own ON caseload_allocationrun", "row_security", "caseload_allocationrun"),
    "row security that no list knows": (
        "ALTER TABLE organisations_service ENABLE ROW LEVEL SECURITY",
        "row_security",
        "organisations_service",
    ),
    "a table of an organisation outside the walls": (
        "CREATE TABLE public.stray (organisation_id uuid)",
        "listed",
        "stray",
    ),
    "a table of clients outside the walls": ("CREATE TABLE public.stray (client_id uuid)", "listed", "stray"),
    "an open table with a client": (
        "ALTER TABLE organisations_job ADD COLUMN client_id uuid",
        "listed",
        "organisations_job",
    ),
    "own admits everybody": (
        "ALTER POLICY own ON consent_consentact USING (true)",
        "policies",
        "consent_consentact.own",
    ),
    "one more policy admits everybody": (
        "CREATE POLICY open ON caseload_clientidentity FOR SELECT USING (true)",
        "policies",
        "caseload_clientidentity.open",
    ),
    "a policy lets others write": (
        "CREATE POLICY open ON caseload_clientidentity FOR UPDATE USING (version > 0)",
        "policies",
        "caseload_clientidentity.open",
    ),
    "nobody is hidden any more": ("DROP POLICY hidden ON caseload_episode", "policies", "caseload_episode.hidden"),
    "hidden admits instead of taking away": (
        "DROP POLICY hidden ON caseload_episode; CREATE POLICY hidden ON caseload_episode USING (client_id IS NULL)",
        "policies",
        "caseload_episode.hidden",
    ),
    "the role passes by row security": ("ALTER ROLE app BYPASSRLS", "roles", "app"),
    "the role is a superuser": ("ALTER ROLE app SUPERUSER", "roles", "app"),
    "the role owns a table": ("ALTER TABLE caseload_opening OWNER TO app", "roles", "app"),
    "the role can become the owner": ("GRANT owner TO app", "roles", "app"),
    "the role may create": ("GRANT CREATE ON SCHEMA public TO app", "roles", "app"),
    "the role may empty a table": ("GRANT TRUNCATE ON caseload_client TO app", "roles", "app"),
    "the matcher may create": ("GRANT CREATE ON SCHEMA public TO matcher", "roles", "matcher"),
    "a view of the owner": ("CREATE VIEW public.stray AS SELECT 1 AS one FROM caseload_client", "views", "stray"),
    "a copy of rows": (
        "CREATE MATERIALIZED VIEW public.stray AS SELECT 1 AS one FROM caseload_client",
        "views",
        "stray",
    ),
    "a rule": (
        "CREATE RULE stray AS ON UPDATE TO caseload_opening DO INSTEAD NOTHING",
        "views",
        "stray",
    ),
    "a function nobody reviewed": (
        "CREATE FUNCTION public.stray() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1'",
        "functions",
        "stray",
    ),
    "a reviewed function without its search_path": (
        "ALTER FUNCTION caseload_known_elsewhere(uuid) RESET search_path",
        "functions",
        "caseload_known_elsewhere",
    ),
    "a foreign key without the organisation": (
        "ALTER TABLE caseload_clientidentity DROP CONSTRAINT identity_of_client; "
        "ALTER TABLE caseload_clientidentity ADD CONSTRAINT stray FOREIGN KEY (client_id) REFERENCES caseload_client (id)",
        "foreign_keys",
        "caseload_clientidentity.stray",
    ),
}  # fmt: skip


@pytest.fixture
def superuser(db: None) -> Any:
    """Whoever has the database; what they do here is taken back."""
    with postgres.connect(embedded.run_dir(), str(connection.settings_dict["NAME"])) as made:
        yield made


def said(superuser: psycopg.Connection[Any], statement: str = "") -> set[tuple[str, str]]:
    """(rule, subject) of everything that is found after a statement."""
    with superuser.transaction(force_rollback=True):
        if statement:
            superuser.execute(statement)
        return {(one.rule, one.subject) for one in database_lint.findings(superuser.cursor())}


def test_nothing_is_wrong_with_the_database_as_it_is(superuser: psycopg.Connection[Any]) -> None:
    assert said(superuser) == set()
    with connection.cursor() as cursor:
        assert database_lint.findings(cursor) == [], "and the role that serves requests reads the same"


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_is_named(how: str, superuser: psycopg.Connection[Any]) -> None:
    statement, rule, subject = BROKEN[how]
    assert (rule, subject) in said(superuser, statement)


def test_every_rule_has_its_break() -> None:
    assert {rule.__name__.lstrip("_") for rule in database_lint.RULES} == {
        rule for _, rule, _ in BROKEN.values()
    }


@pytest.mark.django_db
def test_the_check_refuses_to_serve_such_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("check", databases=["default"])
    found = [database_lint.Finding("row_security", "caseload_client", "must be forced")]
    monkeypatch.setattr(database_lint, "findings", lambda cursor: found)
    with pytest.raises(SystemCheckError, match=r"edatrs\.E006.*row_security: caseload_client must be forced"):
        call_command("check", databases=["default"])
    assert checks.check_second_wall(None, databases=None) == []


@pytest.mark.django_db
def test_before_the_migrations_are_through_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """`migrate` checks before it begins: what it is about to make is not there yet."""
    found = [database_lint.Finding("row_security", "caseload_client", "must be forced")]
    monkeypatch.setattr(database_lint, "findings", lambda cursor: found)
    assert len(checks.check_second_wall(None, databases=["default"])) == 1
    monkeypatch.setattr(checks.MigrationExecutor, "migration_plan", lambda self, targets: ["one more"])
    assert checks.check_second_wall(None, databases=["default"]) == []
