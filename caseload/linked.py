"""Linking records across organisations: what may be copied, how long an undo lasts, and why something cannot be done. Pure."""

from __future__ import annotations

import datetime as dt

from caseload.choices import LinkState

UNDO_DAYS = 30
# What is written to a linked record too; everything else stays each organisation's own (design section 4).
COPIED = ("identity", "contact", "equality")
COMPARED = {
    "forename": "Forename",
    "surname": "Surname",
    "date_of_birth": "Date of birth",
    "sex": "Sex",
    "nhs_number": "NHS number",
    "postcode": "Postcode",
}
SAME, DIFFERENT, MISSING = "same", "different", "missing"
ANSWERS = {SAME: "Same", DIFFERENT: "Different", MISSING: "Not recorded in one of them"}
# What the functions of the database refuse with, in words (migration 0013).
PROBLEMS = {
    "gone": "This can no longer be done. Look at what stands now",
    "linked": "These two records are linked already",
    "protocol": (
        "A sharing protocol must be in force between all the organisations that hold a record of this person. Today there is none "
        "between some of them"
    ),
    "sensitive": "These records cannot be linked now. Speak to the governance officer",
    "conflict": (
        "An organisation would hold two records of one person. Where they are yours, merge them first; else the partner has to"
    ),
    "changed": "The records or their links changed since this was asked. Ask again",
    "late": f"An unlinking can be taken back for {UNDO_DAYS} days, by the organisation that did it",
    "both": "Both records are linked with partners. Unlink one of them first, then merge",
    "part": "This part of a record is not shared by a link",
}


class LinkProblem(ValueError):
    """It cannot be done; `code` names why and the message says it."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(words or PROBLEMS.get(code, PROBLEMS["gone"]))
        self.code = code


def may_undo(state: str, left: bool, ended_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the organisation that unlinked may still ask for it back: `ended_at` is less than 30 days ago."""
    return (
        state == LinkState.ENDED
        and left
        and ended_at is not None
        and now - ended_at < dt.timedelta(days=UNDO_DAYS)
    )


def agrees(one: object, other: object) -> str:
    """Two values of a field as the other organisation's side is told of them; case, spaces and punctuation do not count."""
    a, b = _bare(one), _bare(other)
    return MISSING if not a or not b else SAME if a == b else DIFFERENT


def _bare(value: object) -> str:
    return "".join(c for c in str("" if value is None else value) if c.isalnum()).lower()
