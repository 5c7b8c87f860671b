"""One connection for many organisations in turn, and two for six threads, in Django's pool and behind PgBouncer: nothing reaches the next.

T25. Eight organisations, one in five acts ends badly. In the normal run hundreds, with `-m long` 10,000 acts and 10,000 page requests each.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from edatrs.core import scope
from tests.core import bouncer, pooling
from tests.core.pooling import Tenant

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6
PAGES = int(os.environ.get("EDATRS_POOLED_PAGES") or 10_000)


@contextmanager
def behind_pgbouncer() -> Iterator[None]:
    """PgBouncer in transaction mode with two connections."""
    with bouncer.running() as settings, pooling.through(settings):
        yield


between = pytest.mark.parametrize(
    "between", [pooling.django_pool, behind_pgbouncer], ids=["django-pool", "pgbouncer"]
)


@pytest.fixture
def tenants() -> list[Tenant]:
    return pooling.make_tenants()


def test_one_connection_in_turn(tenants: list[Tenant]) -> None:
    ended = pooling.acts_in_turn(tenants, 600, seed=25, seldom=0.005)
    assert ended.keys() >= {"well", "killed", *pooling.ENDINGS}
    assert ended["well"] < 900


def _told(what: str, ended: Counter[str], servers: set[int], record_property: Any) -> None:
    number = ended.total()
    words = ", ".join(f"{n:,} {how}" for how, n in ended.most_common())
    print(
        f"\nT25 {what}: {number:,} over two connections, rows of another organisation 0, left over 0 ({words})"
    )
    record_property("acts", number)
    assert len(servers) >= 2 or number < 500
    assert number - ended["well"] - ended["not found"] >= 0.1 * number


def _acts(number: int, tenants: list[Tenant], seldom: float) -> Callable[[int], Counter[str]]:
    """What a thread does: acts, and the connection goes back after every few."""

    def ask(place: int) -> Counter[str]:
        ended = Counter[str]()
        for part in range(number // THREADS // 10 + 1):
            ended += pooling.acts_in_turn(tenants, 10, seed=place * 10_000 + part, seldom=seldom)
            connection.close()  # back to the pool, as at the end of a request
        return ended

    return ask


@between
@pytest.mark.parametrize("number", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_two_connections_for_six_threads(
    between: Callable[[], Any], number: int, tenants: list[Tenant], record_property: Any
) -> None:
    with between():
        ended, failed, servers = pooling.at_once(_acts(number, tenants, 0.005), THREADS)
    assert failed == []
    _told(f"acts, {between.__name__}", ended, servers, record_property)


@between
@pytest.mark.parametrize("number", [60, pytest.param(PAGES, marks=pytest.mark.long)])
def test_page_requests_over_two_connections(
    between: Callable[[], Any], number: int, record_property: Any
) -> None:
    """Real pages, by sign-ins of their own: the answer holds the word of its own organisation, or nothing."""
    tenants = pooling.make_tenants(browsers=THREADS)
    share = -(-number // THREADS)
    with pooling.pages_that_end_badly(), between():
        ended, failed, servers = pooling.at_once(
            lambda place: pooling.pages_in_turn(tenants, share, place, seldom=0.005, place=place), THREADS
        )
    assert failed == []
    _told(f"page requests, {between.__name__}", ended, servers, record_property)


@between
def test_a_setting_of_the_session_would_be_found(
    between: Callable[[], Any], tenants: list[Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: settings that outlive their transaction, as a plain SET would."""

    def of_the_session(settings: dict[str, str]) -> Any:
        with connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    monkeypatch.setattr(scope, "_apply", of_the_session)
    with between():
        _, failed, _ = pooling.at_once(_acts(60, tenants, 0), 2)
    assert failed and all(isinstance(error, AssertionError) for error in failed)
