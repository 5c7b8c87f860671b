"""What the trail must know of clients to be searched: the ids behind a number, and the numbers of ids. No name passes through here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from caseload.models import Client, ClientMerge, Registration

_RECORD_NUMBER = re.compile(r"[Rr]?\s*([0-9]{1,18})")


def find(text: str) -> list[UUID]:
    """The clients of the organisation acted for with this record number or client id, and those that were merged into them."""
    typed = text.strip()
    found = set(Registration.objects.filter(client_id_text=typed).values_list("client_id", flat=True))
    number = _RECORD_NUMBER.fullmatch(typed)
    if number:
        found |= set(Client.objects.filter(record_number=int(number[1])).values_list("pk", flat=True))
    return sorted(found | merged_into(found), key=str)


def merged_into(clients: Iterable[UUID]) -> set[UUID]:
    """The records that live on in these, over as many merges as there were."""
    found: set[UUID] = set()
    asked = set(clients)
    while asked:
        rows = ClientMerge.objects.filter(survivor_id__in=asked, undone_at__isnull=True)
        asked = set(rows.values_list("client_id", flat=True)) - found
        found |= asked
    return found


def labels(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Record numbers by id, of those ids that are clients of the organisation acted for."""
    return {
        client.pk: str(client) for client in Client.objects.filter(pk__in=list(ids)).only("record_number")
    }
