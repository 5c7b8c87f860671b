"""Acts and page requests of eight organisations over few connections, one in five of which ends badly (T25).

What is asked after each: did it see rows of another organisation, and is anything of it left on the connection. The checks raise.
"""

from __future__ import annotations

import os
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from django.test import Client as Browser

from caseload.models import Client, ClientIdentity
from edatrs.core.scope import Actor, scope_or_none
from edatrs.core.views import OrganisationView
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

LEFT = "SELECT " + ", ".join(
    f"nullif(current_setting('app.{name}', true), '')"
    for name in ("organisation", "person", "operator", "act", "now")
)
NOTHING = [(None,) * 5]
SEEN = "SELECT DISTINCT organisation_id FROM caseload_client"
WORD = re.compile(rb"WORDOF\d{4}", re.IGNORECASE)
ENDINGS = ("raised", "database error", "timeout", "nested", "unnoticed", "closed", "cut")


class Interrupted(Exception):
    """A request that ends badly."""


@dataclass
class Tenant:
    """An organisation with one client, and a word that is on the client's page and nowhere else."""

    organisation: Organisation
    client: Client
    word: bytes
    cookies: list[Any]


def make_tenants(number: int = 8, browsers: int = 0) -> list[Tenant]:
    """So many organisations, each with so many sign-ins of a keyworker of its own."""
    made = []
    for place in range(number):
        organisation = make_organisation()
        make_service(organisation)
        word = f"WORDOF{place:04d}"
        with acting_for(organisation, actor=Actor.OPERATOR):
            client = make_client()
            make_part(ClientIdentity, client, forename="Kim", surname=word)
            make_registration(client=client)
        person = make_person(organisation) if browsers else None
        cookies = [sign_in(Browser(), person).cookies for _ in range(browsers)] if person else []
        made.append(Tenant(organisation, client, word.upper().encode(), cookies))
    return made


def how_it_ends(dice: random.Random, seldom: float) -> str:
    """One in five ends badly, each in one of the ways a request can; a killed server process is dear, so it is `seldom`."""
    if dice.random() < seldom:
        return "killed"
    return "" if dice.random() >= 0.2 else dice.choice(ENDINGS)


def spoil(how: str, other: Organisation) -> None:
    """End what is going on in one of the ways, from within."""
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
            pass
    if how == "unnoticed":
        try:
            in_sql("SELECT 1 / 0")
        except DatabaseError:
            pass
    if how == "closed":
        connection.connection.close()
    if how == "cut":  # the network goes, and nobody says goodbye
        with socket.socket(fileno=os.dup(connection.connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    if how == "killed":
        in_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def act(tenant: Tenant, other: Tenant, how: str) -> None:
    """One scope; raises AssertionError when it sees what is not its own."""
    own = tenant.organisation.pk
    with acting_for(tenant.organisation):
        assert in_sql(SEEN) == [(own,)]
        assert [row.organisation_id for row in Client.objects.all()] == [own]
        spoil(how, other.organisation)
        if how == "nested":
            assert in_sql(SEEN) == [(own,)]


def nothing_left() -> None:
    """Nothing of anybody on the connection that is given now."""
    assert scope_or_none() is None
    assert in_sql(LEFT) == NOTHING
    assert in_sql(SEEN) == []


def acts_in_turn(tenants: list[Tenant], number: int, seed: int, *, seldom: float) -> Counter[str]:
    """So many scopes, one after another; how they ended."""
    dice, ended = random.Random(seed), Counter[str]()
    for _ in range(number):
        tenant, other = dice.sample(tenants, 2)
        how = how_it_ends(dice, seldom)
        try:
            act(tenant, other, how)
        except (Interrupted, DatabaseError, InterfaceError, OperationalError):
            assert how
        if how in ("killed", "closed", "cut"):
            connection.close()
        nothing_left()
        ended[how or "well"] += 1
    return ended


_spoiling = threading.local()


@contextmanager
def pages_that_end_badly() -> Iterator[None]:
    """Every page of an organisation ends as the thread asks, when everything is read and nothing answered yet."""
    original = OrganisationView.page

    def page(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, *args, **kwargs)
        how, other = getattr(_spoiling, "how", ("", None))
        if how:
            spoil(how, other)
        return answer

    OrganisationView.page = page  # type: ignore[method-assign]
    try:
        yield
    finally:
        OrganisationView.page = original  # type: ignore[method-assign]


def pages_in_turn(
    tenants: list[Tenant], number: int, seed: int, *, seldom: float, place: int
) -> Counter[str]:
    """So many requests of client pages, one after another, as the sign-ins of a place; how they ended."""
    dice, ended = random.Random(seed), Counter[str]()
    browser = Browser(raise_request_exception=False)
    for _ in range(number):
        tenant, other = dice.sample(tenants, 2)
        how = how_it_ends(dice, seldom)
        _spoiling.how = (how, other.organisation)
        browser.cookies = tenant.cookies[place]
        whose = other if dice.random() < 0.1 else tenant
        answer = browser.get(f"/o/{tenant.organisation.slug}/clients/{whose.client.pk}/")
        words = set(WORD.findall(answer.content.upper()))
        assert words <= {tenant.word}, f"{words} on a page of {tenant.word!r}, which ended: {how or 'well'}"
        wanted = {404} if whose is other else {200} if how in ("", "nested") else {500}
        assert answer.status_code in wanted, (answer.status_code, how, whose is other)
        assert (answer.status_code == 200) == bool(words)
        connection.close()  # as at the end of a request: back to the pool
        nothing_left()
        ended["not found" if whose is other else how or "well"] += 1
    return ended


def at_once(
    ask: Callable[[int], Counter[str]], threads: int = 6
) -> tuple[Counter[str], list[BaseException], set[int]]:
    """Ask in so many threads at once: how it all ended, what was wrong, and which server processes served."""
    ended, failed, servers = Counter[str](), list[BaseException](), set[int]()

    def run(place: int) -> None:
        try:
            ended.update(ask(place))
            servers.add(in_sql("SELECT pg_backend_pid()")[0][0])
        except BaseException as error:  # noqa: BLE001  # handed to the test
            failed.append(error)
        finally:
            connection.close()

    running = [threading.Thread(target=run, args=(place,)) for place in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return ended, failed, servers


@contextmanager
def django_pool() -> Iterator[None]:
    """Django's own pool (psycopg's) with two connections, for every thread that begins meanwhile."""
    there = dict(connections.settings["default"])
    connections.settings["default"] = {
        **there,
        "NAME": connection.settings_dict["NAME"],
        "OPTIONS": {**there.get("OPTIONS", {}), "pool": {"min_size": 2, "max_size": 2, "timeout": 60}},
    }
    try:
        yield
        wrapper: Any = connections.create_connection("default")
        assert wrapper.pool.max_size == 2
        wrapper.close_pool()
    finally:
        connections.settings["default"] = there


@contextmanager
def through(settings: dict[str, Any]) -> Iterator[None]:
    """These settings for every thread that begins meanwhile."""
    there = connections.settings["default"]
    connections.settings["default"] = {**there, **settings}
    try:
        yield
    finally:
        connections.settings["default"] = there
