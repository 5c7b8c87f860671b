"""The set-based upsert of a load: what is new is inserted, what changed is updated, nothing is deleted.

Each step works on the temporary tables `load_*` and notes in `load_result` what became of each line. A column that a file does not bring
leaves what is held; an empty cell of a column that it brings means missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, models

from caseload.dataset.reader import Item, load_dictionary
from caseload.models import (
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    Episode,
    EpisodeItems,
)
from caseload.record import EPISODE_ENTITIES, LISTS, ListPlace, place_of
from edatrs.core.scope import Scope, current_organisation
from ndtms.bundle import AGENCY_CODE, client_items

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging

_ACT = "nullif(current_setting('app.act', true), '')::uuid"
_PARTS: Sequence[tuple[type[models.Model], tuple[str, ...]]] = (
    (ClientIdentity, ("title", "forename", "surname", "date_of_birth", "sex", "nhs_number")),
    (ClientContact, ("address_line_1", "address_line_2", "town", "postcode", "phone", "email")),
    (ClientEquality, ("ethnicity", "nationality", "religion", "sexual_orientation")),
    (ClientDisability, ("disability_1", "disability_2", "disability_3")),
)


def _run(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def services(staging: Staging) -> None:
    """Upsert the services that are sound, and make `load_agency`: every agency code with its service and organisation."""
    _run(
        "CREATE TEMPORARY TABLE load_result (file text, line integer, created boolean, changed boolean) ON COMMIT DROP"
    )
    if staging.has("services.csv"):
        columns = staging.columns["services.csv"]
        named = "s.name" if "name" in columns else "''"
        keep = "" if "name" in columns else "h.name AS "
        _run(
            "CREATE TEMPORARY TABLE load_service ON COMMIT DROP AS "
            f"SELECT s.line, s.agency_code, o.id AS organisation_id, s.dataset, {named} AS name, h.id AS held, "
            f"h.id IS NOT NULL AND (h.dataset, h.name) IS DISTINCT FROM (s.dataset, {keep.removesuffix(' AS ') or 's.name'}) AS changed "
            "FROM load_services s JOIN organisations_organisation o ON o.slug = s.organisation "
            "LEFT JOIN organisations_service h USING (agency_code) "
            "WHERE s.agency_code ~ %s AND s.dataset IN ('adult', 'yp', 'cjit') "
            "AND (h.id IS NULL OR h.organisation_id = o.id) "
            "AND NOT EXISTS (SELECT FROM load_services d WHERE d.agency_code = s.agency_code AND d.line < s.line)",
            [AGENCY_CODE],
        )
        _run(
            "INSERT INTO organisations_service (id, organisation_id, agency_code, name, dataset) "
            "SELECT gen_random_uuid(), organisation_id, agency_code, name, dataset FROM load_service WHERE held IS NULL"
        )
        set_name = ", name = s.name" if "name" in columns else ""
        _run(
            f"UPDATE organisations_service h SET dataset = s.dataset{set_name} FROM load_service s WHERE s.held = h.id AND s.changed"
        )
        _run("INSERT INTO load_result SELECT 'services.csv', line, held IS NULL, changed FROM load_service")
    _run(
        "CREATE TEMPORARY TABLE load_agency ON COMMIT DROP AS "
        "SELECT agency_code, id AS service_id, organisation_id FROM organisations_service"
    )
    _run("ANALYZE load_agency")


def want_people(staging: Staging) -> None:
    """`load_wanted`: the keys of people who are held, but not by the organisation acted for, where the bundle registers them."""
    _run("CREATE TEMPORARY TABLE IF NOT EXISTS load_wanted (client_key text PRIMARY KEY) ON COMMIT DROP")
    if staging.has("registrations.csv"):
        found = _run(
            "INSERT INTO load_wanted SELECT DISTINCT r.client_key FROM load_registrations r JOIN load_agency a USING (agency_code) "
            "JOIN caseload_personkey k ON k.key = r.client_key WHERE a.organisation_id = %(organisation)s AND NOT EXISTS "
            "(SELECT FROM caseload_client c WHERE c.person_id = k.person_id AND c.organisation_id = %(organisation)s) "
            "ON CONFLICT DO NOTHING",
            {"organisation": current_organisation()},
        )
        staging.people_held = staging.people_held or found > 0


def hold_people() -> None:
    """`load_held` and `load_held_items`: what the organisation acted for holds of the people who are wanted elsewhere.

    A load that registers a person at a further organisation links the two records (design section 4): what the bundle does not bring of
    the person is there as it is held.
    """
    fields = [(model, f) for model, fields in _PARTS for f in fields]
    columns = ", ".join(f'"{f}"' for _, f in fields)
    joins = " ".join(f'JOIN "{m._meta.db_table}" USING (client_id)' for m, _ in _PARTS)
    people = (
        "FROM (SELECT w.client_key, c.id AS client_id FROM load_wanted w "
        "JOIN caseload_personkey k ON k.key = w.client_key JOIN caseload_client c ON c.person_id = k.person_id "
        "WHERE c.organisation_id = %s AND c.voided_at IS NULL) p "
    )
    _run(
        "CREATE TEMPORARY TABLE IF NOT EXISTS load_held ON COMMIT DROP AS "
        f"SELECT ''::text AS client_key, {columns} FROM {', '.join(sorted({m._meta.db_table for m, _ in fields}))} LIMIT 0"
    )
    _run(
        "CREATE TEMPORARY TABLE IF NOT EXISTS load_held_items (client_key text, category text, items jsonb) ON COMMIT DROP"
    )
    organisation = [current_organisation()]
    _run(
        f"INSERT INTO load_held_items SELECT p.client_key, i.category, i.items {people} JOIN caseload_clientitems i USING (client_id) "
        "WHERE NOT EXISTS (SELECT FROM load_held h WHERE h.client_key = p.client_key)",
        organisation,
    )
    # Two organisations that hold the person hold the same, unless one changed it without a protocol: then the first by name stands.
    _run(
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
    _run(
        "CREATE TEMPORARY TABLE load_person ON COMMIT DROP AS "
        "SELECT b.client_key, COALESCE(k.person_id, gen_random_uuid()) AS person_id, k.key IS NULL AS is_new "
        f"FROM ({keys}) b LEFT JOIN caseload_personkey k ON k.key = b.client_key"
    )
    _run("INSERT INTO caseload_person (id) SELECT person_id FROM load_person WHERE is_new")
    _run(
        "INSERT INTO caseload_personkey (key, person_id) SELECT client_key, person_id FROM load_person WHERE is_new"
    )
    _run("ANALYZE load_person")
    if staging.has("clients.csv"):
        _run(
            "INSERT INTO load_result SELECT 'clients.csv', t.line, p.is_new, FALSE "
            "FROM load_clients t JOIN load_person p USING (client_key)"
        )
    return _run(
        "SELECT 1 FROM load_person p WHERE is_new AND NOT EXISTS (SELECT FROM load_registrations r WHERE r.client_key = p.client_key)"
    )


def write_organisation(staging: Staging, scope: Scope) -> None:
    """Write everything of the organisation acted for, parents first."""
    organisation = scope.organisation_id
    assert organisation is not None  # noqa: S101  # opened by scope_for_organisation just above
    for name in ("load_client", "load_registration", "load_episode", "load_consent"):
        _run(f"DROP TABLE IF EXISTS {name}")
    _clients(staging, organisation)
    _registrations(staging, organisation)
    _episodes(staging, organisation)
    for listed in LISTS.values():
        if staging.has(f"{listed.name}.csv"):
            _list(staging, organisation, listed)
    if staging.has("consents.csv"):
        _consents(organisation)


def _clients(staging: Staging, organisation: UUID) -> None:
    """`load_client`: the organisation's client of each person in the bundle, with the line of clients.csv (NULL: none)."""
    line = "t.line" if staging.has("clients.csv") else "NULL::integer"
    join = "LEFT JOIN load_clients t ON t.client_key = p.client_key" if staging.has("clients.csv") else ""
    _run(
        "CREATE TEMPORARY TABLE load_client ON COMMIT DROP AS "
        f"SELECT p.client_key, p.person_id, COALESCE(c.id, gen_random_uuid()) AS id, c.id IS NULL AS is_new, {line} AS line "
        "FROM load_person p LEFT JOIN caseload_client c ON c.person_id = p.person_id AND c.organisation_id = %(organisation)s "
        f"{join} WHERE c.id IS NOT NULL OR p.client_key IN ("
        "  SELECT r.client_key FROM load_registrations r JOIN load_agency a USING (agency_code) "
        "  WHERE a.organisation_id = %(organisation)s)",
        {"organisation": organisation},
    )
    _run("CREATE UNIQUE INDEX ON load_client (client_key)")
    _run("ANALYZE load_client")
    _run(
        f"INSERT INTO caseload_client (organisation_id, id, person_id, act) SELECT %s, id, person_id, {_ACT} FROM load_client WHERE is_new",
        [organisation],
    )
    columns = staging.columns.get("clients.csv", ())
    for model, fields in _PARTS:
        _client_part(staging, organisation, model, fields)
    if staging.people_held:
        _run(
            "INSERT INTO caseload_clientitems (organisation_id, client_id, category, items, act) "
            f"SELECT %s, c.id, k.category, k.items, {_ACT} FROM load_client c JOIN load_held_items k USING (client_key) WHERE c.is_new",
            [organisation],
        )
        # The details of a person whose key alone was held are kept from now on: the line changed something.
        _run(
            "INSERT INTO load_result SELECT 'clients.csv', line, FALSE, TRUE FROM load_client c JOIN load_wanted USING (client_key) "
            "WHERE c.is_new AND c.line IS NOT NULL AND NOT EXISTS (SELECT FROM load_held k WHERE k.client_key = c.client_key)"
        )
    by_category: dict[str, list[tuple[str, str]]] = {}
    for column, item in client_items().items():
        if column in columns:
            by_category.setdefault(item.category, []).append((item.name, f"t.{_quoted(column)}"))
    for category, pairs in sorted(by_category.items()):
        _client_items(organisation, category, pairs)


def _client_part(
    staging: Staging, organisation: UUID, model: type[models.Model], all_fields: tuple[str, ...]
) -> None:
    """One row of the category for every client of the bundle: what the file brings, else what is held elsewhere, else nothing."""
    table = model._meta.db_table
    brought = staging.columns.get("clients.csv", ())
    fields = [f for f in all_fields if f in brought]
    cells = [_typed(model, f, f't."{f}"') for f in fields]
    source = "FROM load_client c" + (" JOIN load_clients t ON t.line = c.line" if fields else "")
    first, values, origin = fields, cells, source
    if staging.people_held:
        first = list(all_fields)
        values = [
            f'CASE WHEN c.line IS NULL THEN k."{f}" ELSE {_typed(model, f, f"t.{_quoted(f)}")} END'
            if f in fields
            else f'k."{f}"'
            for f in first
        ]
        values = [
            value if _is_date(model, f) else f"COALESCE({value}, '')"
            for f, value in zip(first, values, strict=True)
        ]
        origin = "FROM load_client c LEFT JOIN load_held k USING (client_key)"
        origin += " LEFT JOIN load_clients t ON t.line = c.line" if fields else ""
    _run(
        f'INSERT INTO "{table}" (organisation_id, client_id, act{"".join(f", {_quoted(f)}" for f in first)}) '
        f"SELECT %s, c.id, {_ACT}{''.join(', ' + value for value in values)} {origin} WHERE c.is_new",
        [organisation],
    )
    if fields:
        here = ", ".join(f'h."{f}"' for f in fields)
        sets = ", ".join(f'"{f}" = {cell}' for f, cell in zip(fields, cells, strict=True))
        _noted(
            "clients.csv",
            f'UPDATE "{table}" h SET {sets} {source} WHERE h.client_id = c.id AND NOT c.is_new '
            f"AND ROW({here}) IS DISTINCT FROM ROW({', '.join(cells)}) RETURNING t.line",
        )


def _client_items(organisation: UUID, category: str, pairs: Sequence[tuple[str, str]]) -> None:
    """The row of a category of each client; none is made while nothing of it is recorded. `pairs`: header and cell."""
    anything = " || ".join(cell for _, cell in pairs)
    _noted(
        "clients.csv",
        "INSERT INTO caseload_clientitems AS h (organisation_id, client_id, category, items, act) "
        f"SELECT %(organisation)s, c.id, %(category)s, {_object(pairs)}, {_ACT} "
        f"FROM load_client c JOIN load_clients t ON t.line = c.line WHERE {anything} <> '' "
        "AND NOT EXISTS (SELECT FROM caseload_clientitems x WHERE x.client_id = c.id AND x.category = %(category)s) "
        "RETURNING (SELECT line FROM load_client l WHERE l.id = h.client_id)",
        {"organisation": organisation, "category": category},
    )
    merged = _merged("h.items", pairs)
    _noted(
        "clients.csv",
        f"UPDATE caseload_clientitems h SET items = {merged} FROM load_client c JOIN load_clients t ON t.line = c.line "
        f"WHERE h.client_id = c.id AND h.category = %(category)s AND h.items IS DISTINCT FROM {merged} RETURNING t.line",
        {"category": category},
    )


def _registrations(staging: Staging, organisation: UUID) -> None:
    _run(
        "CREATE TEMPORARY TABLE load_registration ON COMMIT DROP AS "
        "SELECT t.line, t.agency_code, t.client_id AS clientid, a.service_id, c.id AS client_id, "
        "COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        "FROM load_registrations t JOIN load_agency a USING (agency_code) JOIN load_client c USING (client_key) "
        "LEFT JOIN caseload_registration h ON h.service_id = a.service_id AND h.clientid = t.client_id "
        "WHERE a.organisation_id = %s",
        [organisation],
    )
    _run("ANALYZE load_registration")
    has_reference = "reference" in staging.columns["registrations.csv"]
    reference = ("r.reference", ", reference") if has_reference else ("", "")
    _run(
        f"INSERT INTO caseload_registration (organisation_id, client_id, service_id, id, clientid, act{reference[1]}) "
        f"SELECT %s, n.client_id, n.service_id, n.id, n.clientid, {_ACT}{', ' + reference[0] if has_reference else ''} "
        "FROM load_registration n JOIN load_registrations r ON r.line = n.line WHERE n.is_new",
        [organisation],
    )
    _run("INSERT INTO load_result SELECT 'registrations.csv', line, is_new, FALSE FROM load_registration")
    if has_reference:
        _noted(
            "registrations.csv",
            "UPDATE caseload_registration h SET reference = r.reference "
            "FROM load_registration n JOIN load_registrations r ON r.line = n.line "
            "WHERE h.id = n.id AND NOT n.is_new AND h.reference <> r.reference RETURNING n.line",
        )


def _episodes(staging: Staging, organisation: UUID) -> None:
    dictionary = load_dictionary()
    brought = set(staging.columns["episodes.csv"])
    items = [i for i in dictionary.items if i.entity in EPISODE_ENTITIES and i.name in brought]
    typed = {i.name: place_of(i).field for i in items if place_of(i).model is Episode and not place_of(i).key}
    own = [
        (i.name, f"t.{_quoted(i.name)}") for i in items if place_of(i).model is Episode and place_of(i).key
    ]
    _run(
        "CREATE TEMPORARY TABLE load_episode ON COMMIT DROP AS "
        "SELECT t.line, t.episode_id, r.id AS registration_id, r.client_id, a.service_id, "
        "COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        "FROM load_episodes t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_registration r ON r.service_id = a.service_id AND r.clientid = t.client_id "
        "LEFT JOIN caseload_episode h ON h.service_id = a.service_id AND h.episode_id = t.episode_id "
        "WHERE a.organisation_id = %s",
        [organisation],
    )
    _run("ANALYZE load_episode")
    cells = {name: _typed(Episode, field, f't."{name}"') for name, field in typed.items()}
    new_items = _object(own)
    # A new episode is written with its latest decision, so that recording the acts does not write it a second time.
    latest = (
        "LEFT JOIN (SELECT DISTINCT ON (agency_code, episode_id) agency_code, episode_id, decision, decided_on FROM load_consents "
        "ORDER BY agency_code, episode_id, decided_on DESC, line DESC) d ON (d.agency_code, d.episode_id) = (t.agency_code, t.episode_id)"
        if staging.has("consents.csv")
        else ""
    )
    consent = "COALESCE(d.decision, ''), d.decided_on::date" if latest else "'', NULL::date"
    _run(
        "INSERT INTO caseload_episode (organisation_id, client_id, registration_id, service_id, id, episode_id, act, consent, consent_on"
        f"{''.join(', ' + _column(Episode, f) for f in typed.values())}, items) "
        f"SELECT %s, n.client_id, n.registration_id, n.service_id, n.id, n.episode_id, {_ACT}, {consent}"
        f"{''.join(', ' + cell for cell in cells.values())}, {new_items} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line {latest} WHERE n.is_new",
        [organisation],
    )
    _run("INSERT INTO load_result SELECT 'episodes.csv', line, is_new, FALSE FROM load_episode")
    here = ", ".join(f"h.{_column(Episode, f)}" for f in typed.values())
    merged = _merged("h.items", own)
    sets = ", ".join(
        [*(f"{_column(Episode, f)} = {cells[name]}" for name, f in typed.items()), f"items = {merged}"]
    )
    _noted(
        "episodes.csv",
        f"UPDATE caseload_episode h SET {sets} FROM load_episode n JOIN load_episodes t ON t.line = n.line "
        f"WHERE h.id = n.id AND NOT n.is_new AND ROW({here + ', ' if here else ''}h.items) IS DISTINCT FROM "
        f"ROW({''.join(cell + ', ' for cell in cells.values())}{merged}) RETURNING n.line",
    )
    by_category: dict[str, list[Item]] = {}
    for item in items:
        if place_of(item).model is EpisodeItems:
            by_category.setdefault(place_of(item).category, []).append(item)
    for category, of_category in sorted(by_category.items()):
        _episode_items(organisation, category, of_category)


def _episode_items(organisation: UUID, category: str, items: list[Item]) -> None:
    """The row of a category of each episode; none is made while nothing of it is recorded."""
    pairs = [(i.name, f"t.{_quoted(i.name)}") for i in items]
    new_items = _object(pairs)
    anything = " || ".join(cell for _, cell in pairs)
    _noted(
        "episodes.csv",
        "INSERT INTO caseload_episodeitems (organisation_id, client_id, episode_id, category, items, act) "
        f"SELECT %(organisation)s, n.client_id, n.id, %(category)s, {new_items}, {_ACT} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line WHERE n.is_new AND {anything} <> ''",
        {"organisation": organisation, "category": category},
        note=False,
    )
    _noted(
        "episodes.csv",
        "INSERT INTO caseload_episodeitems AS h (organisation_id, client_id, episode_id, category, items, act) "
        f"SELECT %(organisation)s, n.client_id, n.id, %(category)s, {new_items}, {_ACT} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line WHERE NOT n.is_new AND {anything} <> '' "
        "AND NOT EXISTS (SELECT FROM caseload_episodeitems x WHERE x.episode_id = n.id AND x.category = %(category)s) "
        "RETURNING (SELECT line FROM load_episode l WHERE l.id = h.episode_id)",
        {"organisation": organisation, "category": category},
    )
    merged = _merged("h.items", pairs)
    _noted(
        "episodes.csv",
        f"UPDATE caseload_episodeitems h SET items = {merged} FROM load_episode n JOIN load_episodes t ON t.line = n.line "
        f"WHERE h.episode_id = n.id AND h.category = %(category)s AND NOT n.is_new AND h.items IS DISTINCT FROM {merged} RETURNING n.line",
        {"category": category},
    )


def _list(staging: Staging, organisation: UUID, listed: ListPlace) -> None:
    """Upsert a list of the episodes by its identifier."""
    file = f"{listed.name}.csv"
    staged = f"load_{listed.name}"
    resolved = f"{staged}_of"
    brought = set(staging.columns[file])
    items = [i for i in load_dictionary().items if i.entity == listed.entity and i.name in brought]
    identifier = next(name for name, field in listed.columns.items() if field == "identifier")
    typed = {
        i.name: listed.columns[i.name] for i in items if i.name in listed.columns and i.name != identifier
    }
    loose = [(i.name, f"t.{_quoted(i.name)}") for i in items if i.name not in listed.columns]
    table = listed.model._meta.db_table
    _run(f"DROP TABLE IF EXISTS {resolved}")
    _run(
        f"CREATE TEMPORARY TABLE {resolved} ON COMMIT DROP AS "
        "SELECT t.line, e.client_id, e.id AS episode_id, COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        f"FROM {staged} t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode e ON e.service_id = a.service_id AND e.episode_id = t.episode_id "
        f'LEFT JOIN "{table}" h ON h.episode_id = e.id AND h.identifier = t."{identifier}" WHERE a.organisation_id = %s',
        [organisation],
    )
    _run(f"ANALYZE {resolved}")
    cells = {name: _typed(listed.model, field, f't."{name}"') for name, field in typed.items()}
    _run(
        f'INSERT INTO "{table}" (organisation_id, client_id, episode_id, id, identifier, act'
        f"{''.join(', ' + _column(listed.model, f) for f in typed.values())}, items) "
        f'SELECT %s, n.client_id, n.episode_id, n.id, t."{identifier}", {_ACT}'
        f"{''.join(', ' + cell for cell in cells.values())}, {_object(loose)} "
        f"FROM {resolved} n JOIN {staged} t ON t.line = n.line WHERE n.is_new",
        [organisation],
    )
    _run(f"INSERT INTO load_result SELECT %s, line, is_new, FALSE FROM {resolved}", [file])
    merged = _merged("h.items", loose)
    sets = ", ".join(
        [*(f"{_column(listed.model, f)} = {cells[name]}" for name, f in typed.items()), f"items = {merged}"]
    )
    here = "".join(f"h.{_column(listed.model, f)}, " for f in typed.values())
    _noted(
        file,
        f'UPDATE "{table}" h SET {sets} FROM {resolved} n JOIN {staged} t ON t.line = n.line '
        f"WHERE h.id = n.id AND NOT n.is_new AND ROW({here}h.items) IS DISTINCT FROM "
        f"ROW({''.join(cell + ', ' for cell in cells.values())}{merged}) RETURNING n.line",
    )


def _consents(organisation: UUID) -> None:
    """Add the acts that are not held: equal ones are told apart by their position among equals. Then push the latest decision."""
    _run(
        "CREATE TEMPORARY TABLE load_consent ON COMMIT DROP AS "
        "SELECT t.line, e.client_id, e.id AS episode_id, t.decision, t.decided_on::date AS decided_on, t.method, "
        "row_number() OVER (PARTITION BY e.id, t.decision, t.decided_on, t.method ORDER BY t.line) > COALESCE(h.held, 0) AS is_new "
        "FROM load_consents t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode e ON e.service_id = a.service_id AND e.episode_id = t.episode_id "
        "LEFT JOIN (SELECT episode_id, decision, decided_on, method, count(*) AS held FROM consent_consentact "
        "           WHERE organisation_id = %(organisation)s GROUP BY 1, 2, 3, 4) h "
        "  ON (h.episode_id, h.decision, h.decided_on, h.method) = (e.id, t.decision, t.decided_on::date, t.method) "
        "WHERE a.organisation_id = %(organisation)s",
        {"organisation": organisation},
    )
    _run("ANALYZE load_consent")
    _run(
        "INSERT INTO consent_consentact (organisation_id, client_id, episode_id, decision, decided_on, method, origin, act) "
        f"SELECT %s, client_id, episode_id, decision, decided_on, method, 'imported', {_ACT} FROM load_consent WHERE is_new ORDER BY line",
        [organisation],
    )
    _run("INSERT INTO load_result SELECT 'consents.csv', line, is_new, FALSE FROM load_consent")
    _run(
        "UPDATE caseload_episode e SET consent = d.decision, consent_on = d.decided_on FROM ("
        "  SELECT DISTINCT ON (episode_id) episode_id, decision, decided_on FROM consent_consentact "
        "  WHERE episode_id IN (SELECT episode_id FROM load_consent WHERE is_new) "
        "  ORDER BY episode_id, decided_on DESC, sequence DESC) d "
        "WHERE e.id = d.episode_id AND (e.consent, e.consent_on) IS DISTINCT FROM (d.decision, d.decided_on)"
    )
    # Imported with a yes: the old system may have sent it (contract section 4, rule 1).
    _run(
        "INSERT INTO ndtms_nationalholding AS h (organisation_id, client_id, episode_id, held, since) "
        "SELECT DISTINCT %s::uuid, client_id, episode_id, TRUE, now() FROM load_consent WHERE is_new AND decision = 'Y' "
        "ON CONFLICT (episode_id) DO UPDATE SET held = TRUE, since = now() WHERE NOT h.held",
        [organisation],
    )


def _noted(file: str, sql: str, params: Mapping[str, Any] | None = None, *, note: bool = True) -> None:
    """Run a statement that returns the lines it changed, and note them."""
    if not note:
        _run(sql, params or {})
        return
    _run(
        f"WITH done(line) AS ({sql}) INSERT INTO load_result SELECT '{file}', line, FALSE, TRUE FROM done WHERE line IS NOT NULL",
        params or {},
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _column(model: type[models.Model], field: str) -> str:
    return _quoted(model._meta.get_field(field).column)


def _typed(model: type[models.Model], field: str, cell: str) -> str:
    """A cell as the type of the field: an empty date is none."""
    return f"nullif({cell}, '')::date" if _is_date(model, field) else cell


def _is_date(model: type[models.Model], field: str) -> bool:
    return isinstance(model._meta.get_field(field), models.DateField)


def _object(pairs: Sequence[tuple[str, str]]) -> str:
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


def _merged(held: str, pairs: Sequence[tuple[str, str]]) -> str:
    """What is held with the items that the file brings put in, and those it brings empty taken out."""
    if not pairs:
        return held
    names = ", ".join(f"'{name}'" for name, _ in pairs)
    return f"(({held} - ARRAY[{names}]) || {_object(pairs)})"
