"""The forms of an episode: which item of the data sets stands in which, so that each has exactly one place to be typed.

Pure. An item that a new letter brings and that is not named here goes to the form of its category; a treatment item to the triage form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from caseload.dataset.reader import Item, load_dictionary
from caseload.record import EPISODE_ENTITIES, LISTS, TREATMENT, place_of, recorded_items

TRIAGE = "triage"


@dataclass(frozen=True)
class Section:
    """A form of an episode. `category` guards it; `named` are its first items in order, the dictionary's order gives the rest."""

    key: str
    title: str
    category: str
    named: tuple[str, ...] = ()
    dataset: str = ""


SECTIONS: Mapping[str, Section] = {
    s.key: s
    for s in (
        Section("referral", "Referral", TREATMENT, ("REFLD", "RFLS", "PREVTR")),
        Section(TRIAGE, "Triage", TREATMENT, ("TRIAGED", "CPLANDT", "TOPCC", "NALOXISS", "NALOXAD")),
        Section(
            "substances",
            "Substances",
            TREATMENT,
            ("DRUG1", "DRUG1AGE", "ROUTE", "DRUG2", "DRUG3", "INJSTAT", "ALCDDAYS", "ALCUNITS"),
        ),
        Section("discharge", "Discharge", TREATMENT, ("DISD", "DISRSN", "DISDEST")),
        Section(
            "circumstances",
            "Circumstances",
            "circumstances",
            ("ACCMNEED", "EMPSTAT", "PRNTSTAT", "CHILDWTH", "EHCSC", "EHCSC2", "EHCSC3"),
        ),
        Section("health", "Health", "health"),
        Section("residence", "Residence", "contact", ("PC", "LA", "UTLA", "LTLA", "DAT")),
        Section("equality", "Equality", "equality"),
        Section("disability", "Disability", "disability"),
        Section("offending", "Offending", "offending"),
        Section("safeguarding", "Safeguarding", "safeguarding"),
        Section("risk", "Risk", "risk"),
        Section("prescribing", "Prescribing", "prescribing"),
        Section("young-person-start", "Young person: start", "circumstances", dataset="yp"),
        Section("young-person-exit", "Young person: exit", "circumstances", dataset="yp"),
    )
}
# Identifiers are given by the record or by whoever registers; nobody types them into a form of an episode.
GIVEN = frozenset({"EPISODID", "CLIENT", "CLIENTID"})
# The address part of each list of an episode, by its name in the record.
LIST_KEYS = {name: name.replace("_", "-") for name in LISTS}


def section_of(item: Item) -> str:
    """The key of the form (or of the list) where an item is typed; '' for one that nobody types. Items of the client: `client`."""
    if item.name in GIVEN:
        return ""
    if item.entity == "client":
        return "client"
    if item.entity in EPISODE_ENTITIES:
        for section in SECTIONS.values():
            if item.name in section.named:
                return section.key
        if item.entity == "yp_outcomes":
            return "young-person-exit" if item.name.startswith("YPE") else "young-person-start"
        if item.category == TREATMENT:
            return TRIAGE
        return next(s.key for s in SECTIONS.values() if s.category == item.category and not s.dataset)
    return next(LIST_KEYS[name] for name, place in LISTS.items() if place.entity == item.entity)


@cache
def items_of(key: str, dataset: str, letter: str) -> tuple[Item, ...]:
    """The items of a form that the data set has in the letter, in the order they are asked."""
    section = SECTIONS[key]
    found = {
        i.name: i
        for i in load_dictionary().columns(dataset, letter)
        if i in recorded_items() and section_of(i) == key
    }
    first = [found.pop(name) for name in section.named if name in found]
    return (*first, *found.values())


@cache
def list_items(name: str, dataset: str, letter: str) -> tuple[Item, ...]:
    """The items of an entry of a list that are typed, in the dictionary's order; the identifier is given."""
    place = LISTS[name]
    return tuple(
        i
        for i in load_dictionary().columns(dataset, letter)
        if i.entity == place.entity and place.columns.get(i.name) != "identifier"
    )


def sections_for(dataset: str, letter: str) -> tuple[Section, ...]:
    """The forms of an episode that have anything to ask in the data set and letter."""
    return tuple(s for s in SECTIONS.values() if items_of(s.key, dataset, letter))


def category_of(item: Item) -> str:
    """The category that guards an item."""
    return place_of(item).category or TREATMENT
