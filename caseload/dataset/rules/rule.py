"""What a rule is, and how sets of rules are applied: to one record, or to all rows of a query at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from caseload.dataset.rules.conditions import Condition, OpenBeside
from caseload.dataset.rules.scope import Context, Record, RecordScope, Resolver, SqlScope
from caseload.dataset.rules.sources import CONFIDENCES, DECIDED

ERROR = "error"
WARNING = "warning"
_ID = re.compile("[A-Z][0-9]{2}")


@dataclass(frozen=True)
class Rule:
    """One rule. It fails where `condition` holds.

    `words` say what is wrong, `remedy` what to do, both to the worker; `source` says where the rule comes from, `confidence` how
    sure that is.
    An error holds the episode back from the extract, a warning asks for a check. `datasets` None means all of them.
    """

    id: str
    level: str
    words: str
    remedy: str
    source: str
    condition: Condition
    datasets: tuple[str, ...] | None = None
    confidence: str = DECIDED

    def __post_init__(self) -> None:
        if self.confidence not in CONFIDENCES:
            raise ValueError(f"rule {self.id!r}: unknown confidence {self.confidence!r}")
        if self.level not in {ERROR, WARNING} or not _ID.fullmatch(self.id):
            raise ValueError(f"rule {self.id!r}: unknown level {self.level!r} or malformed id")

    @property
    def items(self) -> frozenset[str]:
        """Headers of all items that the rule may read."""
        return self.condition.items()

    @property
    def looks_beside(self) -> bool:
        """Whether it asks about the other episodes of the client at the service."""
        return OpenBeside.__name__ in repr(self.condition)

    def applies(self, context: Context) -> bool:
        """Whether the data set of the context has the columns that the rule is about (contract section 4)."""
        asked = self.datasets is None or context.dataset in self.datasets
        return asked and self.condition.available(context.columns)

    def to_python(self, record: Record, context: Context) -> bool:
        """Whether the rule fails for a record. Ask `applies` first."""
        return self.condition.holds(RecordScope(record, context))

    def to_sql(self, resolver: Resolver, context: Context) -> tuple[str, list[object]]:
        """SQL boolean, true where the rule fails, never NULL; and its parameters. Ask `applies` first."""
        found = self.condition.sql(SqlScope(resolver, context))
        return found.text, list(found.params)

    def culprits(self, record: Record, context: Context) -> tuple[str, ...]:
        """Headers of the items that make the rule fail for a record, in the order of the dictionary."""
        found = self.condition.culprits(RecordScope(record, context))
        return tuple(item.name for item in context.dictionary.items if item.name in found)


def applicable(rules: Iterable[Rule], context: Context) -> tuple[Rule, ...]:
    """The rules that apply to the data set and letter of the context, in their order."""
    return tuple(rule for rule in rules if rule.applies(context))


def failing(rules: Iterable[Rule], record: Record, context: Context) -> tuple[str, ...]:
    """Ids of the applicable rules that a record fails, in their order."""
    return tuple(rule.id for rule in applicable(rules, context) if rule.to_python(record, context))


def sql_failing(rules: Iterable[Rule], resolver: Resolver, context: Context) -> tuple[str, list[object]]:
    """SQL of the same for each row: a text array, empty when nothing fails, and its parameters."""
    terms: list[str] = []
    params: list[object] = []
    for rule in applicable(rules, context):
        text, found = rule.to_sql(resolver, context)
        terms.append(f"CASE WHEN {text} THEN '{rule.id}' END")
        params += found
    return f"array_remove(ARRAY[{', '.join(terms)}]::text[], NULL)", params


def sql_any_fails(rules: Iterable[Rule], resolver: Resolver, context: Context) -> tuple[str, list[object]]:
    """SQL boolean: at least one applicable rule fails. True or false, never NULL."""
    terms: list[str] = []
    params: list[object] = []
    for rule in applicable(rules, context):
        text, found = rule.to_sql(resolver, context)
        terms.append(text)
        params += found
    return f"({' OR '.join(terms) or 'FALSE'})", params
