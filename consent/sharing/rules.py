"""When a consent to share and a decision without consent count: pure rules (O-151, O-152, O-158 to O-163).

Everything is computed from acts that only grow, so that a withdrawal, a mistake or a witness never changes what was recorded.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from caseload.services.grants import Term
from consent.choices import Answer, EndKind, Ends, ReviewOutcome, Way, WitnessAnswer

WITNESS_WITHIN = dt.timedelta(hours=24)
REVIEW_MONTHS = 12
LONGEST_REVIEW = dt.timedelta(days=366)


class State(StrEnum):
    """How a consent stands today. Only LIVE gives access."""

    LIVE = "live"
    REFUSED = "refused"
    WAITING = "waiting"
    NOT_CONFIRMED = "not_confirmed"
    NOT_HEARD = "not_heard"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    EPISODE_OVER = "episode_over"
    ENDED = "ended"
    RENEWED = "renewed"
    OVERRULED = "overruled"


WORDS = {
    State.LIVE: "In force",
    State.REFUSED: "Said no",
    State.WAITING: "Waiting for the witness",
    State.NOT_CONFIRMED: "Not confirmed in 24 hours",
    State.NOT_HEARD: "The witness did not hear it",
    State.WITHDRAWN: "Withdrawn",
    State.INVALIDATED: "Recorded in error",
    State.EPISODE_OVER: "Ended with the episode",
    State.ENDED: "Ended",
    State.RENEWED: "Asked again since",
    State.OVERRULED: "Taken back in a merged record",
}


@dataclass(frozen=True)
class Source:
    """A reason for access that counts: which categories, from and until which London day, both included."""

    categories: tuple[str, ...]
    valid_from: dt.date
    valid_until: dt.date | None


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day so many months later; the last of a shorter month."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def ask_again_on(consent: Any) -> dt.date | None:
    """When a consent without an end is to be talked about again: 12 months after it was given. It goes on counting."""
    return months_later(consent.decided_on, REVIEW_MONTHS) if consent.ends != Ends.DATE else None


def state_of(
    consent: Any,
    *,
    endings: Sequence[Any],
    witness: Any,
    others: Sequence[Any],
    now: dt.datetime,
    today: dt.date,
) -> State:
    """How a consent stands. `witness` is what the colleague said, or None; `others` are all acts to the same recipient with their endings,
    of this record and of those that were merged with it (`Told`).
    """
    if consent.answer == Answer.REFUSED:
        return State.INVALIDATED if _ended(endings, EndKind.INVALIDATED) else State.REFUSED
    for kind, state in (
        (EndKind.INVALIDATED, State.INVALIDATED),
        (EndKind.WITHDRAWN, State.WITHDRAWN),
        (EndKind.EPISODE_OVER, State.EPISODE_OVER),
    ):
        if _ended(endings, kind):
            return state
    if any(other.renews(consent) for other in others):
        return State.RENEWED
    if any(other.overrules(consent) for other in others):
        return State.OVERRULED
    if consent.way == Way.WITNESSED:
        if witness is None:
            return State.WAITING if now < consent.recorded_at + WITNESS_WITHIN else State.NOT_CONFIRMED
        if witness.answer != WitnessAnswer.HEARD:
            return State.NOT_HEARD
    if consent.until is not None and consent.until < today:
        return State.ENDED
    return State.LIVE


@dataclass(frozen=True)
class Told:
    """Another act to the same recipient, with what became of it."""

    consent: Any
    endings: tuple[Any, ...]
    witness: Any

    @property
    def happened(self) -> bool:
        """Whether it was said at all: not recorded in error, and a spoken yes was heard."""
        if _ended(self.endings, EndKind.INVALIDATED):
            return False
        spoken = self.consent.answer == Answer.GIVEN and self.consent.way == Way.WITNESSED
        return not spoken or (self.witness is not None and self.witness.answer == WitnessAnswer.HEARD)

    def renews(self, consent: Any) -> bool:
        """Whether somebody was asked again and this is the answer: then the earlier one counts no longer."""
        return self.happened and self.consent.renews == consent.pk

    def overrules(self, consent: Any) -> bool:
        """Whether a record that was merged with this one holds a no or a withdrawal that came after: the same person said it (O-141)."""
        if self.consent.client_id == consent.client_id or not self.happened:
            return False
        days = [e.on for e in self.endings if e.kind == EndKind.WITHDRAWN]
        if self.consent.answer == Answer.REFUSED:
            days.append(self.consent.decided_on)
        return any(day >= consent.decided_on for day in days)


def _ended(endings: Iterable[Any], kind: str) -> bool:
    return any(ending.kind == kind for ending in endings)


def counts_from(consent: Any, witness: Any, to_day: Any) -> dt.date:
    """The first day on which a consent gives access: that of its recording, or of the witness; never before anybody knew of it."""
    return to_day(witness.recorded_at if witness is not None else consent.recorded_at)


def review_day(decision: Any, reviews: Sequence[Any]) -> dt.date | None:
    """The day up to and with which a decision without consent counts; None: a review ended it. `reviews` in the order of recording."""
    day: dt.date | None = decision.review_on
    for review in reviews:
        if review.outcome == ReviewOutcome.ENDS:
            return None
        day = review.review_on
    return day


def terms(sources: Iterable[Source], today: dt.date) -> dict[str, Term]:
    """What is open on a day, by category: from the first to the last day of what counts that day. No day of another source is filled."""
    found: dict[str, Term] = {}
    for source in sources:
        if source.valid_from > today or (source.valid_until is not None and source.valid_until < today):
            continue
        for category in source.categories:
            held = found.get(category)
            if held is None:
                found[category] = Term(source.valid_from, source.valid_until)
                continue
            ends = (held.valid_until, source.valid_until)
            found[category] = Term(
                min(held.valid_from, source.valid_from),
                None if None in ends else max(day for day in ends if day is not None),
            )
    return found


def problem_with_consent(
    *, answer: str, decided_on: dt.date, today: dt.date, until: dt.date | None, ends: str, way: str,
    has_signature: bool, has_witness: bool, witness_is_self: bool, categories: Sequence[str], purposes: str,
    told_who_sees: bool, told_notice: bool, spoken_words: str,
) -> tuple[str, str]:  # fmt: skip
    """Why an answer cannot be recorded, and the field it is about; empty: it can."""
    if decided_on > today:
        return "The day is in the future. Enter the day of the consent.", "decided_on"
    if answer == Answer.REFUSED:
        return "", ""
    checks = (
        (not purposes.strip(), "Write what it is for, in the client’s own words where you can", "purposes"),
        (not categories, "Tick the parts that the client agrees to", "parts"),
        (not ends, "Choose when it ends", "ends"),
        (ends == Ends.DATE and until is None, "Enter the end date, or choose another end", "until"),
        (ends == Ends.DATE and until is not None and until < today, "The end date is over. Enter a later one", "until"),
        (not told_who_sees, "Tell the client who will see what, and what happens if they say no, before you record yes", "told_who_sees"),
        (not told_notice, "Give or read the privacy notice before you record yes", "told_notice"),
        (not way, "Choose how the consent is given", "way"),
        (way == Way.DRAWN and not has_signature, "Let the client sign on the line, or choose another way", "way"),
        (way == Way.PAPER and not has_signature, "Choose the scan or photo of the signed form", "signed_form"),
        (way == Way.WITNESSED and not spoken_words.strip(), "Write what the client said, in their words", "spoken_words"),
        (way == Way.WITNESSED and not has_witness, "Choose the colleague who heard it", "witness"),
        (way == Way.WITNESSED and witness_is_self, "The witness is somebody else than you. Choose a colleague", "witness"),
    )  # fmt: skip
    return next(((words, field) for wrong, words, field in checks if wrong), ("", ""))


def problem_with_witnessing(*, state: State, is_witness: bool) -> str:
    """Why somebody cannot say whether they heard a consent; empty: they can."""
    if not is_witness:
        return "Only the colleague who was named as witness can confirm it."
    if state == State.NOT_CONFIRMED:
        return "The 24 hours are over. Record the consent again, with the client, if they still agree."
    return "" if state == State.WAITING else "There is nothing to confirm any more."
