"""People and clients of a load: who the keys of the bundle are, and what is known of them by category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from caseload.models import (
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
)
from edatrs.core.scope import current_organisation
from ndtms.bundle import client_items
from ndtms.load_sql import ACT, as_type, is_date, json_of, keyed_clients, merged_items, noted, quoted, run

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging

PARTS: Sequence[tuple[type[models.Model], tuple[str, ...]]] = (
    (ClientIdentity, ("title", "forename", "surname", "date_of_birth", "sex", "nhs_number")),
    (ClientContact, ("address_line_1", "address_line_2", "town", "postcode", "phone", "email")),
    (ClientEquality, ("ethnicity", "nationality", "religion", "sexual_orientation")),
    (ClientDisability, ("disability_1", "disability_2", "disability_3")),
)


def want_people(staging: Staging) -> None:
    """`load_wanted`: the keys of people who are held, but not by the organisation acted for, where the bundle registers them."""
    run("CREATE TEMPORARY TABLE IF NOT EXISTS load_wanted (client_key text PRIMARY KEY) ON COMMIT DROP")
    if staging.has("registrations.csv"):
        found = run(
            "INSERT INTO load_wanted SELECT DISTINCT r.client_key FROM load_registrations r JOIN load_agency a USING (agency_code) "
            "JOIN caseload_personkey k ON k.key = r.client_key WHERE a.organisation_id = %(organisation)s AND NOT EXISTS "
            f"(SELECT FROM {keyed_clients()} c WHERE c.person_id = k.person_id AND c.organisation_id = %(organisation)s) "
            "ON CONFLICT DO NOTHING",
            {"organisation": current_organisation()},
        )
        staging.people_held = staging.people_held or found > 0


def hold_people() -> None:
    """`load_held` and `load_held_items`: what the organisation acted for holds of the people who are wanted elsewhere.

    A load that registers a person at a further organisation links the two records (design section 4): what the bundle does not bring of
    the person is there as it is held.
    """
    fields = [(model, f) for model, fields in PARTS for f in fields]
    columns = ", ".join(f'"{f}"' for _, f in fields)
    joins = " ".join(f'JOIN "{m._meta.db_table}" USING (client_id)' for m, _ in PARTS)
    people = (
        "FROM (SELECT w.client_key, c.id AS client_id FROM load_wanted w "
        f"JOIN caseload_personkey k ON k.key = w.client_key JOIN {keyed_clients()} c ON c.person_id = k.person_id "
        "WHERE c.organisation_id = %s AND c.voided_at IS NULL) p "
    )
    run(
        "CREATE TEMPORARY TABLE IF NOT EXISTS load_held ON COMMIT DROP AS "
        f"SELECT ''::text AS client_key, {columns} FROM {', '.join(sorted({m._meta.db_table for m, _ in fields}))} LIMIT 0"
    )
    run(
        "CREATE TEMPORARY TABLE IF NOT EXISTS load_held_items (client_key text, category text, items jsonb) ON COMMIT DROP"
    )
    organisation = [current_organisation()]
    run(
        f"INSERT INTO load_held_items SELECT p.client_key, i.category, i.items {people} JOIN caseload_clientitems i USING (client_id) "
        "WHERE NOT EXISTS (SELECT FROM load_held h WHERE h.client_key = p.client_key)",
        organisation,
    )
    # Two organisations that hold the person hold the same, unless one changed it without a protocol: then the first by name stands.
    run(
        f"INSERT INTO load_held SELECT p.client_key, {columns} {people} {joins} "
        "WHERE NOT EXISTS (SELECT FROM load_held h WHERE h.client_key = p.client_key)",
        organisation,
    )


def people(staging: Staging) -> int:
    """Make `load_person`: the person of every client key that the bundle names; new ones are made. Operator's scope only.

    Returns how many new people no line of registrations.csv names: no organisation could keep their details.
    """
    keys = "SELECT client_key FROM load_registrations"
    if staging.has("clients.csv"):
        keys += " UNION SELECT client_key FROM load_clients"
    run(
        "CREATE TEMPORARY TABLE load_person ON COMMIT DROP AS "
        "SELECT b.client_key, COALESCE(k.person_id, gen_random_uuid()) AS person_id, k.key IS NULL AS is_new "
        f"FROM ({keys}) b LEFT JOIN caseload_personkey k ON k.key = b.client_key"
    )
    run("INSERT INTO caseload_person (id) SELECT person_id FROM load_person WHERE is_new")
    run(
        "INSERT INTO caseload_personkey (key, person_id) SELECT client_key, person_id FROM load_person WHERE is_new"
    )
    run("ANALYZE load_person")
    if staging.has("clients.csv"):
        run(
            "INSERT INTO load_result SELECT 'clients.csv', t.line, p.is_new, FALSE "
            "FROM load_clients t JOIN load_person p USING (client_key)"
        )
    return run(
        "SELECT 1 FROM load_person p WHERE is_new AND NOT EXISTS (SELECT FROM load_registrations r WHERE r.client_key = p.client_key)"
    )


def clients(staging: Staging, organisation: UUID) -> None:
    """`load_client`: the organisation's client of each person in the bundle, with the line of clients.csv (NULL: none)."""
    line = "t.line" if staging.has("clients.csv") else "NULL::integer"
    join = "LEFT JOIN load_clients t ON t.client_key = p.client_key" if staging.has("clients.csv") else ""
    run(
        "CREATE TEMPORARY TABLE load_client ON COMMIT DROP AS "
        f"SELECT p.client_key, p.person_id, COALESCE(c.id, gen_random_uuid()) AS id, c.id IS NULL AS is_new, {line} AS line "
        f"FROM load_person p LEFT JOIN {keyed_clients()} c ON c.person_id = p.person_id AND c.organisation_id = %(organisation)s "
        f"{join} WHERE c.id IS NOT NULL OR p.client_key IN ("
        "  SELECT r.client_key FROM load_registrations r JOIN load_agency a USING (agency_code) "
        "  WHERE a.organisation_id = %(organisation)s)",
        {"organisation": organisation},
    )
    run("CREATE UNIQUE INDEX ON load_client (client_key)")
    run("ANALYZE load_client")
    run(
        f"INSERT INTO caseload_client (organisation_id, id, person_id, act) SELECT %s, id, person_id, {ACT} FROM load_client WHERE is_new",
        [organisation],
    )
    columns = staging.columns.get("clients.csv", ())
    for model, fields in PARTS:
        _client_part(staging, organisation, model, fields)
    if staging.people_held:
        run(
            "INSERT INTO caseload_clientitems (organisation_id, client_id, category, items, act) "
            f"SELECT %s, c.id, k.category, k.items, {ACT} FROM load_client c JOIN load_held_items k USING (client_key) WHERE c.is_new",
            [organisation],
        )
        # The details of a person whose key alone was held are kept from now on: the line changed something.
        run(
            "INSERT INTO load_result SELECT 'clients.csv', line, FALSE, TRUE FROM load_client c JOIN load_wanted USING (client_key) "
            "WHERE c.is_new AND c.line IS NOT NULL AND NOT EXISTS (SELECT FROM load_held k WHERE k.client_key = c.client_key)"
        )
    by_category: dict[str, list[tuple[str, str]]] = {}
    for column, item in client_items().items():
        if column in columns:
            by_category.setdefault(item.category, []).append((item.name, f"t.{quoted(column)}"))
    for category, pairs in sorted(by_category.items()):
        _client_items(organisation, category, pairs)


def _client_part(
    staging: Staging, organisation: UUID, model: type[models.Model], all_fields: tuple[str, ...]
) -> None:
    """One row of the category for every client of the bundle: what the file brings, else what is held elsewhere, else nothing."""
    table = model._meta.db_table
    brought = staging.columns.get("clients.csv", ())
    fields = [f for f in all_fields if f in brought]
    cells = [as_type(model, f, f't."{f}"') for f in fields]
    source = "FROM load_client c" + (" JOIN load_clients t ON t.line = c.line" if fields else "")
    first, values, origin = fields, cells, source
    if staging.people_held:
        first = list(all_fields)
        values = [
            f'CASE WHEN c.line IS NULL THEN k."{f}" ELSE {as_type(model, f, f"t.{quoted(f)}")} END'
            if f in fields
            else f'k."{f}"'
            for f in first
        ]
        values = [
            value if is_date(model, f) else f"COALESCE({value}, '')"
            for f, value in zip(first, values, strict=True)
        ]
        origin = "FROM load_client c LEFT JOIN load_held k USING (client_key)"
        origin += " LEFT JOIN load_clients t ON t.line = c.line" if fields else ""
    run(
        f'INSERT INTO "{table}" (organisation_id, client_id, act{"".join(f", {quoted(f)}" for f in first)}) '
        f"SELECT %s, c.id, {ACT}{''.join(', ' + value for value in values)} {origin} WHERE c.is_new",
        [organisation],
    )
    if fields:
        here = ", ".join(f'h."{f}"' for f in fields)
        sets = ", ".join(f'"{f}" = {cell}' for f, cell in zip(fields, cells, strict=True))
        noted(
            "clients.csv",
            f'UPDATE "{table}" h SET {sets} {source} WHERE h.client_id = c.id AND NOT c.is_new '
            f"AND ROW({here}) IS DISTINCT FROM ROW({', '.join(cells)}) RETURNING t.line",
        )


def _client_items(organisation: UUID, category: str, pairs: Sequence[tuple[str, str]]) -> None:
    """The row of a category of each client; none is made while nothing of it is recorded. `pairs`: header and cell."""
    anything = " || ".join(cell for _, cell in pairs)
    noted(
        "clients.csv",
        "INSERT INTO caseload_clientitems AS h (organisation_id, client_id, category, items, act) "
        f"SELECT %(organisation)s, c.id, %(category)s, {json_of(pairs)}, {ACT} "
        f"FROM load_client c JOIN load_clients t ON t.line = c.line WHERE {anything} <> '' "
        "AND NOT EXISTS (SELECT FROM caseload_clientitems x WHERE x.client_id = c.id AND x.category = %(category)s) "
        "RETURNING (SELECT line FROM load_client l WHERE l.id = h.client_id)",
        {"organisation": organisation, "category": category},
    )
    merged = merged_items("h.items", pairs)
    noted(
        "clients.csv",
        f"UPDATE caseload_clientitems h SET items = {merged} FROM load_client c JOIN load_clients t ON t.line = c.line "
        f"WHERE h.client_id = c.id AND h.category = %(category)s AND h.items IS DISTINCT FROM {merged} RETURNING t.line",
        {"category": category},
    )
