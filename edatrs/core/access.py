"""Role × act: whether the roles of the open scope may do an act at all. Which records it reaches is for managers and row security.

The table itself is `edatrs.organisations.roles`; it is handed down here at start-up so that the kernel depends on nothing above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.http import Http404

from edatrs.core.scope import current_scope

_table: dict[tuple[str, str], Mapping[str, str]] = {}


class Denied(Http404):
    """An act was refused. It answers like something that does not exist; the act and the reason go on the trail, never to the person."""

    def __init__(self, act: str, why: str, subject: str = "") -> None:
        super().__init__("not found")
        self.act = act
        self.why = why
        self.subject = subject


def register_table(table: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
    """Take the table (act, category) -> role -> letters."""
    _table.clear()
    _table.update(table)


def acts() -> frozenset[str]:
    """Every act the table knows."""
    return frozenset(act for act, _ in _table)


def knows(act: str, category: str = "") -> bool:
    """Whether the table has a row of this act and category: without one nobody may do it."""
    return (act, category) in _table


def letters(act: str, category: str = "", *, roles: frozenset[str] | None = None) -> str:
    """The letters of access.csv that the roles give together, in no order; empty: never. An unknown act gives nothing."""
    held = current_scope().roles if roles is None else roles
    row = _table.get((act, category), {})
    return "".join(sorted({letter for role in held for letter in row.get(role, "")}))


# The letters that open a page about one's own things. A page about what others share says so itself: S by a grant, B by an emergency access
# that is open, N for somebody whom the organisation does not reach (`OrganisationView.by`).
OWN = frozenset("OAP")


def may(act: str, category: str = "", *, by: Iterable[str] = OWN) -> bool:
    """Whether the person of the open scope may do the act by one of the letters `by` for anything at all."""
    return bool(set(by) & set(letters(act, category)))


def require(act: str, category: str = "", *, by: Iterable[str] = OWN) -> None:
    """Raises Denied unless `may`."""
    if not may(act, category, by=by):
        raise Denied(act, "role")
