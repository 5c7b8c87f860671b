"""Writes about sharing without consent: a decision on one of the five lawful grounds, and its review (O-152)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from caseload.choices import Category
from caseload.models import Client
from consent.choices import ReviewOutcome
from consent.models import LawfulDecision, LawfulReview
from consent.sharing import rules, sources
from consent.sharing.services import Refused, by, lock, push_and_tell, recorded_from, request_answered
from edatrs.core import clock
from edatrs.core.scope import current_organisation
from edatrs.organisations.models import Organisation, User


def decide(
    *,
    client: Client,
    recipient: Organisation,
    ground: str,
    categories: Sequence[str],
    decided_by: str,
    decided_as: str,
    decided_on: dt.date,
    reason: str,
    review_on: dt.date,
    acting_user: User,
    asked: UUID | None = None,
    form_key: UUID | None = None,
) -> LawfulDecision:
    """Share without consent, on a lawful ground (O-152). Raises Refused. The same page sent twice decides once.

    `asked` is the request of a partner that it answers, if one.
    """
    locked = lock(client.pk)
    before = recorded_from(LawfulDecision, locked, form_key)
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    ordered = [c.value for c in Category if c.value in categories]
    today = clock.today()
    checks = (
        (recipient.pk == current_organisation(), "This is your own organisation", "recipient"),
        (not ordered, "Tick the parts that are needed, and no more", "parts"),
        (not decided_by.strip(), "Write who decided", "decided_by"),
        (not decided_as.strip(), "Write the role of whoever decided", "decided_as"),
        (not reason.strip(), "Write why", "reason"),
        (decided_on > today, "The day is in the future. Enter the day of the decision", "decided_on"),
        (review_on < today, "The day of review is over. Enter a later one", "review_on"),
        (
            review_on > decided_on + rules.LONGEST_REVIEW,
            "Review it within a year. Enter an earlier day",
            "review_on",
        ),
    )
    for wrong, words, field in checks:
        if wrong:
            raise Refused(words, field)
    decision = LawfulDecision(
        client=locked,
        recipient=recipient,
        ground=ground,
        categories=ordered,
        decided_by=decided_by.strip(),
        decided_as=decided_as.strip(),
        decided_on=decided_on,
        reason=reason.strip(),
        review_on=review_on,
        form_key=form_key,
        **by(acting_user),
    )
    decision.save(force_insert=True)
    decision.refresh_from_db(fields=["number"])
    push_and_tell(
        locked,
        recipient,
        "consent.decision.recorded",
        decision=str(decision),
        row=decision.pk,
        ground=ground,
        categories=ordered,
        on=decided_on,
        until=review_on,
    )
    request_answered(asked, decision)
    return decision


def review(
    *,
    decision: LawfulDecision,
    outcome: str,
    reason: str,
    acting_user: User,
    review_on: dt.date | None = None,
    form_key: UUID | None = None,
) -> LawfulReview:
    """Look at a decision without consent again: carry it on or end it. Raises Refused."""
    locked = lock(decision.client_id)
    before = recorded_from(LawfulReview, locked, form_key)
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    line = sources.read(locked).decision(decision.pk)
    goes_on, today = outcome == ReviewOutcome.GOES_ON, clock.today()
    checks = (
        (line.review_on is None, "It was ended. Decide anew if it is needed again", ""),
        (not reason.strip(), "Write why", "reason"),
        (goes_on and review_on is None, "Enter the next day of review", "review_on"),
        (goes_on and review_on is not None and review_on < today, "Enter a day from today on", "review_on"),
        (
            goes_on and review_on is not None and review_on > today + rules.LONGEST_REVIEW,
            "Review it within a year. Enter an earlier day",
            "review_on",
        ),
    )
    for wrong, words, field in checks:
        if wrong:
            raise Refused(words, field)
    made = LawfulReview(
        client_id=decision.client_id,
        decision=decision,
        outcome=outcome,
        reason=reason.strip(),
        review_on=review_on if goes_on else None,
        form_key=form_key,
        **by(acting_user),
    )
    made.save(force_insert=True)
    push_and_tell(
        locked,
        decision.recipient,
        "consent.decision.reviewed",
        decision=str(decision),
        row=decision.pk,
        answer=outcome,
        until=made.review_on,
    )
    return made
