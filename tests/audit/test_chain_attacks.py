"""T10 on the chain itself: every attack at 50 positions, the first bad row named exactly, and no false alarm."""

from __future__ import annotations

import random
import time

import pytest

from audit.chain import Fault, Problem, verify
from tests.audit.attacks import ATTACKS, DROPPED
from tests.factories.audit import KEY, head_of, make_chain

LENGTH, POSITIONS = 120, 50
ROWS, HEAD = make_chain(LENGTH)
PLACES = random.Random(11).sample(range(2, LENGTH - DROPPED), POSITIONS)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_seen_and_its_first_row_named(name: str) -> None:
    for at in PLACES:
        rows, head, expected = ATTACKS[name](ROWS, HEAD, at)
        assert verify(rows, KEY, head, chain=HEAD.chain) == expected


@pytest.mark.parametrize("at", [1, LENGTH - 1])
def test_edits_at_either_end_are_seen(at: int) -> None:
    for name, attack in ATTACKS.items():
        if name.startswith("edit ") or name in ("swap_two", "delete_one"):
            rows, head, expected = attack(ROWS, HEAD, at)
            assert verify(rows, KEY, head, chain=HEAD.chain) == expected, name


def test_a_whole_chain_raises_no_alarm() -> None:
    rows, head = make_chain(10_000, seed=3)
    assert verify(rows, KEY, head, chain=head.chain) is None
    assert verify(rows, None, head, chain=head.chain) is None
    assert verify([], KEY, None) is None


def test_without_the_key_links_and_numbers_are_still_seen() -> None:
    for name in ("edit details", "delete_one", "swap_two", "drop_the_last", "insert_a_copy"):
        rows, head, expected = ATTACKS[name](ROWS, HEAD, 40)
        assert verify(rows, None, head) == expected
    rows, head, _ = ATTACKS["edit_and_rewrite_keeping_the_seals"](ROWS, HEAD, 40)
    assert verify(rows, None, head) is None, "only the seal can see a rewritten chain"


def test_a_key_that_is_not_ours_sees_the_first_row_already() -> None:
    assert verify(ROWS, b"another key of the same length..", HEAD) == Problem(1, Fault.SEAL)


def test_rows_of_another_chain_are_foreign() -> None:
    other, _ = make_chain(LENGTH, seed=8)
    mixed = ROWS[:50] + other[50:]
    assert verify(mixed, KEY, HEAD, chain=HEAD.chain) == Problem(51, Fault.FOREIGN)
    assert verify(ROWS, KEY, HEAD, chain=other[0].chain) == Problem(1, Fault.FOREIGN)


def test_a_number_used_twice_is_named() -> None:
    assert verify(ROWS[:50] + ROWS[49:], KEY, HEAD) == Problem(50, Fault.REPEATED)


def test_columns_that_no_writer_could_have_filled_are_an_edit() -> None:
    for broken in (
        ROWS[9]._replace(name=None),
        ROWS[9]._replace(id=None),
        ROWS[9]._replace(details={"x": float("inf")}),
    ):
        assert verify([*ROWS[:9], broken, *ROWS[10:]], KEY, HEAD) == Problem(10, Fault.CONTENT)


def test_more_rows_than_the_head_knows_are_seen() -> None:
    assert verify(ROWS, KEY, head_of(ROWS[:-3], KEY)) == Problem(LENGTH - 2, Fault.BEYOND_HEAD)


def test_what_only_a_copy_of_the_heads_elsewhere_can_see() -> None:
    """An old head put back with the rows of its time, and a chain wiped with its head: known, and why signed heads leave the database."""
    old = head_of(ROWS[:-DROPPED], KEY)
    assert verify(ROWS[:-DROPPED], KEY, old) is None
    assert verify([], KEY, None) is None


def test_verifying_streams() -> None:
    taken = 0

    def rows():
        nonlocal taken
        for row in [*ROWS[:9], ROWS[9]._replace(name="x"), *ROWS[10:]]:
            taken += 1
            yield row

    assert verify(rows(), KEY, HEAD) == Problem(10, Fault.CONTENT)
    assert taken == 10


@pytest.mark.long
def test_a_million_whole_rows_raise_no_alarm() -> None:
    took = 0.0
    for seed in range(10):
        rows, head = make_chain(100_000, seed=seed)
        begun = time.perf_counter()
        assert verify(rows, KEY, head, chain=head.chain) is None
        took += time.perf_counter() - begun
    print(f"verified {1_000_000 / took:,.0f} rows a second")
