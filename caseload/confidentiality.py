"""The confidentiality policy that a client hears before assessment begins: data with a version (O-132). Pure; dates are passed in."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "data" / "confidentiality.json"


@dataclass(frozen=True)
class Policy:
    """One version: what is said, and the question at the end. `approved` says by whom and when; empty: a draft."""

    version: str
    in_force_from: dt.date
    approved: str
    paragraphs: tuple[str, ...]
    question: str


@lru_cache(maxsize=1)
def policies() -> tuple[Policy, ...]:
    """All versions, oldest first."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["policies"]
    found = [
        Policy(
            r["version"],
            dt.date.fromisoformat(r["from"]),
            r["approved"],
            tuple(r["paragraphs"]),
            r["question"],
        )
        for r in rows
    ]
    return tuple(sorted(found, key=lambda p: p.in_force_from))


def policy_on(day: dt.date) -> Policy:
    """The version in force on a day; before the first one, the first."""
    found = [p for p in policies() if p.in_force_from <= day]
    return found[-1] if found else policies()[0]
