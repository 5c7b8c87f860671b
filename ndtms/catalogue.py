"""The data sets side by side: what is in which, what changed between letters, and what an item means. Pure: the dictionary in, rows out.

What no source gives is said so and stays unknown (rules.md); nothing here is a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from caseload.dataset.reader import DATASETS, Code, Dictionary, Item
from caseload.dataset.rules import ALL_RULES, Rule

NOT_ESTABLISHED = "Not established: confirm against the technical definition"
ALWAYS = "H or before"
SHORT = {"adult": "Adult", "yp": "Young people", "cjit": "CJIT"}
ENTITIES = {
    "client": "The person",
    "episode": "The episode",
    "yp_outcomes": "The episode: a young person's outcomes",
    "intervention": "Interventions",
    "sub_intervention_review": "Sub-intervention reviews",
    "time_in_treatment": "Time in treatment",
    "top": "Outcome forms (TOP)",
    "client_information_review": "Client information reviews",
}
# Who gives the answer, by where it is recorded.
ANSWERS = {
    "client": "The client, when they are registered; kept up to date by whoever hears of a change",
    "episode": "The client at the assessment; the keyworker records it",
    "yp_outcomes": "The young person, in a talk about how things are",
    "intervention": "The service that gives the intervention",
    "sub_intervention_review": "The keyworker, at the review",
    "time_in_treatment": "The keyworker",
    "top": "The client, asked in an outcome form",
    "client_information_review": "The keyworker, when the client's details are gone through again",
}
TYPES = {
    "text": "Text",
    "date": "Date",
    "code": "A code of a list",
    "flag": "Yes or no",
    "int": "Whole number",
}
# Items that nobody answers: the system writes them.
WRITTEN_BY_US = frozenset({"AGNCY", "CMSID", "CONSENT", "FINITIAL", "SINITIAL"})


@dataclass(frozen=True)
class Row:
    """An item beside the three data sets of a letter."""

    item: Item
    entity: str
    held_in: tuple[bool, ...]
    established: bool


@dataclass(frozen=True)
class Change:
    """What became of items between two letters, in one data set."""

    dataset: str
    added: tuple[Item, ...]
    gone: tuple[Item, ...]


@dataclass(frozen=True)
class ListChange:
    """What became of the codes of a list between two letters; `gap`: codes are known to exist that no source gives."""

    name: str
    added: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]
    gap: bool

    @property
    def any(self) -> bool:
        """Whether anything is to be told."""
        return bool(self.added or self.gone)


def is_established(dictionary: Dictionary, item: Item, letter: str) -> bool:
    """Whether all that the dictionary says of an item is established: no low confidence, no list without codes or with gaps."""
    if item.confidence == "low":
        return False
    if not item.code_list:
        return item.type != "code"
    whole = dictionary.list_is_established(item.code_list)
    return whole and not dictionary.list_has_gaps(item.code_list, letter)


def side_by_side(dictionary: Dictionary, letter: str, *, part: str = "", words: str = "") -> list[Row]:
    """The items of a letter in file order, narrowed to an entity and to words in name or label. Raises UnknownLetter."""
    columns = [set(dictionary.columns(dataset, letter)) for dataset in DATASETS]
    wanted = words.casefold().split()
    rows = []
    for item in dictionary.items:
        held_in = tuple(item in found for found in columns)
        text = f"{item.name} {item.label}".casefold()
        if any(held_in) and part in ("", item.entity) and all(word in text for word in wanted):
            rows.append(Row(item, ENTITIES[item.entity], held_in, is_established(dictionary, item, letter)))
    return rows


def compare(dictionary: Dictionary, first: str, second: str) -> list[Change]:
    """What came and went, by data set, from one letter to another. Raises UnknownLetter."""
    found = []
    for dataset in DATASETS:
        before, after = dictionary.columns(dataset, first), dictionary.columns(dataset, second)
        added = tuple(item for item in after if item not in before)
        gone = tuple(item for item in before if item not in after)
        found.append(Change(dataset, added, gone))
    return found


def compare_codes(dictionary: Dictionary, first: str, second: str) -> list[ListChange]:
    """The code lists that changed, or of which nobody can say whether they did, by name. Raises UnknownLetter."""
    found = []
    for name in sorted(dictionary.code_lists):
        before, after = dictionary.codes(name, first), dictionary.codes(name, second)
        change = ListChange(
            name,
            tuple((code, label) for code, label in after.items() if before.get(code) != label),
            tuple((code, label) for code, label in before.items() if after.get(code) != label),
            dictionary.list_has_gaps(name, second) or not dictionary.list_is_established(name),
        )
        if change.any or change.gap:
            found.append(change)
    return found


def rules_of(item: Item) -> list[Rule]:
    """The rules that read an item, errors first."""
    return [rule for rule in ALL_RULES if item.name in rule.items]


def facts(item: Item) -> Iterator[tuple[str, str]]:
    """What the dictionary says of an item, in words: (what, what is known)."""
    datasets = [SHORT[dataset] for dataset in DATASETS if item.is_in(dataset)]
    yield "What it is", item.label
    yield "Part of", ENTITIES[item.entity]
    yield (
        "Who answers",
        "Nobody: the system writes it" if item.name in WRITTEN_BY_US else ANSWERS[item.entity],
    )
    yield "Data sets", ", ".join(datasets) or "None"
    yield "Kind", TYPES[item.type] + (f", {item.format}" if item.format else "")
    yield "Longest", f"{item.max_length} characters" if item.max_length is not None else NOT_ESTABLISHED
    yield "When it is needed", item.required_when or NOT_ESTABLISHED
    yield "Who may see it", f"Who may see the category “{item.category}”"
    yield "Since letter", ALWAYS if item.introduced.startswith("<=") else item.introduced or NOT_ESTABLISHED
    if item.retired:
        yield "Not any more from letter", item.retired
    yield "Where this is from", item.source or NOT_ESTABLISHED
    yield "How sure", item.confidence


def lifetime(code: Code) -> str:
    """In which letters a code is valid, in words."""
    start = "" if not code.valid_from or code.valid_from.startswith("<=") else f"from {code.valid_from}"
    end = f"up to {code.valid_to.removeprefix('<=')}" if code.valid_to else ""
    return " ".join(filter(None, (start, end))) or "all letters"
