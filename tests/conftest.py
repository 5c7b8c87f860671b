"""Fixtures that hold for all tests: the database is made and migrated as `owner`, and every test body connects as `app`."""

from __future__ import annotations

import gc
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, connections
from django.test import TransactionTestCase

from edatrs.core.scope import Actor, Scope, open_scope
from edatrs.settings.base import database
from tests.database import drop_database, empty_database, make_database


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures that tests counted (`record_property`), also where they ran beside each other; sums for parts of one test."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for report in (*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())):
        test = report.nodeid.partition("[")[0]
        mode = report.nodeid.partition("[")[2].partition(",")[0].rstrip("]")
        for what, number in report.user_properties if report.when == "call" else ():
            told[f"{test} {mode}".strip()].update(
                {what: number} if isinstance(number, int) else {f"{what} {number}": 1}
            )
    for test, figures in told.items():
        terminalreporter.write_line(f"{test}: " + ", ".join(f"{n:,} {what}" for what, n in figures.items()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `first` takes a minute or more: each process begins with its share, so that none is left alone with it at the end.

    Beside each other a process is first given a run of tests that follow one another; what is left of it the others take later.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = [item for item in items if item.get_closest_marker("first")]
    others = [item for item in items if not item.get_closest_marker("first")]
    rest = len(items)
    items.clear()
    for n in range(processes):
        size = rest // (processes - n)
        rest -= size
        mine = first[n::processes]
        items += [*mine, *others[: size - len(mine)]]
        del others[: size - len(mine)]
    items += others


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Create and migrate the test database as the owner; give it back to `app` for the tests."""
    ready = os.environ.get("EDATRS_TEST_DATABASE")
    if ready:  # a mutant's own copy, made and dropped by tests/mutants/runner.py
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = ready
        yield
        with django_db_blocker.unblock():
            connections.close_all()
        return
    with django_db_blocker.unblock():
        made = make_database()
        connection.close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        drop_database(made)


@pytest.fixture(scope="session", autouse=True)
def _seldom_collected() -> None:
    """Rings of objects are looked for less often: with all that the tests hold it costs a tenth of their time."""
    gc.collect()
    gc.set_threshold(20_000, 20, 50)
    # pytest keeps every record of the log to the end of a test, and Django hangs the request on it with all that it read: gigabytes.
    logging.getLogger("django.request").addFilter(lambda record: record.__dict__.pop("request", None) or True)


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> Iterator[None]:
    """After a test that commits the tables are emptied as `tests.database` does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_database())
        yield


@pytest.fixture(autouse=True)
def _quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with less memory than in production: what is tested is that it is asked, not what it costs, save where it is `timed`."""
    if request.node.get_closest_marker("timed"):
        return
    for name, value in (("memory_cost", 64), ("time_cost", 1), ("parallelism", 1)):
        monkeypatch.setattr(Argon2PasswordHasher, name, value)


@pytest.fixture
def owner_connection(db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner to the test database, autocommit: what an administrator of the database could do."""
    with owner_connect() as owner:
        yield owner


def owner_connect() -> psycopg.Connection[Any]:
    """Connect to the test database as the owner of its tables."""
    owner = database(settings.DATABASE_OWNER_ROLE)
    return psycopg.connect(
        dbname=connection.settings_dict["NAME"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=owner["HOST"] or None,
        port=owner.get("PORT") or None,
        autocommit=True,
    )


@pytest.fixture
def acting() -> Callable[..., AbstractContextManager[Scope]]:
    """`with acting(organisation, "keyworker"):` opens a scope of a person with these roles; without an organisation the partnership's."""

    def scope(organisation: Any = None, *roles: str, person: Any = None, actor: Actor = Actor.PERSON) -> Any:
        return open_scope(
            actor=actor,
            organisation_id=organisation.pk if organisation else None,
            organisation_label=organisation.slug if organisation else "",
            person_id=person.pk if person else None,
            person_label=person.full_name if person else "a test",
            roles=frozenset(roles),
        )

    return scope


@pytest.fixture(autouse=True)
def _extracts_of_this_test(settings: Any, tmp_path: Any) -> None:
    """Files that a test builds go to a folder of its own."""
    settings.EXTRACT_DIR = tmp_path / "extracts"
    settings.HEADS_DIR = tmp_path / "heads"
