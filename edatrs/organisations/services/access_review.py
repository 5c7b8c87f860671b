"""Reviews of access: that somebody looked at a person's roles and found them right. Each is kept, with who and when."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation
from edatrs.organisations import directory
from edatrs.organisations.models import AccessReview, User


class ReviewRefused(ValueError):
    """It cannot be marked like this; the words are for the person who tried."""


@transaction.atomic
def mark(*, people: Iterable[UUID], acting_user: User) -> int:
    """Mark people as reviewed today, with the roles that stand. Returns how many. Raises Denied, ReviewRefused."""
    ids = list(dict.fromkeys(people))
    if not ids:
        raise ReviewRefused("Choose at least one person")
    if acting_user.pk in ids:
        raise ReviewRefused("Nobody reviews their own access. Leave yourself out: somebody else does it")
    organisation_id, today = current_organisation(), clock.today()
    for pk in ids:
        person = directory.person_of(organisation_id, pk, act="access.review")
        held = directory.memberships_at(organisation_id, [person])
        roles = sorted({m.role for m in held if m.valid_until is None or m.valid_until >= today})
        if _is_there(pk, " ".join(roles), acting_user):
            continue
        AccessReview.objects.create(
            organisation_id=organisation_id,
            user=person,
            at=clock.now(),
            by_label=acting_user.full_name,
            roles=" ".join(roles),
        )
        trail.record("organisations.access_reviewed", subject=str(pk), details={"person": pk, "roles": roles})
    return len(ids)


def _is_there(person_id: UUID, roles: str, acting_user: User) -> bool:
    """Whether the same person has said the same of the same roles today: sent twice, it is one review."""
    reviews = AccessReview.objects.filter(user_id=person_id, roles=roles, by_label=acting_user.full_name)
    latest = reviews.order_by("-at").first()
    return latest is not None and clock.london_date(latest.at) == clock.today()
