"""The six contact items of an organisation, with a dated history: what stood on a day can always be said (obligations 2, 4, 5, 7)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation
from edatrs.organisations.models import AgreementParty, ContactRecord, Organisation, User
from edatrs.organisations.services.protocol import ProtocolRefused, StaleAgreement

ITEMS = ("name", "head_office", "phone", "emails", "data_protection_officer", "ico_references")


def _items(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ITEMS}


def keep_record(organisation: Organisation, day: dt.date, changed_by: User | None = None) -> bool:
    """Close the record that stood before and open one of what stands from a day on. Whether there was anything to keep."""
    standing = (
        ContactRecord.objects.select_for_update()
        .filter(organisation=organisation, valid_until__isnull=True)
        .first()
    )
    wanted = _items(organisation)
    if standing is not None and _items(standing) == wanted:
        return False
    if standing is not None:
        # Changed twice in a day: both stood on that day.
        standing.valid_until = max(standing.valid_from, day - dt.timedelta(days=1))
        standing.save(update_fields=["valid_until"])
    ContactRecord.objects.create(organisation=organisation, valid_from=day, changed_by=changed_by, **wanted)
    return True


def stamp(organisation: Organisation) -> str:
    """What the contact items were when a form was opened, to find a change in between."""
    return hash_of(_items(organisation))


def hash_of(items: Mapping[str, Any]) -> str:
    """A short digest of contact items."""
    return hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:32]


@transaction.atomic
def change(*, values: Mapping[str, Any], opened_at: str, acting_user: User) -> list[str]:
    """Change the contact items of the organisation acted for; the old ones are kept with their dates. Which changed.

    Raises ProtocolRefused when an address that gets breach notices would go, StaleAgreement when somebody saved in between.
    """
    organisation = Organisation.objects.select_for_update().get(pk=current_organisation())
    if stamp(organisation) != opened_at:
        raise StaleAgreement
    today = clock.today()
    changed = [name for name in ITEMS if getattr(organisation, name) != values[name]]
    if not changed:
        return []
    gone = set(organisation.emails) - set(values["emails"])
    for party in AgreementParty.objects.filter(organisation=organisation).select_related("agreement"):
        used = gone & set(party.breach_emails)
        if used and (party.leaves_on is None or party.leaves_on >= today):
            raise ProtocolRefused(
                f"{sorted(used)[0]} gets the breach notices of “{party.agreement.title}”. Choose another address there first"
            )
    if not ContactRecord.objects.filter(organisation=organisation).exists():
        # Since when it stood is not known: it is kept as what stood until yesterday.
        keep_record(organisation, today - dt.timedelta(days=1))
    for name in changed:
        setattr(organisation, name, values[name])
    organisation.save(update_fields=changed)
    keep_record(organisation, today, acting_user)
    trail.record("protocol.contact_changed", subject=str(organisation.pk), details={"fields": changed})
    return changed
