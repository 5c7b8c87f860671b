"""The calendar of submissions (wish 16): which month a file is for, when it is due, and how each month of an agency code stands. Pure.

A month's file is due on the fifteenth of the next month. A file belongs to the month whose due day is the first on or after its as-of
date: one as of 31 October, or of 10 November, is October's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from caseload.dataset.window import DUE_DAY, next_due
from ndtms.choices import MonthState, SubmissionState

# The month at hand and so many before it.
SHOWN = 12


def first_of(day: dt.date) -> dt.date:
    """The first day of a day's month."""
    return day.replace(day=1)


def shifted(month: dt.date, by: int) -> dt.date:
    """The first day of the month so many months later."""
    number = month.year * 12 + month.month - 1 + by
    return dt.date(number // 12, number % 12 + 1, 1)


def month_of(as_of: dt.date) -> dt.date:
    """The first day of the month that a file as of a day is for."""
    return shifted(first_of(next_due(as_of)), -1)


def due_of(month: dt.date) -> dt.date:
    """The day by which a month's file is due."""
    return shifted(month, 1).replace(day=DUE_DAY)


def last_day(month: dt.date) -> dt.date:
    """The last day of a month: what its draft is as of."""
    return shifted(month, 1) - dt.timedelta(days=1)


def shown_on(today: dt.date) -> list[dt.date]:
    """The months of the calendar, the oldest first; the last is the next to be due."""
    now = month_of(today)
    return [shifted(now, by) for by in range(1 - SHOWN, 1)]


@dataclass(frozen=True)
class Attempt:
    """What the calendar needs of a file: its state and whether it was taken."""

    state: str
    taken: bool
    asked_at: dt.datetime
    of: Any = None


@dataclass(frozen=True)
class Month:
    """How a month of an agency code stands. `attempts` are all its files, the newest first."""

    month: dt.date
    state: str
    attempts: tuple[Attempt, ...] = ()
    mismatches: int = 0
    nil: Any = None

    @property
    def due(self) -> dt.date:
        """By when."""
        return due_of(self.month)


def stand(
    month: dt.date,
    attempts: Sequence[Attempt],
    *,
    today: dt.date,
    known_since: dt.date | None,
    mismatches: int = 0,
    nil: Any = None,
) -> Month:
    """How a month stands. `known_since`: the first month of which anything is recorded for the agency code; what was before is nobody's
    to judge. A refusal stands until a later file is built; late is past its due day, missed past the next month's.
    """
    newest = tuple(sorted(attempts, key=lambda a: a.asked_at, reverse=True))
    state = _of_files(newest)
    if state in ("", MonthState.FAILED) and nil is not None:
        state = MonthState.NIL
    if not state:
        if today <= due_of(month):
            state = MonthState.DUE if month <= month_of(today) else MonthState.NOT_OPEN
        elif known_since is None or month < known_since:
            state = MonthState.UNKNOWN
        else:
            state = MonthState.LATE if today <= due_of(shifted(month, 1)) else MonthState.MISSED
    return Month(month, state, newest, mismatches, nil)


def _of_files(newest: Iterable[Attempt]) -> str:
    files = list(newest)
    if any(f.state == SubmissionState.LOADED for f in files):
        return MonthState.LOADED
    for file in files:
        if file.state == SubmissionState.BUILT:
            return MonthState.DOWNLOADED if file.taken else MonthState.BUILT
        if file.state == SubmissionState.REFUSED:
            return MonthState.REFUSED
        if file.state == SubmissionState.BUILDING:
            return MonthState.BUILDING
    return MonthState.FAILED if files else ""
