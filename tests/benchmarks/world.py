"""The databases of a benchmark: a migrated template, and copies of it that are thrown away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from edatrs.core import embedded
from edatrs.core.owner import as_owner
from edatrs.settings.base import database

TEMPLATE = "edatrs_bench"


def use(name: str) -> None:
    """Let this process's Django connection be of a database of the benchmark."""
    connection.close()
    connection.settings_dict["NAME"] = name


def owner(name: str) -> psycopg.Connection[Any]:
    """A connection as the owner of the tables, in autocommit."""
    found = database(settings.DATABASE_OWNER_ROLE)
    return psycopg.connect(**words(found, name), autocommit=True)


def app(name: str) -> psycopg.Connection[Any]:
    """A connection as the role that serves requests, in autocommit."""
    return psycopg.connect(**words(database("app"), name), autocommit=True)


def words(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Django's settings of a database as libpq says them."""
    parts = {
        "host": found["HOST"],
        "port": found["PORT"],
        "user": found["USER"],
        "password": found["PASSWORD"],
    }
    return {key: value for key, value in parts.items() if value} | {"dbname": name}


def make_template() -> None:
    """Make the template: migrated as the owner, with the Essex partnership."""
    drop(TEMPLATE)
    _maintain(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(TEMPLATE))
    )
    use(TEMPLATE)
    with as_owner():
        call_command("migrate", verbosity=0, interactive=False)
    with open(os.devnull, "w") as nowhere:
        call_command("load_partnership", stdout=nowhere, stderr=nowhere)
    with owner(TEMPLATE) as connected:
        # What autovacuum would do is done by `settle`, when it is not in the way.
        for table in tables(connected):
            connected.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = false)')
    use("postgres")


def make(name: str) -> None:
    """A fresh copy of the template."""
    drop(name)
    _maintain(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
    )


def drop(name: str) -> None:
    """Throw a database away, whoever is connected."""
    _maintain(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _maintain(statement: sql.Composed) -> None:
    with owner("postgres") as connected:
        connected.execute(statement)


def settle(name: str) -> None:
    """What autovacuum and the checkpointer would do in a quiet minute, so that it does not fall into what is measured."""
    with owner(name) as connected:
        connected.execute("VACUUM (ANALYZE)")
    if not os.environ.get("DATABASE_URL"):
        from edatrs.core.embedded import postgres

        with postgres.connect(embedded.run_dir(), name) as administrator:
            administrator.execute("CHECKPOINT")


def tables(connected: psycopg.Connection[Any]) -> list[str]:
    """The tables of the record, of consent and of the national collection, history aside."""
    found = connected.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND relname ~ '^(caseload|consent|ndtms)_' ORDER BY 1"
    )
    return [name for (name,) in found]


def lift_row_security(name: str) -> None:
    """The owner passes row security from now on; `app` stays behind it."""
    with owner(name) as connected:
        for table in tables(connected):
            connected.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')


def strip(name: str) -> None:
    """No history and no row security: what a hand-written load would meet."""
    with owner(name) as connected:
        for table in tables(connected):
            connected.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY, DISABLE TRIGGER USER')


def contents(name: str) -> dict[str, tuple[int, int]]:
    """How many rows each table holds, and a sum over the hashes of their items: equal when two loads wrote the same."""
    with owner(name) as connected, all_rows(connected):
        with_items = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'items'"
        items = {table for (table,) in connected.execute(with_items)}
        found = {}
        for table in tables(connected):
            hashes = "sum(hashtext(items::text)::bigint)" if table in items else "0"
            found[table] = connected.execute(
                f'SELECT count(*), COALESCE({hashes}, 0)::bigint FROM "{table}"'
            ).fetchone()
        return found


@contextmanager
def all_rows(connected: psycopg.Connection[Any]) -> Iterator[None]:
    """The owner sees every row while this is open: FORCE is taken off in a transaction that is rolled back."""
    connected.execute("BEGIN")
    try:
        for table in tables(connected):
            connected.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        yield
    finally:
        connected.execute("ROLLBACK")
