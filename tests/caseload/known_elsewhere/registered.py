"""Clients as the registration would leave them, one or thousands, and the question put to the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from caseload.models import Client, ClientContact, ClientIdentity, Person
from caseload.services import search_index
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for, in_sql
from tests.factories.same_person import Registered

JORDAN: dict[str, Any] = {
    "forename": "Jordan",
    "surname": "Ashby",
    "date_of_birth": dt.date(1991, 8, 9),
    "sex": "M",
    "nhs_number": "",
}


def register(
    organisation: Organisation, *, person: Person | None = None, postcode: str = "CM2 6QT", **identity: Any
) -> Client:
    """A client of an organisation; Jordan Ashby unless said otherwise."""
    with acting_for(organisation):
        client: Client = Client.objects.create(person=person or Person.objects.create())
        ClientIdentity.objects.create(client=client, **{**JORDAN, **identity})
        ClientContact.objects.create(client=client, postcode=postcode)
        search_index.refresh([client.pk])
    return client


def register_all(organisation: Organisation, people: Iterable[Registered]) -> list[UUID]:
    """Clients in the order of the people, by the few statements that thousands need."""
    people = list(people)
    with acting_for(organisation):
        persons = Person.objects.bulk_create(Person() for _ in people)
        clients = Client.objects.bulk_create(
            Client(person=person, organisation_id=organisation.pk) for person in persons
        )
        ClientIdentity.objects.bulk_create(
            ClientIdentity(
                client=client,
                organisation_id=organisation.pk,
                forename=p.forename,
                surname=p.surname,
                date_of_birth=p.born,
                sex=p.sex,
                nhs_number=p.nhs_number,
            )
            for client, p in zip(clients, people, strict=True)
        )
        ClientContact.objects.bulk_create(
            ClientContact(client=client, organisation_id=organisation.pk, postcode=p.postcode)
            for client, p in zip(clients, people, strict=True)
        )
        ids: list[UUID] = [client.pk for client in clients]
        search_index.refresh(ids)
    return ids


def known_elsewhere(organisation: Organisation, client: Client | UUID) -> bool:
    """What the function of the database says, asked by the role that serves requests."""
    pk = client if isinstance(client, UUID) else client.pk
    with acting_for(organisation):
        return bool(in_sql("SELECT caseload_known_elsewhere(%s)", pk)[0][0])
