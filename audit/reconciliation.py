"""What no chain can see: an act that changed a record and wrote no entry. The rows know which act wrote them, and so does the trail.

Every tracked row, and every version that a change replaced, carries the id of the act (`edatrs.core.history`). An act without an entry, and
a change outside every act, went past the program. Set-based; knows no client model: the tables are those that have a history.

Not seen: a new row that names no act (not every service names it on the first version), and a change with the triggers switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.apps import apps
from django.db import connection

from edatrs.core.history import History
from edatrs.core.scope import Actor, open_scope

_AT_MOST = 1_000  # acts of one organisation that are named


class Unrecorded(NamedTuple):
    """Rows of one table that one act wrote without an entry; `act` None: written outside every act. `first` is the id of one row."""

    organisation: str
    table: str
    act: UUID | None
    rows: int
    first: str


def tables() -> list[tuple[str, str, str]]:
    """(name, live table or history, column of the row's id) of everything that is tracked."""
    found = []
    for model in apps.get_models():
        if issubclass(model, History):
            live: Any = model.pgh_tracked_model  # type: ignore[attr-defined]  # set by django-pghistory
            if not {"act", "version"} <= {field.name for field in live._meta.get_fields()}:
                continue
            name, key = live._meta.db_table, live._meta.pk.column
            found += [(name, name, key), (name, model._meta.db_table, key)]
    return sorted(found)


def _query(of: Iterable[tuple[str, str, str]]) -> str:
    parts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, act, {key}::text AS id FROM \"{table}\" "  # noqa: S608  # names of our own models
        "WHERE organisation_id = %(organisation)s AND (act IS NOT NULL OR version > 1)"
        for name, table, key in of
    )
    return (
        f"SELECT r.name, r.act, count(*), min(r.id) FROM ({parts}) r "  # noqa: S608  # as above
        "WHERE NOT EXISTS (SELECT FROM audit_auditevent e WHERE e.act = r.act) "
        "GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %(most)s"
    )


def suspects(
    organisation_id: UUID, label: str, reader: psycopg.Connection[Any] | None = None
) -> list[Unrecorded]:
    """Acts that wrote rows of an organisation and have no entry on its chain or the partnership's.

    Read as the role that serves requests, in a scope of the organisation, or over `reader`.
    """
    of = tables()
    if not of:
        return []
    params = {"organisation": organisation_id, "most": _AT_MOST}
    if reader is not None:
        return _named(label, reader.execute(_query(of), params).fetchall)
    with (
        open_scope(
            actor=Actor.OPERATOR,
            organisation_id=organisation_id,
            organisation_label=label,
            person_label="operator",
            reads_only=True,
        ),
        connection.cursor() as cursor,
    ):
        cursor.execute(_query(of), params)
        return _named(label, cursor.fetchall)


def _named(label: str, fetch: Callable[[], list[Any]]) -> list[Unrecorded]:
    return [Unrecorded(label, name, act, rows, first) for name, act, rows, first in fetch()]
