"""A small organisation with two keyworkers and a manager, and browsers of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client as Browser

from caseload.models import Allocation, AllocationKind, Client, ClientIdentity, Episode
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Organisation, Service, User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

NOW = dt.datetime(2026, 11, 26, 9, 0, tzinfo=dt.UTC)


@dataclass
class Team:
    """Who is there."""

    organisation: Organisation
    service: Service
    worker: User
    colleague: User
    manager: User

    def browser(self, who: User) -> Browser:
        return sign_in(Browser(), who)

    def address(self, rest: str = "") -> str:
        return f"/o/{self.organisation.slug}/caseload/{rest}"

    def client(self, surname: str = "Fenwick", forename: str = "Marc", **episode: Any) -> Client:
        """A client with an open episode, allocated to nobody."""
        with acting_for(self.organisation, actor=Actor.OPERATOR):
            client = make_client()
            make_part(
                ClientIdentity, client, forename=forename, surname=surname, date_of_birth=dt.date(1984, 5, 1)
            )
            registration = make_registration(client=client, service=self.service)
            fields = {"consent": "Y", "drug_1": "1011", **episode}
            make_episode(registration=registration, **fields)
            return client

    def give(
        self, client: Client, who: User, *, kind: str = AllocationKind.KEYWORKER, **fields: Any
    ) -> Allocation:
        """An allocation that began 30 days ago."""
        with acting_for(self.organisation, actor=Actor.OPERATOR):
            defaults = {
                "valid_from": clock.today() - dt.timedelta(days=30),
                "reason": "a test",
                "by": self.manager.pk,
                "by_label": "x",
            }
            made: Allocation = Allocation.objects.create(
                organisation=self.organisation,
                client=client,
                kind=kind,
                keyworker=who,
                **{**defaults, **fields},
            )
            return made

    def episode(self, client: Client) -> Episode:
        with acting_for(self.organisation, actor=Actor.OPERATOR):
            found: Episode = Episode.objects.get(client=client)
            return found


def make_team(slug: str = "") -> Team:
    organisation = make_organisation(slug)
    service = make_service(organisation)
    return Team(
        organisation,
        service,
        make_person(organisation, full_name="Priya Raman"),
        make_person(organisation, full_name="Dana Okoro"),
        make_person(organisation, role="team_manager", full_name="Hanif Barlow"),
    )


@pytest.fixture
def day() -> Iterator[dt.datetime]:
    with clock.frozen(NOW):
        yield NOW


@pytest.fixture
def team(db: None, day: dt.datetime) -> Team:
    return make_team()
