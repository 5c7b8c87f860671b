"""Saying of a warning that it cannot be known, with a reason; and taking that back. Nothing that is exported changes by it."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from caseload.dataset.explain import Explanation, explain_failure
from caseload.dataset.rules import RULES, WARNING, Context
from caseload.links import category_of_item
from caseload.models import EpisodeQuality
from caseload.reading import records_of
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.organisations.models import User
from ndtms import answered, desk
from ndtms.models import QualityAnswer
from ndtms.models.answers import LONGEST_REASON


class Refused(ValueError):
    """It cannot be done; the message says why and what to do. `field` is what it is about."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field or None


def may_answer(said: Explanation) -> bool:
    """Whether the roles of the open scope may say so of a fault: of warnings alone, and where they may change all that it is about."""
    return not said.stops and all(
        access.may("client.edit", category_of_item(item.name)) for item in said.items
    )


def answerable(held: EpisodeQuality) -> list[Explanation]:
    """The warnings of an episode that the person acting may answer now, in words."""
    record = records_of([held.pk]).get(held.pk)
    if record is None:
        return []
    context = Context(held.episode.service.dataset, held.letter, clock.today())
    said = [
        explain_failure(RULES[rule], record, context)
        for rule in held.warnings
        if rule in RULES and rule not in held.answered
    ]
    return [one for one in said if may_answer(one)]


@transaction.atomic
def answer(*, episode_id: UUID, rule_id: str, reason: str, acting_user: User) -> QualityAnswer:
    """Say that what a warning asks for cannot be known. Said twice it is there once. Raises Denied, Refused."""
    held = desk.reachable(episode_id, lock=True)
    if rule_id not in RULES:
        raise Refused("Choose what cannot be known", "rule")
    if RULES[rule_id].level != WARNING:
        raise Refused("This stops the row. It has to be put right before the episode can be sent", "rule")
    before: QualityAnswer | None = answered.standing([episode_id], rule=rule_id).first()
    if before is not None:
        return before
    if rule_id not in held.warnings:
        raise Refused("This has been put right meanwhile, so there is nothing to answer", "rule")
    if rule_id not in {said.rule_id for said in answerable(held)}:
        raise Denied(desk.ACT, "role", subject=str(episode_id))
    reason = reason.strip()
    if not reason:
        raise Refused("Say why it cannot be known", "reason")
    if len(reason) > LONGEST_REASON:
        raise Refused(
            f"The reason must be {LONGEST_REASON} characters or fewer. There are {len(reason)}", "reason"
        )
    made = QualityAnswer(
        organisation_id=held.organisation_id,
        client_id=held.client_id,
        episode_id=held.pk,
        rule=rule_id,
        reason=reason,
        stands_for=answered.stands_for(RULES[rule_id], held.letter, records_of([held.pk])[held.pk]),
        answered_at=clock.now(),
        by=acting_user.pk,
        by_label=acting_user.full_name,
    )
    made.save(force_insert=True)
    answered.push([held.pk])
    trail.record(
        "ndtms.quality_answered",
        subject=str(held.client_id),
        details={"answer": made.pk, "episode": held.pk, "rule": rule_id},
    )
    return made


@transaction.atomic
def undo(*, answer_id: UUID, acting_user: User) -> QualityAnswer:
    """Take an answer back: the warning is on the work list again. Taken back twice changes nothing. Raises Denied."""
    found = desk.get_answer(answer_id, lock=True)
    if found.ended_at is None:
        answered.take_back(found, acting_user.full_name)
    return found
