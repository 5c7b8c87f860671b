"""The consent page of a client with one open episode, and who stands at it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from caseload.models import Client, ClientIdentity, Episode
from consent import services
from consent.models import ConsentAct
from edatrs.core import clock
from edatrs.organisations.models import Organisation, User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40 + b"\xff\xd9"


@dataclass
class Desk:
    """A keyworker at the page of a client with one open episode."""

    organisation: Organisation
    browser: Browser
    worker: User
    client: Client
    episode: Episode

    def at(self, rest: str = "") -> str:
        return f"/o/{self.organisation.slug}/clients/{self.client.pk}/consent/{rest}"

    @property
    def here(self) -> str:
        return self.at(f"{self.episode.pk}/")

    def opened(self) -> dict[str, str]:
        """What the page sends along by itself."""
        html = self.browser.get(self.here).content.decode()
        return {
            name: re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]  # the page has it
            for name in ("client", "version", "_page")
        }

    def answer(self, answer: str = "Y", *, opened: dict[str, str] | None = None, **changed: Any) -> Any:
        today = clock.today()
        data = {
            **(opened or self.opened()),
            "said": "on",
            "leaflet": "on",
            "questions": "on",
            "method": "oral",
            "answer": answer,
            "decided_on_day": str(today.day),
            "decided_on_month": str(today.month),
            "decided_on_year": str(today.year),
            **changed,
        }
        data = {name: value for name, value in data.items() if value is not None}
        return self.browser.post(self.here, data)

    def acts(self) -> list[ConsentAct]:
        with acting_for(self.organisation):
            return list(ConsentAct.objects.order_by("sequence"))

    def consent(self) -> str:
        with acting_for(self.organisation):
            return str(Episode.objects.get(pk=self.episode.pk).consent)


def make_desk(dataset: str = "adult", role: str = "keyworker") -> Desk:
    organisation = make_organisation(data_protection_officer="Olu Farrant")
    service = make_service(organisation, dataset=dataset)
    worker = make_person(organisation, role=role, full_name="Priya Raman")
    with acting_for(organisation):
        client = make_client()
        make_part(
            ClientIdentity, client, forename="Keeley", surname="Marsh", date_of_birth=dt.date(1984, 3, 14)
        )
        episode = make_episode(registration=make_registration(client=client, service=service))
    return Desk(organisation, sign_in(Browser(), worker), worker, client, episode)


def file(raw: bytes = PDF, name: str = "Keeley Marsh signed.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw, content_type="text/html")


def agree(desk: Desk, episode: Episode, on: dt.date = dt.date(2026, 6, 8)) -> ConsentAct:
    """A yes in force."""
    with acting_for(desk.organisation):
        return services.record_ndtms_decision(
            episode=episode,
            decision="Y",
            decided_on=on,
            method="oral",
            statement_version="1",
            statement_said=True,
            leaflet_given=True,
            questions_answered=True,
            acting_user=desk.worker,
        )
