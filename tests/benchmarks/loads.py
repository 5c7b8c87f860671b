"""The load of a bundle: ours, a hand-written one into the same tables, and a bare COPY of the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from caseload.dataset.reader import Item, load_dictionary
from caseload.models import Episode, EpisodeItems
from caseload.record import EPISODE_ENTITIES, LISTS, ListPlace, place_of
from ndtms.bundle import FileSpec, file_specs

_BLOCK = 1 << 20
_PARTS = {
    "caseload_clientidentity": ("title", "forename", "surname", "date_of_birth", "sex", "nhs_number"),
    "caseload_clientcontact": ("address_line_1", "address_line_2", "town", "postcode", "phone", "email"),
    "caseload_clientequality": ("ethnicity", "nationality", "religion", "sexual_orientation"),
    "caseload_clientdisability": ("disability_1", "disability_2", "disability_3"),
}


def bare_copy(connected: psycopg.Connection[Any], folder: Path) -> None:
    """The files to temporary tables of texts, by COPY and nothing else; one transaction."""
    with connected.transaction():
        for spec, path in _files(folder):
            _copy(connected, spec, path)


def hand_written(connected: psycopg.Connection[Any], folder: Path) -> None:
    """What a careful person would write for an empty database and a bundle known to be right: COPY and INSERT … SELECT, in one
    transaction, nothing checked, nothing compared, nothing counted.
    """
    with connected.transaction():
        headers = {spec.name: _copy(connected, spec, path) for spec, path in _files(folder)}
        for statement in _inserts(headers):
            connected.execute(statement)


def _files(folder: Path) -> Iterator[tuple[FileSpec, Path]]:
    for spec in file_specs():
        if (folder / spec.name).exists():
            yield spec, folder / spec.name


def _copy(connected: psycopg.Connection[Any], spec: FileSpec, path: Path) -> list[str]:
    with path.open("rb") as file:
        header = file.readline().decode().strip().split(",")
        file.seek(0)
        names = ", ".join(f'"{name}"' for name in header)
        table = f'"f_{spec.name.removesuffix(".csv")}"'
        connected.execute(
            f"CREATE TEMPORARY TABLE {table} ("
            + ", ".join(f'"{name}" text' for name in header)
            + ") ON COMMIT DROP"
        )
        command = f"COPY {table} FROM STDIN (FORMAT csv, HEADER true, FORCE_NOT_NULL ({names}))"
        with connected.cursor() as cursor, cursor.copy(command) as copy:
            while block := file.read(_BLOCK):
                copy.write(block)
    connected.execute(f"ANALYZE {table}")
    return header


def _inserts(headers: dict[str, list[str]]) -> Iterator[str]:
    yield (
        "INSERT INTO organisations_service (id, organisation_id, agency_code, name, dataset) "
        "SELECT gen_random_uuid(), o.id, s.agency_code, s.name, s.dataset FROM f_services s JOIN organisations_organisation o "
        "ON o.slug = s.organisation ON CONFLICT (agency_code) DO NOTHING"
    )
    yield "CREATE TEMPORARY TABLE p ON COMMIT DROP AS SELECT client_key, gen_random_uuid() AS id FROM f_clients"
    yield "INSERT INTO caseload_person (id) SELECT id FROM p"
    yield "INSERT INTO caseload_personkey (key, person_id) SELECT client_key, id FROM p"
    yield "ANALYZE p"
    yield (
        "CREATE TEMPORARY TABLE c ON COMMIT DROP AS SELECT organisation_id, client_key, p.id AS person_id, gen_random_uuid() AS id "
        "FROM (SELECT DISTINCT s.organisation_id, r.client_key FROM f_registrations r JOIN organisations_service s USING (agency_code)) x "
        "JOIN p USING (client_key)"
    )
    yield "ANALYZE c"
    yield "INSERT INTO caseload_client (organisation_id, id, person_id) SELECT organisation_id, id, person_id FROM c"
    for table, fields in _PARTS.items():
        names = ", ".join(fields)
        cells = ", ".join(
            "nullif(f.date_of_birth, '')::date" if name == "date_of_birth" else f"f.{name}" for name in fields
        )
        yield (
            f"INSERT INTO {table} (organisation_id, client_id, {names}) SELECT c.organisation_id, c.id, {cells} "
            "FROM c JOIN f_clients f USING (client_key)"
        )
    category = load_dictionary().item("VETERAN").category
    yield (
        "INSERT INTO caseload_clientitems (organisation_id, client_id, category, items) "
        f"SELECT c.organisation_id, c.id, '{category}', jsonb_build_object('VETERAN', f.veteran) "
        "FROM c JOIN f_clients f USING (client_key) WHERE f.veteran <> ''"
    )
    yield (
        "CREATE TEMPORARY TABLE r ON COMMIT DROP AS SELECT s.organisation_id, s.id AS service_id, c.id AS client_id, f.agency_code, "
        "f.client_id AS clientid, f.reference, gen_random_uuid() AS id "
        "FROM f_registrations f JOIN organisations_service s USING (agency_code) "
        "JOIN c ON (c.organisation_id, c.client_key) = (s.organisation_id, f.client_key)"
    )
    yield "ANALYZE r"
    yield (
        "INSERT INTO caseload_registration (organisation_id, client_id, service_id, id, clientid, reference) "
        "SELECT organisation_id, client_id, service_id, id, clientid, reference FROM r"
    )
    yield (
        "CREATE TEMPORARY TABLE e ON COMMIT DROP AS SELECT r.organisation_id, r.service_id, r.client_id, r.id AS registration_id, "
        "f.agency_code, f.episode_id, gen_random_uuid() AS id "
        "FROM f_episodes f JOIN r ON (r.agency_code, r.clientid) = (f.agency_code, f.client_id)"
    )
    yield "ANALYZE e"
    yield from _episodes(headers["episodes.csv"])
    for listed in LISTS.values():
        if f"{listed.name}.csv" in headers:
            yield _list(listed, headers[f"{listed.name}.csv"])
    yield (
        "INSERT INTO consent_consentact (organisation_id, client_id, episode_id, decision, decided_on, method, origin) "
        "SELECT e.organisation_id, e.client_id, e.id, f.decision, f.decided_on::date, f.method, 'imported' "
        "FROM f_consents f JOIN e USING (agency_code, episode_id) ORDER BY f.ctid"
    )
    yield (
        "INSERT INTO ndtms_nationalholding (organisation_id, client_id, episode_id, held, since) "
        "SELECT DISTINCT e.organisation_id, e.client_id, e.id, TRUE, now() FROM f_consents f JOIN e USING (agency_code, episode_id) "
        "WHERE f.decision = 'Y'"
    )


def _episodes(header: list[str]) -> Iterator[str]:
    items = [i for i in load_dictionary().items if i.entity in EPISODE_ENTITIES and i.name in header]
    typed = [i for i in items if place_of(i).model is Episode and not place_of(i).key]
    loose = [i for i in items if place_of(i).model is Episode and place_of(i).key]
    names = ", ".join(place_of(i).field for i in typed)
    yield (
        "INSERT INTO caseload_episode (organisation_id, client_id, registration_id, service_id, id, episode_id, consent, consent_on, "
        f"{names}, items) "
        "SELECT e.organisation_id, e.client_id, e.registration_id, e.service_id, e.id, e.episode_id, COALESCE(d.decision, ''), "
        f"d.decided_on::date, {', '.join(_cell(i) for i in typed)}, {_json(loose)} "
        "FROM e JOIN f_episodes f USING (agency_code, episode_id) "
        "LEFT JOIN (SELECT DISTINCT ON (agency_code, episode_id) * FROM f_consents ORDER BY agency_code, episode_id, decided_on DESC, "
        "ctid DESC) d USING (agency_code, episode_id)"
    )
    categories = sorted({place_of(i).category for i in items if place_of(i).model is EpisodeItems})
    for category in categories:
        of_it = [i for i in items if place_of(i).model is EpisodeItems and place_of(i).category == category]
        anything = " || ".join(f'f."{i.name}"' for i in of_it)
        yield (
            "INSERT INTO caseload_episodeitems (organisation_id, client_id, episode_id, category, items) "
            f"SELECT e.organisation_id, e.client_id, e.id, '{category}', {_json(of_it)} "
            f"FROM e JOIN f_episodes f USING (agency_code, episode_id) WHERE {anything} <> ''"
        )


def _list(listed: ListPlace, header: list[str]) -> str:
    items = [i for i in load_dictionary().items if i.entity == listed.entity and i.name in header]
    typed = [i for i in items if i.name in listed.columns]
    loose = [i for i in items if i.name not in listed.columns]
    names = ", ".join(listed.columns[i.name] for i in typed)
    return (
        f'INSERT INTO "{listed.model._meta.db_table}" (organisation_id, client_id, episode_id, {names}, items) '
        f"SELECT e.organisation_id, e.client_id, e.id, {', '.join(_cell(i) for i in typed)}, {_json(loose)} "
        f'FROM "f_{listed.name}" f JOIN e USING (agency_code, episode_id)'
    )


def _cell(item: Item) -> str:
    return f"nullif(f.\"{item.name}\", '')::date" if item.type == "date" else f'f."{item.name}"'


def _json(items: list[Item]) -> str:
    if not items:
        return "'{}'::jsonb"
    pairs = ", ".join(f"'{i.name}', nullif(f.\"{i.name}\", '')" for i in items)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
