"""An NDTMS administrator of an organisation with one service, and a client with episodes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from caseload.models import Client, ClientIdentity, Episode
from edatrs.organisations.models import Organisation, Service, User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

HEAD = "agency_code,client_id,episode_id,kind\n"


@dataclass
class Desk:
    """Who works, where, and on whose record."""

    organisation: Organisation
    service: Service
    browser: Browser
    worker: User
    client: Client

    def at(self, rest: str = "") -> str:
        return f"/o/{self.organisation.slug}/submissions/{rest}"

    def acting(self) -> Any:
        return acting_for(self.organisation)

    def episode(self, consent: str = "Y", **fields: Any) -> Episode:
        """One more episode of the client."""
        with self.acting():
            registration = self.client.registrations.first() or make_registration(
                client=self.client, service=self.service
            )
            defaults = {"referred_on": dt.date(2026, 1, 5), "triaged_on": dt.date(2026, 1, 6)}
            return make_episode(registration=registration, consent=consent, **{**defaults, **fields})

    def line(self, episode: Episode, kind: str = "missing") -> str:
        client = episode.registration.client_id_text
        return f"{self.service.agency_code},{client},{episode.episode_id},{kind}\n"

    def send(self, text: str, service: str = "") -> Any:
        """A list, as the page sends it."""
        file = SimpleUploadedFile("list.csv", text.encode(), content_type="text/csv")
        data = {"service": service or self.service.agency_code, "file": file}
        return self.browser.post(self.at("mismatches/"), data)


def make_desk(role: str = "ndtms_administrator") -> Desk:
    organisation = make_organisation()
    service = make_service(organisation)
    worker = make_person(organisation, role=role, full_name="Graham Tull")
    with acting_for(organisation):
        client = make_client()
        make_part(
            ClientIdentity, client, forename="Keeley", surname="Marsh", date_of_birth=dt.date(1984, 3, 14)
        )
    return Desk(organisation, service, sign_in(Browser(), worker), worker, client)
