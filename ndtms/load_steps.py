"""The set-based upsert of a load: what is new is inserted, what changed is updated, nothing is deleted.

Each step works on the temporary tables `load_*` and notes in `load_result` what became of each line. A column that a file does not bring
leaves what is held; an empty cell of a column that it brings means missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection

from caseload.dataset.reader import Item, load_dictionary
from caseload.models import (
    Episode,
    EpisodeItems,
)
from caseload.record import EPISODE_ENTITIES, LISTS, ListPlace, place_of
from caseload.services import search_index
from consent import services as consent_services
from consent.selectors import with_inherited
from consent.sharing import services as sharing_services
from edatrs.core.scope import Scope
from ndtms.bundle import AGENCY_CODE
from ndtms.load_clients import clients
from ndtms.load_sql import ACT, as_type, column_of, json_of, merged_items, noted, quoted, run

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging

# The client that a merged one lives on in, over as many merges as there were; NULL for one that was not merged.
SURVIVOR = (
    "(WITH RECURSIVE chain AS (SELECT g.survivor_id FROM caseload_clientmerge g WHERE g.client_id = {client} AND g.undone_at IS NULL "
    "UNION SELECT g.survivor_id FROM chain k JOIN caseload_clientmerge g ON g.client_id = k.survivor_id AND g.undone_at IS NULL) "
    "SELECT k.survivor_id FROM chain k WHERE NOT EXISTS "
    "(SELECT FROM caseload_clientmerge g WHERE g.client_id = k.survivor_id AND g.undone_at IS NULL))"
)


def services(staging: Staging) -> None:
    """Upsert the services that are sound, and make `load_agency`: every agency code with its service and organisation."""
    run(
        "CREATE TEMPORARY TABLE load_result (file text, line integer, created boolean, changed boolean) ON COMMIT DROP"
    )
    if staging.has("services.csv"):
        columns = staging.columns["services.csv"]
        named = "s.name" if "name" in columns else "''"
        keep = "" if "name" in columns else "h.name AS "
        run(
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
        run(
            "INSERT INTO organisations_service (id, organisation_id, agency_code, name, dataset) "
            "SELECT gen_random_uuid(), organisation_id, agency_code, name, dataset FROM load_service WHERE held IS NULL"
        )
        set_name = ", name = s.name" if "name" in columns else ""
        run(
            f"UPDATE organisations_service h SET dataset = s.dataset{set_name} FROM load_service s WHERE s.held = h.id AND s.changed"
        )
        run("INSERT INTO load_result SELECT 'services.csv', line, held IS NULL, changed FROM load_service")
    run(
        "CREATE TEMPORARY TABLE load_agency ON COMMIT DROP AS "
        "SELECT agency_code, id AS service_id, organisation_id FROM organisations_service"
    )
    run("ANALYZE load_agency")


def write_organisation(staging: Staging, scope: Scope) -> None:
    """Write everything of the organisation acted for, parents first."""
    organisation = scope.organisation_id
    assert organisation is not None  # noqa: S101  # opened by scope_for_organisation just above
    for name in ("load_client", "load_registration", "load_episode", "load_consent"):
        run(f"DROP TABLE IF EXISTS {name}")
    clients(staging, organisation)
    _registrations(staging, organisation)
    _episodes(staging, organisation)
    for listed in LISTS.values():
        if staging.has(f"{listed.name}.csv"):
            _list(staging, organisation, listed)
    if staging.has("consents.csv"):
        _consents(organisation)
    _found_by()


def _found_by() -> None:
    """What the clients are found by, for those that are new or of whom something changed; the same bundle again writes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM load_client c WHERE is_new OR EXISTS (SELECT FROM load_result r "
            "WHERE r.file = 'clients.csv' AND r.line = c.line AND r.changed) "
            "UNION SELECT client_id FROM load_registration WHERE is_new ORDER BY 1"
        )
        clients = [row[0] for row in cursor.fetchall()]
    search_index.refresh_later(clients)


def _registrations(staging: Staging, organisation: UUID) -> None:
    run(
        "CREATE TEMPORARY TABLE load_registration ON COMMIT DROP AS "
        "SELECT t.line, t.agency_code, t.client_id AS clientid, a.service_id, "
        # A client that was merged into another lives on there, with its registrations.
        f"COALESCE(h.client_id, {SURVIVOR.format(client='c.id')}, c.id) AS client_id, "
        "COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        "FROM load_registrations t JOIN load_agency a USING (agency_code) JOIN load_client c USING (client_key) "
        "LEFT JOIN caseload_registration h ON h.service_id = a.service_id AND h.clientid = t.client_id "
        "WHERE a.organisation_id = %s",
        [organisation],
    )
    run("ANALYZE load_registration")
    has_reference = "reference" in staging.columns["registrations.csv"]
    reference = ("r.reference", ", reference") if has_reference else ("", "")
    run(
        f"INSERT INTO caseload_registration (organisation_id, client_id, service_id, id, clientid, act{reference[1]}) "
        f"SELECT %s, n.client_id, n.service_id, n.id, n.clientid, {ACT}{', ' + reference[0] if has_reference else ''} "
        "FROM load_registration n JOIN load_registrations r ON r.line = n.line WHERE n.is_new",
        [organisation],
    )
    run("INSERT INTO load_result SELECT 'registrations.csv', line, is_new, FALSE FROM load_registration")
    if has_reference:
        noted(
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
    own = [(i.name, f"t.{quoted(i.name)}") for i in items if place_of(i).model is Episode and place_of(i).key]
    run(
        "CREATE TEMPORARY TABLE load_episode ON COMMIT DROP AS "
        "SELECT t.line, t.episode_id, r.id AS registration_id, r.client_id, a.service_id, "
        "COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        "FROM load_episodes t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_registration r ON r.service_id = a.service_id AND r.clientid = t.client_id "
        "LEFT JOIN caseload_episode h ON h.service_id = a.service_id AND h.episode_id = t.episode_id "
        "WHERE a.organisation_id = %s",
        [organisation],
    )
    run("ANALYZE load_episode")
    cells = {name: as_type(Episode, field, f't."{name}"') for name, field in typed.items()}
    new_items = json_of(own)
    # A new episode is written with its latest decision, so that recording the acts does not write it a second time.
    latest = (
        "LEFT JOIN (SELECT DISTINCT ON (agency_code, episode_id) agency_code, episode_id, decision, decided_on FROM load_consents "
        "ORDER BY agency_code, episode_id, decided_on DESC, line DESC) d ON (d.agency_code, d.episode_id) = (t.agency_code, t.episode_id)"
        if staging.has("consents.csv")
        else ""
    )
    consent = "COALESCE(d.decision, ''), d.decided_on::date" if latest else "'', NULL::date"
    run(
        "INSERT INTO caseload_episode (organisation_id, client_id, registration_id, service_id, id, episode_id, act, consent, consent_on"
        f"{''.join(', ' + column_of(Episode, f) for f in typed.values())}, items) "
        f"SELECT %s, n.client_id, n.registration_id, n.service_id, n.id, n.episode_id, {ACT}, {consent}"
        f"{''.join(', ' + cell for cell in cells.values())}, {new_items} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line {latest} WHERE n.is_new",
        [organisation],
    )
    run("INSERT INTO load_result SELECT 'episodes.csv', line, is_new, FALSE FROM load_episode")
    here = ", ".join(f"h.{column_of(Episode, f)}" for f in typed.values())
    merged = merged_items("h.items", own)
    sets = ", ".join(
        [*(f"{column_of(Episode, f)} = {cells[name]}" for name, f in typed.items()), f"items = {merged}"]
    )
    noted(
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
    pairs = [(i.name, f"t.{quoted(i.name)}") for i in items]
    new_items = json_of(pairs)
    anything = " || ".join(cell for _, cell in pairs)
    noted(
        "episodes.csv",
        "INSERT INTO caseload_episodeitems (organisation_id, client_id, episode_id, category, items, act) "
        f"SELECT %(organisation)s, n.client_id, n.id, %(category)s, {new_items}, {ACT} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line WHERE n.is_new AND {anything} <> ''",
        {"organisation": organisation, "category": category},
        note=False,
    )
    noted(
        "episodes.csv",
        "INSERT INTO caseload_episodeitems AS h (organisation_id, client_id, episode_id, category, items, act) "
        f"SELECT %(organisation)s, n.client_id, n.id, %(category)s, {new_items}, {ACT} "
        f"FROM load_episode n JOIN load_episodes t ON t.line = n.line WHERE NOT n.is_new AND {anything} <> '' "
        "AND NOT EXISTS (SELECT FROM caseload_episodeitems x WHERE x.episode_id = n.id AND x.category = %(category)s) "
        "RETURNING (SELECT line FROM load_episode l WHERE l.id = h.episode_id)",
        {"organisation": organisation, "category": category},
    )
    merged = merged_items("h.items", pairs)
    noted(
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
    loose = [(i.name, f"t.{quoted(i.name)}") for i in items if i.name not in listed.columns]
    table = listed.model._meta.db_table
    run(f"DROP TABLE IF EXISTS {resolved}")
    run(
        f"CREATE TEMPORARY TABLE {resolved} ON COMMIT DROP AS "
        "SELECT t.line, e.client_id, e.id AS episode_id, COALESCE(h.id, gen_random_uuid()) AS id, h.id IS NULL AS is_new "
        f"FROM {staged} t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode e ON e.service_id = a.service_id AND e.episode_id = t.episode_id "
        f'LEFT JOIN "{table}" h ON h.episode_id = e.id AND h.identifier = t."{identifier}" WHERE a.organisation_id = %s',
        [organisation],
    )
    run(f"ANALYZE {resolved}")
    cells = {name: as_type(listed.model, field, f't."{name}"') for name, field in typed.items()}
    run(
        f'INSERT INTO "{table}" (organisation_id, client_id, episode_id, id, identifier, act'
        f"{''.join(', ' + column_of(listed.model, f) for f in typed.values())}, items) "
        f'SELECT %s, n.client_id, n.episode_id, n.id, t."{identifier}", {ACT}'
        f"{''.join(', ' + cell for cell in cells.values())}, {json_of(loose)} "
        f"FROM {resolved} n JOIN {staged} t ON t.line = n.line WHERE n.is_new",
        [organisation],
    )
    run(f"INSERT INTO load_result SELECT %s, line, is_new, FALSE FROM {resolved}", [file])
    merged = merged_items("h.items", loose)
    sets = ", ".join(
        [*(f"{column_of(listed.model, f)} = {cells[name]}" for name, f in typed.items()), f"items = {merged}"]
    )
    here = "".join(f"h.{column_of(listed.model, f)}, " for f in typed.values())
    noted(
        file,
        f'UPDATE "{table}" h SET {sets} FROM {resolved} n JOIN {staged} t ON t.line = n.line '
        f"WHERE h.id = n.id AND NOT n.is_new AND ROW({here}h.items) IS DISTINCT FROM "
        f"ROW({''.join(cell + ', ' for cell in cells.values())}{merged}) RETURNING n.line",
    )


def _consents(organisation: UUID) -> None:
    """Add the acts that are not held: equal ones are told apart by their position among equals. Then push the latest decision."""
    run(
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
    run("ANALYZE load_consent")
    run(
        "INSERT INTO consent_consentact (organisation_id, client_id, episode_id, decision, decided_on, method, origin, act) "
        f"SELECT %s, client_id, episode_id, decision, decided_on, method, 'imported', {ACT} FROM load_consent WHERE is_new ORDER BY line",
        [organisation],
    )
    run("INSERT INTO load_result SELECT 'consents.csv', line, is_new, FALSE FROM load_consent")
    run(
        "UPDATE caseload_episode e SET consent = d.decision, consent_on = d.decided_on FROM ("
        "  SELECT DISTINCT ON (episode_id) episode_id, decision, decided_on FROM consent_consentact a "
        "  WHERE episode_id IN (SELECT episode_id FROM load_consent WHERE is_new) "
        "  AND NOT EXISTS (SELECT FROM consent_consentinvalidation i WHERE i.consent_act_id = a.id) "
        "  ORDER BY episode_id, decided_on DESC, sequence DESC) d "
        "WHERE e.id = d.episode_id AND (e.consent, e.consent_on) IS DISTINCT FROM (d.decision, d.decided_on)"
    )
    # A no that a merge handed on is no act: where one stands, the latest is worked out with it.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT episode_id FROM load_consent WHERE is_new AND episode_id = ANY(%s)",
            [with_inherited()],
        )
        consent_services.push_latest_of([pk for (pk,) in cursor.fetchall()])
    # A discharge that came with the load ends the consents to share that hold until the treatment episode ends.
    sharing_services.end_with_episodes()
    # Imported with a yes: the old system may have sent it (contract section 4, rule 1).
    run(
        "INSERT INTO ndtms_nationalholding AS h (organisation_id, client_id, episode_id, held, since) "
        "SELECT DISTINCT %s::uuid, client_id, episode_id, TRUE, now() FROM load_consent WHERE is_new AND decision = 'Y' "
        "ON CONFLICT (episode_id) DO UPDATE SET held = TRUE, since = now() WHERE NOT h.held",
        [organisation],
    )
