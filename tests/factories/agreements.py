"""Sharing agreements: complete or not, signed or not, and people who may sign."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any

from edatrs.core import clock
from edatrs.organisations import catalogue
from edatrs.organisations.choices import AgreementStatus, AuthorisedAs, EntryKind, PartyRole
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    AuthorisedRole,
    Organisation,
    RightConfirmation,
    User,
)
from tests.factories.organisations import make_person

_numbers = count(1)
CONTACT = {
    "head_office": "1 Sample Street",
    "phone": "01632 960100",
    "emails": ["office@one.example", "breach@one.example"],
    "data_protection_officer": "Dana Person",
    "ico_references": ["Z1234567"],
}
COMPLETE = {
    EntryKind.PURPOSE: ("partnership",),
    EntryKind.INFORMATION: ("forename", "health"),
    EntryKind.ARTICLE_6: ("public_task",),
    EntryKind.ARTICLE_9: ("health_and_social_care",),
    EntryKind.STATUTE: ("hsca_2012_s12",),
    EntryKind.RIGHT: ("informed", "access"),
}


def make_signatory(
    organisation: Organisation,
    *,
    role: str = AuthorisedAs.SIRO,
    since: int = -1,
    until: int | None = None,
    user: User | None = None,
    **fields: Any,
) -> User:
    """A governance officer who holds an authorised role, from and until so many days from today."""
    person = user or make_person(organisation, role="information_governance", **fields)
    today = clock.today()
    AuthorisedRole.objects.create(
        organisation=organisation,
        user=person,
        role=role,
        valid_from=today + dt.timedelta(days=since),
        valid_until=None if until is None else today + dt.timedelta(days=until),
    )
    return person


def make_draft_agreement(owner: Organisation, *others: Organisation, **fields: Any) -> Agreement:
    """A complete draft: nothing is missing in it."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "slug": f"agreement-{number}",
        "title": f"Agreement {number}",
        "version": "1.0",
        "authors": "The partnership team",
        "summary": "What is shared and why.",
        "retention": "As each partner's policy says.",
    }
    agreement = Agreement.objects.create(owner=owner, **{**defaults, **fields})
    for kind, keys in COMPLETE.items():
        for position, key in enumerate(keys):
            line = catalogue.known(kind, key)
            assert line is not None
            AgreementEntry.objects.create(
                agreement=agreement,
                kind=kind,
                key=key,
                words=line.words,
                category=line.category,
                position=position,
            )
    for kind in catalogue.NEEDED_DOCUMENTS:
        AgreementEntry.objects.create(
            agreement=agreement,
            kind=EntryKind.DOCUMENT,
            key=kind.value,
            words=str(kind.label),
            reference="D-1",
            authority="The team",
        )
    for organisation in (owner, *others):
        add_party(
            agreement,
            organisation,
            [PartyRole.SOLE_CONTROLLER if organisation == owner else PartyRole.PROCESSOR],
        )
    return agreement


def add_party(agreement: Agreement, organisation: Organisation, roles: list[str]) -> AgreementParty:
    """A party with contact items, an address for breach notices and every right confirmed."""
    for name, value in CONTACT.items():
        if not getattr(organisation, name):
            setattr(organisation, name, value)
    organisation.save()
    party = AgreementParty.objects.create(
        agreement=agreement, organisation=organisation, roles=roles, breach_emails=organisation.emails[:1]
    )
    by = make_person(organisation, role="information_governance")
    for entry in agreement.entries.filter(kind=EntryKind.RIGHT):
        RightConfirmation.objects.create(
            party=party, entry=entry, confirmed_on=clock.today(), confirmed_by=by
        )
    return party


def signed(agreement: Agreement, organisation: Organisation, day: dt.date) -> AgreementParty:
    """The party's signature on a day, as it stands in the register."""
    party = AgreementParty.objects.get(agreement=agreement, organisation=organisation)
    party.signed_on, party.signed_by = day, make_person(organisation, role="information_governance")
    party.signed_as = AuthorisedAs.SIRO
    party.save()
    return party


def make_agreement_in_force(
    owner: Organisation, *others: Organisation, since: dt.date | None = None, **fields: Any
) -> Agreement:
    """An approved agreement that every party signed on a day, yesterday unless told."""
    day = since or clock.today() - dt.timedelta(days=1)
    agreement = make_draft_agreement(owner, *others, **fields)
    for organisation in (owner, *others):
        signed(agreement, organisation, day)
    agreement.status, agreement.approved_on = AgreementStatus.APPROVED, day
    agreement.save()
    return agreement
