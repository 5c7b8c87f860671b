"""How a request stands with whom it reached. Pure: what happened and the day are passed in.

Assumed, to be confirmed (mock-ups, trust/notes.md): an answer within two working days. An unanswered request is over after 28 days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from consent.choices import AnswerKind

ANSWER_WORKING_DAYS = 2
LIVES = dt.timedelta(days=28)


class State(StrEnum):
    """How a request stands with its holder."""

    OPEN = "open"
    NAMED = "named"
    KEPT = "kept"
    AGREED = "agreed"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"
    OVER = "over"


WORDS = {
    State.OPEN: "Waits for an answer",
    State.NAMED: "They know who we are",
    State.KEPT: "Answer recorded, nothing is open yet",
    State.AGREED: "Agreed",
    State.REFUSED: "Refused",
    State.TAKEN_BACK: "Taken back",
    State.OVER: "Over",
}
# The states in which the holder can still answer: a consent that opened nothing may never do so (its witness did not hear it).
WAITING = frozenset({State.OPEN, State.NAMED, State.KEPT})


def is_over(*, asked_on: dt.date, today: dt.date) -> bool:
    """Whether a request that nobody answered is over: on the day after LIVES."""
    return today > asked_on + LIVES


def state_of(kinds: Sequence[str], *, asked_on: dt.date, today: dt.date, in_force: bool) -> State:
    """How it stands after what happened, oldest first. Without a protocol in force nothing can be agreed any more."""
    if AnswerKind.TAKEN_BACK in kinds:
        return State.TAKEN_BACK
    last = kinds[-1] if kinds else ""
    if last in (AnswerKind.AGREED, AnswerKind.REFUSED):
        return State(last)
    if is_over(asked_on=asked_on, today=today) or not in_force:
        return State.OVER
    if last == AnswerKind.KEPT:
        return State.KEPT
    return State.NAMED if AnswerKind.NAMED in kinds else State.OPEN


def may_open_again(kinds: Sequence[str], *, asked_on: dt.date, today: dt.date, in_force: bool) -> bool:
    """Whether a refusal can be undone: as long as the request would wait without it."""
    refused = state_of(kinds, asked_on=asked_on, today=today, in_force=in_force) is State.REFUSED
    return refused and in_force and not is_over(asked_on=asked_on, today=today)
