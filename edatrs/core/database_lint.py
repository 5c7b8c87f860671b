"""What PostgreSQL's own catalogue says of the second wall, held against the rules of design section 6 (T24).

Read by a system check (`manage.py check --database default`, `edatrs.core.checks`) and by the tests. Everything here takes a cursor and
asks catalogues that every role may read, so that it says the same to the role that serves requests, to the owner and to an administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from edatrs.core.embedded.roles import FUNCTIONS_OWNER, LOGINS, OWNER
from edatrs.core.history import History
from edatrs.core.managers import TenantModel

# Behind row security without an organisation's column of that name, with the reason.
OTHER_POLICY = {
    "caseload_personkey": "the operator's keys of people: of the partnership, for an operator's scope alone",
    "audit_auditevent": "a chain is an organisation, and all zeros the partnership",
}
# With an organisation's column and without row security, with the reason (design section 6: ids and labels, no client data).
OPEN = {
    "organisations_service": "services are known to the partnership",
    "organisations_membership": "roles of people: rights are read before a scope is open",
    "organisations_clearance": "dates of training and checks: rights are read before a scope is open",
    "organisations_agreementparty": "the sharing protocol: who signed, and when notice ends; approved agreements are public",
    "organisations_authorisedrole": "the sharing protocol: who may sign",
    "organisations_contactrecord": "the sharing protocol: contact items, which agreements publish",
    "organisations_job": "ids and states: the sweeper finds work here",
    "organisations_task": "words without client data for people and roles",
}
# Functions that run with their owner's rights. Each must be here with who looked at it, and have a fixed search_path.
REVIEWED_DEFINER_FUNCTIONS = {
    "caseload_known_elsewhere",  # yes or no of one's own client; caseload 0010, tests/caseload/known_elsewhere
    "caseload_emergency_linked",  # ids of records of one's own client's person; caseload 0011, tests/caseload/test_emergency.py
    "caseload_emergency_stranger",  # ids of an exact match; likewise
    "caseload_match_key_follows",  # a trigger: keeps the key of a client what the client and a sensitive flag say
    # Linking; caseload 0013, tests/caseload/linking. They take ids and names of fields; what is written is read from rows of each side.
    "caseload_linked",  # the partners' records that one's own is linked with
    "caseload_link_deliver",  # hands a proposal of one's own to the others
    "caseload_link_told",  # whose records a proposal with a side of one's own is about
    "caseload_link_settle",  # links when every side agreed
    "caseload_link_compare",  # same, different or missing, of a proposal that waits
    "caseload_copy_to_linked",  # one's own columns, as they stand
    "caseload_raise_on_linked",  # one's own sensitive flag
    "caseload_unlink",  # a person of its own for one's own client
    "caseload_relink",  # that taken back
    "caseload_swap_person",  # at a merge of two of one's own
    # Asking a partner; consent 0008, tests/consent/asks.
    "consent_holders_of",  # the comparison of "known elsewhere" with the records it finds; for the role matcher alone
    "consent_deliver_ask",  # a row with each holder of an ask of one's own; gives nothing back
    "consent_take_back_ask",  # says so where an ask of one's own was delivered; gives nothing back
    "consent_agreed",  # who agreed to asks of one's own, and no other answer
}
# Say who may be found, so they cannot themselves depend on it.
NOT_HIDDEN = {
    "caseload_sensitiverecord",
    "caseload_namedteammember",
    "caseload_conflictofinterest",
}
# Foreign keys between tables of organisations that do not carry the organisation of their row, with the reason.
OTHER_ORGANISATION = {
    "emergency_of_client": "it carries the organisation of the client, which is not that of the row",
    "partner_referral_at_its_service": "a service of the receiver, whom it carries",
    "partner_referral_step_of_referral": "it carries sender and receiver, of whom the row is one (partner_referral_step_of_its_side)",
}
_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@dataclass(frozen=True)
class Finding:
    """Something that the catalogue says and must not: the rule, what it is about, and why it matters."""

    rule: str
    subject: str
    words: str


def tenant_models() -> list[type[Any]]:
    """Every model whose rows belong to an organisation and lie behind both walls, the histories too."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, TenantModel | History)
        or {"organisation", "client"} <= {field.name for field in model._meta.get_fields()}
    ]


def tenant_tables() -> set[str]:
    """The tables of the tenant models."""
    return {model._meta.db_table for model in tenant_models()}


def rows(cursor: Any, statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows of the catalogue."""
    cursor.execute(statement, params or None)
    return list(cursor.fetchall())


def foreign_keys(cursor: Any) -> list[tuple[str, str, list[str], str, list[str]]]:
    """(table, constraint, columns, other table, its columns) of every foreign key of the schema."""
    names = "ARRAY(SELECT a.attname::text FROM unnest({key}) k(n) JOIN pg_attribute a ON a.attrelid = {of} AND a.attnum = k.n)"
    found = rows(
        cursor,
        f"SELECT c.conrelid::regclass::text, c.conname, {names.format(key='c.conkey', of='c.conrelid')}, "  # noqa: S608  # fixed text
        f"c.confrelid::regclass::text, {names.format(key='c.confkey', of='c.confrelid')} FROM pg_constraint c "
        "WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2",
    )
    return [(row[0].strip('"'), row[1], list(row[2]), row[3].strip('"'), list(row[4])) for row in found]


def bare_foreign_keys(cursor: Any) -> list[tuple[str, str]]:
    """(table, constraint) of those between tables of organisations that do not carry it: a foreign-key check ignores row security.

    A narrower one may stand beside one that carries the organisation (threat 6).
    """
    tenant = tenant_tables()
    keys = [
        key
        for key in foreign_keys(cursor)
        if key[0] in tenant and key[3] in tenant | {"organisations_service"}
    ]
    carrying = {
        (table, other, column)
        for table, _, columns, other, theirs in keys
        if "organisation_id" in columns and "organisation_id" in theirs
        for column in columns
    }
    return [
        (table, name) for table, name, columns, other, _ in keys if (table, other, columns[0]) not in carrying
    ]


def rights(cursor: Any, role: str) -> dict[str, set[str]]:
    """What a role may do with each table, by whatever way it came to it."""
    found: dict[str, set[str]] = {}
    for table, right in rows(
        cursor,
        "SELECT t.tablename::text, r FROM pg_tables t, unnest(%s::text[]) r "
        "WHERE t.schemaname = 'public' AND (has_table_privilege(%s, quote_ident(t.tablename), r) "
        "OR (r IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(%s, quote_ident(t.tablename), r)))",
        list(_PRIVILEGES),
        role,
        role,
    ):
        found.setdefault(table, set()).add(right)
    return found


def definer_functions(cursor: Any) -> list[tuple[str, str]]:
    """(name, settings) of every function that runs with its owner's rights."""
    return rows(
        cursor,
        "SELECT p.proname::text, COALESCE(p.proconfig::text, '') FROM pg_proc p "
        "WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef ORDER BY 1",
    )


def policies(cursor: Any) -> list[tuple[str, str, str, str, str, str]]:
    """(table, policy, PERMISSIVE or RESTRICTIVE, command, roles, condition) of every policy."""
    return rows(
        cursor,
        "SELECT tablename::text, policyname::text, permissive, cmd, roles::text, COALESCE(qual, with_check, '') "
        "FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2",
    )


# ---- the rules ------------------------------------------------------------------------------------------------------


def findings(cursor: Any) -> list[Finding]:
    """Everything that must not be so; empty where the second wall stands."""
    return [found for rule in RULES for found in rule(cursor)]


def _row_security(cursor: Any) -> Iterator[Finding]:
    state = {
        name: (on, forced, number)
        for name, on, forced, number in rows(
            cursor,
            "SELECT relname::text, relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) "
            "FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
        )
    }
    guarded = tenant_tables() | set(OTHER_POLICY)
    for name in sorted(guarded & set(state)):
        on, forced, number = state[name]
        if not (on and forced and number):
            yield Finding("row_security", name, "row security must be enabled and forced, with a policy")
    for name in sorted({name for name, (on, *_) in state.items() if on} - guarded):
        yield Finding("row_security", name, "has row security, but no list of ours says that it needs it")


def _listed(cursor: Any) -> Iterator[Finding]:
    """By column, whatever Django calls the model. Not information_schema: it shows to a role only what that role has rights on."""
    columns = rows(
        cursor,
        "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND a.attname IN ('organisation_id', 'client_id', 'episode_id') AND NOT a.attisdropped",
    )
    tenant = tenant_tables()
    for name in sorted({table for table, _ in columns} - tenant - set(OPEN) - set(OTHER_POLICY)):
        yield Finding("listed", name, "has an organisation, a client or an episode and lies behind no wall")
    for name in sorted({table for table, column in columns if column == "client_id"} & set(OPEN)):
        yield Finding("listed", name, "has a client, so it cannot be open")


def _policies(cursor: Any) -> Iterator[Finding]:
    tenant = tenant_tables()
    held = {row[0]: row for row in policies(cursor) if row[1] == "own"}
    hidden = {row[0] for row in policies(cursor) if row[1] == "hidden" and row[2:4] == ("RESTRICTIVE", "ALL")}
    for table, name, permissive, command, roles, using in policies(cursor):
        if table not in tenant or name == "own" or permissive != "PERMISSIVE":
            continue
        if using == "true" or (command != "SELECT" and roles != f"{{{FUNCTIONS_OWNER}}}"):
            yield Finding("policies", f"{table}.{name}", "lets others do more than read what they may reach")
    for table in sorted(tenant & _tables(cursor)):
        _, _, permissive, command, _, using = held.get(table, ("", "", "", "", "", ""))
        if (permissive, command) != (
            "PERMISSIVE",
            "ALL",
        ) or "current_setting('app.organisation'::text, true)" not in using:
            yield Finding(
                "policies", f"{table}.own", "must admit the rows of the organisation acted for and no others"
            )
    with_client = {
        model._meta.db_table
        for model in tenant_models()
        if {"client", "record_number"} & {field.name for field in model._meta.fields}
    }
    for table in sorted((with_client & _tables(cursor)) - hidden - NOT_HIDDEN):
        yield Finding("policies", f"{table}.hidden", "must take away whom the person acting may not find")


def _tables(cursor: Any) -> set[str]:
    return {
        row[0] for row in rows(cursor, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
    }


def _roles(cursor: Any) -> Iterator[Finding]:
    """Who serves requests owns nothing, can become nobody, and may neither create nor empty anything."""
    wanted = [role for role in (*LOGINS, FUNCTIONS_OWNER) if role != OWNER]
    known = [
        row[0] for row in rows(cursor, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)", wanted)
    ]
    powers = (
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s) AND "
        "(rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication OR (rolcreatedb AND rolname <> %s))"
    )
    for (role,) in rows(cursor, powers, [*known, OWNER], OWNER):
        yield Finding("roles", role, "has a power that passes by row security")
    others = (
        "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) = ANY(%s)"
    )
    for (role,) in rows(cursor, others, known):
        yield Finding(
            "roles", role, "owns a table, so row security could be switched off by who serves requests"
        )
    member = (
        "SELECT r.rolname::text, o.rolname::text FROM pg_roles r, pg_roles o WHERE r.rolname = ANY(%s) AND o.oid <> r.oid "
        "AND o.rolname NOT LIKE 'pg\\_%%' AND pg_has_role(r.oid, o.oid, 'MEMBER') AND NOT r.rolsuper"
    )
    for role, other in rows(cursor, member, known):
        yield Finding("roles", role, f"can become {other}")
    for role in known:
        creates = "SELECT has_schema_privilege(%s, 'public', 'CREATE') OR has_database_privilege(%s, current_database(), 'CREATE')"
        if rows(cursor, creates, role, role) == [(True,)]:
            yield Finding("roles", role, "may create tables or functions")
        for table, may in sorted(rights(cursor, role).items()):
            if may & {"TRUNCATE", "TRIGGER", "REFERENCES"}:
                yield Finding("roles", role, f"may do more with {table} than its rows allow")


def _views(cursor: Any) -> Iterator[Finding]:
    """A view of the owner's, a copy of rows and a rule all pass by the policies."""
    for name, kind, options in rows(
        cursor,
        "SELECT relname::text, relkind::text, COALESCE(reloptions::text, '') FROM pg_class "
        "WHERE relkind IN ('v', 'm', 'f') AND relnamespace = 'public'::regnamespace",
    ):
        if kind == "v" and "security_invoker=true" not in options:
            yield Finding("views", name, "must ask as who asks (security_invoker)")
        elif kind != "v":
            yield Finding("views", name, "is a copy of rows that no policy guards")
    for (name,) in rows(cursor, "SELECT rulename::text FROM pg_rules WHERE schemaname = 'public'"):
        yield Finding("views", name, "is a rule, which rewrites statements past the policies")


def _functions(cursor: Any) -> Iterator[Finding]:
    for name, settings in definer_functions(cursor):
        if name not in REVIEWED_DEFINER_FUNCTIONS:
            yield Finding("functions", name, "runs with its owner's rights and nobody reviewed it")
        if "search_path" not in settings:
            yield Finding(
                "functions", name, "runs with its owner's rights on whatever search_path its caller has"
            )


def _foreign_keys(cursor: Any) -> Iterator[Finding]:
    for table, name in bare_foreign_keys(cursor):
        if name not in OTHER_ORGANISATION:
            yield Finding("foreign_keys", f"{table}.{name}", "does not carry the organisation")


RULES: tuple[Callable[[Any], Iterator[Finding]], ...] = (
    _row_security,
    _listed,
    _policies,
    _roles,
    _views,
    _functions,
    _foreign_keys,
)
