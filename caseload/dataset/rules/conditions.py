"""Conditions of rules, each giving both a Python answer and SQL from one declaration.

Every condition answers true or false, in SQL never NULL: a comparison with a missing value is false. So `Not` of a
comparison is true when a value is missing; rules that do not mean this say `Present` as well.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from caseload.dataset import transforms
from caseload.dataset.rules.scope import BESIDE, RecordScope, Sql, SqlScope
from caseload.dataset.rules.values import Date, Text, Value

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


class Condition(ABC):
    """A condition of a rule."""

    @abstractmethod
    def holds(self, scope: RecordScope) -> bool:
        """Whether it holds for a record."""

    @abstractmethod
    def sql(self, scope: SqlScope) -> Sql:
        """A SQL boolean in brackets, true or false."""

    @abstractmethod
    def items(self) -> frozenset[str]:
        """Headers of all items it may read."""

    def available(self, columns: frozenset[str]) -> bool:
        """Whether a data set with these columns can answer it: all its items are columns (contract section 4)."""
        return self.items() <= columns

    def culprits(self, scope: RecordScope) -> frozenset[str]:
        """Headers of the items that make it hold, for the page to point to; empty when it does not hold."""
        return self.items() if self.holds(scope) else frozenset()


@dataclass(frozen=True)
class Present(Condition):
    """Something was recorded: a date, or a text of more than white space."""

    item: Value[date] | Text

    def holds(self, scope: RecordScope) -> bool:
        value = self.item.value(scope)
        return not transforms.is_blank(value) if isinstance(value, str) else value is not None

    def sql(self, scope: SqlScope) -> Sql:
        if isinstance(self.item, Text):
            return Sql(transforms.sql_is_present(scope.column(self.item.name)))
        found = self.item.sql(scope)
        return Sql(f"({found.text} IS NOT NULL)", found.params)

    def items(self) -> frozenset[str]:
        return self.item.items()


@dataclass(frozen=True)
class HasInitial(Condition):
    """An initial can be formed of the name that stands under FINITIAL or SINITIAL."""

    name: str

    def holds(self, scope: RecordScope) -> bool:
        return bool(transforms.initial(scope.get(self.name)))

    def sql(self, scope: SqlScope) -> Sql:
        return Sql(transforms.sql_has_initial(scope.column(self.name)))

    def items(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True)
class Compare(Condition):
    """`left` stands to `right` as the sign says; false when one is missing. Texts only by `=` and `<>`."""

    left: Value[Any]
    sign: str
    right: Value[Any]

    def __post_init__(self) -> None:
        texts = isinstance(self.left, Text), isinstance(self.right, Text)
        if self.sign not in _OPERATORS or any(texts) and (not all(texts) or self.sign not in {"=", "<>"}):
            raise TypeError(f"cannot compare {self.left} {self.sign} {self.right}")

    def holds(self, scope: RecordScope) -> bool:
        left, right = self.left.value(scope), self.right.value(scope)
        return left is not None and right is not None and _OPERATORS[self.sign](left, right)

    def sql(self, scope: SqlScope) -> Sql:
        left, right = self.left.sql(scope), self.right.sql(scope)
        # Two text columns of different collations could not be compared; one byte order serves for equality.
        collation = ' COLLATE "C"' if isinstance(self.left, Text) else ""
        text = f"COALESCE({left.text}{collation} {self.sign} {right.text}, FALSE)"
        return Sql(text, left.params + right.params)

    def items(self) -> frozenset[str]:
        return self.left.items() | self.right.items()


@dataclass(frozen=True)
class OneOf(Condition):
    """The recorded text is exactly one of these; false when missing."""

    item: Text
    texts: tuple[str, ...]

    def holds(self, scope: RecordScope) -> bool:
        return self.item.value(scope) in self.texts

    def sql(self, scope: SqlScope) -> Sql:
        return Sql(f"COALESCE({scope.column(self.item.name)} = ANY(%s::text[]), FALSE)", (list(self.texts),))

    def items(self) -> frozenset[str]:
        return self.item.items()


@dataclass(frozen=True)
class OutsideCodeList(Condition):
    """A text is recorded that is not a code of the item's list valid in the letter (contract section 1).

    Never true when no code is known for the letter, nor, unless `despite_gaps`, when the list is known to have codes
    that no source gives: an unknown list never condemns a value. White space is a value here: it would be sent.
    """

    name: str
    despite_gaps: bool = False

    def holds(self, scope: RecordScope) -> bool:
        codes = self._codes(scope)
        value = scope.get(self.name)
        return bool(codes) and bool(value) and value not in codes

    def sql(self, scope: SqlScope) -> Sql:
        codes = self._codes(scope)
        if not codes:
            return Sql("FALSE")
        column = scope.column(self.name)
        return Sql(f"COALESCE({column} <> '' AND {column} <> ALL(%s::text[]), FALSE)", (list(codes),))

    def items(self) -> frozenset[str]:
        return frozenset({self.name})

    def _codes(self, scope: RecordScope | SqlScope) -> tuple[str, ...]:
        dictionary, letter = scope.context.dictionary, scope.context.letter
        code_list = dictionary.item(self.name).code_list
        if not code_list or not self.despite_gaps and dictionary.list_has_gaps(code_list, letter):
            return ()
        return tuple(dictionary.codes(code_list, letter))


@dataclass(frozen=True)
class LongerThanAllowed(Condition):
    """The recorded text has more characters than the item's `max_length`; false when that is not established."""

    name: str

    def holds(self, scope: RecordScope) -> bool:
        longest = scope.context.dictionary.item(self.name).max_length
        return longest is not None and len(scope.get(self.name) or "") > longest

    def sql(self, scope: SqlScope) -> Sql:
        longest = scope.context.dictionary.item(self.name).max_length
        if longest is None:
            return Sql("FALSE")
        return Sql(f"COALESCE(char_length({scope.column(self.name)}) > {longest:d}, FALSE)")

    def items(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True)
class Not(Condition):
    """The opposite; see the module's note on missing values."""

    part: Condition

    def holds(self, scope: RecordScope) -> bool:
        return not self.part.holds(scope)

    def sql(self, scope: SqlScope) -> Sql:
        part = self.part.sql(scope)
        return Sql(f"(NOT {part.text})", part.params)

    def items(self) -> frozenset[str]:
        return self.part.items()

    def available(self, columns: frozenset[str]) -> bool:
        return self.part.available(columns)


@dataclass(frozen=True, init=False)
class _Joined(Condition):
    """Parts joined by AND or OR."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        if not parts:
            raise TypeError("a joined condition needs parts")
        object.__setattr__(self, "parts", parts)

    def items(self) -> frozenset[str]:
        return frozenset().union(*(part.items() for part in self.parts))

    def available(self, columns: frozenset[str]) -> bool:
        return all(part.available(columns) for part in self.parts)

    def culprits(self, scope: RecordScope) -> frozenset[str]:
        if not self.holds(scope):
            return frozenset()
        return frozenset().union(*(part.culprits(scope) for part in self._used(scope)))

    def _used(self, scope: RecordScope | SqlScope) -> tuple[Condition, ...]:
        return self.parts

    def _join(self, word: str, scope: SqlScope) -> Sql:
        parts = [part.sql(scope) for part in self._used(scope)]
        params = tuple(param for part in parts for param in part.params)
        return Sql(f"({f' {word} '.join(part.text for part in parts)})", params)


@dataclass(frozen=True, init=False)
class And(_Joined):
    """All parts hold."""

    def holds(self, scope: RecordScope) -> bool:
        return all(part.holds(scope) for part in self.parts)

    def sql(self, scope: SqlScope) -> Sql:
        return self._join("AND", scope)


@dataclass(frozen=True, init=False)
class Or(_Joined):
    """At least one part holds."""

    def holds(self, scope: RecordScope) -> bool:
        return any(part.holds(scope) for part in self._used(scope))

    def sql(self, scope: SqlScope) -> Sql:
        return self._join("OR", scope) if self._used(scope) else Sql("FALSE")


@dataclass(frozen=True, init=False)
class AnyAvailable(Or):
    """At least one part holds, of those the data set can answer.

    For warnings that say the same of many items: here an item that is no column silences its own part only.
    """

    def available(self, columns: frozenset[str]) -> bool:
        return any(part.available(columns) for part in self.parts)

    def _used(self, scope: RecordScope | SqlScope) -> tuple[Condition, ...]:
        return tuple(part for part in self.parts if part.available(scope.context.columns))


@dataclass(frozen=True)
class AnyChild(Condition):
    """At least one entry of a child list of the episode meets the condition; false for an empty list."""

    list_name: str
    condition: Condition

    def holds(self, scope: RecordScope) -> bool:
        return any(self.condition.holds(child) for child in scope.each(self.list_name))

    def sql(self, scope: SqlScope) -> Sql:
        fragment, inside = scope.enter(self.list_name)
        found = self.condition.sql(inside)
        return Sql(f"(EXISTS (SELECT 1 {fragment} AND {found.text}))", found.params)

    def items(self) -> frozenset[str]:
        return self.condition.items()

    def available(self, columns: frozenset[str]) -> bool:
        return self.condition.available(columns)

    def culprits(self, scope: RecordScope) -> frozenset[str]:
        return frozenset().union(*(self.condition.culprits(child) for child in scope.each(self.list_name)))


@dataclass(frozen=True)
class OpenBeside(Condition):
    """Another episode of the same client at the same service is open."""

    def holds(self, scope: RecordScope) -> bool:
        return any(other.get("DISD") is None for other in scope.record.get(BESIDE) or ())

    def sql(self, scope: SqlScope) -> Sql:
        fragment, discharged = scope.beside()
        return Sql(f"(EXISTS (SELECT 1 {fragment} AND {discharged} IS NULL))")

    def items(self) -> frozenset[str]:
        return frozenset({"DISD"})


def missing(item: Value[date] | Text) -> Condition:
    """Nothing was recorded: no date, or a text of nothing but white space."""
    return Not(Present(item))


def before(left: Value[date], right: Value[date]) -> Condition:
    """`left` is an earlier day than `right`; false when one is missing."""
    return Compare(left, "<", right)


def after(left: Value[date], right: Value[date]) -> Condition:
    """`left` is a later day than `right`; false when one is missing."""
    return Compare(left, ">", right)


def only_one(first: Date | Text, second: Date | Text) -> Condition:
    """One of two items is recorded and the other is not."""
    return Or(And(Present(first), missing(second)), And(missing(first), Present(second)))
