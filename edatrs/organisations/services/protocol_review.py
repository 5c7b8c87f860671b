"""Review of an approved agreement, the version that follows it, and where it is published (obligations 8, 17, 38 to 42, 92)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from edatrs.core import clock
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements
from edatrs.organisations.choices import AgreementStatus, Role
from edatrs.organisations.models import Agreement, AgreementEntry, AgreementParty, User
from edatrs.organisations.services import outbox
from edatrs.organisations.services.protocol import ProtocolRefused, recorded, touched
from edatrs.organisations.services.protocol_acts import to_lead


@transaction.atomic
def open_review(*, agreement_id: UUID, reason: str, words: str, acting_user: User) -> Agreement:
    """Bring the review forward to today, because of a breach or a change (obligations 39 to 41). Raises Denied, ProtocolRefused."""
    agreement = to_lead(agreement_id)
    today = clock.today()
    if agreement.status != AgreementStatus.APPROVED or agreements.is_over(agreement, today):
        raise ProtocolRefused("Only an agreement that is approved is reviewed")
    label = {"breach": "A breach", "change": "A change"}[reason]
    agreement.review_on = min(agreement.review_on or today, today)
    agreement.review_reason = f"{label}: {words.strip()}"
    touched(agreement, "review_on", "review_reason")
    recorded("review_opened", agreement, tell_all=True, reason=reason, until=agreement.review_on)
    outbox.tell(
        unique_key=f"protocol-review:{agreement.pk}:{agreement.row_version}",
        organisation_id=current_organisation(),
        role=Role.INFORMATION_GOVERNANCE.value,
        words=f"Review the sharing agreement: {agreement.title}"[:200],
        link=reverse("organisations:agreement", args=[_slug_of_owner(agreement), agreement.pk]),
    )
    return agreement


def _slug_of_owner(agreement: Agreement) -> str:
    return str(
        next(
            p.organisation.slug
            for p in agreement.parties.all()
            if p.organisation_id == current_organisation()
        )
    )


@transaction.atomic
def start_new_version(*, agreement_id: UUID, version: str, acting_user: User) -> Agreement:
    """A draft that follows an approved version: its text, and its parties that have not left. Everybody confirms and signs anew.

    Raises Denied, ProtocolRefused.
    """
    earlier = to_lead(agreement_id)
    today = clock.today()
    if earlier.status != AgreementStatus.APPROVED:
        raise ProtocolRefused("Only an approved version is followed by another")
    if Agreement.objects.filter(follows=earlier).exists():
        raise ProtocolRefused("There is a version already that follows this one")
    number = version.strip()
    if Agreement.objects.filter(slug=earlier.slug, version=number).exists():
        raise ProtocolRefused(f"There is a version {number} already. Give this one another number")
    new = Agreement.objects.create(
        slug=earlier.slug,
        title=earlier.title,
        version=number,
        owner=earlier.owner,
        authors=earlier.authors,
        summary=earlier.summary,
        retention=earlier.retention,
        follows=earlier,
    )
    AgreementEntry.objects.bulk_create(
        AgreementEntry(
            agreement=new,
            kind=e.kind,
            key=e.key,
            words=e.words,
            category=e.category,
            reference=e.reference,
            authority=e.authority,
            position=e.position,
        )
        for e in earlier.entries.all()
    )
    AgreementParty.objects.bulk_create(
        AgreementParty(
            agreement=new,
            organisation=p.organisation,
            roles=p.roles,
            breach_emails=p.breach_emails,
            notice_received_on=p.notice_received_on,
            leaves_on=p.leaves_on,
            notice_by=p.notice_by,
        )
        for p in earlier.parties.all()
        if p.leaves_on is None or p.leaves_on >= today
    )
    recorded("version_started", new)
    return new


@transaction.atomic
def publish(
    *, agreement_id: UUID, published_on: dt.date | None, address: str, acting_user: User
) -> Agreement:
    """When and where the agreement is published outside (obligations 17, 42, 92). Raises Denied, ProtocolRefused."""
    agreement = to_lead(agreement_id)
    if agreement.status != AgreementStatus.APPROVED:
        raise ProtocolRefused("Only an approved agreement is published")
    agreement.published_on, agreement.published_at = published_on, address
    touched(agreement, "published_on", "published_at")
    details: dict[str, Any] = {"from": published_on}
    recorded("published", agreement, **details)
    return agreement
