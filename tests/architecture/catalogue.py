"""What PostgreSQL's own catalogue says of our tables."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection

from edatrs.core import database_lint

# Also here under their names: what is open, and what has a policy of its own, is listed in the product.
from edatrs.core.database_lint import OPEN as OPEN
from edatrs.core.database_lint import OTHER_POLICY as OTHER_POLICY
from edatrs.core.database_lint import tenant_tables as tenant_tables
from tests.core.world import in_sql

# Append-only by right: nobody who serves requests may change a row.
APPEND_ONLY = {
    "caseload_listexportdownload",
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
    "consent_ask",
    "consent_askend",
    "consent_askdelivery",
    "consent_askanswer",
    "consent_partnerreferral",
    "consent_partnerreferralstep",
    "consent_referralhandover",
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
    with connection.cursor() as cursor:
        return database_lint.foreign_keys(cursor)


def rights(role: str) -> dict[str, set[str]]:
    """What a role may do with each table, by whatever way it came to it."""
    with connection.cursor() as cursor:
        return database_lint.rights(cursor, role)


def current_role() -> str:
    """As whom the tests run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])
