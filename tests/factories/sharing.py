"""Agreements and grants, as rows: what the services write is tested with the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission

from caseload.choices import Category, LawfulGround, SensitiveKind
from caseload.models import (
    Client,
    ConflictOfInterest,
    EmergencyAccess,
    NamedTeamMember,
    SensitiveRecord,
    SharingGrant,
)
from edatrs.core import clock
from edatrs.core.guardian import group_of
from edatrs.organisations.models import Agreement, AgreementParty, Organisation, User
from tests.factories.organisations import make_person

_numbers = count(1)


def make_agreement(
    *organisations: Organisation, signed_on: dt.date | None = dt.date(2026, 1, 1), **fields: Any
) -> Agreement:
    """An agreement, approved unless said otherwise, signed by all on a day (None: by nobody). The first organisation owns it."""
    number = next(_numbers)
    fields = {"status": "approved", "approved_on": dt.date(2026, 1, 1)} | fields
    agreement: Agreement = Agreement.objects.create(
        slug=f"agreement-{number}", title=f"Agreement {number}", owner=organisations[0], **fields
    )
    for organisation in organisations:
        AgreementParty.objects.create(
            agreement=agreement,
            organisation=organisation,
            roles=["processor"],
            **(
                {"signed_on": signed_on, "signed_by": make_person(), "signed_as": "siro"} if signed_on else {}
            ),
        )
    return agreement


def party(agreement: Agreement, organisation: Organisation, **fields: Any) -> None:
    """Change a party's signature or notice."""
    AgreementParty.objects.filter(agreement=agreement, organisation=organisation).update(**fields)


def make_grant(
    client: Client, holder: Organisation, categories: Iterable[str] = Category.values, **fields: Any
) -> list[SharingGrant]:
    """Grants of a client to another organisation; in the scope of the organisation that holds the client."""
    fields = {"valid_from": dt.date(2026, 1, 1)} | fields
    return [
        SharingGrant.objects.create(
            content_object=client,
            holder=holder,
            category=category,
            group=group_of(holder.pk),
            permission=Permission.objects.get(content_type__app_label="caseload", codename=f"see_{category}"),
            **fields,
        )
        for category in categories
    ]


def make_sensitive(client: Client, *team: User, kind: str = SensitiveKind.STAFF) -> SensitiveRecord:
    """A sensitive record and its named team; in the scope of the organisation that holds the client."""
    record: SensitiveRecord = SensitiveRecord.objects.create(
        client=client, kind=kind, reason="Invented", flagged_by=make_person()
    )
    for person in team:
        NamedTeamMember.objects.create(client=client, user=person)
    return record


def make_conflict(client: Client, person: User) -> ConflictOfInterest:
    """A conflict of interest between a person and a client."""
    made: ConflictOfInterest = ConflictOfInterest.objects.create(
        client=client, user=person, reason="Invented", declared_by=make_person()
    )
    return made


def make_emergency(
    client: Client, person: User, categories: Iterable[str] = Category.values, **fields: Any
) -> EmergencyAccess:
    """An emergency access of a person to a client of another organisation; in the scope of the person's organisation."""
    now = clock.now()
    fields = {"opened_at": now, "ends_at": now + dt.timedelta(minutes=60), "reason": "Invented"} | fields
    made: EmergencyAccess = EmergencyAccess.objects.create(
        user=person,
        client_organisation_id=client.organisation_id,
        opened_client=client,
        categories=list(categories),
        ground=LawfulGround.WELFARE,
        **fields,
    )
    return made
