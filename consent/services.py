"""Writes of the consent app: a decision is an act, never an overwritten flag."""

from __future__ import annotations

import datetime as dt

from caseload.models import Episode
from consent import rules
from consent.choices import Method, Origin
from consent.models import ConsentAct
from edatrs.core import clock, trail
from edatrs.core.scope import current_scope
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
    if problem:
        raise DecisionRefused(problem)
    locked = Episode.objects.select_for_update().get(pk=episode.pk)
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


def push_latest(*, episode: Episode) -> None:
    """Write the latest decision to the episode, if it is not there already."""
    found = rules.latest(ConsentAct.objects.filter(episode=episode))
    decision, on = (found.decision, found.decided_on) if found else ("", None)
    if (episode.consent, episode.consent_on) != (decision, on):
        Episode.objects.filter(pk=episode.pk).update(consent=decision, consent_on=on)
        episode.consent, episode.consent_on = decision, on
