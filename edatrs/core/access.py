"""Role × act: whether the roles of the open scope may do an act at all. Which records it reaches is for managers and row security.

The table itself is `edatrs.organisations.roles`; it is handed down here at start-up so that the kernel depends on nothing above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from django.http import Http404

from edatrs.core.scope import current_scope

_table: dict[tuple[str, str], Mapping[str, str]] = {}
# What takes letters away from a role today, whatever the table says: (act, role, letters) -> letters. Handed down like the table.
_PEOPLE = frozenset("OSBN")
_narrowings: list[Callable[[str, str, str], str]] = []
NARROWED = "partner left the protocol"


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


def narrow(narrowing: Callable[[str, str, str], str]) -> None:
    """Register what takes letters away in a state of the organisation acted for."""
    if narrowing not in _narrowings:
        _narrowings.append(narrowing)


def acts() -> frozenset[str]:
    """Every act the table knows."""
    return frozenset(act for act, _ in _table)


def knows(act: str, category: str = "") -> bool:
    """Whether the table has a row of this act and category: without one nobody may do it."""
    return (act, category) in _table


def of_people(act: str) -> bool:
    """Whether an act is about people: any role has a letter of theirs for it (access.md), in any category."""
    return any(
        set(letters) & _PEOPLE for (name, _), row in _table.items() if name == act for letters in row.values()
    )


def letters(act: str, category: str = "", *, roles: frozenset[str] | None = None) -> str:
    """The letters of access.csv that the roles give together, in no order; empty: never. An unknown act gives nothing."""
    held = current_scope().roles if roles is None else roles
    return "".join(sorted({letter for role in held for letter in _letters(act, category, role)}))


def _letters(act: str, category: str, role: str) -> str:
    """The letters of one role, as far as nothing takes them away today."""
    found = _table.get((act, category), {}).get(role, "")
    for narrowing in _narrowings:
        found = narrowing(act, role, found)
    return found


# The letters that open a page about one's own things. A page about what others share says so itself: S by a grant, B by an emergency access
# that is open, N for somebody whom the organisation does not reach (`OrganisationView.by`).
OWN = frozenset("OAP")


def may(act: str, category: str = "", *, by: Iterable[str] = OWN) -> bool:
    """Whether the person of the open scope may do the act by one of the letters `by` for anything at all."""
    return bool(set(by) & set(letters(act, category)))


def require(act: str, category: str = "", *, by: Iterable[str] = OWN) -> None:
    """Raises Denied unless `may`; it says whether the role could, if nothing took letters away."""
    if may(act, category, by=by):
        return
    row = _table.get((act, category), {})
    could = {letter for role in current_scope().roles for letter in row.get(role, "")}
    raise Denied(act, NARROWED if set(by) & could else "role")
