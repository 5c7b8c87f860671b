"""Who can be named as witness of a spoken consent: colleagues of the organisation acted for who could record one themselves."""

from __future__ import annotations

from uuid import UUID

from edatrs.core import access, clock
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import User
from edatrs.organisations.selectors import people_holding


def _roles() -> list[str]:
    return [role for role in Role.values if access.letters("consent.share.record", roles=frozenset({role}))]


def choices() -> list[tuple[str, str]]:
    """Their names, without one's own."""
    people = people_holding(current_organisation(), _roles(), clock.today())
    people = people.exclude(pk=current_scope().person_id).order_by("full_name", "pk")
    return [(str(pk), name) for pk, name in people.values_list("pk", "full_name")]


def by_key(typed: str, *, but: UUID) -> User | None:
    """One of them; None for nobody, somebody else and oneself."""
    try:
        pk = UUID(typed)
    except ValueError:
        return None
    people = people_holding(current_organisation(), _roles(), clock.today())
    return people.exclude(pk=but).filter(pk=pk).first()
