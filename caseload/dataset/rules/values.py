"""Values that conditions compare: dates, texts and whole numbers, each in Python and in SQL.

Missing is None in Python and NULL in SQL for all three; the text '' is missing. What a condition makes of a missing
value is decided in `conditions`, never here. Differences are in whole days, ages in completed years.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from caseload.dataset.rules.scope import RecordScope, Sql, SqlScope

if TYPE_CHECKING:
    from caseload.dataset.rules.conditions import Condition

T = TypeVar("T", date, str, int)

# At most nine digits, so that every whole number fits PostgreSQL's integer. ASCII digits only.
WHOLE_NUMBER = "[0-9]{1,9}"


class Value(ABC, Generic[T]):
    """A value of a rule."""

    @abstractmethod
    def value(self, scope: RecordScope) -> T | None:
        """The value in a record; None when missing."""

    @abstractmethod
    def sql(self, scope: SqlScope) -> Sql:
        """The SQL expression; NULL when missing."""

    def items(self) -> frozenset[str]:
        """Headers of the items it reads."""
        return frozenset()


@dataclass(frozen=True)
class Date(Value[date]):
    """A date item."""

    name: str

    def value(self, scope: RecordScope) -> date | None:
        return cast("date | None", scope.get(self.name))

    def sql(self, scope: SqlScope) -> Sql:
        return Sql(scope.column(self.name))

    def items(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True)
class Text(Value[str]):
    """Any other item, exactly as recorded: no trimming, no change of case."""

    name: str

    def value(self, scope: RecordScope) -> str | None:
        return scope.get(self.name) or None

    def sql(self, scope: SqlScope) -> Sql:
        return Sql(f"NULLIF({scope.column(self.name)}, '')")

    def items(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True)
class Whole(Value[int]):
    """The whole number that an item holds: one to nine ASCII digits. Anything else, `NA` too, is no number: missing."""

    name: str

    def value(self, scope: RecordScope) -> int | None:
        text = scope.get(self.name) or ""
        return int(text) if re.fullmatch(WHOLE_NUMBER, text) else None

    def sql(self, scope: SqlScope) -> Sql:
        column = scope.column(self.name)
        # The CASE keeps the cast from what is not a number; a cast that fails would stop the whole query.
        return Sql(f"(CASE WHEN {column} COLLATE \"C\" ~ '^{WHOLE_NUMBER}$' THEN {column}::integer END)")

    def items(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True)
class AsOf(Value[date]):
    """The as-of date of the file."""

    def value(self, scope: RecordScope) -> date:
        return scope.context.as_of

    def sql(self, scope: SqlScope) -> Sql:
        return Sql("%s::date", (scope.context.as_of,))


@dataclass(frozen=True)
class Day(Value[date]):
    """A fixed date."""

    day: date

    def value(self, scope: RecordScope) -> date:
        return self.day

    def sql(self, scope: SqlScope) -> Sql:
        return Sql("%s::date", (self.day,))


@dataclass(frozen=True)
class Number(Value[int]):
    """A fixed whole number."""

    number: int

    def value(self, scope: RecordScope) -> int:
        return self.number

    def sql(self, scope: SqlScope) -> Sql:
        return Sql(f"({self.number:d})")


@dataclass(frozen=True)
class Days(Value[int]):
    """Days from `start` to `end`, negative when `end` is earlier; with `either_way`, never negative."""

    start: Value[date]
    end: Value[date]
    either_way: bool = False

    def value(self, scope: RecordScope) -> int | None:
        start, end = self.start.value(scope), self.end.value(scope)
        if start is None or end is None:
            return None
        days = (end - start).days
        return abs(days) if self.either_way else days

    def sql(self, scope: SqlScope) -> Sql:
        end, start = self.end.sql(scope), self.start.sql(scope)
        return Sql(
            f"{'abs' if self.either_way else ''}({end.text} - {start.text})", end.params + start.params
        )

    def items(self) -> frozenset[str]:
        return self.start.items() | self.end.items()


@dataclass(frozen=True)
class Age(Value[int]):
    """Completed years from `born` to `on`; missing when `on` is before birth. Born 29 February: older on 1 March."""

    born: Value[date]
    on: Value[date]

    def value(self, scope: RecordScope) -> int | None:
        born, on = self.born.value(scope), self.on.value(scope)
        if born is None or on is None or on < born:
            return None
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    def sql(self, scope: SqlScope) -> Sql:
        born, on = self.born.sql(scope), self.on.sql(scope)
        # As timestamps: age() of two dates would go through the session's time zone.
        years = f"date_part('year', age({on.text}::timestamp, {born.text}::timestamp))::integer"
        text = f"(CASE WHEN {on.text} >= {born.text} THEN {years} END)"
        return Sql(text, (on.params + born.params) * 2)

    def items(self) -> frozenset[str]:
        return self.born.items() | self.on.items()


@dataclass(frozen=True)
class FirstKnown(Value[date]):
    """The first of two dates unless it is missing, then the second."""

    first: Value[date]
    second: Value[date]

    def value(self, scope: RecordScope) -> date | None:
        first = self.first.value(scope)
        return self.second.value(scope) if first is None else first

    def sql(self, scope: SqlScope) -> Sql:
        first, second = self.first.sql(scope), self.second.sql(scope)
        return Sql(f"COALESCE({first.text}, {second.text})", first.params + second.params)

    def items(self) -> frozenset[str]:
        return self.first.items() | self.second.items()


@dataclass(frozen=True)
class Earliest(Value[date]):
    """The earliest date of an item over a child list of the episode; missing when no entry has one."""

    list_name: str
    item: Date

    def value(self, scope: RecordScope) -> date | None:
        return min(self._known(scope), default=None)

    def sql(self, scope: SqlScope) -> Sql:
        return self._aggregate("min", scope)

    def items(self) -> frozenset[str]:
        return self.item.items()

    def _known(self, scope: RecordScope) -> list[date]:
        values = (self.item.value(child) for child in scope.each(self.list_name))
        return [value for value in values if value is not None]

    def _aggregate(self, function: str, scope: SqlScope) -> Sql:
        fragment, inside = scope.enter(self.list_name)
        found = self.item.sql(inside)
        return Sql(f"(SELECT {function}({found.text}) {fragment})", found.params)


@dataclass(frozen=True)
class Latest(Earliest):
    """The latest date of an item over a child list of the episode; missing when no entry has one."""

    def value(self, scope: RecordScope) -> date | None:
        return max(self._known(scope), default=None)

    def sql(self, scope: SqlScope) -> Sql:
        return self._aggregate("max", scope)


@dataclass(frozen=True)
class CountOf(Value[int]):
    """How many entries of a child list of the episode meet a condition; 0 when there are none."""

    list_name: str
    condition: Condition

    def value(self, scope: RecordScope) -> int:
        return sum(self.condition.holds(child) for child in scope.each(self.list_name))

    def sql(self, scope: SqlScope) -> Sql:
        fragment, inside = scope.enter(self.list_name)
        found = self.condition.sql(inside)
        return Sql(f"(SELECT count(*) {fragment} AND {found.text})", found.params)

    def items(self) -> frozenset[str]:
        return self.condition.items()
