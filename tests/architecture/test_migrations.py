"""Migrations: named, one after the other, complete, and each app goes to nothing and back to the same database."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from edatrs.settings.base import database

APPS = ("organisations", "audit", "caseload", "consent", "ndtms")
SCRATCH = "scratch"
# What may be imported: Django, the libraries, and the operations of the kernel; never a model or a service (style rule 15).
KERNEL = ("edatrs.core.database", "edatrs.core.crypto")


def migrations() -> list[tuple[str, str, Any]]:
    """(app, name, migration) of our apps."""
    loaded = MigrationLoader(None).disk_migrations
    return sorted((app, name, migration) for (app, name), migration in loaded.items() if app in APPS)


def test_each_has_a_number_and_a_name_that_says_what_it_does() -> None:
    assert {app for app, *_ in migrations()} == set(APPS)
    for app, name, _ in migrations():
        assert re.fullmatch(r"\d{4}_[a-z][a-z0-9_]+", name) and "auto" not in name, f"{app}.{name}"
    for app in APPS:
        numbers = [int(name[:4]) for a, name, _ in migrations() if a == app]
        assert numbers == list(range(1, len(numbers) + 1)), app


def test_none_imports_our_models_or_services() -> None:
    for app, name, migration in migrations():
        module = __import__(migration.__module__, fromlist=["x"])
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        imported += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        ours = [m for m in imported if m.split(".")[0] in {"edatrs", "audit", "caseload", "consent", "ndtms"}]
        assert set(ours) <= set(KERNEL), f"{app}.{name}"


@pytest.mark.django_db
def test_the_models_need_no_further_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


CATALOGUE = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 2",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "policies": "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2",
    "row security": "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
    "rights": "SELECT table_name, grantee, privilege_type FROM information_schema.table_privileges "
    "WHERE table_schema = 'public' ORDER BY 1, 2, 3",
    "sequences": "SELECT sequencename, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a) FROM pg_sequences s "
    "JOIN pg_class c ON c.relname = s.sequencename ORDER BY 1",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' "
    "ORDER BY 1, 2",
}


@contextmanager
def scratch_database() -> Iterator[Any]:
    """A copy of the test database, migrated and empty, as connection `scratch` of the owner."""
    owner = database(settings.DATABASE_OWNER_ROLE)
    copied = connection.settings_dict["NAME"]
    name = f"{copied}_scratch"
    connection.close()  # nobody may be in what is copied
    keys = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    with psycopg.connect(
        **{key: owner[given] for key, given in keys.items() if owner.get(given)}, autocommit=True
    ) as maker:
        maker.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        maker.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(copied))
        )
        connections.settings[SCRATCH] = {**connections.settings["default"], **owner, "NAME": name}
        try:
            yield connections[SCRATCH]
        finally:
            connections[SCRATCH].close()
            del connections[SCRATCH], connections.settings[SCRATCH]
            maker.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def catalogue_of(wrapper: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What the database is made of."""
    found = {}
    with wrapper.cursor() as cursor:
        for what, statement in CATALOGUE.items():
            cursor.execute(statement)
            found[what] = cursor.fetchall()
    return found


def migrate(wrapper: Any, targets: list[tuple[str, str | None]] | None = None) -> None:
    """Forwards to the newest, or to the targets."""
    executor = MigrationExecutor(wrapper)
    executor.migrate(targets or executor.loader.graph.leaf_nodes())


@pytest.mark.first
def test_each_app_goes_to_nothing_and_back_to_the_same(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), scratch_database() as wrapper:
        made = catalogue_of(wrapper)
        assert made["policies"] and made["triggers"] and made["rights"]
        migrate(wrapper, [(app, None) for app in APPS])
        empty = catalogue_of(wrapper)
        assert {
            row[0] for row in empty["columns"] if row[0].startswith(tuple(f"{app}_" for app in APPS))
        } == set()
        # The functions of pgtrigger's triggers are left without a trigger, and replaced when it comes back.
        ours = re.compile(rf"^({'|'.join(APPS)})_|consent_act|record_number")
        for what in ("functions", "sequences", "triggers", "policies"):
            assert [row[:2] for row in empty[what] if ours.search(str(row[0]))] == [], what
        migrate(wrapper)
        again = catalogue_of(wrapper)
        for what, rows in made.items():
            assert again[what] == rows, what


@pytest.mark.django_db(transaction=True)
def test_the_role_that_serves_requests_cannot_migrate() -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.cursor() as cursor:
        try:
            cursor.execute("CREATE TABLE public.a_table (id int)")
        except Exception as refused:
            raise refused.__cause__ or refused from None
