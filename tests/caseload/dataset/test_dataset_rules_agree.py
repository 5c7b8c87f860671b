"""Every rule says the same in SQL as in Python, whatever was recorded (design section 4)."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseload.dataset.rules import ALL_RULES, Context, Rule, applicable, failing, sql_any_fails
from caseload.dataset.rules.scope import BESIDE
from tests.caseload.dataset.support import (
    AS_OF,
    DATA,
    FACTOR,
    LIST_NAMES,
    RESOLVER,
    failing_in_sql,
    pool,
    to_json,
)

pytestmark = pytest.mark.django_db

CONTEXTS = [
    Context("adult", "Q", AS_OF),
    Context("adult", "H", AS_OF),
    Context("adult", "R", AS_OF + timedelta(days=14)),
    Context("yp", "Q", AS_OF),
    Context("cjit", "P", AS_OF),
]


def _values(item_names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {name: st.sampled_from(pool(DATA.item(name))) for name in item_names}
    return st.fixed_dictionaries({}, optional=optional)


def _records(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    """Records of what one rule reads, few items at a time where it reads many."""
    own = sorted(name for name in rule.items if DATA.item(name).entity not in LIST_NAMES)
    lists = {
        list_name: sorted(name for name in rule.items if DATA.item(name).entity == entity)
        for entity, list_name in LIST_NAMES.items()
    }
    children = {name: st.lists(_few(items), max_size=3) for name, items in lists.items() if items}
    if "DISD" in rule.items:
        children[BESIDE] = st.lists(_few(["DISD"]), max_size=3)
    return st.builds(
        lambda mine, theirs: {**mine, **theirs}, _few(own), st.fixed_dictionaries({}, optional=children)
    )


def _few(items: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    if len(items) <= 6:
        return _values(items)
    pairs = st.sampled_from(items).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(pool(DATA.item(name))))
    )
    return st.lists(pairs, max_size=4).map(dict)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_rule_fails_in_sql_exactly_where_it_fails_in_python(rule: Rule) -> None:
    contexts = [context for context in CONTEXTS if rule.applies(context)]

    @settings(max_examples=50 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(context=st.sampled_from(contexts), records=st.lists(_records(rule), min_size=4, max_size=12))
    def agree(context: Context, records: list[dict[str, Any]]) -> None:
        expected = [list(failing([rule], record, context)) for record in records]
        assert failing_in_sql([rule], records, context) == expected

    agree()


def _random_record(dice: random.Random, context: Context) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for item in context.dictionary.columns(context.dataset, context.letter):
        if item.entity not in LIST_NAMES and dice.random() < 0.9:
            record[item.name] = dice.choice(pool(item))
    for entity, list_name in LIST_NAMES.items():
        items = [item for item in DATA.columns(context.dataset, context.letter) if item.entity == entity]
        record[list_name] = [
            {item.name: dice.choice(pool(item)) for item in items if dice.random() < 0.9}
            for _ in range(dice.choice((0, 0, 1, 2, 4)))
        ]
    others = range(dice.choice((0, 0, 1, 2)))
    record[BESIDE] = [{"DISD": dice.choice(pool(DATA.item("DISD")))} for _ in others]
    return record


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.dataset + context.letter)
def test_all_rules_together_agree_on_whole_records(context: Context) -> None:
    dice = random.Random()
    seed = dice.randrange(2**32)
    dice.seed(seed)
    records = [_random_record(dice, context) for _ in range(500 * FACTOR)]
    found = failing_in_sql(ALL_RULES, records, context)
    for record, ids in zip(records, found, strict=True):
        assert ids == list(failing(ALL_RULES, record, context)), f"seed {seed}: {record}"


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.dataset + context.letter)
def test_sql_of_a_rule_is_never_null(context: Context) -> None:
    """Even where everything is missing, and where an empty record has no child list."""
    from django.db import connection

    rules = applicable(ALL_RULES, context)
    terms, params = [], []
    for rule in rules:
        text, found = rule.to_sql(RESOLVER, context)
        terms.append(f"({text}) IS NULL")
        params += found
    any_fails, found = sql_any_fails(ALL_RULES, RESOLVER, context)
    records = [
        {},
        dict.fromkeys((item.name for item in DATA.items), None),
        {"tops": [{}], "interventions": [{}]},
    ]
    with connection.cursor() as cursor:
        query = f"SELECT {', '.join(terms)}, {any_fails} FROM jsonb_array_elements(%s::jsonb) AS r(record)"
        cursor.execute(query, [*params, *found, to_json(records)])
        for row in cursor.fetchall():
            assert row == (*[False] * len(rules), True)
