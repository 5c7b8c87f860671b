"""The tables of who may do what: written from the protocol and the design, never from code.

`access.csv` says which role may do which act. `routes.csv` says which act each method of each route performs (`client.edit/contact`: the
act for a category), how it answers to whoever may, which objects its address names and what keeps another organisation's rows away:
`walls` (managers and row security) or `page` (the page's own filter: tables without client data). `tasks.csv` says who acts in commands,
tasks and jobs. `by` names the letters that open a page which is not about one's own things: S, B or N.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROLES = (
    "keyworker",
    "clinician",
    "team_manager",
    "ndtms_administrator",
    "organisation_administrator",
    "information_governance",
    "commissioner",
    "platform_support",
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# What stands for an act at addresses without an organisation.
OPEN, AFTER_PASSWORD, OWN_SIGN_IN = PUBLIC = ("open", "after the password", "own sign-in")
GUARDS = ("", "walls", "page")


def read(name: str) -> list[dict[str, str]]:
    """The lines of a table."""
    with open(HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def letters() -> dict[tuple[str, str], dict[str, str]]:
    """(act, category) -> role -> letters; a role that may never is left out."""
    return {
        (line["act"], line["needs_category"]): {role: line[role] for role in ROLES if line[role] != "-"}
        for line in read("access.csv")
    }


@dataclass(frozen=True)
class Line:
    """A line of routes.csv for one method."""

    route: str
    method: str
    act: str
    answers: frozenset[int]
    objects: tuple[tuple[str, str], ...]
    guard: str
    fresh: bool
    by: frozenset[str] = frozenset("OAP")

    @property
    def of_organisation(self) -> bool:
        """Whether the address names an organisation."""
        return self.act not in PUBLIC

    @property
    def offered(self) -> bool:
        """Whether the page has this method at all."""
        return 405 not in self.answers

    @property
    def of_people(self) -> bool:
        """Whether the act is about people: some role has a letter of theirs for it."""
        act = self.act.partition("/")[0]
        return any(
            set(held) & set("OSBN")
            for (name, _), row in letters().items()
            if name == act
            for held in row.values()
        )

    def may(self, role: str) -> bool:
        """Whether a role may do the act by one of the letters that open the page: of one's own things, unless the line says otherwise."""
        act, _, category = self.act.partition("/")
        return bool(self.by & set(letters()[act, category].get(role, "")))


@cache
def lines() -> dict[tuple[str, str], Line]:
    """(route, method) -> its line."""
    found: dict[tuple[str, str], Line] = {}
    for row in read("routes.csv"):
        for method in row["methods"].split():
            key = row["route"], method
            assert key not in found, f"{key} has two lines"
            assert row["guard"] in GUARDS, f"{key}: {row['guard']}"
            found[key] = Line(
                route=row["route"],
                method=method,
                act=row["act"],
                answers=frozenset(map(int, row["answer"].split("|"))),
                objects=tuple(
                    (name, kind) for name, kind in (pair.split("=") for pair in row["objects"].split())
                ),
                guard=row["guard"],
                fresh=row["fresh"] == "yes",
                by=frozenset(row["by"] or "OAP"),
            )
    return found
