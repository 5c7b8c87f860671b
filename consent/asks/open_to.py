"""What of a client is open to a partner today, as the grants of one's own organisation say."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from caseload.models import Client, ClientMerge, SharingGrant
from edatrs.core import clock
from edatrs.core.scope import current_organisation
from edatrs.organisations.protocol import partners_in_force


def open_to(client: Client, holder_id: UUID) -> list[str]:
    """The categories, in the order of their keys; none without a protocol in force."""
    return open_of([client.pk], holder_id)


def open_of(client_ids: list[UUID], holder_id: UUID) -> list[str]:
    """The same of several records of one person."""
    today = clock.today()
    if holder_id not in partners_in_force():
        return []
    grants = SharingGrant.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today),
        organisation_id=current_organisation(),
        content_object_id__in=client_ids,
        holder_id=holder_id,
        valid_from__lte=today,
        suspended_at__isnull=True,
    )
    return sorted(set(grants.values_list("category", flat=True)))


def lives_in(client_id: UUID) -> list[UUID]:
    """The record, and those that it lives on in after merges: the last is the one in use."""
    found = [client_id]
    while True:
        merge = ClientMerge.objects.filter(client_id=found[-1], undone_at__isnull=True).first()
        if merge is None or merge.survivor_id in found:
            return found
        found.append(merge.survivor_id)
