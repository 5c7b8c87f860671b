"""Four people read while their right is taken away: nobody who asks after the commit gets an answer (T7).

Through HTTP, each reader with a sign-in and a connection of their own, the removal by the service that a page would call.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from edatrs.organisations import middleware
from tests.access import races

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("number", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_request_that_begins_after_the_commit_never_succeeds(number: int, record_property: Any) -> None:
    dice, ground, counts = random.Random(7), races.Ground(), Counter[str]()
    late = []
    for place in range(number):
        kind = races.KINDS[place % len(races.KINDS)]
        told = races.run(ground.race(kind), dice)
        assert told.before, f"{kind}: nobody could read it before"
        assert told.late or told.refused >= races.READERS, f"{kind}: {told}"
        counts.update(races=1, before=told.before, late=told.late, refused=told.refused)
        if told.late:
            late.append(kind)
    print(
        f"\nT7: {counts['races']:,} races of {len(races.KINDS)} kinds, {races.READERS} readers each: {counts['before']:,} answers to "
        f"requests begun before, {counts['refused']:,} refusals after, {counts['late']} answers to requests begun after"
    )
    record_property("late", counts["late"])
    assert late == []


def test_rights_that_are_remembered_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: roles are read once and kept, as in a session or a cache."""
    kept: dict[Any, Any] = {}
    read = middleware.memberships_on

    class Kept:
        """The rows of then, whatever they are filtered by."""

        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def filter(self, **by: Any) -> Any:
            return self.rows

    monkeypatch.setattr(
        middleware,
        "memberships_on",
        lambda user, day: Kept(
            kept.setdefault(user.pk, list(read(user, day).select_related("organisation")))
        ),
    )
    assert races.run(races.Ground().race("role removed"), random.Random(7)).late > 0
