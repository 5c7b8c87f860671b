"""Reads of the organisations app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from edatrs.organisations.models import Membership, Organisation, Service, User


class UnknownAgency(LookupError):
    """No service has this agency code."""


def memberships_on(user: User, day: dt.date) -> QuerySet[Membership]:
    """The roles a person holds on a day; none when the person is disabled."""
    if not user.is_active:
        return Membership.objects.none()
    return (
        Membership.objects.filter(user=user, valid_from__lte=day)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gte=day))
        .select_related("organisation")
    )


def organisations_of(user: User, day: dt.date) -> dict[Organisation, list[str]]:
    """The organisations a person may act for on a day, each with the names of the roles."""
    found: dict[Organisation, list[str]] = {}
    for membership in memberships_on(user, day):
        found.setdefault(membership.organisation, []).append(membership.get_role_display())
    return found


def service_by_agency(agency_code: str) -> Service:
    """The service of an agency code. Raises UnknownAgency."""
    try:
        return Service.objects.select_related("organisation").get(agency_code=agency_code)
    except Service.DoesNotExist:
        raise UnknownAgency(agency_code) from None


def services_of(organisation_id: UUID) -> QuerySet[Service]:
    """The services of an organisation, by agency code."""
    return Service.objects.filter(organisation_id=organisation_id)


def people_holding(organisation_id: UUID, roles: Iterable[str], day: dt.date) -> QuerySet[User]:
    """The active people who hold one of the roles at an organisation on a day."""
    return User.objects.filter(
        Q(memberships__valid_until__isnull=True) | Q(memberships__valid_until__gte=day),
        is_active=True,
        memberships__organisation_id=organisation_id,
        memberships__role__in=list(roles),
        memberships__valid_from__lte=day,
    ).distinct()
