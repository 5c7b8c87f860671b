"""Outcome forms: when they are due, what a week is, what an answer says, and what changed since the start. Pure: no queries.

The windows are settings of the dictionary (contract, rules section 10): the start form within 14 days of the first intervention, a review
at the latest 26 weeks after the last form, the exit form within 14 days of the discharge. Words of questions are our own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from caseload.dataset.reader import Item, load_dictionary

START, REVIEW, EXIT, AFTER = "S", "R", "E", "P"
STAGES: Mapping[str, str] = {START: "Start", REVIEW: "Review", EXIT: "Exit", AFTER: "After treatment"}
DAYS_IN_WEEK = 7
WEEKS = (4, 3, 2, 1)
# A key of our own beside an item's header in the JSON of a form: the days of weeks 4 to 1. Import and extract read headers only.
WEEKS_KEY = "_WEEKS"

DAYS, RATING, YES_NO, OTHER = "days", "rating", "yes_no", "other"


def not_answered() -> str:
    """What stands for asked and not answered. It is never 0 and never empty."""
    return load_dictionary().setting("not_answered_text")


@dataclass(frozen=True)
class Group:
    """A heading of the form and the items under it."""

    title: str
    names: tuple[str, ...]


WORDS: Mapping[str, str] = {
    "ALCUSE": "Alcohol",
    "OPIUSE": "Opiates, not prescribed",
    "CRAUSE": "Crack cocaine",
    "COCAUSE": "Powder cocaine",
    "AMPHUSE": "Amphetamines",
    "CANNUSE": "Cannabis",
    "OTDRGUSE": "Another substance",
    "TOBUSE": "Tobacco",
    "IVDRGUSE": "Injected",
    "SHARING": "Used someone else's equipment",
    "SHOTHEFT": "Shoplifting",
    "DRGSELL": "Selling drugs",
    "OTHTHEFT": "Other theft, burglary or fraud",
    "ASSAULT": "Assault or violence",
    "PWORK": "Paid work",
    "EDUCAT": "College or training",
    "ACUTHPBM": "Acute housing problem",
    "HRISK": "At risk of eviction",
    "PSYHSTAT": "Psychological health",
    "PHSTAT": "Physical health",
    "QUALLIFE": "Quality of life",
    "TOPDATE": "Date of this TOP",
    "TRSTAGE": "Stage",
}
GROUPS = (
    Group(
        "Substance use",
        ("ALCUSE", "OPIUSE", "CRAUSE", "COCAUSE", "AMPHUSE", "CANNUSE", "OTDRGUSE", "TOBUSE"),
    ),
    Group(
        "Injecting, crime, work, learning and housing",
        (
            *("IVDRGUSE", "SHARING", "SHOTHEFT", "DRGSELL", "OTHTHEFT", "ASSAULT"),
            *("PWORK", "EDUCAT", "ACUTHPBM", "HRISK"),
        ),
    ),
    Group("How they rate themselves", ("PSYHSTAT", "PHSTAT", "QUALLIFE")),
)
OTHERS = "More questions"
# No list is established for it; the form asks yes or no, and what is recorded stays (fields.csv).
_ASKED_AS_YES_NO = frozenset({"ASSAULT"})
YES_NO_LIST = "top_yes_no"


def kind_of(item: Item) -> str:
    """How a question is answered, by the dictionary: days of 28, a rating of 20, yes or no, or something else."""
    known = load_dictionary()
    if item.code_list == YES_NO_LIST or item.name in _ASKED_AS_YES_NO:
        return YES_NO
    if item.type == "int" and item.format.startswith(f"0-{known.setting_number('days_counted')}"):
        return DAYS
    if item.type == "int" and item.format.startswith(f"0-{known.setting_number('rating_top')}"):
        return RATING
    return OTHER


def words_of(item: Item) -> str:
    """What a question is called: our own short words, else the dictionary's label."""
    return WORDS.get(item.name, item.label)


def is_question(item: Item) -> bool:
    """Whether an item of the form is an answer of the client, not the date, the identifier or the stage."""
    return item.entity == "top" and item.name not in {"TOPDATE", "TOPID", "TRSTAGE"}


def questions(items: Sequence[Item]) -> list[tuple[str, tuple[Item, ...]]]:
    """The questions under their headings, in the order they are asked. What a new letter brings comes last, so that nothing is left out."""
    left = {item.name: item for item in items if is_question(item)}
    found = []
    for group in GROUPS:
        here = tuple(left.pop(name) for name in group.names if name in left)
        if here:
            found.append((group.title, here))
    if left:
        found.append((OTHERS, tuple(left.values())))
    return found


# ---- weeks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """One of the four weeks before a form; week 1 is the latest. Both days are in it."""

    number: int
    first: dt.date
    last: dt.date


def weeks_before(day: dt.date) -> tuple[Week, ...]:
    """The four weeks that end on the day before the form, the earliest first."""
    return tuple(
        Week(
            n,
            day - dt.timedelta(days=DAYS_IN_WEEK * n),
            day - dt.timedelta(days=DAYS_IN_WEEK * (n - 1) + 1),
        )
        for n in WEEKS
    )


def total(weeks: Sequence[int]) -> int:
    """The days of 28. Raises ValueError unless there are four weeks of 0 to 7."""
    if len(weeks) != len(WEEKS) or not all(0 <= days <= DAYS_IN_WEEK for days in weeks):
        raise ValueError("four weeks of 0 to 7 days make a total")
    return sum(weeks)


def weeks_text(weeks: Sequence[int]) -> str:
    """Weeks as they are kept beside the total: 3 4 3 4, week 4 first."""
    total(weeks)
    return " ".join(str(days) for days in weeks)


def weeks_kept(text: object, answer: str) -> tuple[int, ...]:
    """The weeks that were kept beside an answer. Nothing where they do not add up to it: an import changes the total and not the weeks."""
    parts = str(text or "").split()
    if not all(p.isascii() and p.isdigit() and len(p) == 1 for p in parts):
        return ()
    weeks = tuple(int(p) for p in parts)
    try:
        return weeks if str(total(weeks)) == answer.strip() else ()
    except ValueError:
        return ()


# ---- answers ----------------------------------------------------------------------------------------------------


def as_number(text: str) -> int | None:
    """The number of an answer; None for not answered, not recorded, and for what is no number."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def shown(item: Item, text: str) -> str:
    """An answer as tables show it: the number, Yes, No, NA, the text as recorded, or that there is none."""
    text = text.strip()
    if not text:
        return "Not recorded"
    return {"Y": "Yes", "N": "No"}.get(text, text) if kind_of(item) == YES_NO else text


@dataclass(frozen=True)
class Form:
    """A recorded form: `answers` are texts by CSV header, without those that are missing."""

    pk: UUID
    on: dt.date | None
    stage: str
    answers: Mapping[str, str] = field(default_factory=dict)
    identifier: str = ""
    version: int = 1

    @property
    def stage_words(self) -> str:
        """The stage in words; the code where it is none of ours."""
        return STAGES.get(self.stage, self.stage or "No stage")

    def answer(self, item: Item) -> str:
        """What is recorded for a question; '' for nothing."""
        return str(self.answers.get(item.name) or "").strip()


@dataclass(frozen=True)
class Complete:
    """How far a form is filled: NA is an answer of its own, and neither answered nor missing."""

    asked: int
    answered: int
    na: int

    @property
    def missing(self) -> int:
        """Questions without anything."""
        return self.asked - self.answered - self.na

    @property
    def words(self) -> str:
        """In words."""
        said = [f"{self.answered} of {self.asked} answered"]
        said += [f"{self.na} NA"] if self.na else []
        said += [f"{self.missing} not recorded"] if self.missing else []
        return ", ".join(said)


def completeness(form: Form, items: Sequence[Item]) -> Complete:
    """How far a form is filled, of the questions that the data set has."""
    asked = [item for item in items if is_question(item)]
    texts = [form.answer(item) for item in asked]
    na = sum(1 for text in texts if text == not_answered())
    return Complete(len(asked), sum(1 for text in texts if text) - na, na)


def in_time(forms: Sequence[Form]) -> list[Form]:
    """The forms with a date, the earliest first; of one day the start first and the exit last."""
    order = [START, REVIEW, EXIT, AFTER]
    dated = [form for form in forms if form.on is not None]
    return sorted(
        dated,
        key=lambda f: (f.on, order.index(f.stage) if f.stage in order else 1, f.identifier),
    )


def start_of(forms: Sequence[Form]) -> Form | None:
    """The start form to compare with: the first one. None: nothing can be compared, and no other form takes its place."""
    return next((form for form in in_time(forms) if form.stage == START), None)


def change(item: Item, before: str, now: str) -> str:
    """What changed between two answers of an episode, in words that draw no conclusion. Not answered and not recorded are said, never 0."""
    na = not_answered()
    for which, text in (("Start", before), ("Now", now)):
        if not text:
            return f"{which}: not recorded"
        if text == na:
            return f"{which}: not answered"
    kind = kind_of(item)
    if kind in (YES_NO, OTHER):
        if before == now:
            return f"No change: {shown(item, now).lower()}"
        return f"{shown(item, before)} at start, {shown(item, now).lower()} now"
    first, last = as_number(before), as_number(now)
    if first is None or last is None:
        return f"{before} at start, {now} now"
    difference = last - first
    if kind == RATING:
        if not difference:
            return "No change"
        return f"{abs(difference)} {'higher' if difference > 0 else 'lower'}"
    none = "; none now" if last == 0 and first else ""
    if not difference:
        return "No change"
    days = "day" if abs(difference) == 1 else "days"
    return f"{abs(difference)} {'more' if difference > 0 else 'fewer'} {days}{none}"


# ---- when they are due ------------------------------------------------------------------------------------------


class Facts(Protocol):
    """What the next due form is worked out from; `caseload.attention.EpisodeFacts` has these."""

    @property
    def open(self) -> bool: ...
    @property
    def has_tops(self) -> bool: ...
    @property
    def first_started(self) -> dt.date | None: ...
    @property
    def has_start_top(self) -> bool: ...
    @property
    def last_top(self) -> dt.date | None: ...


def window() -> dt.timedelta:
    """Either side of the first intervention and of the discharge (setting `top_window_days`)."""
    return dt.timedelta(days=load_dictionary().setting_number("top_window_days"))


def between_reviews() -> dt.timedelta:
    """The longest time between two forms (setting `top_review_days`)."""
    return dt.timedelta(days=load_dictionary().setting_number("top_review_days"))


def next_due(episode: Facts) -> tuple[str, dt.date] | None:
    """Which outcome form an open episode needs next, and by when: the start form within the window after the first intervention, then a
    review every 26 weeks. None before an intervention began, after the end, and where the data set has no such form.
    """
    if not episode.open or not episode.has_tops or episode.first_started is None:
        return None
    if not episode.has_start_top and episode.last_top is None:
        return "start", episode.first_started + window()
    # A start form without a date counts as done on the day that treatment began.
    since = episode.last_top or episode.first_started
    return "review", since + between_reviews()


@dataclass(frozen=True)
class Due:
    """One form that an episode needs: its window, and the form that was done for it. `state`: done, late, soon, later, odd, missed."""

    stage: str
    first: dt.date | None
    last: dt.date
    state: str
    done: Form | None = None

    def badge(self, today: dt.date) -> tuple[str, str]:
        """(badge, words)."""
        name = STAGES[self.stage].lower()
        if self.state == "done":
            return "ok", "Done"
        if self.state == "odd":
            return "soon", "Done outside the two weeks"
        if self.state == "missed":
            return "late", "Not done"
        if self.state == "late":
            days = (today - self.last).days
            return "late", f"TOP {name} {days:,} {'day' if days == 1 else 'days'} overdue"
        now = "Due soon" if self.first is None else "Due now"
        return ("soon", now) if self.state == "soon" else ("none", "Not due yet")


def dues(
    forms: Sequence[Form],
    *,
    first_started: dt.date | None,
    discharged_on: dt.date | None,
    today: dt.date,
) -> list[Due]:
    """The start, the next review and the exit form of an episode, with their windows. Nothing before an intervention began."""
    found: list[Due] = []
    dated = in_time(forms)
    latest = dated[-1].on if dated else None
    began = latest is not None or any(form.stage == START for form in forms)
    if first_started is not None:
        start = _around(START, first_started, forms, today)
        if start.done is None and (began or discharged_on is not None):
            # Another form was first, or treatment is over: it is not done, and nobody waits for it (`next_due`).
            start = replace(start, state="missed")
        found.append(start)
    if discharged_on is None and first_started is not None and began:
        last = (latest or first_started) + between_reviews()
        found.append(Due(REVIEW, None, last, _state(None, last, today)))
    if discharged_on is not None:
        end = _around(EXIT, discharged_on, forms, today)
        found.append(replace(end, state="missed") if end.state == "late" else end)
    return found


def _around(stage: str, day: dt.date, forms: Sequence[Form], today: dt.date) -> Due:
    first, last = day - window(), day + window()
    of_stage = [form for form in forms if form.stage == stage]
    # One without a date counts as done in time, as in `next_due`.
    inside = next((f for f in of_stage if f.on is None or first <= f.on <= last), None)
    if inside is not None:
        return Due(stage, first, last, "done", inside)
    if of_stage:
        return Due(stage, first, last, "odd", of_stage[0])
    return Due(stage, first, last, _state(first, last, today))


def _state(first: dt.date | None, last: dt.date, today: dt.date) -> str:
    if today > last:
        return "late"
    starts = first if first is not None else last - window()
    return "soon" if today >= starts else "later"
