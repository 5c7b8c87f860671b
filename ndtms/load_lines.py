"""What a load does to each line's place in the record, field by field: what was held before, what is held after.

Read from the record itself, before and after the steps of the load have run, so that it says what happened and not what was meant to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, models

from caseload.dataset.reader import load_dictionary
from caseload.models import Episode
from caseload.record import EPISODE_ENTITIES, LISTS, ListPlace, place_of
from ndtms.bundle import EPISODE_KEY, client_items, file_specs
from ndtms.choices import LineKind
from ndtms.load_clients import PARTS
from ndtms.load_sql import column_of, is_date, json_of, quoted, run

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging

_KEYS = {
    "services.csv": ("agency_code",),
    "clients.csv": ("client_key",),
    "registrations.csv": ("agency_code", "client_id"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bundle and what becomes of it. `changes`: (header, held, new), None where nothing is recorded."""

    file: str
    line: int
    kind: str
    key: str
    changes: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    column: str = ""
    words: str = ""

    def canonical(self) -> bytes:
        """What the digest of a preview covers."""
        return json.dumps(
            [self.file, self.line, self.kind, self.key, self.changes, self.column, self.words]
        ).encode()


class Digest:
    """SHA-256 over lines in their order."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, line: Line) -> None:
        """Cover one more line."""
        self._sha256.update(line.canonical() + b"\n")

    def hexdigest(self) -> str:
        """Of all lines so far."""
        return self._sha256.hexdigest()


def look(staging: Staging, table: str, clients: str) -> None:
    """Fill a temporary table (file, line, held) with what is held at the place of each line, by header. `clients`: who the keys are."""
    run(f"CREATE TEMPORARY TABLE {table} (file text, line integer, held jsonb) ON COMMIT DROP")
    for spec in file_specs():
        if not staging.has(spec.name):
            continue
        brought = set(staging.columns[spec.name])
        if spec.name == "clients.csv":
            source = _clients(brought, clients)
        elif spec.name == "registrations.csv":
            source = _registrations(brought)
        elif spec.name == "episodes.csv":
            source = _episodes(brought)
        elif (listed := LISTS.get(spec.name.removesuffix(".csv"))) is not None:
            source = _list(brought, listed)
        else:
            continue
        run(f"INSERT INTO {table} SELECT '{spec.name}', {source}")
    run(f"CREATE INDEX ON {table} (file, line)")
    run(f"ANALYZE {table}")


def _cell(model: type[models.Model], name: str, alias: str) -> str:
    column = f"{alias}.{column_of(model, name)}"
    return f"to_char({column}, 'YYYY-MM-DD')" if is_date(model, name) else column


def _clients(brought: set[str], clients: str) -> str:
    pairs, joins = [], []
    for number, (model, names) in enumerate(PARTS):
        pairs += [(name, _cell(model, name, f"p{number}")) for name in names if name in brought]
        joins.append(f'LEFT JOIN "{model._meta.db_table}" p{number} ON p{number}.client_id = k.client_id')
    pairs += [
        (column, f"i.items ->> '{item.name}'") for column, item in client_items().items() if column in brought
    ]
    items = (
        "LEFT JOIN LATERAL (SELECT jsonb_object_agg(e.key, e.value) AS items FROM caseload_clientitems x, jsonb_each(x.items) e "
        "WHERE x.client_id = k.client_id) i ON TRUE"
    )
    return f"t.line, {json_of(pairs)} FROM load_clients t JOIN {clients} k USING (client_key) {' '.join(joins)} {items}"


def _registrations(brought: set[str]) -> str:
    pairs = [("reference", "h.reference")] if "reference" in brought else []
    return (
        f"t.line, {json_of(pairs)} FROM load_registrations t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_registration h ON h.service_id = a.service_id AND h.clientid = t.client_id"
    )


def _episodes(brought: set[str]) -> str:
    pairs = []
    for item in load_dictionary().items:
        if item.entity not in EPISODE_ENTITIES or item.name not in brought:
            continue
        place = place_of(item)
        if place.model is Episode and not place.key:
            pairs.append((item.name, _cell(Episode, place.field, "h")))
        elif place.model is Episode:
            pairs.append((item.name, f"h.items ->> '{item.name}'"))
        else:
            pairs.append((item.name, f"i.items ->> '{item.name}'"))
    return (
        f"t.line, {json_of(pairs)} FROM load_episodes t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode h ON h.service_id = a.service_id AND h.episode_id = t.episode_id "
        "LEFT JOIN LATERAL (SELECT jsonb_object_agg(e.key, e.value) AS items FROM caseload_episodeitems x, jsonb_each(x.items) e "
        "WHERE x.episode_id = h.id) i ON TRUE"
    )


def _list(brought: set[str], listed: ListPlace) -> str:
    identifier = next(name for name, attribute in listed.columns.items() if attribute == "identifier")
    pairs = []
    for item in load_dictionary().items:
        if item.entity != listed.entity or item.name not in brought or item.name == identifier:
            continue
        cell = (
            _cell(listed.model, listed.columns[item.name], "h")
            if item.name in listed.columns
            else f"h.items ->> '{item.name}'"
        )
        pairs.append((item.name, cell))
    return (
        f"t.line, {json_of(pairs)} FROM load_{listed.name} t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode e ON e.service_id = a.service_id AND e.episode_id = t.episode_id "
        f'JOIN "{listed.model._meta.db_table}" h ON h.episode_id = e.id AND h.identifier = t.{quoted(identifier)}'
    )


def lines(staging: Staging, before: str, after: str) -> Iterator[Line]:
    """Every line of the bundle by file and line, with what the load made of it."""
    for spec in file_specs():
        if not staging.has(spec.name):
            continue
        key = _KEYS.get(spec.name) or (*EPISODE_KEY, *spec.filled[3:4])
        if spec.name == "consents.csv":
            key = EPISODE_KEY
        acts = ("decision", "decided_on", "method") if spec.name == "consents.csv" else ()
        cells = ", ".join(f"t.{quoted(name)}" for name in (*key, *acts))
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                f"SELECT t.line, r.created, r.changed, b.held, a.held, {cells} "  # noqa: S608  # names of our own tables and columns
                f'FROM "{spec.table}" t LEFT JOIN (SELECT line, bool_or(created) AS created, bool_or(changed) AS changed '
                f"FROM load_result WHERE file = '{spec.name}' GROUP BY line) r USING (line) "
                f"LEFT JOIN {before} b ON b.file = '{spec.name}' AND b.line = t.line "
                f"LEFT JOIN {after} a ON a.file = '{spec.name}' AND a.line = t.line ORDER BY t.line"
            )
            while rows := cursor.fetchmany(2_000):
                for line, created, changed, held, new, *texts in rows:
                    words = " · ".join(texts[: len(key)])
                    if acts:
                        wanted = dict(zip(acts, texts[len(key) :], strict=True))
                        found = _changes({}, wanted) if created else []
                    else:
                        found = _changes(_read(held), _read(new))
                    kind = (
                        LineKind.CREATED
                        if created
                        else LineKind.CHANGED
                        if changed or found
                        else LineKind.UNCHANGED
                    )
                    yield Line(spec.name, line, kind.value, words, found)


def _read(held: Any) -> dict[str, str]:
    if held is None:
        return {}
    found = json.loads(held) if isinstance(held, str) else held
    return {name: str(value) for name, value in found.items()}


def _changes(held: dict[str, str], new: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    """Where two states differ, in the order of the dictionary of names."""
    names = [*new, *(name for name in held if name not in new)]
    return [
        (name, held.get(name), new.get(name)) for name in sorted(names) if held.get(name) != new.get(name)
    ]
