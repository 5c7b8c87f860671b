"""One connection for many organisations in turn, and a pool of two for many threads: nothing of one reaches the next (T25, small)."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections

from caseload.models import Client
from edatrs.core.scope import scope_or_none
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation

LEFT = "SELECT nullif(current_setting('app.organisation', true), ''), nullif(current_setting('app.person', true), '')"
SEEN = "SELECT DISTINCT organisation_id FROM caseload_client"


class Interrupted(Exception):
    """A request that ends badly."""


def _break(dice: random.Random, seldom: float) -> str:
    """One in five ends badly, each in one of the ways a request can."""
    if dice.random() < seldom:
        return "killed"
    if dice.random() >= 0.2:
        return ""
    return dice.choice(["raised", "database error", "timeout", "nested", "unnoticed", "closed"])


def _act(organisation: Organisation, other: Organisation, how: str) -> None:
    """One scope; raises AssertionError when it sees what is not its own."""
    with acting_for(organisation):
        assert in_sql(SEEN) == [(organisation.pk,)]
        assert [row.organisation_id for row in Client.objects.all()] == [organisation.pk]
        if how == "raised":
            raise Interrupted
        if how == "database error":
            in_sql("SELECT 1 / 0")
        if how == "timeout":
            in_sql("SET LOCAL statement_timeout = 1")
            in_sql("SELECT pg_sleep(1)")
        if how == "nested":
            try:
                with acting_for(other):
                    assert in_sql(SEEN) == [(other.pk,)]
                    in_sql("SELECT 1 / 0")
            except DatabaseError:
                assert in_sql(SEEN) == [(organisation.pk,)]
        if how == "unnoticed":
            try:
                in_sql("SELECT 1 / 0")
            except DatabaseError:
                pass
        if how == "closed":
            connection.connection.close()
        if how == "killed":
            in_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def _run(organisations: list[Organisation], number: int, seed: int, *, seldom: float) -> Counter[str]:
    """So many scopes in turn; what is left on the connection after each must be nothing."""
    dice, ended = random.Random(seed), Counter[str]()
    for _ in range(number):
        organisation, other = dice.sample(organisations, 2)
        how = _break(dice, seldom)
        try:
            _act(organisation, other, how)
        except (Interrupted, DatabaseError, InterfaceError, OperationalError):
            assert how
        if how in ("killed", "closed"):
            connection.close()
        assert scope_or_none() is None
        assert in_sql(LEFT) == [(None, None)]
        assert in_sql(SEEN) == []
        ended[how or "well"] += 1
    return ended


@pytest.fixture
def organisations() -> list[Organisation]:
    made = [make_organisation() for _ in range(8)]
    for organisation in made:
        with acting_for(organisation):
            make_client()
    return made


@pytest.mark.django_db(transaction=True)
def test_one_connection_in_turn(organisations: list[Organisation]) -> None:
    ended = _run(organisations, 1000, seed=25, seldom=0.005)
    assert ended.keys() >= {
        "well",
        "raised",
        "database error",
        "timeout",
        "nested",
        "unnoticed",
        "closed",
        "killed",
    }
    assert ended["well"] < 900


@pytest.mark.django_db(transaction=True)
def test_a_pool_of_two_for_six_threads(
    organisations: list[Organisation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django's own pool of psycopg: a connection goes from one organisation's thread to another's."""
    pooled = {
        **connections.settings["default"],
        "OPTIONS": {"pool": {"min_size": 2, "max_size": 2, "timeout": 30}},
    }
    pooled["NAME"] = connection.settings_dict["NAME"]
    monkeypatch.setitem(connections.settings, "default", pooled)
    failed: list[BaseException] = []
    servers: set[int] = set()

    def run(seed: int) -> None:
        try:
            for part in range(17):
                assert connection.pool is not None
                _run(organisations, 10, seed=seed * 100 + part, seldom=0)
                servers.add(in_sql("SELECT pg_backend_pid()")[0][0])
                connection.close()  # back to the pool, as at the end of a request
        except BaseException as error:  # noqa: BLE001  # handed to the test below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrapper: Any = connections.create_connection("default")
    wrapper.close_pool()
    assert failed == []
    assert len(servers) >= 2
