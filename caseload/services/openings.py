"""Opening a record: it is on the trail, and on the person's own list of what they opened last."""

from __future__ import annotations

from caseload.models import Client, Opening
from edatrs.core import trail
from edatrs.core.scope import current_organisation, current_scope


def note_opened(*, client: Client, panel: str, categories: list[str]) -> None:
    """The person acting saw these categories of a client on a page. One event a page."""
    scope = current_scope()
    trail.record(
        "caseload.client.viewed", subject=str(client.pk), details={"panel": panel, "categories": categories}
    )
    if scope.person_id is not None:
        opened = Opening(
            organisation_id=current_organisation(), user_id=scope.person_id, client=client, at=scope.now
        )
        Opening.objects.bulk_create(
            [opened],
            update_conflicts=True,
            unique_fields=["organisation", "user", "client"],
            update_fields=["at"],
        )
