"""Rows of other organisations' clients that the one acted for reaches today, category by category: read only (design section 5).

The first wall's part. Who: a django-guardian row of the organisation's group. When: its dates, the suspension, and a protocol in force
between the two organisations today. Or an emergency access of the very person, while it is open. The second wall is the policy `reached`
(migration 0009); neither knows of the other. Nobody's own rows are here: they have their own managers.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet

from caseload.choices import Category
from caseload.models import (
    Client,
    ClientIdentity,
    EmergencyAccess,
    NamedTeamMember,
    SensitiveRecord,
    SharingGrant,
)
from edatrs.core import access, clock, guardian
from edatrs.core.access import Denied
from edatrs.core.managers import OrganisationAsked
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.protocol import partners_in_force

M = TypeVar("M", bound=models.Model)


class ReadOnly(TypeError):
    """Somebody tried to write another organisation's record."""


def _refuse(*args: Any, **kwargs: Any) -> Any:
    raise ReadOnly("what another organisation shares can be read, never written")


class ReachedQuerySet(models.QuerySet[M]):
    """Reads of rows that belong to others."""

    create = bulk_create = update = bulk_update = delete = get_or_create = update_or_create = _refuse
    acreate = abulk_create = aupdate = abulk_update = adelete = aget_or_create = aupdate_or_create = _refuse
    raw = extra = _refuse


def live_grants() -> QuerySet[SharingGrant]:
    """The grants that the organisation acted for holds and that admit it today. Raises ScopeMissing."""
    today = clock.today()
    return SharingGrant.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today),
        holder_id=OrganisationAsked(current_organisation()),
        organisation_id__in=partners_in_force(),
        valid_from__lte=today,
        suspended_at__isnull=True,
    )


def open_emergencies() -> QuerySet[EmergencyAccess]:
    """What the person of the scope has opened in an emergency and is still open. Raises ScopeMissing."""
    now = clock.now()
    return EmergencyAccess.objects.filter(
        organisation_id=OrganisationAsked(current_organisation()),
        user_id=current_scope().person_id,
        client_organisation_id__in=partners_in_force(),
        opened_at__lte=now,
        ends_at__gt=now,
        ended_at__isnull=True,
    )


def categories_of(client_id: UUID, by: str) -> frozenset[str]:
    """The categories of a client that are open by a letter: S, the grants; B, one's own emergency access. Only what the role may see."""
    if _kept_away(client_id):
        return frozenset()
    if by == "S":
        held = live_grants().filter(content_object_id=client_id).values_list("category", flat=True)
        found = frozenset(held)
    else:
        opened = open_emergencies().filter(opened_client_id=client_id).values_list("categories", flat=True)
        found = frozenset(category for categories in opened for category in categories)
    return frozenset(c for c in found if by in access.letters("client.view", c))


def _kept_away(client_id: UUID) -> bool:
    """A sensitive record of another organisation is for the people of its named team alone, whatever was shared."""
    sensitive = ReachedQuerySet(SensitiveRecord).filter(client_id=client_id, lifted_at__isnull=True).exists()
    named = ReachedQuerySet(NamedTeamMember).filter(
        client_id=client_id, user_id=current_scope().person_id, removed_at__isnull=True
    )
    return sensitive and not named.exists()


def shared_clients() -> QuerySet[Client]:
    """The clients that partners share with the organisation acted for in any category that the roles may see."""
    categories = [c for c in Category.values if "S" in access.letters("client.view", c)]
    live = live_grants().filter(category__in=categories).values("content_object_id")
    rows: QuerySet[Client] = ReachedQuerySet(Client).filter(voided_at__isnull=True)
    by_guardian = guardian.shared_with(
        current_organisation(), [f"caseload.see_{c}" for c in categories], rows
    )
    return by_guardian.filter(pk__in=live).exclude(pk__in=_sensitive_to_others())


def _sensitive_to_others() -> QuerySet[SensitiveRecord]:
    named = NamedTeamMember._base_manager.none().model  # the model itself: rows of others are asked for
    mine = ReachedQuerySet(named).filter(user_id=current_scope().person_id, removed_at__isnull=True)
    return (
        ReachedQuerySet(SensitiveRecord)
        .filter(lifted_at__isnull=True)
        .exclude(client_id__in=mine.values("client_id"))
        .values("client_id")
    )


def offered_for_link() -> QuerySet[Client]:
    """The clients whose identity partners share with the organisation acted for, whatever the role: what it may ask to link with."""
    live = live_grants().filter(category=Category.IDENTITY).values("content_object_id")
    rows: QuerySet[Client] = ReachedQuerySet(Client).filter(voided_at__isnull=True, pk__in=live)
    return rows.exclude(pk__in=_sensitive_to_others())


def identities_for_link() -> QuerySet[ClientIdentity]:
    """The identities of those clients."""
    rows: QuerySet[ClientIdentity] = ReachedQuerySet(ClientIdentity)
    return rows.filter(client_id__in=offered_for_link().values("pk"))


def identities_of(client_ids: list[UUID]) -> dict[UUID, ClientIdentity]:
    """The identities of those of the clients whose identity a live grant opens, by client."""
    live = live_grants().filter(content_object_id__in=client_ids, category=Category.IDENTITY)
    rows = ReachedQuerySet(ClientIdentity).filter(client_id__in=live.values("content_object_id"))
    return {row.client_id: row for row in rows}


def get_shared(pk: UUID | str, by: str) -> tuple[Client, frozenset[str]]:
    """A client of another organisation and the categories open by a letter. Raises Denied: absent, not shared and ended answer alike."""
    found = ReachedQuerySet(Client).filter(pk=pk, voided_at__isnull=True).select_related("organisation")
    client = found.exclude(organisation_id=current_organisation()).first()
    categories = categories_of(client.pk, by) if client is not None else frozenset()
    if client is None or not categories:
        raise Denied("client.view", "not found", subject=str(pk))
    return client, categories


def reached(model: type[M], client: Client, category: str, categories: frozenset[str]) -> QuerySet[M]:
    """Rows of a model about a client that `get_shared` gave, of a category that is open; none of another. Raises ValueError: one's own."""
    if client.organisation_id == current_organisation():
        raise ValueError("one's own clients have their own managers")
    rows: QuerySet[M] = ReachedQuerySet(model)
    if category not in categories:
        return rows.none()
    return rows.filter(client_id=client.pk, organisation_id=client.organisation_id)
