"""What is another organisation's takes no longer to refuse than what is not there, and nothing tells who has an account (T3, T12; long).

The bytes are compared for every route in test_access_matrix and test_sign_in. Here the time: pairs of questions in turn, in an order drawn
for each pair, and the medians compared.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from edatrs.organisations.models import SignInAttempt
from tests.access.matrix import ABSENT, OTHER, OWN, Cell, Matrix
from tests.access.tables import ROLES, Line, lines
from tests.access.world import make_world
from tests.factories.organisations import make_organisation, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.long]
SECONDS, SHARE = 0.002, 0.05
PARTS = 4  # so that they can run beside each other
PAIRS = int(os.environ.get("EDATRS_TIMED_PAIRS") or 400)


def medians(
    one: Callable[[], Any], other: Callable[[], Any], pairs: int, dice: random.Random
) -> tuple[float, float]:
    """The median seconds of each, asked in turn."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(pairs + 5):
        for first in dice.sample([True, False], 2):
            began = time.perf_counter()
            (one if first else other)()
            if number >= 5:  # the first few fill caches
                took[first].append(time.perf_counter() - began)
    return statistics.median(took[True]), statistics.median(took[False])


def alike(one: float, other: float) -> bool:
    """Closer than 2 ms or than 5 %."""
    return abs(one - other) < max(SECONDS, SHARE * max(one, other))


def _routes() -> list[tuple[Line, str]]:
    """Every route that names an object and can be read, with somebody who may."""
    found = {}
    for line in lines().values():
        if line.method == "GET" and line.of_organisation and line.offered and line.objects and line.guard:
            role = next((role for role in ROLES if line.may(role)), "")
            if role:
                found[line.route] = (line, role)
    return [found[route] for route in sorted(found)]


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_foreign_takes_as_long_as_what_is_not_there(part: int, record_property: Any) -> None:
    world, dice = make_world(), random.Random(part)
    told: list[tuple[float, float, float, str]] = []
    wrong: list[str] = []
    again: list[str] = []
    matrix = Matrix(world)
    for line, role in _routes()[part::PARTS]:
        foreign, absent = Cell(line, role, OWN, OTHER), Cell(line, role, OWN, ABSENT)
        browser = world.browser(role)
        paths = [matrix._path(cell)[0] for cell in (foreign, absent)]
        there, gone = (partial(browser.get, path) for path in paths)
        one, other = medians(there, gone, PAIRS, dice)
        if not alike(one, other):  # chance, or another program's turn, does not come back in twice as many
            again.append(line.route)
            one, other = medians(there, gone, 2 * PAIRS, dice)
        told.append((abs(one - other), one, other, line.route))
        if not alike(one, other):
            wrong.append(f"{line.route}: {1000 * one:.2f} and {1000 * other:.2f} ms")
    worst = max(told)
    print(
        f"\nT3: {len(told)} routes, {PAIRS} pairs each, {len(again)} asked again; the largest difference of medians is "
        f"{1000 * worst[0]:.2f} ms ({1000 * worst[1]:.2f} and {1000 * worst[2]:.2f} ms, {worst[3]})"
    )
    record_property("largest difference, ms", round(1000 * worst[0], 2))
    record_property("routes", len(told))
    assert wrong == []
    assert len(told) > 15


def test_a_longer_look_would_be_found() -> None:
    """The mutant: a look that costs 3 ms more for what is there."""

    def slow() -> None:
        time.sleep(0.008)

    def quick() -> None:
        time.sleep(0.005)

    assert not alike(*medians(slow, quick, 30, random.Random(3)))


@pytest.mark.timed
def test_an_unknown_account_is_refused_as_slowly_as_a_known_one(client: Any, record_property: Any) -> None:
    """T12: wrong passwords for accounts that there are and that there are not; tries are forgotten between, so that none is throttled."""
    people = [make_person(make_organisation()) for _ in range(10)]
    dice = random.Random(12)

    def ask(email: str) -> None:
        answer = client.post("/sign-in/", {"email": email, "password": "not the password at all"})
        assert answer.status_code == 200

    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(210):
        for known in dice.sample([True, False], 2):
            SignInAttempt.objects.all().delete()
            email = people[number % 10].email if known else f"nobody{number % 10:03d}@test.example"
            began = time.perf_counter()
            ask(email)
            if number >= 10:
                took[known].append(time.perf_counter() - began)
    known, unknown = statistics.median(took[True]), statistics.median(took[False])
    apart = abs(known - unknown) / max(known, unknown)
    print(
        f"\nT12: 200 pairs; known {1000 * known:.1f} ms, unknown {1000 * unknown:.1f} ms: {100 * apart:.1f} % apart"
    )
    record_property("apart, %", 100 * apart)
    assert apart < SHARE
