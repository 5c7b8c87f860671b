"""The agreements of the demonstration: the Essex one filled in, approved and signed by invented people, and a second one in draft.

Only the demonstration fills in what the source leaves blank. Safe to repeat: what is there stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from edatrs.core import trail
from edatrs.organisations import agreements, catalogue, protocol
from edatrs.organisations.choices import AgreementStatus, AuthorisedAs, DocumentKind, EntryKind, PartyRole
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    AuthorisedRole,
    Organisation,
    RightConfirmation,
    User,
)
from edatrs.organisations.services import agreement_data

APPROVED_ON = dt.date(2024, 4, 1)
# Who signs for whom, as what and when; invented.
SIGNATORIES = {
    "essex-county-council": ("Marian Okafor", AuthorisedAs.SIRO, dt.date(2024, 4, 1)),
    "eput-essex-stars": ("Marta Lindqvist", AuthorisedAs.CALDICOTT, dt.date(2024, 4, 1)),
    "open-road": ("Beatrix Lowe", AuthorisedAs.SIRO, dt.date(2024, 4, 2)),
    "forward-trust": ("Desmond Achebe", AuthorisedAs.SIRO, dt.date(2024, 4, 2)),
    "peabody": ("Carol Winslade", AuthorisedAs.SIRO, dt.date(2024, 4, 2)),
    "phoenix-futures": ("Ingrid Solheim", AuthorisedAs.CIO, dt.date(2024, 4, 18)),
    "the-childrens-society": ("Yusuf Demir", AuthorisedAs.CALDICOTT, dt.date(2024, 5, 6)),
    "cyber-media-solutions": ("Ruth Amankwah", AuthorisedAs.CIO, dt.date(2024, 4, 1)),
}
_DOCUMENTS = {
    DocumentKind.DPIA: ("Impact assessment of the shared caseload, DPIA-2024-011", "Data protection team"),
    DocumentKind.PROCEDURE: ("How we use the caseload system, version 4", "Partnership manager"),
    DocumentKind.CONTRACT: ("Contract for the caseload system, C-1187", "Procurement"),
    DocumentKind.POLICY: ("Information governance policies of each partner", "Each partner"),
}
SECOND = "mid-essex-hospital-liaison"


@transaction.atomic
def fill(signatories: Mapping[str, User]) -> None:
    """Fill in, sign and approve the Essex agreement by the given people (by slug), and begin the second one."""
    slug = agreement_data.read(agreement_data.ESSEX)["slug"]
    agreement = agreements.whole(Agreement.objects.filter(slug=slug)).first()
    if agreement is not None and agreement.status == AgreementStatus.DRAFT:
        _approve(agreement, signatories)
    if not Agreement.objects.filter(slug=SECOND).exists():
        _second({o.slug: o for o in Organisation.objects.all()})


def _approve(agreement: Agreement, signatories: Mapping[str, User]) -> None:
    owner = next(p.organisation for p in agreement.parties.all() if PartyRole.SOLE_CONTROLLER in p.roles)
    for position, (kind, (reference, authority)) in enumerate(_DOCUMENTS.items()):
        AgreementEntry.objects.create(
            agreement=agreement,
            kind=EntryKind.DOCUMENT,
            key=kind.value,
            words=str(kind.label),
            reference=reference,
            authority=authority,
            position=position,
        )
    rights = [e.pk for e in agreement.entries.all() if e.kind == EntryKind.RIGHT]
    for party in agreement.parties.all():
        _sign(party, signatories[party.organisation.slug], rights)
    agreement.owner, agreement.version = owner, "3.1"
    agreement.authors = "Partnership team of Essex County Council"
    agreement.status, agreement.approved_on = AgreementStatus.APPROVED, APPROVED_ON
    agreement.review_on = protocol.review_due(APPROVED_ON)
    agreement.published_on = APPROVED_ON + dt.timedelta(days=7)
    agreement.save()
    trail.record(
        "protocol.approved",
        organisation_id=owner.pk,
        subject=str(agreement.pk),
        details={"from": APPROVED_ON, "role": AuthorisedAs.SIRO.value},
    )


def _sign(party: AgreementParty, person: User, rights: list[UUID]) -> None:
    _, role, day = SIGNATORIES[party.organisation.slug]
    AuthorisedRole.objects.get_or_create(
        organisation=party.organisation,
        user=person,
        role=role.value,
        defaults={"valid_from": dt.date(2024, 1, 1)},
    )
    party.breach_emails = party.organisation.emails[:1]
    party.signed_on, party.signed_by, party.signed_as = day, person, role.value
    party.save()
    RightConfirmation.objects.bulk_create(
        RightConfirmation(party=party, entry_id=right, confirmed_on=day, confirmed_by=person)
        for right in rights
    )


def _second(organisations: Mapping[str, Organisation]) -> None:
    owner = organisations["eput-essex-stars"]
    agreement = Agreement.objects.create(
        slug=SECOND,
        title="Hospital liaison in mid Essex",
        version="0.2",
        owner=owner,
        summary="Two services plan care together for people who leave hospital.",
    )
    AgreementParty.objects.create(
        agreement=agreement,
        organisation=owner,
        roles=[PartyRole.JOINT_CONTROLLER.value],
        breach_emails=owner.emails[:1],
    )
    AgreementParty.objects.create(
        agreement=agreement,
        organisation=organisations["open-road"],
        roles=[PartyRole.JOINT_CONTROLLER.value],
    )
    chosen = {
        EntryKind.PURPOSE: ("joint_planning", "integrated"),
        EntryKind.INFORMATION: ("forename", "surname", "date_of_birth", "health", "treatment"),
        EntryKind.ARTICLE_6: ("public_task",),
        EntryKind.RIGHT: ("informed", "access", "rectification"),
    }
    for kind, keys in chosen.items():
        for position, line in enumerate(line for line in catalogue.LINES[kind] if line.key in keys):
            AgreementEntry.objects.create(
                agreement=agreement,
                kind=kind,
                key=line.key,
                words=line.words,
                category=line.category,
                position=position,
            )
