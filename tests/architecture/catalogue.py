"""What PostgreSQL's own catalogue says of our tables."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection

from tests.core.world import in_sql, tenant_models

# Append-only by right: nobody who serves requests may change a row.
APPEND_ONLY = {
    "caseload_partnercheck",
    "consent_consentact",
    "consent_consentdeferral",
    "consent_consentform",
    "consent_consentinvalidation",
    "consent_sharingconsent",
    "consent_sharingend",
    "consent_sharingwitness",
    "consent_sharingsignature",
    "consent_lawfuldecision",
    "consent_lawfulreview",
    "consent_disclosure",
    "audit_auditevent",
    "ndtms_submissiondownload",
    "organisations_accessreview",
}
# What who serves requests may delete: made again from other rows, or not wanted any more by the one person it is of.
MADE_AGAIN = {
    "caseload_searchtoken",  # made of names, ids and dates
    "caseload_opening",  # who opened what last: the trail says everything else
    "ndtms_importfile",  # an upload, sealed: gone once it is loaded, cancelled or 7 days old
    "ndtms_importline",  # the preview of it, likewise
    "organisations_draft",  # thrown away by its author, or too old
    "organisations_leaverdraft",  # a draft of a leaver, sealed to the manager: given back, or too old
}
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


def tenant_tables() -> set[str]:
    """The tables of the tenant models."""
    return {model._meta.db_table for model in tenant_models()}


def tables() -> set[str]:
    """Every table of the schema."""
    return {row[0] for row in in_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def our_tables() -> set[str]:
    """The tables of our own apps."""
    ours = {"organisations", "audit", "caseload", "consent", "ndtms"}
    return {m._meta.db_table for m in apps.get_models(include_auto_created=True) if m._meta.app_label in ours}


def rows(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows of the catalogue."""
    return in_sql(statement, *params)


def unique_indexes() -> list[tuple[str, str, list[str]]]:
    """(table, index, columns) of every unique index of the tenant tables; an expression counts as a column named ''."""
    found = rows(
        """
        SELECT t.relname, i.relname, ARRAY(
            SELECT COALESCE(a.attname::text, '') FROM unnest(x.indkey) k(n)
            LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.n AND k.n > 0)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        WHERE x.indisunique AND t.relname = ANY(%s) ORDER BY 1, 2
        """,
        sorted(tenant_tables()),
    )
    return [(table, index, list(columns)) for table, index, columns in found]


def foreign_keys() -> list[tuple[str, str, list[str], str, list[str]]]:
    """(table, constraint, columns, other table, its columns) of every foreign key of the schema."""
    names = "ARRAY(SELECT a.attname::text FROM unnest({key}) k(n) JOIN pg_attribute a ON a.attrelid = {of} AND a.attnum = k.n)"
    found = rows(
        f"SELECT c.conrelid::regclass::text, c.conname, {names.format(key='c.conkey', of='c.conrelid')}, "
        f"c.confrelid::regclass::text, {names.format(key='c.confkey', of='c.confrelid')} FROM pg_constraint c "
        "WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    return [(row[0].strip('"'), row[1], list(row[2]), row[3].strip('"'), list(row[4])) for row in found]


def rights(role: str) -> dict[str, set[str]]:
    """What a role may do with each table, by whatever way it came to it."""
    names = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    found: dict[str, set[str]] = {}
    for table, right in rows(
        "SELECT t.tablename, r FROM pg_tables t, unnest(%s::text[]) r "
        "WHERE t.schemaname = 'public' AND (has_table_privilege(%s, quote_ident(t.tablename), r) "
        "OR (r IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(%s, quote_ident(t.tablename), r)))",
        list(names),
        role,
        role,
    ):
        found.setdefault(table, set()).add(right)
    return found


def current_role() -> str:
    """As whom the tests run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])
