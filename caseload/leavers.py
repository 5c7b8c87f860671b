"""What somebody who leaves hands over of the caseload: clients, in numbers for the administrator, by allocation for the manager."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef
from django.urls import reverse

from caseload.models import Client, Episode
from caseload.selectors_allocation import ACT, with_keyworker
from edatrs.core import clock, registry
from edatrs.organisations.services.leavers import Work


def clients_of(person_id: UUID) -> int:
    """How many clients with an open episode somebody is the keyworker of today: those that the allocation lists. One query."""
    open_ones = Episode.objects.filter(
        client_id=OuterRef("pk"), voided_at__isnull=True, discharged_on__isnull=True
    )
    rows = with_keyworker(Client.objects.filter(Exists(open_ones), voided_at__isnull=True), clock.today())
    return int(rows.filter(keyworker_id=person_id).count())


def _allocation(slug: str, pk: UUID) -> str:
    return f"{reverse('caseload:allocation', args=[slug])}?of={pk}"


def register_work() -> None:
    """Fill in the registry."""
    registry.leaver_work.add(
        "clients",
        Work(
            one="client",
            many="clients",
            count=clients_of,
            address=_allocation,
            act=ACT,
        ),
    )
