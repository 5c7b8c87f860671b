"""What the outcomes pages show of an episode: charts, change since the start, a table with the same numbers. Pure: no queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caseload import charts, outcomes
from caseload.dataset.reader import Item, load_dictionary
from caseload.outcomes import DAYS, RATING, Complete, Form
from edatrs.core.templatetags.page import short_date

MOST_IN_PANEL = 4


@dataclass(frozen=True)
class Scale:
    """The one scale of a kind of question: from 0 to `most`, a line each `step`; what it counts, in words."""

    most: int
    step: int
    unit: str


def scale_of(item: Item) -> Scale | None:
    """The scale of a question; None for one that has no number."""
    known = load_dictionary()
    kind = outcomes.kind_of(item)
    if kind == DAYS:
        return Scale(known.setting_number("days_counted"), outcomes.DAYS_IN_WEEK, "days of 28")
    if kind == RATING:
        return Scale(known.setting_number("rating_top"), 5, "0 poor to 20 good")
    return None


@dataclass(frozen=True)
class Row:
    """A question with its answers, form by form, and what changed since the start."""

    item: Item
    label: str
    answers: tuple[str, ...]
    change: str


@dataclass(frozen=True)
class Drawn:
    """A chart with its words."""

    chart: charts.Chart
    change: str
    key: str


def asked(items: Sequence[Item]) -> tuple[Item, ...]:
    """The questions in the order they are asked."""
    return tuple(item for _, group in outcomes.questions(items) for item in group)


def ordered(forms: Sequence[Form]) -> list[Form]:
    """The forms as tables show them: by date, those without one last."""
    return [*outcomes.in_time(forms), *(form for form in forms if form.on is None)]


def pair(forms: Sequence[Form]) -> tuple[Form, Form] | None:
    """The start form and the latest one after it, which are compared. None where there is no start form, or nothing after it."""
    start, dated = outcomes.start_of(forms), outcomes.in_time(forms)
    if start is None or dated[-1].pk == start.pk:
        return None
    return start, dated[-1]


def change_words(item: Item, forms: Sequence[Form]) -> str:
    """What changed since the start; '' where nothing can be compared."""
    two = pair(forms)
    return outcomes.change(item, two[0].answer(item), two[1].answer(item)) if two else ""


def table(items: Sequence[Item], forms: Sequence[Form]) -> list[Row]:
    """Every question with all answers."""
    columns = ordered(forms)
    return [
        Row(
            item,
            outcomes.words_of(item) + _unit(item),
            tuple(outcomes.shown(item, form.answer(item)) for form in columns),
            change_words(item, forms),
        )
        for item in asked(items)
    ]


def _unit(item: Item) -> str:
    scale = scale_of(item)
    if scale is None:
        return ""
    return ", days" if outcomes.kind_of(item) == DAYS else f", 0–{scale.most}"


def matters(item: Item, forms: Sequence[Form]) -> bool:
    """Whether a chart is shown unasked: a rating with any answer, and days that were ever above 0 or not answered."""
    answers = [form.answer(item) for form in outcomes.in_time(forms)]
    if outcomes.kind_of(item) == RATING:
        return any(answers)
    return any(text == outcomes.not_answered() or (outcomes.as_number(text) or 0) > 0 for text in answers)


def drawn(items: Sequence[Item], forms: Sequence[Form], *, everything: bool) -> list[Drawn]:
    """The charts over time: one axis of time for all, one scale for each kind."""
    dated = outcomes.in_time(forms)
    days = [form.on for form in dated if form.on is not None]
    start = outcomes.start_of(forms)
    found = []
    for item in asked(items):
        scale = scale_of(item)
        if scale is None or not days or not (everything or matters(item, forms)):
            continue
        chart = charts.line_chart(
            outcomes.words_of(item),
            scale.unit,
            [(form.on, form.answer(item)) for form in dated if form.on is not None],
            most=scale.most,
            step=scale.step,
            start=start.on if start else None,
            days=days,
        )
        found.append(Drawn(chart, change_words(item, forms), item.name))
    return found


@dataclass(frozen=True)
class Since:
    """Start and now: two charts, one for each scale, and all questions with both answers in words."""

    start: Form
    now: Form
    charts: tuple[tuple[str, charts.Change], ...]
    rows: tuple[tuple[str, str, str, str], ...]


def since_start(items: Sequence[Item], forms: Sequence[Form]) -> Since | None:
    """The change since the start form. None where nothing can be compared."""
    two = pair(forms)
    if two is None:
        return None
    start, now = two
    shown = [item for item in asked(items) if not _both_nothing(item, start.answer(item), now.answer(item))]
    found = []
    for kind, words in ((DAYS, "Days of the last 28"), (RATING, "Ratings, 0 poor to 20 good")):
        chosen = [item for item in shown if outcomes.kind_of(item) == kind]
        scale = scale_of(chosen[0]) if chosen else None
        if scale is None:
            continue
        rows = [(outcomes.words_of(i), start.answer(i), now.answer(i)) for i in chosen]
        chart = charts.change_chart(words, rows, most=scale.most, step=scale.step)
        if chart.bars:
            found.append((words, chart))
    rows_shown = tuple(
        (
            outcomes.words_of(item) + _unit(item),
            outcomes.shown(item, start.answer(item)),
            outcomes.shown(item, now.answer(item)),
            outcomes.change(item, start.answer(item), now.answer(item)),
        )
        for item in shown
    )
    return Since(start, now, tuple(found), rows_shown)


def _both_nothing(item: Item, before: str, now: str) -> bool:
    """Whether there is nothing to tell: none at the start and none now, or nothing recorded in both."""
    if not before and not now:
        return True
    return outcomes.kind_of(item) == DAYS and before == now == "0"


@dataclass(frozen=True)
class Brief:
    """One line of the panel on the overview."""

    label: str
    first: str
    last: str
    spark: charts.Spark
    change: str


def briefs(items: Sequence[Item], forms: Sequence[Form]) -> list[Brief]:
    """The lines of the panel: at most four questions of days that were ever above 0, what changed most first, and the quality of life."""
    two = pair(forms)
    if two is None:
        return []
    start, now = two
    dated = outcomes.in_time(forms)
    days = [i for i in asked(items) if outcomes.kind_of(i) == DAYS and matters(i, forms)]
    days.sort(key=lambda i: _weight(i, start, now))
    rated = [i for i in items if i.name == "QUALLIFE" and matters(i, forms)]
    found = []
    for item in [*days[:MOST_IN_PANEL], *rated]:
        scale = scale_of(item)
        if scale is None:
            continue
        answers = [(form.on, form.answer(item)) for form in dated if form.on is not None]
        line = charts.spark(outcomes.words_of(item), answers, most=scale.most)
        found.append(
            Brief(
                outcomes.words_of(item) + (_unit(item) if outcomes.kind_of(item) == RATING else ""),
                outcomes.shown(item, start.answer(item)),
                outcomes.shown(item, now.answer(item)),
                line,
                outcomes.change(item, start.answer(item), now.answer(item)),
            )
        )
    return found


def _weight(item: Item, start: Form, now: Form) -> tuple[bool, int, int]:
    """What comes first: tobacco last, then the largest change, then the most days."""
    first, last = outcomes.as_number(start.answer(item)), outcomes.as_number(now.answer(item))
    changed = abs(last - first) if first is not None and last is not None else 0
    return (item.name == "TOBUSE", -changed, -max(first or 0, last or 0))


def form_rows(items: Sequence[Item], forms: Sequence[Form]) -> list[dict[str, Any]]:
    """The forms as a list, the latest first: stage, completeness, and the words of what changed since the start."""
    start = outcomes.start_of(forms)
    asks = bool(asked(items))
    return [
        {
            "form": form,
            "complete": outcomes.completeness(form, items) if asks else Complete(0, 0, 0),
            "asks": asks,
            "changed": _changed(items, start, form),
        }
        for form in reversed(ordered(forms))
    ]


def _changed(items: Sequence[Item], start: Form | None, form: Form) -> str:
    """The three largest changes in days between the start and a form, in words."""
    if start is None or form.pk == start.pk or form.on is None or start.on is None or form.on < start.on:
        return ""
    sized = []
    for item in asked(items):
        first, last = outcomes.as_number(start.answer(item)), outcomes.as_number(form.answer(item))
        if outcomes.kind_of(item) == DAYS and first is not None and last is not None and first != last:
            words = outcomes.change(item, start.answer(item), form.answer(item))
            sized.append((abs(last - first), f"{outcomes.words_of(item)}: {words}"))
    sized.sort(key=lambda pair_: -pair_[0])
    return " · ".join(words for _, words in sized[:3])


def due_words(due: outcomes.Due) -> str:
    """The window of a form in words."""
    last = short_date(due.last)
    return f"{short_date(due.first)} to {last}" if due.first is not None else f"by {last}"
