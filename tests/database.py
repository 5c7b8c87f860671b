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
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from psycopg import sql

from edatrs.core import embedded
from edatrs.core.embedded import postgres
from edatrs.core.owner import as_owner

# Django's own flush makes these anew from the models, the same rows as were there.
STAY = frozenset({"django_content_type", "auth_permission"})
# Every table's keys begin at a number of its own, far from what a line, a step or a day can be: a test that looks for a key in a text
# must find that key alone, and a key of the wrong table must not fit by chance.
APART = 1_000_000
# What is larger is vacuumed: it holds dead rows, those of tests that were rolled back too, and the test server vacuums nothing by itself.
BLOATED = 256_000


def make_database() -> Any:
    """Make the test database; what `teardown_databases` needs.

    The processes of one run migrate once, into a database that the first of them makes and each then copies.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not run:
        made = _set_up()
        _apart()
        return made
    own, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    named, template = test["NAME"], f"template_{run}"
    with _alone(run):
        if not _exists(template):
            test["NAME"] = template
            _set_up()
            _apart()
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
    whom no trigger runs; it waits like `flush` for whoever still writes. No statistics are kept: what an empty table is known to hold would
    lead the next test's questions through every row.
    """
    connection.close()
    tables = _tables()
    with superuser() as admin:
        with admin.transaction():
            admin.execute("SET LOCAL session_replication_role = replica")
            everything = sql.SQL(", ").join(map(sql.Identifier, tables))
            admin.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(everything))
            for table in holding_rows(admin, tables):
                admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        size = "SELECT t FROM unnest(%s::text[]) t WHERE pg_relation_size(t::regclass) > %s"
        for (table,) in admin.execute(size, [tables, BLOATED]).fetchall():
            admin.execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))


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


def _apart() -> None:
    """Let the keys of each table begin elsewhere."""
    with superuser() as admin:
        admin.execute(
            "SELECT setval(s.oid, %s * row_number() OVER (ORDER BY s.relname)) FROM pg_class s "
            "WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace",
            [APART],
        )


def _exists(name: str) -> bool:
    with postgres.connect(embedded.run_dir(), "postgres") as admin:
        return admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


@contextmanager
def _alone(run: str) -> Iterator[None]:
    """One process of a run at a time."""
    with (Path(tempfile.gettempdir()) / f"edatrs-{run}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
