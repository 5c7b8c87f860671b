"""What a part of a record said before, in plain words: which field, from what to what, who, when, and where it was written.

Read from the row history, which the database keeps whoever changes a row, and from the organisation's own trail. Only of one's own records:
what partners share has no history here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from audit.models import AuditEvent
from caseload.models import Client
from caseload.record import CLIENT_POSTCODE
from caseload.recorded import Recorded
from edatrs.core import access
from edatrs.core.scope import Actor, current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation

PAGE = 30
SYSTEM, IMPORT = "The system", "An import"
# The program's own actors, as the trail calls them.
_LABELS = {"operator": "The operator", "worker": SYSTEM, "": SYSTEM}
AT_THIS_DESK, BY_IMPORT, BY_MERGE, BY_COMMAND, BY_SYSTEM = (
    "at this desk",
    "import",
    "when two records were merged or taken apart",
    "on the command line",
    "in the background",
)
# What of a client's own categories the data set holds: all that an NDTMS administrator is shown the history of (access.csv).
_OF_DATA_SET = {"identity": {"forename", "surname", "date_of_birth", "sex"}, "contact": {CLIENT_POSTCODE[1]}}


class ShownForm(Protocol):
    """A form that can say its values in words."""

    fields: Any

    def shown(self, name: str, value: Any) -> str:
        """A value in words."""


@dataclass(frozen=True)
class Author:
    """Who wrote, when the act began, and where it was written."""

    who: str
    where: str
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Change:
    """One field: its name, what people call it, before and after in words."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """What one act changed. `version` is the version that it made."""

    who: str
    where: str
    at: dt.datetime
    version: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class History:
    """Changes, the latest first; `older` is the version that the next page begins below, 0 at the end; then `first`: who began it."""

    entries: list[Entry] = field(default_factory=list)
    older: int = 0
    first: Author | None = None


def fields_shown(about: str, names: Iterable[str]) -> list[str]:
    """The fields of a part whose history the roles of the open scope may see: of a category of the client, a section or a list."""
    wider = current_scope().roles - {Role.NDTMS_ADMINISTRATOR.value}
    if about not in _OF_DATA_SET or "O" in access.letters("client.view", about, roles=wider):
        return list(names)
    return [name for name in names if name in _OF_DATA_SET[about]]


def read(
    client: Client,
    recorded: Recorded,
    form: ShownForm,
    *,
    names: Iterable[str],
    before: int = 0,
    limit: int = PAGE,
) -> History:
    """The history of the fields `names` of one row, `before` a version. Three queries at most, however long it is."""
    if recorded.row is None:
        return History()
    rows: Any = recorded.row.history  # type: ignore[attr-defined]  # tracked models all
    # The history holds the versions that were replaced. A change is told from two that follow each other, so the page begins with the
    # newer one of its first change: the row itself, or the version `before`.
    if before:
        found = list(rows.filter(version__lte=before).order_by("-version")[: limit + 2])
        if not found:
            return History()
        after, act = recorded.read(found[0]), found[0].act
        found = found[1:]
    else:
        found = list(rows.order_by("-version")[: limit + 1])
        after, act = dict(recorded.values), recorded.act
    more, found = len(found) > limit, found[:limit]
    shown = [name for name in names if name in after]
    authors = authors_of(client.pk, [act, *(row.act for row in found)])
    entries: list[Entry] = []
    for row in found:
        said = recorded.read(row)
        changes = tuple(
            Change(name, label_of(form, name), form.shown(name, said[name]), form.shown(name, after[name]))
            for name in shown
            if said[name] != after[name]
        )
        if changes:
            author = authors[act]
            entries.append(Entry(author.who, author.where, row.pgh_created_at, row.version + 1, changes))
        after, act = said, row.act
    if more:
        return History(entries, older=found[-1].version)
    began = authors[act] if act else Author("", "")
    return History(entries, first=Author(began.who, began.where, getattr(recorded.row, "created_at", None)))


def changed_names(recorded: Recorded) -> set[str]:
    """The fields that ever said something else, as far as the latest versions tell. No query of a row that was never changed, else one."""
    if recorded.row is None or recorded.version <= 1:
        return set()
    rows: Any = recorded.row.history  # type: ignore[attr-defined]  # tracked models all
    said = [recorded.read(row) for row in rows.order_by("-version")[:PAGE]]
    return {name for name, now in recorded.values.items() if any(one[name] != now for one in said)}


def label_of(form: ShownForm, name: str) -> str:
    """What people call a field; its name where the form has none."""
    return str(form.fields[name].label) if name in form.fields else name


def authors_of(client_id: UUID, acts: Iterable[UUID | None]) -> dict[UUID | None, Author]:
    """Who did these acts on a client, from the own trail. What no entry is about came with an import. Two queries at most."""
    wanted = list(acts)
    rows = list(
        AuditEvent.objects.filter(subject=str(client_id), act__in=[a for a in wanted if a])
        .order_by("sequence")
        .values("act", "actor", "actor_label", "at", "organisation_id", "details")
    )
    ours = current_organisation()
    others = {row["organisation_id"] for row in rows} - {ours, None}
    names = dict(Organisation.objects.filter(pk__in=others).values_list("pk", "name")) if others else {}
    found: dict[UUID | None, Author] = {act: Author(IMPORT, BY_IMPORT) for act in [None, *wanted]}
    for row in rows:
        found[row["act"]] = Author(
            _LABELS.get(row["actor_label"], row["actor_label"]), _where(row, ours, names), row["at"]
        )
    return found


def _where(row: Mapping[str, Any], ours: UUID, names: Mapping[UUID, str]) -> str:
    """Where it was written: here, at a linked partner, by a merge, or not by hand."""
    if row["organisation_id"] not in (ours, None):
        return f"by {names.get(row['organisation_id'], 'a partner')}, linked"
    if row["actor"] == Actor.OPERATOR:
        return BY_COMMAND
    if row["actor"] != Actor.PERSON:
        return BY_SYSTEM
    via = str(row["details"].get("via") or "form")
    return BY_MERGE if len(via) == 36 else AT_THIS_DESK


def by_field(entries: Iterable[Entry]) -> dict[str, list[tuple[Entry, Change]]]:
    """The changes of each field, the latest first."""
    found: dict[str, list[tuple[Entry, Change]]] = {}
    for entry in entries:
        for change in entry.changes:
            found.setdefault(change.name, []).append((entry, change))
    return found
