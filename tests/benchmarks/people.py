"""A population for the pages: organisations with clients, an episode each and what hangs on it. Invented by counting."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

import psycopg

from caseload.search import tokens_of_client
from edatrs.organisations.choices import DataSet, OrganisationKind, Role
from edatrs.organisations.models import Organisation, Service
from tests.benchmarks import world
from tests.factories.organisations import make_person

ORGANISATIONS = 20
_FIRST = (
    "Ada",
    "Ben",
    "Cora",
    "Dev",
    "Esme",
    "Finn",
    "Gwen",
    "Hal",
    "Iris",
    "Jon",
    "Kit",
    "Lena",
    "Mina",
    "Ned",
)
_SYLLABLES = (
    "bar",
    "cot",
    "den",
    "fal",
    "gar",
    "hol",
    "kem",
    "lan",
    "mor",
    "nor",
    "pen",
    "ros",
    "sel",
    "tor",
    "wen",
)


SAME_NAME = 60


def surname(number: int, clients: int) -> str:
    """The surname of the client `number` of an organisation: each is found some 60 times, whatever the number of clients.

    So a search finds as many among 300,000 as among 30,000, and what grows is what is searched, not what is answered.
    """
    number %= max(1, clients // ORGANISATIONS // SAME_NAME)
    return (_SYLLABLES[number % 15] + _SYLLABLES[number // 15 % 15]).capitalize()


def born(number: int) -> dt.date:
    """A day between 1950 and 2005."""
    return dt.date(1950, 1, 1) + dt.timedelta(days=number * 7919 % 20_000)


def slug(number: int) -> str:
    """The address part of an organisation."""
    return f"bench-{number}"


def make(database: str, clients: int) -> None:
    """Fill a fresh database: `clients` over ORGANISATIONS, one registration each, an episode, tokens; statistics are taken after it."""
    world.use(database)
    made = []
    for number in range(ORGANISATIONS):
        organisation = Organisation.objects.create(
            slug=slug(number), name=f"Bench {number}", kind=OrganisationKind.values[0]
        )
        service = Service.objects.create(
            organisation=organisation,
            agency_code=f"B{number:04d}",
            name=f"Bench service {number}",
            dataset=DataSet.ADULT,
        )
        keyworker = make_person(organisation, role=Role.KEYWORKER, email=f"keyworker@bench-{number}.example")
        made.append((organisation.pk, service.pk, keyworker.pk))
    world.lift_row_security(database)
    with world.owner(database) as connected:
        _fill(connected, clients, made)
    world.settle(database)


def _fill(
    connected: psycopg.Connection, clients: int, made: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]
) -> None:
    names = (
        "client",
        "clientidentity",
        "clientcontact",
        "clientequality",
        "clientdisability",
        "registration",
        "episode",
    )
    names += (
        "searchtoken",
        "intervention",
        "outcome",
        "subinterventionreview",
        "allocation",
        "episodequality",
    )
    tables = [*(f"caseload_{name}" for name in names), "consent_consentact"]
    with connected.transaction():
        for table in tables:
            connected.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        connected.execute(
            "CREATE TEMPORARY TABLE b (n integer, organisation_id uuid, service_id uuid, keyworker_id uuid, person_id uuid, "
            "client_id uuid, registration_id uuid, episode_id uuid, forename text, surname text, born date) ON COMMIT DROP"
        )
        with connected.cursor() as cursor, cursor.copy("COPY b FROM STDIN") as copy:
            for row in _people(clients, made):
                copy.write_row(row)
        connected.execute("ANALYZE b")
        for statement in _STATEMENTS:
            connected.execute(statement)
        people = connected.execute("SELECT organisation_id, client_id, n FROM b").fetchall()
        with (
            connected.cursor() as cursor,
            cursor.copy(
                "COPY caseload_searchtoken (organisation_id, client_id, kind, token) FROM STDIN"
            ) as copy,
        ):
            for organisation, client, number in people:
                for token in _tokens(number, clients):
                    copy.write_row((organisation, client, token.kind.value, token.text))
    for table in tables:
        connected.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def _people(clients: int, made: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]) -> Iterator[tuple[object, ...]]:
    for number in range(clients):
        organisation, service, keyworker = made[number % len(made)]
        ids = (uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), uuid.uuid4())
        yield (
            number,
            organisation,
            service,
            keyworker,
            *ids,
            _FIRST[number // 20 % 14],
            surname(number // 20, clients),
            born(number),
        )


def _tokens(number: int, clients: int) -> list:
    return list(
        tokens_of_client(
            names=[_FIRST[number // 20 % 14], surname(number // 20, clients)],
            earlier_names=[],
            born=born(number),
            nhs_number="",
            postcode="",
            client_ids=[client_id(number)],
        )
    )


def client_id(number: int) -> str:
    """A CLIENTID."""
    return f"{number:07d}"


_DAY = "DATE '2026-01-09' - n % 900 + k * 30"
_ANSWERS = """'{"ALCUSE": "12", "OPIUSE": "4", "PSYHSTAT": "9", "PHSTAT": "11", "QUALLIFE": "8"}'::jsonb"""
_STATEMENTS = (
    "INSERT INTO caseload_person (id) SELECT person_id FROM b",
    "INSERT INTO caseload_client (organisation_id, id, person_id) SELECT organisation_id, client_id, person_id FROM b",
    "INSERT INTO caseload_clientidentity (organisation_id, client_id, forename, surname, date_of_birth, sex) "
    "SELECT organisation_id, client_id, forename, surname, born, 'F' FROM b",
    *(
        f"INSERT INTO caseload_{table} (organisation_id, client_id) SELECT organisation_id, client_id FROM b"
        for table in ("clientcontact", "clientequality", "clientdisability")
    ),
    "INSERT INTO caseload_registration (organisation_id, client_id, service_id, id, clientid) "
    "SELECT organisation_id, client_id, service_id, registration_id, lpad(n::text, 7, '0') FROM b",
    "INSERT INTO caseload_episode (organisation_id, client_id, service_id, registration_id, id, episode_id, referred_on, triaged_on, "
    "drug_1, consent, consent_on) SELECT organisation_id, client_id, service_id, registration_id, episode_id, 'E' || n, "
    "DATE '2026-01-01' - n % 900, DATE '2026-01-08' - n % 900, '1011', 'Y', DATE '2026-01-08' - n % 900 FROM b",
    "INSERT INTO caseload_episodequality (organisation_id, client_id, episode_id, letter, checked_at) "
    "SELECT organisation_id, client_id, episode_id, 'R', now() FROM b",
    "INSERT INTO caseload_allocation (organisation_id, client_id, keyworker_id, kind, valid_from, reason, by, by_label) "
    "SELECT organisation_id, client_id, keyworker_id, 'keyworker', DATE '2026-01-02' - n % 900, 'New', keyworker_id, 'Bench' FROM b",
    "INSERT INTO consent_consentact (organisation_id, client_id, episode_id, decision, decided_on, method, origin) "
    "SELECT organisation_id, client_id, episode_id, 'Y', DATE '2026-01-08' - n % 900, 'imported', 'imported' FROM b",
    *(
        f"INSERT INTO caseload_{table} (organisation_id, client_id, episode_id, identifier, {columns}) "
        f"SELECT organisation_id, client_id, episode_id, k || '-' || n, {values} FROM b, generate_series(1, {count}) k"
        for table, columns, values, count in (
            ("intervention", "modality, started_on", f"'80', {_DAY}", 2),
            (
                "outcome",
                "completed_on, stage, items",
                f"""{_DAY}, CASE k WHEN 1 THEN 'S' ELSE 'R' END, {_ANSWERS}""",
                2,
            ),
            ("subinterventionreview", "reviewed_on", _DAY, 1),
        )
    ),
)
