"""The ten parts of a record as people are asked about them, in the order of the protocol (O-23, O-24). Pure.

A part is one or two information categories: nobody thinks of a name and an address as two things, row security does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from caseload.choices import Category


@dataclass(frozen=True)
class Part:
    """A part of the record: what it is called, what is in it (`{called}` is the client's first name), and its categories."""

    key: str
    words: str
    holds: str
    categories: tuple[str, ...]


PARTS = (
    Part(
        "identity_contact",
        "Identity and contact",
        "Name, birth date, address, phone, GP",
        (Category.IDENTITY.value, Category.CONTACT.value),
    ),
    Part("equality", "Equality", "Ethnicity, religion, sexuality, nationality", (Category.EQUALITY.value,)),
    Part("disability", "Disability", "Disability and what help is needed", (Category.DISABILITY.value,)),
    Part(
        "circumstances",
        "History and circumstances",
        "Family, housing, work, past",
        (Category.CIRCUMSTANCES.value,),
    ),
    Part("health", "Physical and mental health", "Health conditions and care", (Category.HEALTH.value,)),
    Part("prescribing", "Prescribing", "Medicines, doses, pharmacy", (Category.PRESCRIBING.value,)),
    Part("safeguarding", "Safeguarding", "Keeping children and adults safe", (Category.SAFEGUARDING.value,)),
    Part("offending", "Offending", "Only what {called} has told us", (Category.OFFENDING.value,)),
    Part("risk", "Risk", "Risks to {called} or to others", (Category.RISK.value,)),
    Part("treatment", "Treatment", "Goals, sessions, progress, results", (Category.TREATMENT.value,)),
)
BY_KEY = {part.key: part for part in PARTS}


def categories_of(keys: Iterable[str]) -> list[str]:
    """The categories of parts, in order. Raises KeyError on what is no part."""
    chosen = {category for key in keys for category in BY_KEY[key].categories}
    return [category.value for category in Category if category.value in chosen]


def keys_of(categories: Collection[str]) -> list[str]:
    """The parts of which at least one category is there."""
    return [part.key for part in PARTS if set(part.categories) & set(categories)]


def words_of(categories: Collection[str]) -> list[str]:
    """The parts in words; one of which only a category is there is called by that."""
    found = []
    for part in PARTS:
        held = [c for c in part.categories if c in categories]
        if len(held) == len(part.categories):
            found.append(part.words)
        else:
            found += [str(Category(c).label) for c in held]
    return found


def sentence(categories: Collection[str]) -> str:
    """The parts in one line: Identity and contact; offending; treatment."""
    words = words_of(categories)
    return "; ".join([*words[:1], *(w[:1].lower() + w[1:] for w in words[1:])])
