"""Rules of NDTMS consent: pure functions, dates passed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Decided(Protocol):
    """What the rule needs of an act. `sequence` is the order of recording."""

    @property
    def decision(self) -> str: ...  # noqa: D102  # Y or N
    @property
    def decided_on(self) -> dt.date: ...  # noqa: D102
    @property
    def sequence(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Inherited:
    """The no that an episode took over when two records of one person were merged (O-141): it was recorded at the merge."""

    decided_on: dt.date
    sequence: float
    decision: str = "N"


def latest(acts: Iterable[Decided]) -> Decided | None:
    """The act that counts: the latest by date, then by order of recording; None when nobody was asked (contract section 2).

    Acts recorded in error must be left out before.
    """
    return max(acts, key=lambda act: (act.decided_on, act.sequence), default=None)


def problem_with(
    *,
    decision: str,
    decided_on: dt.date,
    today: dt.date,
    statement_version: str,
    statement_said: bool,
    leaflet_given: bool,
    questions_answered: bool,
) -> str:
    """'' or why a decision cannot be recorded. A yes needs the statement said, the leaflet and answered questions first (O-105, O-108,
    O-110, O-133); a no or a withdrawal needs nothing but the day, because nothing may stand in its way.
    """
    if decided_on > today:
        return "The day of the decision is in the future. Enter the day it was given."
    if not statement_version.strip():
        return "Say which version of the consent statement was used."
    if decision == "Y" and not statement_said:
        return (
            "A yes counts only once the statement was said. Say it or read it out, or record no answer yet."
        )
    if decision == "Y" and not leaflet_given:
        return "A yes counts only once the leaflet was given. Give it, or record no answer yet."
    if decision == "Y" and not questions_answered:
        return "A yes counts only once questions were answered. Answer them, or record no answer yet."
    return ""


def problem_with_competence(
    *, decision: str, competence: str, competence_note: str, permission_by: str, permission_relation: str
) -> str:
    """'' or why a young person's yes cannot be recorded: competence is assessed first, and where it is wanting a parent or guardian gives
    permission (O-106). A no always counts.
    """
    if decision != "Y":
        return ""
    if not competence:
        return "Say first whether they can decide this, or who decides with them."
    if competence == "unsure":
        return "A yes cannot be recorded while you are not sure that they can decide. Ask your team manager; choose “Not now” until then."
    if competence == "competent" and not competence_note.strip():
        return "Write one line on how you know that they understand."
    if competence == "permission" and not permission_by.strip():
        return "Enter the name of the parent or guardian who gives permission."
    if competence == "permission" and not permission_relation.strip():
        return "Say what the person who gives permission is to the young person."
    return ""


def problem_with_form(*, method: str, has_form: bool) -> str:
    """'' or why a signed form cannot be kept with an answer: only an answer in writing has one (O-109)."""
    if has_form and method != "written":
        return "A signed form belongs to an answer in writing. Choose “In writing”, or take the file away."
    return ""


def problem_with_withdrawal(
    *, chosen: int, agreed: int, decided_on: dt.date, today: dt.date, left_out_reason: str
) -> str:
    """'' or why a withdrawal cannot be recorded: at least one episode, and a reason for each that is left out (O-135). `agreed` counts what
    the wish is about: every episode that is not at no where it is everything here, else those that were meant.
    """
    if decided_on > today:
        return "The day is in the future. Enter the day they said it."
    if not agreed:
        return "Every episode here is at no already, so there is nothing to withdraw."
    if not chosen:
        return "Choose at least one episode."
    if chosen < agreed and not left_out_reason.strip():
        return "Say why the other episodes stay as they are: it is kept with the withdrawal."
    return ""


class Sendable(Protocol):
    """What `pulled_along` needs of an episode."""

    pk: Any
    registration_id: Any
    discharged_on: dt.date | None


E = TypeVar("E", bound=Sendable)


def pulled_along(
    withdrawn: Iterable[Sendable], left: Iterable[E], held: Collection[Any], window_start: dt.date
) -> list[E]:
    """The episodes left at yes that a monthly file would take out all the same (O-143): NDTMS goes by the client id, so where it is told
    "no" for one episode it also takes out the others of the same registration that it holds and the file does not carry, because they
    ended before the window.
    """
    told = {e.registration_id for e in withdrawn if e.pk in held}
    return [
        e
        for e in left
        if e.registration_id in told and e.pk in held and e.discharged_on and e.discharged_on < window_start
    ]


def problem_with_invalidation(*, reason: str, invalidated: bool) -> str:
    """'' or why an act cannot be marked as recorded in error."""
    if invalidated:
        return "This was marked as recorded in error already."
    if not reason.strip():
        return "Say what was wrong: the record stays in the history with your words."
    return ""
