"""The database roles of design section 6 and the database itself, on the embedded or any other server.

Tables get their grants from the migrations; here is only what must exist before the first one runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import Trouble

if TYPE_CHECKING:
    import psycopg

DATABASE = "caseload"
OWNER = "owner"
LOGINS = (OWNER, "app", "aggregate", "report", "verifier", "destroyer")
# Owns the few reviewed definer functions; nobody signs in as it.
FUNCTIONS_OWNER = "matcher"


def ensure_roles(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Create the roles that are missing, set every login's password, and create the database.

    `connection` is an administrator's, in autocommit; `passwords` holds one for each of `LOGINS`.
    Safe to run again. Raises Trouble when a role of that name has a right that would break row security.
    """
    from psycopg import sql

    known = {
        name: (superuser, bypass)
        for name, superuser, bypass in connection.execute(
            "select rolname, rolsuper, rolbypassrls from pg_roles"
        )
    }
    for role in (*LOGINS, FUNCTIONS_OWNER):
        if role not in known:
            rights = "createdb" if role == OWNER else "nocreatedb"
            login = "nologin" if role == FUNCTIONS_OWNER else "login"
            connection.execute(
                sql.SQL("create role {} {} {} nosuperuser nocreaterole nobypassrls").format(
                    sql.Identifier(role), sql.SQL(login), sql.SQL(rights)
                )
            )
        elif any(known[role]):
            raise Trouble(
                f"database role {role}",
                "is a superuser or bypasses row security, so one organisation could read another's clients",
                f"alter role {role} nosuperuser nobypassrls, or use another server",
            )
    for role in LOGINS:
        # Hashed here, so that no password travels or reaches a server's log.
        hashed = connection.pgconn.encrypt_password(
            passwords[role].encode(), role.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(hashed))
        )
    owner, functions_owner = sql.Identifier(OWNER), sql.Identifier(FUNCTIONS_OWNER)
    connection.execute(sql.SQL("grant {} to {}").format(functions_owner, owner))
    ensure_database(connection)


def ensure_database(connection: psycopg.Connection[Any]) -> None:
    """Create the database, owned by `owner`, and let the logins in; nobody else."""
    from psycopg import sql

    database, owner = sql.Identifier(DATABASE), sql.Identifier(OWNER)
    superuser = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    if not (superuser and superuser[0]):
        # A managed server's administrator must be a member of the role that it hands the database to.
        connection.execute(sql.SQL("grant {} to current_user").format(owner))
    if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
        connection.execute(
            sql.SQL("create database {} owner {} template template0 encoding 'UTF8'").format(database, owner)
        )
    others = sql.SQL(", ").join(sql.Identifier(role) for role in LOGINS if role != OWNER)
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    connection.execute(sql.SQL("grant connect on database {} to {}").format(database, others))
    # COPY FROM is refused under row security, so the application copies to a temporary table first.
    connection.execute(sql.SQL("grant temporary on database {} to app").format(database))


def ensure_schema(connection: psycopg.Connection[Any]) -> None:
    """Inside the database: the roles may look into `public`, and only `owner` may create there."""
    connection.execute("revoke create on schema public from public")
    connection.execute(f"grant usage on schema public to {', '.join((*LOGINS[1:], FUNCTIONS_OWNER))}")
