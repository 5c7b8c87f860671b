"""Imports in words, for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from caseload import present
from caseload.dataset.reader import Item, UnknownItem, load_dictionary
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from ndtms.bundle import client_items, file_specs
from ndtms.choices import ImportState, LineKind
from ndtms.models import ImportLine, ImportRun

BADGES = {
    ImportState.READING: "info",
    ImportState.READY: "soon",
    ImportState.REFUSED: "late",
    ImportState.LOADING: "info",
    ImportState.LOADED: "ok",
    ImportState.CANCELLED: "none",
    ImportState.EXPIRED: "none",
    ImportState.FAILED: "late",
}
LINE_BADGES = {
    LineKind.CREATED: "info",
    LineKind.CHANGED: "soon",
    LineKind.UNCHANGED: "none",
    LineKind.REFUSED: "late",
}
_NEXT = {
    ImportState.READING: "See how far it is",
    ImportState.READY: "Look and confirm",
    ImportState.REFUSED: "See what is wrong",
    ImportState.LOADING: "See how far it is",
}
# Columns of clients.csv that are items of the dictionary under another name there.
_ITEM_OF = {
    "sex": "SEX",
    "ethnicity": "ETHNIC",
    "nationality": "NATION",
    "religion": "RELIGION",
    "sexual_orientation": "SEXUALO",
    "disability_1": "DISABLE1",
    "disability_2": "DISABLE2",
    "disability_3": "DISABLE3",
    "date_of_birth": "DOB",
    "nhs_number": "",
}
_WORDS = {"nhs_number": "NHS number", "decided_on": "Decided on", "reference": "Local reference"}
_CONSENT = {"decision": {"Y": "Yes", "N": "No"}, "method": {"oral": "Oral", "written": "Written"}}


def url(name: str, slug: str, run: ImportRun | None = None) -> str:
    """The address of one of our pages."""
    return reverse(f"ndtms:{name}", args=[slug, run.pk] if run else [slug])


def total(run: ImportRun) -> dict[str, int]:
    """How many lines of each kind, over all files."""
    return {kind.value: sum(of.get(kind.value, 0) for of in run.counts.values()) for kind in LineKind}


def row(run: ImportRun, slug: str) -> dict[str, Any]:
    """One line of the list."""
    state = ImportState(run.state)
    return {
        "when": run.asked_at,
        "who": run.asked_by_label,
        "file_name": run.file_name,
        "badge": BADGES[state],
        "state_words": state.label,
        "read": bool(run.counts),
        "total": total(run),
        "url": url("import", slug, run),
        "next_words": _NEXT.get(state, "Open"),
    }


def detail(run: ImportRun) -> dict[str, Any]:
    """One import."""
    state = ImportState(run.state)
    return {
        "state": state.value,
        "badge": BADGES[state],
        "state_words": state.label,
        "file_name": run.file_name,
        "sha256": run.sha256,
        "asked_at": run.asked_at,
        "asked_by": run.asked_by_label,
        "read_at": run.read_at,
        "confirmed_at": run.confirmed_at,
        "confirmed_by": run.confirmed_by_label,
        "finished_at": run.finished_at,
        "finished_by": run.finished_by_label,
        "problem": run.problem,
        "preview": run.preview,
        "digest": run.digest,
        "changed_meanwhile": run.changed_meanwhile,
        "total": total(run),
        "files": [
            {"name": spec.name, **run.counts[spec.name]} for spec in file_specs() if spec.name in run.counts
        ],
        "refused": run.refused,
    }


def running(job: Job | None, run: ImportRun) -> dict[str, Any] | None:
    """How far reading or writing is; None when nothing is under way."""
    if run.state not in (ImportState.READING, ImportState.LOADING):
        return None
    share = min(job.progress * 100 // job.progress_of, 99) if job and job.progress_of else 0
    waiting = job is None or job.state == JobState.QUEUED
    words = "Reading your file" if run.state == ImportState.READING else "Writing what you confirmed"
    return {
        "words": words,
        "percent": share,
        "phase": "Waiting for a free worker" if waiting or job is None else job.progress_words or "Beginning",
        "started": run.asked_at if run.state == ImportState.READING else run.confirmed_at,
        "who": run.asked_by_label if run.state == ImportState.READING else run.confirmed_by_label,
    }


def lines(rows: Iterable[ImportLine]) -> list[dict[str, Any]]:
    """Lines of a preview."""
    return [
        {
            "file": row.file,
            "line": row.line,
            "kind": row.kind,
            "badge": LINE_BADGES[LineKind(row.kind)],
            "kind_words": LineKind(row.kind).label,
            "key": row.key,
            "changes": [
                {
                    "header": header,
                    "words": field_words(row.file, header),
                    "held": _value(row.file, header, held),
                    "new": _value(row.file, header, new),
                }
                for header, held, new in row.changes
            ],
            "column": row.column,
            "words": row.words,
        }
        for row in rows
    ]


def _item(file: str, header: str) -> Item | None:
    name = _ITEM_OF.get(header, header) if file == "clients.csv" else header
    if file == "clients.csv" and header in client_items():
        return client_items()[header]
    try:
        return load_dictionary().item(name) if name else None
    except UnknownItem:
        return None


def field_words(file: str, header: str) -> str:
    """What people call a column of a bundle."""
    if header in _WORDS:
        return _WORDS[header]
    item = _item(file, header)
    return item.label if item and item.label else header.replace("_", " ").capitalize()


def _value(file: str, header: str, value: str | None) -> str:
    """A value with the words of its code; '' where nothing is recorded."""
    if not value:
        return ""
    if file == "consents.csv":
        return _CONSENT.get(header, {}).get(value, value)
    item = _item(file, header)
    words = present.code_words(item.code_list, value) if item and item.code_list else value
    return value if words == value else f"{value} {words}"
