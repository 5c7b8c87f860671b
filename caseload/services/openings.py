"""Opening a record or a list: it is on the trail, once a page; a record is on the person's own list of what they opened last, too."""

from __future__ import annotations

from caseload.models import Client, Opening
from edatrs.core import trail
from edatrs.core.scope import current_organisation, current_scope


def note_opened(*, client: Client, panel: str, categories: list[str]) -> None:
    """The person acting saw these categories of a client on a page. One event a page: one that says more may be there already."""
    scope = current_scope()
    if not any(event.subject == str(client.pk) for event in scope.events):
        trail.record(
            "caseload.client.viewed",
            subject=str(client.pk),
            details={"panel": panel, "categories": categories},
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


def note_page(route: str) -> None:
    """The person acting was shown a page about people: a list, a work list, a form. Nothing where the page itself has said so."""
    if not current_scope().events:
        trail.record("caseload.page_viewed", details={"panel": route.replace(":", ".")})
