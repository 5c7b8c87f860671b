"""The statement that a client hears before they answer: data with a version (O-104, O-108). Pure; dates are passed in."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "data" / "statements.json"


@dataclass(frozen=True)
class Statement:
    """One version: what is said, the question, and the edition of the leaflet that goes with it."""

    version: str
    in_force_from: dt.date
    leaflet: str
    paragraphs: tuple[str, ...]
    question: str
    approved: str = ""

    @property
    def draft(self) -> bool:
        """Whether the data protection officer has still to approve it."""
        return not self.approved


@lru_cache(maxsize=1)
def statements() -> tuple[Statement, ...]:
    """All versions, oldest first."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["statements"]
    found = [
        Statement(
            r["version"],
            dt.date.fromisoformat(r["from"]),
            r["leaflet"],
            tuple(r["paragraphs"]),
            r["question"],
            r.get("approved", ""),
        )
        for r in rows
    ]
    return tuple(sorted(found, key=lambda s: s.in_force_from))


def statement_on(day: dt.date) -> Statement:
    """The version in force on a day; before the first one, the first."""
    found = [s for s in statements() if s.in_force_from <= day]
    return found[-1] if found else statements()[0]


def by_version(version: str) -> Statement | None:
    """The version that an act was taken under; None where we never had its words (an import, a form of an old system)."""
    return next((s for s in statements() if s.version == version), None)
