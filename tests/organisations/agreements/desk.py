"""What the tests of agreements share: the two organisations at their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from audit.models.trail import AuditEvent
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations import protocol
from edatrs.organisations.models import (
    Agreement,
    AgreementParty,
    Organisation,
    User,
)
from tests.factories.organisations import make_person

OFFICER = "information_governance"
SURE = {"signed_as": "siro", "sure": "on"}
Browse = Callable[[User], Client]


def officer(organisation: Organisation) -> User:
    return make_person(organisation, role=OFFICER)


def one(agreement: Agreement, organisation: Organisation, page: str = "") -> str:
    return f"/o/{organisation.slug}/agreements/{agreement.pk}/{page}"


def party(agreement: Agreement, organisation: Organisation) -> AgreementParty:
    return AgreementParty.objects.get(agreement=agreement, organisation=organisation)


def partners(organisation: Organisation) -> set[Any]:
    """Whom the organisation shares with today, as the database says."""
    with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk):
        return set(protocol.partners_in_force())


def events(acting: Any, organisation: Organisation) -> list[str]:
    with acting(organisation, OFFICER):
        names = AuditEvent.objects.order_by("sequence").values_list("name", flat=True)
        return [name for name in names if name.startswith("protocol.")]


def acting_as(organisation: Organisation, user: User) -> Any:
    return open_scope(
        actor=Actor.PERSON,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=user.pk,
        person_label=user.full_name,
        roles=frozenset({OFFICER}),
    )
