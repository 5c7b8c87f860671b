"""Where the lines, points and words of a chart stand. Pure: dates and answers come in, coordinates as texts go to the templates.

The grammar is in the notes of the mock-ups: the horizontal axis is time, one scale from 0 for all charts of a kind, the start an open
circle, later points filled, the first and the last value written at their points; "not answered" breaks the line and is written NA.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from edatrs.core.dates import MONTHS
from edatrs.core.templatetags.page import short_date

NA = "NA"
# Units of the drawing; pages give a chart at least as many pixels, so that 13 units are 13 pixels.
WIDTH, HEIGHT = 300, 140
LEFT, RIGHT, TOP, BOTTOM = 34, 256, 26, 106
_LABEL = 46


@dataclass(frozen=True)
class Mark:
    """A point: `kind` is start, point or last; `words` is its value where it is written at the point."""

    x: str
    y: str
    kind: str
    words: str = ""
    words_x: str = ""
    words_y: str = ""
    anchor: str = "middle"


@dataclass(frozen=True)
class Chart:
    """Answers to one question over time."""

    title: str
    said: str
    lines: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    grid: tuple[tuple[str, str, str], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Bar:
    """A question in the chart of change: from the start to now."""

    label: str
    y: str
    label_y: str
    text_y: str
    before_x: str
    now_x: str
    before: str
    now: str
    before_text_x: str
    now_text_x: str
    before_anchor: str
    now_anchor: str
    same: bool


@dataclass(frozen=True)
class Change:
    """Start and now of several questions on one scale."""

    said: str
    bars: tuple[Bar, ...] = ()
    grid: tuple[tuple[str, str], ...] = ()
    foot: str = "0"
    width: int = 320
    height: int = 0


@dataclass(frozen=True)
class Spark:
    """A line without an axis; it always stands beside its words."""

    said: str
    lines: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    last: tuple[str, str] | None = None


def units(value: float) -> str:
    """A coordinate as it is written."""
    return f"{value:.1f}"


def runs(values: Sequence[tuple[dt.date, int | None]]) -> list[list[tuple[dt.date, int]]]:
    """The stretches without a gap: what has no number breaks the line."""
    found: list[list[tuple[dt.date, int]]] = [[]]
    for day, value in values:
        if value is None:
            found.append([])
        else:
            found[-1].append((day, value))
    return [run for run in found if run]


def _number(text: str, most: int) -> int | None:
    """The number of an answer that the scale can show."""
    sound = text.isascii() and text.isdigit() and len(text) < 6
    return int(text) if sound and int(text) <= most else None


def _along(days: Sequence[dt.date], left: float, right: float) -> dict[dt.date, float]:
    """Where each day stands, in proportion to time; a single day at the left."""
    first, last = min(days), max(days)
    whole = (last - first).days
    return {
        day: left if not whole else left + (right - left) * (day - first).days / whole for day in set(days)
    }


def said_of(title: str, unit: str, answers: Sequence[tuple[dt.date, str]]) -> str:
    """The values of a chart in one sentence, for those who do not see it."""
    words = {NA: "not answered", "": "not recorded"}
    values = ", ".join(f"{short_date(day)} {words.get(text, text)}" for day, text in answers)
    return f"{title}, {unit}: {values}" if values else f"{title}: nothing recorded"


def line_chart(
    title: str,
    unit: str,
    answers: Sequence[tuple[dt.date, str]],
    *,
    most: int,
    step: int,
    start: dt.date | None,
    days: Sequence[dt.date] = (),
) -> Chart:
    """A chart of answers in order of time. `most` and `step` make the scale of the kind, `days` the axis that its neighbours share,
    `start` the day of the start form.
    """
    if not answers:
        return Chart(title, said_of(title, unit, answers))
    axis = [*days] or [day for day, _ in answers]
    at = _along([*axis, *(day for day, _ in answers)], LEFT + 14, RIGHT)

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / most

    numbers = [(day, _number(text, most)) for day, text in answers]
    lines = tuple(
        " ".join(f"{units(at[day])},{units(height(value))}" for day, value in run)
        for run in runs(numbers)
        if len(run) > 1
    )
    known = [(day, value) for day, value in numbers if value is not None]
    marks = []
    for place, (day, value) in enumerate(known):
        x, y = at[day], height(value)
        first, last = place == 0, place == len(known) - 1
        kind = "start" if day == start and first else "last" if last else "point"
        if last and not first:
            marks.append(Mark(units(x), units(y), kind, str(value), units(x + 9), units(y + 5), "start"))
        elif first:
            marks.append(Mark(units(x), units(y), kind, str(value), units(x), units(y - 9)))
        else:
            marks.append(Mark(units(x), units(y), kind))
    absent = tuple(
        (units(at[day]), units(BOTTOM - 7))
        for (day, text), (_, value) in zip(answers, numbers, strict=True)
        if text == NA and value is None
    )
    grid = tuple((units(height(v)), units(height(v) + 4.5), str(v)) for v in range(0, most + 1, step))
    return Chart(
        title,
        said_of(title, unit, answers),
        lines,
        tuple(marks),
        absent,
        grid,
        _dates(sorted(set(axis)), at),
    )


def _dates(days: Sequence[dt.date], at: dict[dt.date, float]) -> tuple[tuple[str, str], ...]:
    """The words under the axis: the first and the last day, and of the others those that have room. The year where there are several."""
    many_years = len({day.year for day in days}) > 1
    wide = _LABEL if many_years else _LABEL - 14
    kept = [days[0]]
    for day in days[1:-1]:
        if at[day] - at[kept[-1]] >= wide and at[days[-1]] - at[day] >= wide:
            kept.append(day)
    if len(days) > 1 and at[days[-1]] - at[kept[-1]] >= wide:
        kept.append(days[-1])
    elif len(days) > 1 and len(kept) > 1:
        kept[-1] = days[-1]
    return tuple((units(at[day]), _month(day, many_years)) for day in kept)


def _month(day: dt.date, with_year: bool) -> str:
    name = MONTHS[day.month - 1][:3]
    return f"{name} {day:%y}" if with_year else name


def change_chart(unit: str, rows: Sequence[tuple[str, str, str]], *, most: int, step: int) -> Change:
    """(question, start, now) as an open and a filled circle on one scale. Only what has both numbers is drawn; the table has the rest."""
    left, right, row_height = 24.0, 284.0, 46.0

    def along(value: int) -> float:
        return left + (right - left) * value / most

    drawn = []
    for label, before, now in rows:
        first, last = _number(before, most), _number(now, most)
        if first is not None and last is not None:
            drawn.append((label, first, last))
    bars = []
    for place, (label, first, last) in enumerate(drawn):
        top = place * row_height
        a, b = along(first), along(last)
        # The value at the left end is written left of its circle, where there is room; else beside the other.
        outward = (-10.0, "end"), (10.0, "start")
        one, two = (outward[1], outward[0]) if first > last else outward
        bars.append(
            Bar(
                label,
                units(top + 31),
                units(top + 14),
                units(top + 35.5),
                units(a),
                units(b),
                str(first),
                str(last),
                units(a + one[0]),
                units(b + two[0]),
                one[1],
                two[1],
                first == last,
            )
        )
    high = len(drawn) * row_height
    values = ". ".join(f"{label} {first} and {last}" for label, first, last in drawn)
    said = f"{unit}, start and now. {values}." if drawn else f"{unit}: nothing to compare"
    grid = tuple((units(along(v)), str(v)) for v in range(0, most + 1, step))
    return Change(said, tuple(bars), grid, units(high + 16), height=int(high) + 22)


def spark(title: str, answers: Sequence[tuple[dt.date, str]], *, most: int) -> Spark:
    """A small line of 72 by 20 units on the scale of its kind. Not answered and not recorded break it."""
    words = {NA: "not answered", "": "not recorded"}
    said = f"{title}: {', '.join(words.get(text, text) for _, text in answers)}"
    numbers = [(day, _number(text, most)) for day, text in answers]
    known = [(day, value) for day, value in numbers if value is not None]
    if not known:
        return Spark(said)
    at = _along([day for day, _ in answers], 4.0, 66.0)

    def place(day: dt.date, value: int) -> tuple[str, str]:
        return units(at[day]), units(17 - 14 * value / most)

    stretches = runs(numbers)
    lines = tuple(" ".join(",".join(place(*p)) for p in run) for run in stretches if len(run) > 1)
    alone = tuple(place(*run[0]) for run in stretches if len(run) == 1)
    ends_known = numbers[-1][1] is not None
    return Spark(said, lines, alone, place(*known[-1]) if ends_known else None)
