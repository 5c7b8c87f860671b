"""Pieces of SQL that the steps of a load share. Values go as parameters; names come from our own models and dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models

from caseload.models import LinkSide

# The act that writes: the same id as on the trail.
ACT = "nullif(current_setting('app.act', true), '')::uuid"


# Clients by the person that the keys of bundles go on meaning: that of before their record was linked with a partner's, or as it is.
_KEYED = (
    "(SELECT c.id, c.organisation_id, c.voided_at, COALESCE(b.person_before, c.person_id) AS person_id FROM caseload_client c LEFT JOIN "
    "(SELECT DISTINCT ON (client_id) client_id, person_before FROM caseload_linkside WHERE person_before IS NOT NULL "
    "ORDER BY client_id, linked_at) b ON b.client_id = c.id)"
)


def keyed_clients() -> str:
    """The clients of the organisation acted for by the person that bundles mean; the table itself where nothing was ever linked."""
    return _KEYED if LinkSide.objects.filter(person_before__isnull=False).exists() else "caseload_client"


def run(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def one_at_a_time(organisation: UUID | None = None) -> None:
    """Wait for other loads, to the end of the transaction: two that bring the same would both find it new.

    The operator's load waits for every other; one of an organisation for the operator's and for those of the same organisation.
    """
    if organisation is None:
        run("SELECT pg_advisory_xact_lock(hashtext('ndtms.caseload_import'))")
    else:
        run("SELECT pg_advisory_xact_lock_shared(hashtext('ndtms.caseload_import'))")
        run(
            "SELECT pg_advisory_xact_lock(hashtext('ndtms.caseload_import'), hashtext(%s))",
            [str(organisation)],
        )


def noted(file: str, sql: str, params: Mapping[str, Any] | None = None, *, note: bool = True) -> None:
    """Run a statement that returns the lines it changed, and note them."""
    if not note:
        run(sql, params or {})
        return
    run(
        f"WITH done(line) AS ({sql}) INSERT INTO load_result SELECT '{file}', line, FALSE, TRUE FROM done WHERE line IS NOT NULL",
        params or {},
    )


def quoted(name: str) -> str:
    return f'"{name}"'


def column_of(model: type[models.Model], field: str) -> str:
    return quoted(model._meta.get_field(field).column)


def as_type(model: type[models.Model], field: str, cell: str) -> str:
    """A cell as the type of the field: an empty date is none."""
    return f"nullif({cell}, '')::date" if is_date(model, field) else cell


def is_date(model: type[models.Model], field: str) -> bool:
    return isinstance(model._meta.get_field(field), models.DateField)


def json_of(pairs: Sequence[tuple[str, str]]) -> str:
    """JSON of the cells that are not empty."""
    if not pairs:
        return "'{}'::jsonb"
    # A function takes at most 100 arguments: wide rows are put together from parts.
    parts = [pairs[i : i + 45] for i in range(0, len(pairs), 45)]
    built = " || ".join(
        "jsonb_strip_nulls(jsonb_build_object("
        + ", ".join(f"'{name}', nullif({cell}, '')" for name, cell in part)
        + "))"
        for part in parts
    )
    return f"({built})"


def merged_items(held: str, pairs: Sequence[tuple[str, str]]) -> str:
    """What is held with the items that the file brings put in, and those it brings empty taken out."""
    if not pairs:
        return held
    names = ", ".join(f"'{name}'" for name, _ in pairs)
    return f"(({held} - ARRAY[{names}]) || {json_of(pairs)})"
