"""Who exports what in these tests."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from typing import Any

from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import (
    Client,
    ClientContact,
    ClientIdentity,
    ListExport,
)
from edatrs.core.scope import Actor
from edatrs.organisations.models import User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_conflict

NAMES = ("Leanne", "Marsh", "Priya", "Okafor")
REASON = "To plan cover for the holidays"


class Scene:
    """A manager, an NDTMS administrator, a governance officer and a keyworker; two clients at two services."""

    def __init__(self) -> None:
        self.home = make_organisation("open-road", name="Open Road")
        self.services = [
            make_service(self.home, agency_code="T0901"),
            make_service(self.home, agency_code="T0902"),
        ]
        self.manager = make_person(self.home, role="team_manager")
        self.administrator = make_person(self.home, role="ndtms_administrator")
        self.officer = make_person(self.home, role="information_governance")
        self.keyworker = make_person(self.home)
        self.clients: list[Client] = []
        with acting_for(self.home, actor=Actor.OPERATOR):
            for n, service in enumerate(self.services):
                client = make_client()
                make_part(
                    ClientIdentity,
                    client,
                    forename=NAMES[2 * n],
                    surname=NAMES[2 * n + 1],
                    sex="2",
                    date_of_birth=dt.date(1986, 8, 16),
                    nhs_number="9990142076",
                )
                make_part(ClientContact, client, postcode="CM1 2AB", phone="07700 900001")
                registration = make_registration(client=client, service=service, client_id_text=f"41{n}")
                make_episode(registration=registration, episode_id=f"E{n}", drug_1="1011" if n else "")
                self.clients.append(client)
        self._browsers: dict[uuid.UUID, Browser] = {}

    def browser(self, person: User) -> Browser:
        """Signed in as somebody, with a fresh second factor."""
        return self._browsers.setdefault(person.pk, sign_in(Browser(), person))

    def ask(self, person: User | None = None, *, form: uuid.UUID | None = None, **data: Any) -> Any:
        """Fill in the form, and confirm it."""
        typed = {
            "columns_record": ["record"],
            "columns_identity": ["client_id", "age"],
            "purpose": "work",
            "reason": REASON,
            "hours": "24",
            "leaves": "stays",
            "confirm": "1",
            "export": str(form or uuid.uuid4()),
        } | data
        return self.browser(person or self.manager).post("/o/open-road/exports/new/", typed)

    def made(self, person: User | None = None, **data: Any) -> ListExport:
        """An export that was asked for."""
        answer = self.ask(person, **data)
        assert answer.status_code == 302, answer.content.decode()
        with acting_for(self.home, actor=Actor.OPERATOR):
            return ListExport.objects.get(pk=answer.headers["Location"].split("/")[-2])

    def take(self, export: ListExport, person: User | None = None) -> Any:
        """Download it."""
        return self.browser(person or self.manager).post(f"/o/open-road/exports/{export.pk}/file/")

    def lines(self, export: ListExport, person: User | None = None) -> list[list[str]]:
        """The lines of the file, without the heading."""
        answer = self.take(export, person)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
        return read(b"".join(answer.streaming_content))[1:]

    def events(self, name: str) -> list[AuditEvent]:
        """Entries of the trail of a kind."""
        with acting_for(self.home, actor=Actor.OPERATOR):
            return list(AuditEvent.objects.filter(name=name).order_by("sequence"))


def read(content: bytes) -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def hide_by_conflict(scene: Scene) -> None:
    """The manager declares a conflict of interest."""
    with acting_for(scene.home, actor=Actor.OPERATOR):
        make_conflict(scene.clients[0], scene.manager)
