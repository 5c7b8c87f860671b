"""Sides of links, as rows: what the services and the database write is tested with them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from caseload.models import Client, LinkSide
from edatrs.core import clock
from edatrs.organisations.models import Organisation


def make_link_side(client: Client, partner: Organisation, **fields: Any) -> LinkSide:
    """A partner asks to link with a client of the organisation acted for, and waits."""
    defaults: dict[str, Any] = {
        "proposal": uuid4(),
        "asked_by_organisation": partner,
        "asked_by": uuid4(),
        "asked_by_label": "A manager there",
        "asked_at": clock.now(),
        "reason": "Invented",
        "other_organisation": partner,
        "other_client": uuid4(),
        "other_record": 4711,
    }
    made: LinkSide = LinkSide.objects.create(client=client, **{**defaults, **fields})
    return made
