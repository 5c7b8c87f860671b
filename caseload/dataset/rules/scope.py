"""Where a rule looks things up: in one recorded episode (Python) or in columns of a query (SQL).

A record is a mapping from CSV header to value: `datetime.date | None` for date items, `str | None` exactly as recorded
for all others, numbers too. FINITIAL and SINITIAL hold the forename and surname (an initial will do). A child list is a
list of such mappings under its name of `CHILD_LISTS`; the episodes beside it stand under `BESIDE`. What is not in a record is missing.

An item belongs to one entity, so its name alone says whether it is looked up in the episode or in the child at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple, Protocol

from caseload.dataset.reader import LIST_OF_ENTITY, Dictionary, load_dictionary

Record = Mapping[str, Any]
# Under this name a record lists the other episodes in use of the same client at the same service, each with its DISD (None: open).
BESIDE = "beside"


@dataclass(frozen=True)
class Context:
    """What a rule depends on beside the record: the data set, its letter and the as-of date of the file.

    Raises UnknownDataset and UnknownLetter when made.
    """

    dataset: str
    letter: str
    as_of: date
    dictionary: Dictionary = field(default_factory=load_dictionary, repr=False)

    def __post_init__(self) -> None:
        self.dictionary.columns(self.dataset, self.letter)

    @cached_property
    def columns(self) -> frozenset[str]:
        """Headers of the data set's columns in this letter."""
        return frozenset(item.name for item in self.dictionary.columns(self.dataset, self.letter))


class Resolver(Protocol):
    """How a query holds an episode (or a child). The caller of `Rule.to_sql` writes one for its tables."""

    def column(self, item: str) -> str:
        """SQL expression of an item: type date for date items, text for all others; NULL or '' is missing.

        FINITIAL and SINITIAL: the forename and surname. A per cent sign in it must be doubled.
        """

    def children(self, list_name: str, alias: str) -> tuple[str, Resolver]:
        """`FROM ... WHERE ...` of the child rows of the episode at hand, and their resolver.

        The fragment must end in a condition (it is continued by AND) and use `alias` for the child table.
        """

    def beside(self, alias: str) -> tuple[str, Resolver]:
        """The same for the other episodes in use of the client at the service: their resolver gives DISD."""


class Sql(NamedTuple):
    """SQL text with `%s` places and the parameters that fill them, in order."""

    text: str
    params: tuple[object, ...] = ()


def list_of(item: str, dictionary: Dictionary) -> str | None:
    """Name of the child list whose entries hold the item, None for an item of the client or the episode."""
    return LIST_OF_ENTITY.get(dictionary.item(item).entity)


@dataclass(frozen=True)
class RecordScope:
    """A record and, inside a child list, the child at hand."""

    record: Record
    context: Context
    child: Record | None = None
    list_name: str | None = None

    def get(self, item: str) -> Any:
        """The item's value, from the child at hand or from the episode. Raises LookupError for a misplaced item."""
        held_in = list_of(item, self.context.dictionary)
        if held_in is None:
            return self.record.get(item)
        if held_in != self.list_name or self.child is None:
            raise LookupError(f"{item} is an item of {held_in}, looked up outside of it")
        return self.child.get(item)

    def each(self, list_name: str) -> Iterator[RecordScope]:
        """One scope for every entry of a child list."""
        for child in self.record.get(list_name) or ():
            yield RecordScope(self.record, self.context, child, list_name)


@dataclass(frozen=True)
class SqlScope:
    """The same for a query. Children of the episode are always looked up from the episode's own resolver."""

    resolver: Resolver
    context: Context
    child: Resolver | None = None
    list_name: str | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def column(self, item: str) -> str:
        """SQL expression of the item, in brackets. Raises LookupError for a misplaced item."""
        held_in = list_of(item, self.context.dictionary)
        if held_in is None:
            return f"({self.resolver.column(item)})"
        if held_in != self.list_name or self.child is None:
            raise LookupError(f"{item} is an item of {held_in}, looked up outside of it")
        return f"({self.child.column(item)})"

    def enter(self, list_name: str) -> tuple[str, SqlScope]:
        """The FROM and WHERE of a child list, and the scope inside it. Every use has an alias of its own."""
        fragment, child = self.resolver.children(list_name, f"rule_child_{next(self.numbers)}")
        return fragment, SqlScope(self.resolver, self.context, child, list_name, self.numbers)

    def beside(self) -> tuple[str, str]:
        """The FROM and WHERE of the episodes beside this one, and the SQL expression of when each was discharged."""
        fragment, other = self.resolver.beside(f"rule_beside_{next(self.numbers)}")
        return fragment, f"({other.column('DISD')})"
