"""Organisations that hold a record of one person, with people who may link, and what tests do with them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.test import Client as Browser

from caseload.models import Client, ClientContact, ClientEquality, ClientIdentity, LinkSide
from caseload.services import clients, linking
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement, make_grant

BORN = dt.date(1991, 8, 9)


class Side:
    """An organisation with a record of Jordan, a team manager, a keyworker and a governance officer."""

    def __init__(self, slug: str, **identity: Any) -> None:
        self.organisation: Organisation = make_organisation(slug, name=slug.title())
        self.manager = make_person(self.organisation, role="team_manager", full_name=f"{slug} manager")
        self.keyworker = make_person(self.organisation, role="keyworker", full_name=f"{slug} keyworker")
        self.officer = make_person(
            self.organisation, role="information_governance", full_name=f"{slug} officer"
        )
        make_service(self.organisation)
        with self.acting():
            self.client: Client = make_client()
            fields = {"forename": "Jordan", "surname": "Ashby", "date_of_birth": BORN} | identity
            make_part(ClientIdentity, self.client, **fields)
            make_part(ClientContact, self.client, phone="0100")
            make_part(ClientEquality, self.client)
            make_registration(client=self.client)
            self.client.refresh_from_db()

    def acting(self, person: User | None = None, *roles: str) -> Any:
        """A scope of a person of the organisation; of its worker without one."""
        return open_scope(
            actor=Actor.PERSON if person else Actor.WORKER,
            organisation_id=self.organisation.pk,
            organisation_label=self.organisation.slug,
            person_id=person.pk if person else None,
            person_label=person.full_name if person else "worker",
            roles=frozenset(roles),
        )

    def managing(self) -> Any:
        """A scope of the team manager."""
        return self.acting(self.manager, "team_manager")

    def browser(self, person: User | None = None) -> Browser:
        """Signed in as the manager, or somebody else."""
        return sign_in(Browser(), person or self.manager)

    def share_with(self, *others: Side) -> None:
        """The identity of the client is open to these organisations."""
        with self.acting():
            for other in others:
                make_grant(self.client, other.organisation, ["identity"])

    def ask(self, other: Side, reason: str = "The same person") -> LinkSide:
        """Ask to link with another's record, as the manager."""
        with self.managing():
            return linking.propose(
                client=self.client,
                other=linking.get_offered(other.client.pk),
                reason=reason,
                form_id=uuid4(),
                acting_user=self.manager,
                organisation_name=self.organisation.name,
            )

    def open_side(self) -> LinkSide:
        """The own side that waits."""
        with self.acting():
            found: LinkSide = LinkSide.objects.get(client=self.client, state="open")
            return found

    def answer(self, *, agreed: bool = True, reason: str = "We know them") -> str:
        """Answer the one that waits, as the manager. Returns how far it is."""
        pk = self.open_side().pk
        with self.managing():
            said = linking.answer(
                pk=pk,
                agreed=agreed,
                reason=reason,
                acting_user=self.manager,
                organisation_name=self.organisation.name,
            )
            return str(said.state)

    def unlink(self) -> None:
        """End the links, as the manager."""
        with self.managing():
            linking.unlink(
                client=self.client,
                reason="Somebody else after all",
                acting_user=self.manager,
                organisation_name=self.organisation.name,
            )

    def undo(self) -> None:
        """Take the unlinking back."""
        with self.managing():
            linking.undo(
                client=self.client, acting_user=self.manager, organisation_name=self.organisation.name
            )

    def change(self, category: str = "contact", **values: Any) -> list[str]:
        """Change a category, as the manager, from what stands now."""
        with self.managing():
            now = clients.read_part(self.client, category)
            return clients.change_part(
                client=self.client,
                category=category,
                values=dict(now.values) | values,
                version=now.version,
                acting_user=self.manager,
            )

    def value(self, name: str, category: str = "contact") -> Any:
        """What the record says."""
        with self.acting():
            return clients.read_part(self.client, category).values[name]

    def person(self) -> Any:
        """The person of the client."""
        with self.acting():
            return Client.objects.values_list("person_id", flat=True).get(pk=self.client.pk)

    def states(self) -> list[str]:
        """The states of the own sides, in the order in which they were asked."""
        with self.acting():
            rows = LinkSide.objects.filter(client=self.client).order_by("asked_at", "created_at", "pk")
            return [str(row.state) for row in rows]


def sides(*slugs: str, protocol: bool = True) -> list[Side]:
    """Organisations that share by one agreement, each sharing the identity of Jordan with every other."""
    found = [Side(slug) for slug in slugs]
    if protocol:
        make_agreement(*(side.organisation for side in found))
    for side in found:
        side.share_with(*(other for other in found if other is not side))
    return found


def linked(*slugs: str) -> list[Side]:
    """The same, linked: the first asks each of the others in turn."""
    found = sides(*slugs)
    for place, other in enumerate(found[1:], start=1):
        found[0].ask(other)
        for side in found[1 : place + 1]:
            side.answer()
    return found
