"""What is looked at before an episode is closed. Pure: facts and dates come in, no queries.

An open intervention refuses; what else is not in order is said with what to do, and may be overruled with a reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from caseload.dataset.explain import Explanation
from caseload.dataset.reader import load_dictionary

TOP_EXIT, CONSENT, DRAFTS, RULES = "top_exit", "consent", "drafts", "rules"
WORDS = {
    TOP_EXIT: "exit TOP missing",
    CONSENT: "NDTMS consent not asked",
    DRAFTS: "unfinished drafts",
    RULES: "the row would be stopped",
}


@dataclass(frozen=True)
class Check:
    """One thing that is not in order: what, and what to do. `lines` say more."""

    key: str
    words: str
    remedy: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the checks read. `day` is the discharge, None while it is not typed; `exit_tops` are the dates of exit forms, `errors` the rules
    that stop the row as it would be saved.
    """

    day: dt.date | None
    consent: str
    has_tops: bool
    started: bool
    exit_tops: tuple[dt.date | None, ...]
    drafts: int
    errors: Sequence[Explanation]


def checks(facts: Facts) -> list[Check]:
    """What is not in order, the gravest first."""
    found = []
    if facts.errors:
        found.append(
            Check(
                RULES,
                "NDTMS would refuse the episode as it is typed here",
                "Put it right now, or the file leaves the episode out until somebody does.",
                tuple(f"{e.words}. {e.remedy} ({e.rule_id})" for e in facts.errors),
            )
        )
    if not facts.consent:
        found.append(
            Check(
                CONSENT,
                "NDTMS consent was not asked",
                "Ask now: afterwards it is hard to reach them, and nothing of this episode is sent without an answer.",
            )
        )
    if facts.has_tops and facts.started and not _has_exit_top(facts):
        window = load_dictionary().setting_number("top_window_days")
        found.append(
            Check(
                TOP_EXIT,
                "There is no exit TOP",
                f"Do it with them, at most {window} days before or after the discharge.",
            )
        )
    if facts.drafts:
        number = "a draft" if facts.drafts == 1 else f"{facts.drafts} drafts"
        found.append(
            Check(DRAFTS, f"You have {number} about this client", "Save what belongs in, or throw it away.")
        )
    return found


def _has_exit_top(facts: Facts) -> bool:
    window = load_dictionary().setting_number("top_window_days")
    return any(
        day is None or facts.day is None or abs((facts.day - day).days) <= window for day in facts.exit_tops
    )
