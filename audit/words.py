"""Entries of the trail in plain words: who, what they did to which part, why it was refused. No client's name, no clinical content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit.events import REFUSED, event_types, words
from audit.models import AuditEvent
from edatrs.core import registry
from edatrs.core.scope import Actor
from edatrs.organisations.choices import Role

# Beside refusals, who failed to get in, and files that were not taken.
NOT_ALLOWED = {REFUSED, "organisations.sign_in_failed", "ndtms.import_refused"}
_GROUPS = (
    ("organisations.", "Signing in and people"),
    ("caseload.", "Clients"),
    ("consent.", "Consent"),
    ("protocol.", "Sharing agreements"),
    ("ndtms.", "NDTMS: files in and out"),
    ("audit.", "The trail"),
)
# What somebody was about to do, by act of the access table. An act that is not here is shown as it is.
ACTS = {
    "audit": "read the trail",
    "access.review": "review who has access",
    "breach.manage": "manage a breach",
    "breach.report": "report a breach",
    "break_glass.open": "use emergency access",
    "caseload.allocate": "allocate clients",
    "caseload.transfer": "hand a client over",
    "caseload.view": "open the caseload",
    "client.edit": "change a client",
    "client.find": "find a client",
    "client.link": "link a client with a partner",
    "client.merge": "merge clients",
    "client.register": "register a client",
    "client.view": "open a client",
    "client.void": "void a client",
    "consent.ndtms.record": "record NDTMS consent",
    "consent.share.record": "record consent to share",
    "disclosure.record": "record a disclosure",
    "extract.build": "build an extract",
    "extract.confirm": "say what NDTMS said",
    "extract.download": "download an extract",
    "extract.preview": "look at an extract",
    "grant.view": "see who can see a record",
    "grant.withdraw": "withdraw what is shared",
    "grant.without_consent": "share without consent",
    "import.caseload": "import a caseload",
    "list.export": "export a list",
    "organisation.enter": "act for another organisation",
    "people.leave": "start a leaver",
    "people.manage": "manage people",
    "protocol.edit": "change a sharing agreement",
    "protocol.sign": "sign a sharing agreement",
    "protocol.view": "look at sharing agreements",
    "quality.list": "open the data-quality list",
    "restriction.set": "protect or restrict a record",
    "second_factor.reset": "reset a second factor",
    "services.manage": "change services",
    "sharing.ask": "ask a partner to share",
    "submissions.view": "open submissions",
    "tasks.own": "open tasks",
    "trail.client": "see who looked at a record",
    "trail.search": "search the trail",
    "trail.verify": "check the trail",
}
_WHY = {
    "role": "the role may not",
    "partner left the protocol": "the organisation left the agreement",
    "not found": "not there, or not theirs to see",
    "no role there today": "no role there",
    "not there": "no such page or record",
    "unsaid": "",
}


@dataclass(frozen=True)
class Told:
    """One entry as people read it. `about` is the record's number or an id, '' where it is about nothing in particular."""

    sequence: int
    at: Any
    who: str
    role: str
    what: str
    about: str
    why: str
    refused: bool


def told(entries: Iterable[AuditEvent]) -> list[Told]:
    """Entries in words. One query for the numbers of all records that they are about."""
    found = list(entries)
    ids = {id_ for entry in found if (id_ := _uuid(entry.subject)) is not None}
    labels: dict[UUID, str] = {}
    if ids:
        for _, kind in registry.trail_subjects:
            labels |= kind.labels(ids)
    return [_told(entry, labels) for entry in found]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _told(entry: AuditEvent, labels: Mapping[UUID, str]) -> Told:
    id_ = _uuid(entry.subject)
    refused = entry.name in NOT_ALLOWED
    return Told(
        sequence=entry.sequence,
        at=entry.at,
        who=_person(entry.actor_label) or ("The system" if entry.actor != Actor.PERSON else "Nobody known"),
        role=_roles(entry),
        what=_what(entry),
        about=labels.get(id_, "") if id_ else entry.subject,
        why=(refused and _why(entry)) or _more(entry),
        refused=refused,
    )


def _person(label: str) -> str:
    """Names as they are; the program's own actors as words."""
    return {"operator": "The operator", "worker": "The system", "verify_audit": "The operator"}.get(
        label, label
    )


def _roles(entry: AuditEvent) -> str:
    held = [Role(role).label if role in Role.values else role for role in entry.roles.split(",") if role]
    if held:
        return ", ".join(held)
    return {Actor.OPERATOR: "On the command line", Actor.WORKER: "Worked off in the background"}.get(
        Actor(entry.actor), ""
    )


def part_words(panel: str) -> str:
    """What people call a part of a record."""
    known: dict[str, Any] = dict(iter(registry.client_parts))
    return (
        str(known[panel]["words"])
        if panel in known
        else panel.replace("-", " ").replace("_", " ").capitalize()
    )


def _what(entry: AuditEvent) -> str:
    details: dict[str, Any] = entry.details
    if entry.name == REFUSED:
        return f"Refused: tried to {_act(details.get('act') or '')}"
    if entry.name == "caseload.client.viewed":
        return f"Opened: {part_words(details.get('panel') or 'overview')}"
    said = words(entry.name)
    what = details.get("what")
    if isinstance(what, list) and what:
        said += ": " + ", ".join(str(w).replace("_", " ") for w in what)
    elif details.get("category"):
        said += f": {str(details['category']).replace('_', ' ')}"
    return said


def _act(act: str) -> str:
    return ACTS.get(act) or act.replace(".", " ").replace("_", " ") or "do something"


def _why(entry: AuditEvent) -> str:
    why = str(entry.details.get("why") or "")
    return (_WHY[why] if why in _WHY else why.replace("_", " ")).capitalize()


_COUNTED = (
    ("hits", "found"),
    ("rows", "rows"),
    ("problems", "problems"),
    ("sessions", "sessions ended"),
    ("episodes", "episodes"),
    ("lines", "lines"),
)


def _more(entry: AuditEvent) -> str:
    """The details that say more: categories that were shown, whom a role was given to, counts, files."""
    details: dict[str, Any] = entry.details
    said = (
        [", ".join(str(c).replace("_", " ") for c in details["categories"])]
        if details.get("categories")
        else []
    )
    said += [str(details[key]) for key in ("label", "agency", "as_of") if details.get(key)]
    if details.get("role") in Role.values:
        said.append(Role(details["role"]).label)
    said += [f"{details[key]:,} {noun}" for key, noun in _COUNTED if isinstance(details.get(key), int)]
    if isinstance(details.get("counts"), dict):
        said.append(f"{sum(details['counts'].values()):,} lines in {len(details['counts'])} files")
    if details.get("names") is True:
        said.append("with names")
    if details.get("dry_run"):
        said.append("for the preview alone")
    return "; ".join(said)


def kinds() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every event in words, in groups: what the trail can be asked for."""
    groups: dict[str, list[tuple[str, str]]] = {title: [] for _, title in _GROUPS}
    for name, declared in event_types:
        title = next((title for prefix, title in _GROUPS if name.startswith(prefix)), "")
        if title and name != REFUSED:
            groups[title].append((name, declared.words))
    return [(title, sorted(rows, key=lambda row: row[1])) for title, rows in groups.items() if rows]
