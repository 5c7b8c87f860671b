"""Which month a file is for, when it is due, and how a month stands."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from caseload.dataset.window import next_due
from ndtms import months
from ndtms.months import Attempt

OCTOBER, NOVEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1)


@pytest.mark.parametrize(
    ("day", "due", "month"),
    [
        (dt.date(2026, 10, 31), dt.date(2026, 11, 15), OCTOBER),
        (dt.date(2026, 11, 10), dt.date(2026, 11, 15), OCTOBER),
        (dt.date(2026, 11, 15), dt.date(2026, 11, 15), OCTOBER),
        (dt.date(2026, 11, 16), dt.date(2026, 12, 15), NOVEMBER),
        (dt.date(2026, 12, 16), dt.date(2027, 1, 15), dt.date(2026, 12, 1)),
        (dt.date(2027, 1, 1), dt.date(2027, 1, 15), dt.date(2026, 12, 1)),
        (dt.date(2024, 2, 29), dt.date(2024, 3, 15), dt.date(2024, 2, 1)),
    ],
)
def test_a_file_belongs_to_the_month_that_is_due_next_after_its_day(
    day: dt.date, due: dt.date, month: dt.date
) -> None:
    assert next_due(day) == due
    assert months.month_of(day) == month and months.due_of(month) == due


def test_the_calendar_shows_a_year_and_ends_with_the_month_that_is_due_next() -> None:
    shown = months.shown_on(dt.date(2026, 11, 16))
    assert len(shown) == 12 and shown[-1] == NOVEMBER and shown[0] == dt.date(2025, 12, 1)
    assert months.shown_on(dt.date(2026, 11, 15))[-1] == OCTOBER
    assert months.last_day(dt.date(2024, 2, 1)) == dt.date(2024, 2, 29)


def file(state: str, hour: int = 1, *, taken: bool = False) -> Attempt:
    return Attempt(state, taken, dt.datetime(2026, 11, 2, hour, tzinfo=dt.UTC))


def state(attempts: list[Attempt], today: dt.date = dt.date(2026, 11, 10), **more: Any) -> str:
    known = more.pop("known_since", dt.date(2026, 1, 1))
    return months.stand(OCTOBER, attempts, today=today, known_since=known, **more).state


def test_a_month_without_a_file_is_due_then_late_then_missed() -> None:
    assert state([]) == "due"
    assert state([], dt.date(2026, 11, 15)) == "due"
    assert state([], dt.date(2026, 11, 16)) == "late"
    assert state([], dt.date(2026, 12, 15)) == "late"
    assert state([], dt.date(2026, 12, 16)) == "missed"
    assert state([], dt.date(2026, 9, 10)) == "not_open"


def test_what_was_before_anything_is_recorded_is_nobodys_to_judge() -> None:
    late = dt.date(2026, 12, 16)
    assert state([], late, known_since=None) == "unknown"
    assert state([], late, known_since=NOVEMBER) == "unknown"
    assert state([], late, known_since=OCTOBER) == "missed"
    assert state([], known_since=None) == "due", "what is due now is due for everybody"


def test_the_newest_file_counts_and_a_loaded_one_before_all() -> None:
    assert state([file("built")]) == "built"
    assert state([file("built", taken=True)]) == "downloaded"
    assert state([file("building")]) == "building"
    assert state([file("refused", 1)], dt.date(2026, 12, 16)) == "refused", "it stands until a file is built"
    assert state([file("refused", 1), file("built", 2)]) == "built"
    assert state([file("built", 1), file("refused", 2)]) == "refused"
    assert state([file("loaded", 1), file("built", 2)]) == "loaded"
    assert state([file("built", 1), file("failed", 2)]) == "built"
    assert state([file("failed", 1)]) == "failed"


def test_a_nil_return_counts_where_no_file_does() -> None:
    assert state([], dt.date(2026, 12, 16), nil="said") == "nil"
    assert state([file("failed")], nil="said") == "nil"
    assert state([file("built")], nil="said") == "built"
