"""How well the database tells one person written twice from two people: invented pairs, half tuned on, the other half reported.

The pairs of the first half (seed TUNED_ON) were looked at when the numbers in `caseload_known_elsewhere` were chosen, those of the second
(REPORTED_ON) were not. It is the second half kept back: the first, seed 71, was looked at once, missed the bound (6 false of 5,000) and has
been tuned on since. Each half is loaded as two organisations, the one registration of a pair at each, and the very function is asked of
every client of the first. A yes counts as false when nobody at the other organisation is that person: also when it is owed to a stranger of
another pair.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.caseload.known_elsewhere.registered import register_all
from tests.core.world import acting_for, in_sql
from tests.factories.organisations import make_organisation
from tests.factories.same_person import Pair, pairs
from tests.factories.sharing import make_agreement

pytestmark = pytest.mark.django_db
TUNED_ON, REPORTED_ON, ORDINARY = 20261123, 90210, 4
# Never looked at before it was run; EDATRS_PAIRS_SEED takes another.
FRESH = int(os.environ.get("EDATRS_PAIRS_SEED") or 5_081_977)
MOST_FALSE, MOST_MISSED = 0.001, 0.05


@dataclass
class Measured:
    """What came out: how many of each kind, and how many of them went wrong."""

    of: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    same: int = 0
    missed: int = 0
    different: int = 0
    false: int = 0
    seconds: float = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = "\n".join(f"  {kind:32} {self.wrong[kind]:5} of {n:5}" for kind, n in sorted(self.of.items()))
        each = 1000 * self.seconds / (self.same + self.different)
        return (
            f"false {self.false} of {self.different} ({100 * self.false / self.different:.3f} %), "
            f"missed {self.missed} of {self.same} ({100 * self.missed / self.same:.2f} %), {each:.1f} ms a question\n{kinds}"
        )


def measure(made: Iterable[Pair]) -> Measured:
    """Load the pairs and ask of every one."""
    made = list(made)
    one, two = make_organisation(), make_organisation()
    make_agreement(one, two)
    register_all(two, (pair.other for pair in made))
    ids = register_all(one, (pair.one for pair in made))
    found = Measured()
    began = time.perf_counter()
    with acting_for(one):
        answers = dict(in_sql("SELECT id, caseload_known_elsewhere(id) FROM unnest(%s::uuid[]) id", ids))
    found.seconds = time.perf_counter() - began
    for pair, pk in zip(made, ids, strict=True):
        wrong = answers[pk] is not pair.same
        found.of.update(pair.how)
        found.wrong.update(pair.how if wrong else ())
        found.same += pair.same
        found.different += not pair.same
        found.missed += wrong and pair.same
        found.false += wrong and not pair.same
        if wrong:
            found.examples.append(f"{'missed' if pair.same else 'FALSE '} {pair.how} {pair.one} {pair.other}")
    return found


def test_a_thousand_pairs_of_each_kind() -> None:
    """2,000 pairs of a seed of their own; the bounds leave room for the chance of so few: of a thousand, one in a thousand is one."""
    found = measure(pairs(2_000, ORDINARY))
    print(f"\nKnown elsewhere, 2,000 pairs: {found}")
    assert found.false <= 3
    assert found.missed <= (MOST_MISSED + 0.02) * found.same


@pytest.mark.long
@pytest.mark.parametrize(("half", "seed"), [("tuned on", TUNED_ON), ("reported", REPORTED_ON)])
def test_twenty_thousand_pairs(half: str, seed: int) -> None:
    """10,000 pairs a half. The figures of the half `reported` are the measure (issue 4, item 5)."""
    found = measure(pairs(10_000, seed))
    print(f"\nKnown elsewhere, half {half}: {found}")
    assert found.false <= MOST_FALSE * found.different
    assert found.missed <= MOST_MISSED * found.same


@pytest.mark.long
def test_twenty_thousand_fresh_pairs(record_property: Any) -> None:
    """All 20,000 of a seed on which nothing was tuned: 10,000 people written twice, and 10,000 pairs of two."""
    found = measure(pairs(20_000, FRESH))
    print(f"\nKnown elsewhere, 20,000 fresh pairs (seed {FRESH}): {found}")
    print(*found.examples[:10], sep="\n")
    record_property("false", found.false)
    record_property("missed", found.missed)
    assert found.false <= MOST_FALSE * found.different
    assert found.missed <= MOST_MISSED * found.same
