"""Parts of the addresses of an episode's pages: its sections, and its lists (the outcome forms have pages of their own)."""

from __future__ import annotations

from caseload.record import LISTS
from caseload.sections import LIST_KEYS, SECTIONS

OUTCOMES = "tops"
INTERVENTIONS = "interventions"
LIST_OF_KEY = {key: name for name, key in LIST_KEYS.items() if name != OUTCOMES}
ALL_LISTS = {LIST_KEYS[name]: name for name in LISTS}


class _Keys:
    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return str(value)


class SectionKey(_Keys):
    """The key of a form of an episode."""

    regex = "|".join(SECTIONS)


class ListKey(_Keys):
    """The key of a list of an episode, not of the outcome forms."""

    regex = "|".join(LIST_OF_KEY)


class DetailKey(_Keys):
    """A category of the client that has a form of its own."""

    regex = "identity|contact|equality|disability|circumstances"


class AnyListKey(_Keys):
    """The key of a list of an episode."""

    regex = "|".join(ALL_LISTS)
