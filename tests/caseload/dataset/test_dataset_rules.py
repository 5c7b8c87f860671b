"""Rules by example, what they say to people, and to which data sets they apply (contract section 4)."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest

import caseload.dataset
from caseload.dataset.explain import explain, explain_failure
from caseload.dataset.reader import DATASETS, UnknownDataset, UnknownLetter
from caseload.dataset.rules import (
    ALL_RULES,
    ERROR_RULES,
    RULES,
    WARNING_RULES,
    Context,
    Rule,
    applicable,
    failing,
    sql_any_fails,
    sql_failing,
)
from caseload.dataset.rules.conditions import And, AnyChild, Compare, Present
from caseload.dataset.rules.values import Date, Text, Whole
from tests.caseload.dataset.examples import EXAMPLES
from tests.caseload.dataset.support import AS_OF, CLEAN, CONTEXT, DATA, RESOLVER, failing_in_sql

every_rule = pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)


def test_clean_record_fails_no_rule() -> None:
    assert failing(ALL_RULES, CLEAN, CONTEXT) == ()


def test_every_rule_has_examples_and_there_are_the_rules_the_contract_asks_for() -> None:
    assert list(EXAMPLES) == [rule.id for rule in ALL_RULES] == list(RULES)
    assert [rule.id for rule in ERROR_RULES] == [f"E{number:02d}" for number in range(1, 12)]
    assert len(WARNING_RULES) >= 16
    assert {rule.level for rule in ERROR_RULES} == {"error"}
    assert {rule.level for rule in WARNING_RULES} == {"warning"}


@every_rule
def test_rule_fails_where_it_should(rule: Rule) -> None:
    examples = EXAMPLES[rule.id]
    assert rule.applies(examples.context)
    for record in examples.failing:
        assert rule.to_python(record, examples.context), record
    assert set(rule.culprits(examples.failing[0], examples.context)) == examples.at_fault


@every_rule
def test_rule_passes_where_it_should(rule: Rule) -> None:
    examples = EXAMPLES[rule.id]
    for record in [*examples.passing, CLEAN]:
        assert not rule.to_python(record, examples.context), record
        assert rule.culprits(record, examples.context) == ()


@pytest.mark.django_db
@every_rule
def test_examples_give_the_same_in_sql(rule: Rule) -> None:
    examples = EXAMPLES[rule.id]
    found = failing_in_sql([rule], examples.failing + examples.passing, examples.context)
    assert found == [[rule.id]] * len(examples.failing) + [[]] * len(examples.passing)


@every_rule
def test_every_item_of_a_rule_is_read_by_its_type(rule: Rule) -> None:
    """A date item is compared as a date, any other never; a typing slip would compare text with dates."""

    def walk(node: object) -> None:
        if isinstance(node, Date):
            assert DATA.item(node.name).type == "date"
        elif isinstance(node, Text | Whole):
            assert DATA.item(node.name).type != "date"
        for value in vars(node).values() if hasattr(node, "__dataclass_fields__") else ():
            for part in value if isinstance(value, tuple) else (value,):
                walk(part)

    walk(rule.condition)


@pytest.mark.parametrize("letter", DATA.letters)
def test_error_rules_apply_only_where_all_their_items_are_columns(letter: str) -> None:
    everything = [rule.id for rule in ERROR_RULES]
    expected = {"adult": everything, "yp": everything, "cjit": ["E01", "E02", "E07", "E09"]}
    for dataset in DATASETS:
        found = applicable(ERROR_RULES, Context(dataset, letter, AS_OF))
        assert [rule.id for rule in found] == expected[dataset]


def test_cjit_record_is_not_held_back_for_what_cjit_does_not_have() -> None:
    context = Context("cjit", "Q", AS_OF)
    record = {**CLEAN, "REFLD": None, "TRIAGED": None, "ROUTE": "77", "DISD": date.max, "DISRSN": "80"}
    assert failing(ERROR_RULES, record, context) == ()
    assert failing(ERROR_RULES, {}, context) == ("E01", "E07")
    assert failing(ERROR_RULES, {}, CONTEXT) == ("E01", "E03", "E05", "E07")


def test_warning_of_adult_services_does_not_ask_a_young_peoples_service_about_age() -> None:
    record = {**CLEAN, "DOB": date(2010, 1, 1)}
    assert "W23" in failing(ALL_RULES, record, CONTEXT)
    assert "W23" not in failing(ALL_RULES, record, Context("yp", "Q", AS_OF))


def test_warning_about_many_items_stays_silent_only_about_those_that_are_no_columns() -> None:
    """LTLA came with R, LA was always there: the rule asks about both in R and about LA alone in Q."""
    record = {**CLEAN, "LTLA": "E07000066"}
    assert "W25" not in failing(ALL_RULES, record, CONTEXT)
    assert "W25" in failing(ALL_RULES, record, Context("adult", "R", AS_OF))
    assert "W25" in failing(ALL_RULES, {**CLEAN, "LA": "22UB"}, CONTEXT)


def test_code_is_judged_by_the_letter_of_the_file() -> None:
    record = {**CLEAN, "RFLS": "5"}
    assert "E11" not in failing(ALL_RULES, record, Context("adult", "M", AS_OF))
    assert "E11" in failing(ALL_RULES, record, Context("adult", "N", AS_OF))


def test_context_refuses_what_is_not_in_the_dictionary() -> None:
    with pytest.raises(UnknownLetter, match="'I'.*use F, G, H, J"):
        Context("adult", "I", AS_OF)
    with pytest.raises(UnknownDataset, match="'child'.*use adult, yp, cjit"):
        Context("child", "Q", AS_OF)


def test_item_of_a_child_outside_its_list_is_a_mistake_of_the_rule() -> None:
    misplaced = Rule("W99", "warning", "w", "r", "s", Compare(Date("MODST"), "<", Date("REFLD")))
    with pytest.raises(LookupError, match="MODST is an item of interventions"):
        misplaced.to_python(CLEAN, CONTEXT)
    with pytest.raises(LookupError, match="MODST"):
        misplaced.to_sql(RESOLVER, CONTEXT)
    crossed = Rule("W99", "warning", "w", "r", "s", AnyChild("tops", Present(Text("MODID"))))
    with pytest.raises(LookupError, match="MODID"):
        crossed.to_python(CLEAN, CONTEXT)


def test_malformed_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="E1"):
        Rule("E1", "error", "w", "r", "s", Present(Text("SEX")))
    with pytest.raises(ValueError, match="unknown level 'fatal'"):
        Rule("E12", "fatal", "w", "r", "s", Present(Text("SEX")))
    with pytest.raises(TypeError):
        Compare(Text("SEX"), "<", Text("ROUTE"))
    with pytest.raises(TypeError):
        Compare(Text("SEX"), "=", Whole("ROUTE"))
    with pytest.raises(TypeError):
        And()


@every_rule
def test_words_are_short_plain_and_name_the_remedy(rule: Rule) -> None:
    """The voice of the mock-ups: no blame, no please, no exclamation, a sentence without a full stop, then an act."""
    for text in (rule.words, rule.remedy):
        lowered = text.lower()
        assert not any(
            word in lowered for word in ("please", "invalid", "oops", "must", "failed", "illegal", "!")
        )
        assert text[0].isupper()
    assert len(rule.words) <= 80
    assert not rule.words.endswith(".")
    assert rule.remedy.endswith(".")
    assert "ection" in rule.source or "fields.csv" in rule.source


def test_words_of_all_rules_differ() -> None:
    assert len({rule.words for rule in ALL_RULES}) == len(ALL_RULES)


def test_explanation_names_rule_effect_and_items_at_fault_but_no_value() -> None:
    found = explain_failure(RULES["E06"], {**CLEAN, "TRIAGED": date(2026, 2, 1)}, CONTEXT)
    assert found.sentence == "Triage is before the referral (E06)"
    assert (found.effect, found.stops) == ("Stops the row", True)
    assert [(item.name, item.label) for item in found.items] == [
        ("REFLD", "Referral date"),
        ("TRIAGED", "Triage (first assessment) date"),
    ]
    assert "2026" not in repr(found)
    general = explain(RULES["W19"])
    assert (general.effect, general.stops, general.items) == ("Check", False, ())


def test_sql_of_no_rules_is_still_sql() -> None:
    assert sql_any_fails([], RESOLVER, CONTEXT) == ("(FALSE)", [])
    assert sql_failing([], RESOLVER, CONTEXT) == ("array_remove(ARRAY[]::text[], NULL)", [])


def test_package_is_pure() -> None:
    """No Django, no model, no clock: rules can be read and tested without either (style rule 8)."""
    folder = Path(caseload.dataset.__file__).parent
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in {"django", "edatrs", "audit", "time"} for name in names), (
                path
            )
            assert not (isinstance(node, ast.Attribute) and node.attr in {"today", "now", "utcnow"}), path
