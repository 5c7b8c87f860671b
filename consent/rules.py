"""Rules of NDTMS consent: pure functions, dates passed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Protocol


class Decided(Protocol):
    """What the rule needs of an act."""

    decision: str
    decided_on: dt.date
    sequence: int


def latest(acts: Iterable[Decided]) -> Decided | None:
    """The act that counts: the latest by date, then by order of recording; None when nobody was asked (contract section 2)."""
    return max(acts, key=lambda act: (act.decided_on, act.sequence), default=None)


def problem_with(
    *,
    decision: str,
    decided_on: dt.date,
    today: dt.date,
    statement_version: str,
    leaflet_given: bool,
    questions_answered: bool,
) -> str:
    """'' or why a decision cannot be recorded. A yes needs the statement, the leaflet and answered questions first (O-105, O-110, O-133);
    a no or a withdrawal needs nothing but the day, because nothing may stand in its way.
    """
    if decided_on > today:
        return "The day of the decision is in the future. Enter the day it was given."
    if not statement_version.strip():
        return "Say which version of the consent statement was used."
    if decision == "Y" and not leaflet_given:
        return "A yes counts only once the leaflet was given. Give it, or record no answer yet."
    if decision == "Y" and not questions_answered:
        return "A yes counts only once questions were answered. Answer them, or record no answer yet."
    return ""


def problem_with_competence(
    *, decision: str, competence: str, competence_note: str, permission_by: str
) -> str:
    """'' or why a young person's yes cannot be recorded: competence is assessed first, and where it is wanting a parent or guardian gives
    permission (O-106). A no always counts.
    """
    if decision != "Y":
        return ""
    if not competence:
        return "Say first whether they can decide this, or who decides with them."
    if competence == "competent" and not competence_note.strip():
        return "Write one line on how you know that they understand."
    if competence == "permission" and not permission_by.strip():
        return "Enter the name of the parent or guardian who gives permission."
    return ""
