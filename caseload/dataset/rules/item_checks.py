"""Conditions that ask the same of many items, and small conditions that several warnings share."""

from __future__ import annotations

from collections.abc import Callable

from caseload.dataset.reader import CHILD_LISTS, Item, load_dictionary
from caseload.dataset.rules.conditions import (
    And,
    AnyAvailable,
    AnyChild,
    Compare,
    Condition,
    LongerThanAllowed,
    Not,
    OneOf,
    OutsideCodeList,
    Present,
    after,
)
from caseload.dataset.rules.values import AsOf, Date, Number, Text, Whole

_DATA = load_dictionary()
_CHILD_ENTITIES = {child.entity for child in CHILD_LISTS}
_NOT_ANSWERED = (_DATA.setting("not_answered_text"),)
_NO_SUBSTANCE = tuple(_DATA.setting("no_substance_codes").split())


def within(name: str, low: int, high: int) -> Condition:
    """The item holds a whole number from `low` to `high`."""
    return And(Compare(Whole(name), ">=", Number(low)), Compare(Whole(name), "<=", Number(high)))


def odd_number(name: str, low: int, high: int) -> Condition:
    """Something is recorded that is not a whole number from `low` to `high`."""
    return And(Present(Text(name)), Not(within(name, low, high)))


def odd_answer(name: str, low: int, high: int) -> Condition:
    """The same for an outcome item, where `NA` stands for asked and not answered."""
    return And(Not(OneOf(Text(name), _NOT_ANSWERED)), odd_number(name, low, high))


def is_substance(item: Text) -> Condition:
    """A substance is recorded, not a code for none."""
    return And(Present(item), Not(OneOf(item, _NO_SUBSTANCE)))


def same_substance(first: Text, second: Text) -> Condition:
    """Two items name the same substance."""
    return And(is_substance(first), Compare(first, "=", second))


def wrong_code(name: str) -> Condition:
    """The recorded code is in no complete list for the letter."""
    return OutsideCodeList(name)


def too_long(name: str) -> Condition:
    """The recorded text is too long, and no check of codes says so already."""
    return And(LongerThanAllowed(name), Not(OutsideCodeList(name)))


def later_than_file(name: str) -> Condition:
    """The recorded date is after the as-of date."""
    return after(Date(name), AsOf())


def too_many_digits(name: str) -> Condition:
    """Something is recorded that is not a whole number of the item's length. Raises TypeError if that is unknown."""
    longest = _DATA.item(name).max_length
    if longest is None:
        raise TypeError(f"{name} has no max_length")
    return odd_number(name, 0, 10**longest - 1)


def for_items(choose: Callable[[Item], bool], check: Callable[[str], Condition]) -> AnyAvailable:
    """The same check for every chosen item of the dictionary: those of the episode, then those of each child list."""
    chosen = [item for item in _DATA.items if choose(item)]
    parts = [check(item.name) for item in chosen if item.entity not in _CHILD_ENTITIES]
    for child in CHILD_LISTS:
        inside = [check(item.name) for item in chosen if item.entity == child.entity]
        if inside:
            parts.append(AnyChild(child.name, AnyAvailable(*inside)))
    return AnyAvailable(*parts)
