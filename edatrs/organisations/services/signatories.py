"""Who may sign agreements for an organisation, between two dates: named by its administrator (obligations 90 to 93).

An authorised role gives no access by itself: the person must also hold the role that may sign, in this system, on that day.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction

from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements, directory
from edatrs.organisations.choices import AuthorisedAs
from edatrs.organisations.models import AuthorisedRole, User
from edatrs.organisations.services.protocol import ProtocolRefused


@transaction.atomic
def authorise(
    *, person_id: UUID, role: str, valid_from: dt.date, valid_until: dt.date | None, acting_user: User
) -> AuthorisedRole:
    """Record that a person of the organisation acted for holds an authorised role. Raises Denied, ProtocolRefused."""
    organisation_id = current_organisation()
    person = directory.person_of(organisation_id, person_id, act="people.manage")
    if person.pk == acting_user.pk:
        raise ProtocolRefused("Ask another administrator: nobody authorises themselves")
    User.objects.select_for_update().get(pk=person.pk)
    for held in agreements.signatories_of(organisation_id).filter(user=person, role=AuthorisedAs(role)):
        ends, last = held.valid_until or dt.date.max, valid_until or dt.date.max
        if held.valid_from <= last and valid_from <= ends:
            raise ProtocolRefused("They hold this role already on some of these days. End it first")
    made = AuthorisedRole.objects.create(
        organisation_id=organisation_id,
        user=person,
        role=AuthorisedAs(role).value,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    trail.record(
        "protocol.signatory_named",
        subject=str(person.pk),
        details={"person": person.pk, "role": made.role, "from": valid_from, "until": valid_until},
    )
    return made


@transaction.atomic
def end(*, authorised_id: UUID, last_day: dt.date, acting_user: User) -> AuthorisedRole:
    """Set the last day. What was signed before stays signed. Raises Denied, ProtocolRefused."""
    held = agreements.signatory_of(current_organisation(), authorised_id)
    held = AuthorisedRole.objects.select_for_update(of=("self",)).get(pk=held.pk)
    if held.user_id == acting_user.pk:
        raise ProtocolRefused("Ask another administrator: nobody changes what they are authorised for")
    if held.valid_until is not None and held.valid_until < clock.today():
        raise ProtocolRefused("This role has ended already")
    if last_day < held.valid_from:
        raise ProtocolRefused("The last day must not be before the role begins")
    held.valid_until = last_day
    held.save(update_fields=["valid_until"])
    trail.record(
        "protocol.signatory_ended",
        subject=str(held.user_id),
        details={"person": held.user_id, "role": held.role, "until": last_day},
    )
    return held
