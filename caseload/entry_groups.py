"""The lists of an episode in words: titles, the short line of an entry, and how the flags of a review are grouped. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from caseload.dataset.reader import Item
from caseload.present import code_words
from edatrs.core.templatetags.page import short_date

TITLES: Mapping[str, str] = {
    "interventions": "Intervention",
    "reviews": "Sub-intervention review",
    "time_in_treatment": "Time in treatment",
    "tops": "Outcome form (TOP)",
    "client_information_reviews": "Client information review",
}
PLURALS: Mapping[str, str] = {
    "interventions": "Interventions",
    "reviews": "Sub-intervention reviews",
    "time_in_treatment": "Time in treatment",
    "tops": "Outcome forms (TOP)",
    "client_information_reviews": "Client information reviews",
}
# The flags of a sub-intervention review by the first letters of their headers.
KINDS = (("PH", "Prescribing"), ("PSY", "Psychosocial"), ("REC", "Recovery support"))


@dataclass(frozen=True)
class Group:
    """Fields that stand together. `flags`: all are yes, no or not recorded."""

    title: str
    names: tuple[str, ...]
    flags: bool = False


def groups(name: str, items: Iterable[Item]) -> list[Group]:
    """The fields of an entry as they stand on the page: what is no flag first, then the flags by kind."""
    flags = [i for i in items if i.type == "flag"] if name == "reviews" else []
    plain = tuple(i.name for i in items if i not in flags)
    found = [Group("", plain)] if plain else []
    for prefix, title in KINDS:
        some = tuple(i.name for i in flags if i.name.startswith(prefix))
        found += [Group(title, some, flags=True)] if some else []
    rest = tuple(i.name for i in flags if not i.name.startswith(tuple(p for p, _ in KINDS)))
    return found + ([Group("Other", rest, flags=True)] if rest else [])


def no_to_the_rest(data: Any, items: Iterable[Item]) -> Any:
    """What was typed, with no for each flag that nothing was said about: only at somebody's express wish."""
    filled = data.copy()
    for item in items:
        if item.type == "flag" and not filled.get(item.name):
            filled[item.name] = "N"
    return filled


def summary(name: str, row: Any) -> str:
    """An entry in a line."""
    return _SUMMARIES[name](row)


def _day(value: dt.date | None, absent: str) -> str:
    return short_date(value) if value else absent


def _intervention(row: Any) -> str:
    kind = code_words("intervention_type", row.modality) or "Type not recorded"
    return f"{kind}, {'started ' + short_date(row.started_on) if row.started_on else 'not started'}"


def _review(row: Any) -> str:
    yes = sum(value == "Y" for value in row.items.values())
    return f"{_day(row.reviewed_on, 'Date not recorded')}, {yes} received"


def _time(row: Any) -> str:
    words = code_words("time_in_treatment", row.intensity) or "Not recorded"
    return f"{_day(row.assessed_on, 'Date not recorded')}, {words}"


def _top(row: Any) -> str:
    return f"{_day(row.completed_on, 'Date not recorded')}, {code_words('top_stage', row.stage) or 'stage not recorded'}"


_SUMMARIES = {
    "interventions": _intervention,
    "reviews": _review,
    "time_in_treatment": _time,
    "tops": _top,
    "client_information_reviews": lambda row: _day(row.reviewed_on, "Date not recorded"),
}
