"""The test database: migrated once and copied for every process of a run, and emptied quickly after tests that commit."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from psycopg import sql

from edatrs.core import embedded
from edatrs.core.embedded import postgres
from edatrs.core.owner import as_owner

# Django's own flush makes these anew from the models, the same rows as were there.
STAY = frozenset({"django_content_type", "auth_permission"})
# Once so much lies in the tables, dead rows too, they are truncated, which takes a second.
MOST_BYTES = 64_000_000


def make_database() -> Any:
    """Make the test database; what `teardown_databases` needs.

    The processes of one run migrate once, into a database that the first of them makes and each then copies.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not run:
        return _set_up()
    own, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    named, template = test["NAME"], f"template_{run}"
    with _alone(run):
        if not _exists(template):
            test["NAME"] = template
            _set_up()
            connection.close()
            connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = own
        test["NAME"], test["TEMPLATE"] = named, template
        made = _set_up()
        connection.close()
    return made


def drop_database(made: Any) -> None:
    """Drop the test database, and what it was copied from."""
    with as_owner():
        teardown_databases(made, verbosity=0)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run:
        with postgres.connect(embedded.run_dir(), "postgres") as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(f"template_{run}")))


def empty_database() -> None:
    """Leave the tables as Django's `flush` leaves them, in a tenth of its time.

    `flush` truncates every table, which makes some hundreds of files anew. Here only what holds rows is deleted from, by a superuser for
    whom no trigger runs; it waits like `flush` for whoever still writes.
    """
    connection.close()
    tables = _tables()
    with superuser() as admin, admin.transaction():
        size = admin.execute("SELECT sum(pg_relation_size(t::regclass)) FROM unnest(%s::text[]) t", [tables])
        if (size.fetchone() or [0])[0] < MOST_BYTES:
            admin.execute("SET LOCAL session_replication_role = replica")
            everything = sql.SQL(", ").join(map(sql.Identifier, tables))
            admin.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(everything))
            for table in holding_rows(admin, tables):
                admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            return
    call_command("flush", verbosity=0, interactive=False)


def holding_rows(admin: psycopg.Connection[Any], tables: list[str]) -> list[str]:
    """Which of these tables hold a row."""
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in tables
    )
    return [row[0] for row in admin.execute(asked)]


def superuser() -> psycopg.Connection[Any]:
    """A connection to the test database for which no policy holds."""
    return postgres.connect(embedded.run_dir(), str(connection.settings_dict["NAME"]))


def _tables() -> list[str]:
    """What `flush` would empty and not fill again."""
    global _known
    if not _known:
        _known = sorted(
            {*connection.introspection.django_table_names(only_existing=True, include_views=False)} - STAY
        )
        connection.close()
    return _known


_known: list[str] = []


def _set_up() -> Any:
    with as_owner():
        return setup_databases(verbosity=0, interactive=False, keepdb=False, serialized_aliases=set())


def _exists(name: str) -> bool:
    with postgres.connect(embedded.run_dir(), "postgres") as admin:
        return admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


@contextmanager
def _alone(run: str) -> Iterator[None]:
    """One process of a run at a time."""
    with (Path(tempfile.gettempdir()) / f"edatrs-{run}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
