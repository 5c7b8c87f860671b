"""The one writer of grants: what the consent app decided, pushed down into rows that both walls read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import F

from caseload.choices import Category
from caseload.models import Client, SharingGrant
from edatrs.core import clock, guardian
from edatrs.core.scope import current_organisation, current_scope


@dataclass(frozen=True)
class Term:
    """From when to when, both London days included, a category is open; no end: until further notice."""

    valid_from: dt.date
    valid_until: dt.date | None = None


def set_grants(*, client: Client, holder_id: UUID, terms: Mapping[str, Term]) -> list[str]:
    """Make what `holder_id` may see of a client exactly `terms` (by category): the rest is suspended from now on. Returns what changed.

    Called with every source counted in (consents and lawful grounds that live), in the transaction that decided; the rows are locked.
    Raises ValueError for a holder that holds the record itself and for an unknown category, and what the database refuses.
    """
    if holder_id == current_organisation() or client.organisation_id != current_organisation():
        raise ValueError("a grant opens a record of one's own to another organisation")
    unknown = set(terms) - set(Category.values)
    if unknown:
        raise ValueError(f"no such category: {', '.join(sorted(unknown))}")
    held = {
        row.category: row
        for row in SharingGrant.objects.select_for_update().filter(
            content_object_id=client.pk, holder_id=holder_id, organisation_id=client.organisation_id
        )
    }
    changed = [c for c, term in terms.items() if _differs(held.get(c), term)]
    permissions = _permissions()
    group = guardian.group_of(holder_id)
    for category in changed:
        term, row = terms[category], held.get(category)
        if row is None:
            row = SharingGrant(
                content_object_id=client.pk,
                holder_id=holder_id,
                category=category,
                group=group,
                permission=permissions[category],
                act=current_scope().act,
            )
        row.valid_from, row.valid_until, row.suspended_at = term.valid_from, term.valid_until, None
        row.save()
    ended = [c for c, row in held.items() if c not in terms and row.suspended_at is None]
    for category in ended:
        held[category].suspended_at = clock.now()
        held[category].save()
    return sorted({*changed, *ended})


def _differs(row: SharingGrant | None, term: Term) -> bool:
    return row is None or (row.valid_from, row.valid_until, row.suspended_at) != (
        term.valid_from,
        term.valid_until,
        None,
    )


def _permissions() -> dict[str, Permission]:
    found = Permission.objects.filter(
        content_type=ContentType.objects.get_for_model(Client), codename__startswith="see_"
    )
    return {permission.codename.removeprefix("see_"): permission for permission in found}


def withdraw_all(*, client: Client) -> int:
    """Suspend every grant of a client at once: entered in error, merged away, restricted. Returns how many lived."""
    live = SharingGrant.objects.filter(
        content_object_id=client.pk, organisation_id=client.organisation_id, suspended_at__isnull=True
    )
    return live.update(suspended_at=clock.now(), version=F("version"))
