"""A list of clients that was taken out for somebody outside: one disclosure a client, on the ground that whoever asked gave (O-152)."""

from __future__ import annotations

from caseload.choices import Category
from consent.choices import DisclosureGround, DisclosureWay
from consent.models import Disclosure
from consent.sharing.services import by
from edatrs.core import trail
from edatrs.core.registry import ListGiven
from edatrs.core.scope import current_organisation

WHAT = "A line of an exported list"


def disclose_list(given: ListGiven) -> None:
    """Log it for every client of the list, in the transaction that hands the file out; the same download logs once. Two queries at most."""
    categories = [c.value for c in Category if c.value in given.categories] or [Category.IDENTITY.value]
    rows = [
        Disclosure(
            organisation_id=current_organisation(),
            client_id=client_id,
            way=DisclosureWay.EXPORT,
            recipient=None,
            recipient_name=given.recipient,
            what=WHAT,
            categories=categories,
            purpose=given.purpose,
            ground=DisclosureGround.LAWFUL,
            lawful_ground=given.lawful_ground,
            given_on=given.given_on,
            form_key=given.download_id,
            **by(None),
        )
        for client_id in given.client_ids
    ]
    Disclosure.objects.bulk_create(rows)
    for row in rows:
        trail.record(
            "consent.disclosure.recorded",
            subject=str(row.client_id),
            details={
                "row": row.pk,
                "way": row.way,
                "categories": categories,
                "ground": row.ground,
                "condition": row.lawful_ground,
                "on": row.given_on,
            },
        )
