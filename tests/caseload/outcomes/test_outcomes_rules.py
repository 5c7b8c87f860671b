"""Weeks, answers, what changed and when a form is due: pure, by examples and by hypothesis. Not answered is never 0 and never a number."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload import attention, charts, outcomes, outcomes_page
from caseload.dataset.reader import load_dictionary
from caseload.forms.top import Answer, Typed
from caseload.outcomes import EXIT, REVIEW, START, Form
from caseload.sections import list_items

ITEMS = list_items("tops", "adult", load_dictionary().default_letter)
BY_NAME = {item.name: item for item in ITEMS}
DAY = dt.date(2026, 4, 10)
WEEKS = st.lists(st.integers(0, 7), min_size=4, max_size=4)
# What an answer may hold: numbers, NA, nothing, and what an import may bring.
ANSWERS = st.one_of(st.integers(0, 40).map(str), st.sampled_from(["NA", "", "Y", "N", "x", "-1", "٣", "007"]))
DATES = st.dates(dt.date(2020, 1, 1), dt.date(2027, 1, 1))


def form(on: dt.date | None, stage: str = REVIEW, **answers: str) -> Form:
    return Form(uuid4(), on, stage, {name: text for name, text in answers.items() if text}, str(uuid4()))


# ---- weeks ------------------------------------------------------------------------------------------------------


@given(WEEKS)
def test_four_weeks_make_a_total_and_come_back(weeks: list[int]) -> None:
    assert 0 <= outcomes.total(weeks) <= 28
    assert outcomes.weeks_kept(outcomes.weeks_text(weeks), str(sum(weeks))) == tuple(weeks)
    assert outcomes.weeks_kept(outcomes.weeks_text(weeks), "NA") == ()


@given(
    st.lists(st.integers(-3, 12), max_size=6).filter(lambda w: len(w) != 4 or not all(0 <= d <= 7 for d in w))
)
def test_anything_else_makes_none(weeks: list[int]) -> None:
    with pytest.raises(ValueError, match="four weeks"):
        outcomes.total(weeks)


@given(DATES)
def test_the_four_weeks_end_the_day_before_and_leave_no_day_out(day: dt.date) -> None:
    weeks = outcomes.weeks_before(day)
    assert [week.number for week in weeks] == [4, 3, 2, 1]
    assert weeks[-1].last == day - dt.timedelta(days=1) and (day - weeks[0].first).days == 28
    assert all((week.last - week.first).days == 6 for week in weeks)
    assert all((b.first - a.last).days == 1 for a, b in pairwise(weeks))


_BOX = st.one_of(st.just(""), st.integers(0, 9).map(str), st.text(max_size=3))


@given(st.tuples(_BOX, _BOX, _BOX, _BOX), st.one_of(_BOX, st.integers(0, 40).map(str)), st.booleans())
def test_whatever_is_typed_becomes_a_sound_answer_or_words(weeks: Any, whole: str, na: bool) -> None:
    from django.core.exceptions import ValidationError

    typed = Typed(tuple(text.strip() for text in weeks), whole.strip(), na)
    made = Answer(BY_NAME["ALCUSE"], "")
    try:
        found = made.clean(typed)
    except ValidationError as refused:
        assert str(refused.messages[0]).startswith("Alcohol")
        return
    if found == "NA":
        assert na and not typed.whole and not any(typed.weeks), (
            "not answered is said, never made of something else"
        )
    else:
        assert not na and 0 <= int(found) <= 28 and not typed.empty
        if any(typed.weeks):
            assert int(found) == sum(int(text) for text in typed.weeks) and all(typed.weeks)


# ---- answers and change ------------------------------------------------------------------------------------------


@given(st.sampled_from([i for i in ITEMS if outcomes.is_question(i)]), ANSWERS, ANSWERS)
def test_change_is_never_made_of_what_was_not_answered(item: Any, before: str, now: str) -> None:
    words = outcomes.change(item, before, now)
    if "" in (before, now):
        assert words in {"Start: not recorded", "Now: not recorded", "Start: not answered"}
    elif "NA" in (before, now):
        assert words in {"Start: not answered", "Now: not answered"}
    assert words and "reliable" not in words


@pytest.mark.parametrize(
    ("name", "before", "now", "words"),
    [
        ("ALCUSE", "10", "14", "4 more days"),
        ("OPIUSE", "26", "4", "22 fewer days"),
        ("OPIUSE", "1", "0", "1 fewer day; none now"),
        ("OPIUSE", "NA", "0", "Start: not answered"),
        ("OPIUSE", "3", "NA", "Now: not answered"),
        ("OPIUSE", "3", "3", "No change"),
        ("QUALLIFE", "5", "11", "6 higher"),
        ("QUALLIFE", "5", "0", "5 lower"),
        ("HRISK", "Y", "N", "Yes at start, no now"),
        ("HRISK", "N", "N", "No change: no"),
        ("HRISK", "N", "NA", "Now: not answered"),
        ("ALCUSE", "31x", "4", "31x at start, 4 now"),
    ],
)
def test_change_in_words(name: str, before: str, now: str, words: str) -> None:
    assert outcomes.change(BY_NAME[name], before, now) == words


def test_completeness_counts_not_answered_apart() -> None:
    found = outcomes.completeness(form(DAY, ALCUSE="0", OPIUSE="NA"), ITEMS)
    assert (found.answered, found.na, found.missing) == (1, 1, found.asked - 2)
    assert found.words == f"1 of {found.asked} answered, 1 NA, {found.asked - 2} not recorded"


def test_every_question_of_every_letter_is_asked_once() -> None:
    known = load_dictionary()
    for letter in known.letters:
        items = list_items("tops", "adult", letter)
        asked = [i.name for _, group in outcomes.questions(items) for i in group]
        assert sorted(asked) == sorted(i.name for i in items if outcomes.is_question(i))
        assert all(name in outcomes.WORDS for name in asked)


# ---- charts -----------------------------------------------------------------------------------------------------


@given(st.dictionaries(DATES, ANSWERS, min_size=1, max_size=12), st.booleans())
def test_a_chart_draws_numbers_only_and_not_answered_breaks_the_line(
    answers: dict[Any, str], started: bool
) -> None:
    series = sorted(answers.items())
    chart = charts.line_chart(
        "Opiates", "days of 28", series, most=28, step=7, start=series[0][0] if started else None
    )
    numbers = [t for _, t in series if t.isascii() and t.isdigit() and int(t) <= 28]
    assert len(chart.marks) == len(numbers)
    assert len(chart.absent) == sum(1 for _, t in series if t == "NA")
    drawn = sum(len(line.split()) for line in chart.lines)
    alone = sum(1 for run in charts.runs([(d, charts._number(t, 28)) for d, t in series]) if len(run) == 1)
    assert drawn + alone == len(numbers), "no line leads over a gap"
    for mark in chart.marks:
        assert 0 <= float(mark.x) <= chart.width and 0 <= float(mark.y) <= chart.height
    xs = [float(x) for x, _ in chart.dates]
    assert all(b - a >= 30 for a, b in pairwise(xs)), "dates under the axis do not run into each other"
    assert sum(1 for m in chart.marks if m.kind == "start") <= 1
    spark = charts.spark("Opiates", series, most=28)
    assert (spark.last is None) == (charts._number(series[-1][1], 28) is None)
    assert ("not answered" in chart.said) == ("NA" in answers.values()) == ("not answered" in spark.said)


def test_the_axis_is_time_and_the_scale_that_of_the_kind() -> None:
    days = [DAY, DAY + dt.timedelta(days=10), DAY + dt.timedelta(days=100)]
    chart = charts.line_chart("Alcohol", "days of 28", [(d, "14") for d in days], most=28, step=7, start=DAY)
    first, second, third = (float(mark.x) for mark in chart.marks)
    assert (second - first) / (third - first) == pytest.approx(0.1, abs=0.01)
    assert [words for _, _, words in chart.grid] == ["0", "7", "14", "21", "28"]
    assert [m.kind for m in chart.marks] == ["start", "point", "last"]
    assert [m.words for m in chart.marks] == ["14", "", "14"]
    assert chart.said == "Alcohol, days of 28: 10 Apr 2026 14, 20 Apr 2026 14, 19 Jul 2026 14"


def test_the_chart_of_change_leaves_out_what_was_not_answered_and_the_table_has_it() -> None:
    chart = charts.change_chart("Days", [("Alcohol", "10", "14"), ("Crack", "NA", "0")], most=28, step=7)
    assert [bar.label for bar in chart.bars] == ["Alcohol"] and "Crack" not in chart.said
    start = form(DAY, START, ALCUSE="10", CRAUSE="NA")
    now = form(DAY + dt.timedelta(days=90), ALCUSE="14", CRAUSE="0")
    since = outcomes_page.since_start(ITEMS, [now, start])
    assert since is not None
    assert ("Crack cocaine, days", "NA", "0", "Start: not answered") in since.rows


def test_nothing_is_compared_without_a_start_form() -> None:
    reviews = [form(DAY, ALCUSE="10"), form(DAY + dt.timedelta(days=9), ALCUSE="3")]
    assert outcomes_page.pair(reviews) is None and outcomes_page.since_start(ITEMS, reviews) is None
    assert outcomes_page.briefs(ITEMS, reviews) == []
    [drawn] = outcomes_page.drawn(ITEMS, reviews, everything=False)
    assert drawn.change == "" and [m.kind for m in drawn.chart.marks] == ["point", "last"]


# ---- when they are due -------------------------------------------------------------------------------------------


def facts(forms: list[Form], first: dt.date | None, *, is_open: bool) -> attention.EpisodeFacts:
    return attention.EpisodeFacts(
        id=uuid4(),
        open=is_open,
        first_started=first,
        has_start_top=any(f.stage == START for f in forms),
        last_top=max((f.on for f in forms if f.on), default=None),
    )


_FORMS = st.lists(
    st.builds(form, st.one_of(st.none(), DATES), st.sampled_from([START, REVIEW, EXIT, "P", "", "?"])),
    max_size=5,
)


@given(_FORMS, st.one_of(st.none(), DATES), DATES)
def test_the_page_and_the_caseload_say_the_same_due_date(
    forms: list[Form], first: dt.date | None, today: dt.date
) -> None:
    due = attention.top_due(facts(forms, first, is_open=True))
    page = outcomes.dues(forms, first_started=first, discharged_on=None, today=today)
    if due is None:
        assert page == []
        return
    stage = {"start": START, "review": REVIEW}[due[0]]
    waiting = [d for d in page if d.state in {"late", "soon", "later"}]
    assert [(d.stage, d.last) for d in waiting][:1] == [(stage, due[1])]
    assert (waiting[0].state == "late") == (today > due[1])


def test_windows_are_those_of_the_settings() -> None:
    found = outcomes.dues([], first_started=DAY, discharged_on=None, today=DAY)
    assert [(d.stage, d.first, d.last, d.state) for d in found] == [
        (START, DAY - dt.timedelta(days=14), DAY + dt.timedelta(days=14), "soon")
    ]
    start, left = form(DAY, START), DAY + dt.timedelta(days=200)
    [done, review] = outcomes.dues([start], first_started=DAY, discharged_on=None, today=left)
    assert done.state == "done" and review.last == DAY + dt.timedelta(days=182) and review.state == "late"
    assert review.badge(left) == ("late", "TOP review 18 days overdue")
    [_, missed] = outcomes.dues(
        [start], first_started=DAY, discharged_on=left, today=left + dt.timedelta(days=15)
    )
    assert (missed.stage, missed.state) == (EXIT, "missed")
    late = form(left + dt.timedelta(days=20), EXIT)
    [_, odd] = outcomes.dues([start, late], first_started=DAY, discharged_on=left, today=left)
    assert odd.badge(left) == ("soon", "Done outside the two weeks")


def test_nothing_is_due_before_treatment_began() -> None:
    assert outcomes.dues([], first_started=None, discharged_on=None, today=DAY) == []
    assert outcomes.next_due(facts([], None, is_open=True)) is None
    assert outcomes.next_due(facts([], DAY, is_open=False)) is None
