"""What stops a load beside the shape of its lines: keys that stand twice, references that lead nowhere, things that would move.

Every check is one query over the temporary tables, and reports all it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from edatrs.core.scope import current_organisation
from ndtms.bundle import AGENCY_CODE, EPISODE_KEY, LONGEST_IDENTIFIER, FileSpec, Problems, file_specs
from ndtms.load_sql import keyed_clients
from ndtms.load_steps import SURVIVOR

if TYPE_CHECKING:
    from ndtms.caseload_import import Staging

IDENTIFIERS = {
    spec.name: spec.filled[-1]
    for spec in file_specs()
    if spec.filled[:3] == EPISODE_KEY and len(spec.filled) == 4
}
NOT_OWN = "no service of your organisation has this code. The organisation administrator adds services"
_IDENTIFYING = {"client_key", "client_id", "episode_id", *IDENTIFIERS.values()}
_KEYS = {
    "services.csv": ("agency_code",),
    "clients.csv": ("client_key",),
    "registrations.csv": ("agency_code", "client_id"),
    # EPISODID is unique within an agency code, whoever the client is.
    "episodes.csv": ("agency_code", "episode_id"),
    **{name: ("agency_code", "episode_id", identifier) for name, identifier in IDENTIFIERS.items()},
}


def report(problems: Problems, file: str, column: str, sql: str, params: list[Any] | None = None) -> None:
    """Add a problem for every row (line, words) of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
        while rows := cursor.fetchmany(10_000):
            for line, words in rows:
                problems.add(file, line, column, words)


def alone(staging: Staging, problems: Problems) -> None:
    """What can be seen in the files and in what is no organisation's: keys twice, unknown partners, services that would move."""
    keys(staging, problems)
    if staging.has("services.csv"):
        report(
            problems,
            "services.csv",
            "agency_code",
            "SELECT line, 'an agency code is at most 20 letters, digits, full stops, hyphens and underscores' "
            "FROM load_services WHERE agency_code <> '' AND agency_code !~ %s",
            [AGENCY_CODE],
        )
        report(
            problems,
            "services.csv",
            "organisation",
            "SELECT line, 'no partner has the name ' || left(organisation, 60) || ' in addresses' FROM load_services s "
            "WHERE organisation <> '' AND NOT EXISTS (SELECT FROM organisations_organisation o WHERE o.slug = s.organisation)",
        )
        report(
            problems,
            "services.csv",
            "organisation",
            "SELECT s.line, 'the service belongs to ' || o.slug || ': a load cannot move it to another organisation' "
            "FROM load_services s JOIN organisations_service h USING (agency_code) "
            "JOIN organisations_organisation o ON o.id = h.organisation_id WHERE o.slug <> s.organisation AND s.organisation <> ''",
        )
    if staging.has("registrations.csv"):
        in_file = (
            "SELECT FROM load_clients c WHERE c.client_key = r.client_key"
            if staging.has("clients.csv")
            else "SELECT WHERE FALSE"
        )
        report(
            problems,
            "registrations.csv",
            "client_key",
            f"SELECT line, 'no line of clients.csv has this key' FROM load_registrations r WHERE client_key <> '' "
            f"AND NOT EXISTS ({in_file}) AND NOT EXISTS (SELECT FROM caseload_personkey k WHERE k.key = r.client_key)",
        )


def keys(staging: Staging, problems: Problems) -> None:
    """Keys that stand twice in a file, and those that no index could hold."""
    for file, key in _KEYS.items():
        if staging.has(file):
            _twice(problems, file, key)
    for spec in file_specs():
        if staging.has(spec.name):
            _too_long(problems, spec)


def _too_long(problems: Problems, spec: FileSpec) -> None:
    """Identifiers that no index could hold. Bytes first: they are counted without reading the text, and there are hardly ever too many."""
    names = [name for name in spec.filled if name in _IDENTIFYING]
    if not names:
        return
    any_long = " OR ".join(f'octet_length("{name}") > {LONGEST_IDENTIFIER}' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{spec.table}" WHERE {any_long})')
        [found] = cursor.fetchone()
    if found:
        for name in names:
            report(
                problems,
                spec.name,
                name,
                f"SELECT line, 'is longer than {LONGEST_IDENTIFIER} characters' FROM \"{spec.table}\" "
                f'WHERE char_length("{name}") > {LONGEST_IDENTIFIER}',
            )


def _twice(problems: Problems, file: str, key: tuple[str, ...]) -> None:
    table = f'"load_{file.removesuffix(".csv")}"'
    columns = ", ".join(f'"{name}"' for name in key)
    present = " AND ".join(f"\"{name}\" <> ''" for name in key)
    report(
        problems,
        file,
        key[-1],
        f"SELECT line, 'the key stands twice: line ' || first || ' has it too' FROM ("
        f"  SELECT line, min(line) OVER (PARTITION BY {columns}) AS first, "
        f"         row_number() OVER (PARTITION BY {columns} ORDER BY line) AS place FROM {table} WHERE {present}"
        f") t WHERE place > 1",
    )


def agencies(staging: Staging, problems: Problems, *, own: bool = False) -> None:
    """Lines of an agency code that is neither in services.csv nor held.

    `own`: `load_agency` holds the services of one organisation, and every line for another is reported like one of an unknown agency.
    """
    # A line of services.csv that is wrong itself is reported there, not again for every line of its agency.
    listed = "AND NOT EXISTS (SELECT FROM load_services s WHERE s.agency_code = t.agency_code)"
    for spec in file_specs():
        if spec.name != "services.csv" and staging.has(spec.name) and "agency_code" in spec.columns:
            report(
                problems,
                spec.name,
                "agency_code",
                f"SELECT line, 'unknown agency ' || left(agency_code, 20) || ': {NOT_OWN if own else 'add it to services.csv'}' "
                f"FROM \"{spec.table}\" t WHERE agency_code <> '' "
                "AND NOT EXISTS (SELECT FROM load_agency a WHERE a.agency_code = t.agency_code) "
                + (listed if staging.has("services.csv") and not own else ""),
            )


def references(staging: Staging, problems: Problems, *, own: bool = False) -> None:
    """References of the lines of the organisation acted for: to a line of the bundle, or to what is held already.

    `own`: who the client keys are is the organisation's own affair and was checked by `load_own.people_of_keys`.
    """
    organisation = [current_organisation()]
    if staging.has("registrations.csv") and not own:
        _registrations_that_move(problems, organisation)
    if staging.has("episodes.csv"):
        _episodes(staging, problems, organisation)
    in_file = (
        "AND NOT EXISTS (SELECT FROM load_episodes e "
        "WHERE (e.agency_code, e.client_id, e.episode_id) = (t.agency_code, t.client_id, t.episode_id)) "
        if staging.has("episodes.csv")
        else ""
    )
    for file in ("consents.csv", *IDENTIFIERS):
        if staging.has(file):
            report(
                problems,
                file,
                "episode_id",
                "SELECT t.line, 'no episode with this agency code, client id and episode id: add it to episodes.csv' "
                f'FROM "load_{file.removesuffix(".csv")}" t JOIN load_agency a USING (agency_code) '
                f"WHERE a.organisation_id = %s AND t.client_id <> '' AND t.episode_id <> '' {in_file}"
                "AND NOT EXISTS (SELECT FROM caseload_episode h JOIN caseload_registration r ON r.id = h.registration_id "
                "WHERE h.service_id = a.service_id AND h.episode_id = t.episode_id AND r.clientid = t.client_id)",
                organisation,
            )


def _registrations_that_move(problems: Problems, organisation: list[Any]) -> None:
    report(
        problems,
        "registrations.csv",
        "client_key",
        "SELECT t.line, 'this registration is held for another person: a load cannot move it' "
        "FROM load_registrations t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_registration r ON r.service_id = a.service_id AND r.clientid = t.client_id "
        f"JOIN {keyed_clients()} c ON c.id = r.client_id "
        "LEFT JOIN caseload_personkey k ON k.key = t.client_key "
        "WHERE a.organisation_id = %s AND t.client_key <> '' AND k.person_id IS DISTINCT FROM c.person_id "
        # The person of a record that was merged into this one is this person.
        f"AND NOT EXISTS (SELECT FROM caseload_clientmerge g JOIN {keyed_clients()} m ON m.id = g.client_id "
        f"WHERE m.person_id = k.person_id AND {SURVIVOR.format(client='m.id')} = c.id)",
        organisation,
    )


def _episodes(staging: Staging, problems: Problems, organisation: list[Any]) -> None:
    in_file = (
        "AND NOT EXISTS (SELECT FROM load_registrations r WHERE (r.agency_code, r.client_id) = (t.agency_code, t.client_id)) "
        if staging.has("registrations.csv")
        else ""
    )
    report(
        problems,
        "episodes.csv",
        "client_id",
        "SELECT t.line, 'no registration with this agency code and client id: add it to registrations.csv' "
        "FROM load_episodes t JOIN load_agency a USING (agency_code) "
        f"WHERE a.organisation_id = %s AND t.client_id <> '' {in_file}"
        "AND NOT EXISTS (SELECT FROM caseload_registration h WHERE h.service_id = a.service_id AND h.clientid = t.client_id)",
        organisation,
    )
    report(
        problems,
        "episodes.csv",
        "episode_id",
        "SELECT t.line, 'this episode is held for another client of the agency: an episode id is never used again' "
        "FROM load_episodes t JOIN load_agency a USING (agency_code) "
        "JOIN caseload_episode h ON h.service_id = a.service_id AND h.episode_id = t.episode_id "
        "JOIN caseload_registration r ON r.id = h.registration_id "
        "WHERE a.organisation_id = %s AND t.client_id <> '' AND r.clientid <> t.client_id",
        organisation,
    )


def nowhere_held(staging: Staging, problems: Problems) -> None:
    """Registrations of people whose key is held but no record, because no registration ever named them: their details must come along."""
    if staging.people_held:
        in_file = (
            "AND NOT EXISTS (SELECT FROM load_clients c WHERE c.client_key = r.client_key) "
            if staging.has("clients.csv")
            else ""
        )
        report(
            problems,
            "registrations.csv",
            "client_key",
            "SELECT r.line, 'nothing is held of this person: add the line to clients.csv' "
            f"FROM load_registrations r JOIN load_wanted w USING (client_key) WHERE TRUE {in_file}"
            "AND NOT EXISTS (SELECT FROM load_held k WHERE k.client_key = r.client_key)",
        )
