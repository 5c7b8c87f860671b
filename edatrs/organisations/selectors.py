"""Reads of the organisations app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from edatrs.organisations.clearances import in_date
from edatrs.organisations.models import Membership, Organisation, Service, User


class UnknownAgency(LookupError):
    """No service has this agency code."""


def _live(day: dt.date) -> Q:
    return Q(valid_from__lte=day) & (Q(valid_until__isnull=True) | Q(valid_until__gte=day))


def memberships_by_date(user: User, day: dt.date) -> QuerySet[Membership]:
    """The roles a person has on a day, those that are held by training or a check too; none when the person is disabled."""
    if not user.is_active:
        return Membership.objects.none()
    return Membership.objects.filter(_live(day), user=user).select_related("organisation")


def memberships_on(user: User, day: dt.date) -> QuerySet[Membership]:
    """The roles that count on a day: begun, not ended, and nothing of training and checks holds them (access.md)."""
    return memberships_by_date(user, day).filter(in_date(day))


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


def held_organisations(user: User, day: dt.date) -> list[Organisation]:
    """The organisations that a person has a role at on a day and may not act for, because training or a check holds it."""
    held = memberships_by_date(user, day).exclude(in_date(day))
    return list(dict.fromkeys(membership.organisation for membership in held))


def people_holding(organisation_id: UUID, roles: Iterable[str], day: dt.date) -> QuerySet[User]:
    """The active people who hold one of the roles at an organisation on a day, and whom nothing holds back."""
    counting = Membership.objects.filter(
        _live(day), in_date(day), user=OuterRef("pk"), organisation_id=organisation_id, role__in=list(roles)
    )
    return User.objects.filter(Exists(counting), is_active=True)
