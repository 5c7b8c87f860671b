"""The NDTMS rules: each one declaration that gives the words for people, an answer in Python and a condition in SQL.

No rule is a database constraint: what breaks one is loaded, shown and put right (contract section 2). Ids are stable,
pages and stored results name rules by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from caseload.dataset.rules.error_rules import ERROR_RULES
from caseload.dataset.rules.rule import (
    ERROR,
    WARNING,
    Rule,
    applicable,
    failing,
    sql_any_fails,
    sql_failing,
)
from caseload.dataset.rules.scope import Context, Record, Resolver
from caseload.dataset.rules.warning_rules import WARNING_RULES

ALL_RULES = ERROR_RULES + WARNING_RULES
RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in ALL_RULES})

__all__ = [
    "ALL_RULES",
    "ERROR",
    "ERROR_RULES",
    "RULES",
    "WARNING",
    "WARNING_RULES",
    "Context",
    "Record",
    "Resolver",
    "Rule",
    "applicable",
    "failing",
    "sql_any_fails",
    "sql_failing",
]
