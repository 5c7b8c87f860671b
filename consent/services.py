"""Writes of the consent app: a decision is an act, never an overwritten flag."""

from __future__ import annotations

import datetime as dt

from caseload.models import Episode
from consent import rules
from consent.choices import Method, Origin
from consent.models import ConsentAct, ConsentDeferral
from edatrs.core import clock, trail
from edatrs.core.scope import current_scope
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import User


class DecisionRefused(ValueError):
    """The decision cannot be recorded; the message says why and what to do."""


def record_ndtms_decision(
    *,
    episode: Episode,
    decision: str,
    decided_on: dt.date,
    method: str,
    statement_version: str,
    leaflet_given: bool,
    questions_answered: bool,
    acting_user: User,
    competence: str = "",
    competence_note: str = "",
    permission_by: str = "",
    permission_relation: str = "",
) -> ConsentAct:
    """Record a yes or a no (a withdrawal is a no after a yes) on an episode of the organisation acted for, and push the latest answer.

    Locks the episode, so that two acts at once leave the later one standing. Raises DecisionRefused. It takes effect with the next file
    (O-136: discharge data stay as they are).
    """
    scope = current_scope()
    problem = rules.problem_with(
        decision=decision,
        decided_on=decided_on,
        today=clock.today(),
        statement_version=statement_version,
        leaflet_given=leaflet_given,
        questions_answered=questions_answered,
    )
    locked = Episode.objects.select_for_update(of=("self",)).select_related("service").get(pk=episode.pk)
    if not problem and locked.service.dataset == DataSet.YOUNG_PEOPLE:
        problem = rules.problem_with_competence(
            decision=decision,
            competence=competence,
            competence_note=competence_note,
            permission_by=permission_by,
        )
    if problem:
        raise DecisionRefused(problem)
    act = ConsentAct(
        client_id=locked.client_id,
        episode=locked,
        decision=decision,
        decided_on=decided_on,
        method=Method(method),
        origin=Origin.LOCAL,
        statement_version=statement_version.strip(),
        leaflet_given=leaflet_given,
        questions_answered=questions_answered,
        competence=competence,
        competence_note=competence_note.strip(),
        permission_by=permission_by.strip(),
        permission_relation=permission_relation.strip(),
        recorded_by=acting_user.pk,
        recorded_by_label=acting_user.full_name,
        act=scope.act,
    )
    act.save(force_insert=True)
    push_latest(episode=locked)
    trail.record(
        "consent.ndtms.recorded",
        subject=str(locked.client_id),
        details={
            "answer": decision,
            "episode": str(locked.pk),
            "consent": str(act.pk),
            "on": decided_on.isoformat(),
        },
    )
    return act


def record_not_now(*, episode: Episode, asked_on: dt.date, acting_user: User) -> ConsentDeferral:
    """Asked, and no answer yet. Raises DecisionRefused on a day in the future."""
    if asked_on > clock.today():
        raise DecisionRefused("The day is in the future. Enter the day it was asked.")
    deferral = ConsentDeferral(
        client_id=episode.client_id,
        episode=episode,
        asked_on=asked_on,
        recorded_by=acting_user.pk,
        recorded_by_label=acting_user.full_name,
        act=current_scope().act,
    )
    deferral.save(force_insert=True)
    trail.record(
        "consent.ndtms.recorded",
        subject=str(episode.client_id),
        details={"answer": "not-now", "episode": str(episode.pk), "on": asked_on.isoformat()},
    )
    return deferral


def push_latest(*, episode: Episode) -> None:
    """Write the latest decision to the episode, if it is not there already."""
    found = rules.latest(ConsentAct.objects.filter(episode=episode))
    decision, on = (found.decision, found.decided_on) if found else ("", None)
    if (episode.consent, episode.consent_on) != (decision, on):
        Episode.objects.filter(pk=episode.pk).update(consent=decision, consent_on=on)
        episode.consent, episode.consent_on = decision, on
