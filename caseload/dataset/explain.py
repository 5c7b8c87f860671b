"""What people are shown of a rule: the sentence, its effect, what to do, and which entries it is about."""

from __future__ import annotations

from dataclasses import dataclass

from caseload.dataset.rules import ERROR, Context, Record, Rule

EFFECTS = {"error": "Stops the row", "warning": "Check"}


@dataclass(frozen=True, slots=True)
class ItemAtFault:
    """An item that makes a rule fail: its CSV header and its label, for the link to its box."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule in words. `items` are in the order of the dictionary, empty without a record."""

    rule_id: str
    effect: str
    stops: bool
    words: str
    remedy: str
    source: str
    items: tuple[ItemAtFault, ...]

    @property
    def sentence(self) -> str:
        """What is wrong, with the rule in brackets: `Triage is before the referral (E06)`."""
        return f"{self.words} ({self.rule_id})"


def explain(rule: Rule) -> Explanation:
    """The rule in general."""
    return _explanation(rule, ())


def explain_failure(rule: Rule, record: Record, context: Context) -> Explanation:
    """The rule as one record fails it, with the items at fault. Holds headers and labels, no recorded value."""
    names = rule.culprits(record, context)
    return _explanation(rule, tuple(ItemAtFault(name, context.dictionary.item(name).label) for name in names))


def _explanation(rule: Rule, items: tuple[ItemAtFault, ...]) -> Explanation:
    return Explanation(
        rule.id, EFFECTS[rule.level], rule.level == ERROR, rule.words, rule.remedy, rule.source, items
    )
