"""Two partners: one that asks about Jordan Ashby, and one that holds Jordan's record; somebody of each signed in."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID, uuid4

from django.test import Client as Browser

from caseload.models import Client, Registration
from consent.models import AskDelivery
from edatrs.core import clock
from edatrs.organisations.models import Agreement, User
from tests.caseload.known_elsewhere.registered import register
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement


def words_of(answer: Any) -> str:
    """The text of the main part of a page."""
    found = re.search(r"<main.*</main>", answer.content.decode(), re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0] if found else answer.content.decode()))


class AskDesk:
    """`ours` asks, `theirs` holds the record; `third` shares with both and knows nobody."""

    def __init__(self, *, held: bool = True) -> None:
        self.ours = make_organisation("ours", name="Ours Trust")
        self.theirs = make_organisation("theirs", name="Theirs Trust")
        self.third = make_organisation("third", name="Third Trust")
        self.agreement = make_agreement(self.ours, self.theirs, self.third)
        make_service(self.ours)
        self.service = make_service(self.theirs)
        self.client = register(self.ours)
        self.held: Client | None = register(self.theirs) if held else None
        for organisation, client in ((self.ours, self.client), (self.theirs, self.held)):
            if client is not None:
                with acting_for(organisation):
                    make_registration(client=client)
        self.worker = make_person(self.ours, full_name="Priya Nair")
        self.manager = make_person(self.ours, role="team_manager", full_name="Owen Tate")
        self.their_worker = make_person(self.theirs, full_name="Dawn Petrie")
        self.their_manager = make_person(self.theirs, role="team_manager", full_name="Mia Lund")
        self.browser = sign_in(Browser(), self.worker)
        self.other = sign_in(Browser(), self.their_worker)
        self.at = f"/o/ours/clients/{self.client.pk}/"

    def end_protocol(self) -> None:
        """No protocol is in force any more; everybody still works where they work."""
        Agreement.objects.filter(pk=self.agreement.pk).update(ended_on=clock.today() - dt.timedelta(days=1))

    def as_(self, user: User) -> Browser:
        return sign_in(Browser(), user)

    def check(self) -> None:
        """Known elsewhere, asked and answered."""
        data = {"client": str(self.client.pk), "form_id": str(uuid4())}
        self.browser.post(f"{self.at}known-elsewhere/", data)

    def ask(self, **changed: Any) -> Any:
        """Ask as the form does."""
        form = {
            "client": str(self.client.pk),
            "how": "here",
            "parts": ["identity_contact", "treatment"],
            "purpose": "Came in today asking for support",
            "told": "on",
            "_page": str(uuid4()),
        }
        data = {k: v for k, v in {**form, **changed}.items() if v is not None}
        return self.browser.post(f"{self.at}sharing/asks/new/", data)

    def asked(self) -> Any:
        """The page of the newest ask, for who asked."""
        return self.browser.get(f"/o/ours/requests/ours/{self.ask_id()}/")

    def ask_id(self) -> UUID:
        with acting_for(self.ours):
            pk: UUID = in_sql("SELECT id FROM consent_ask ORDER BY number DESC LIMIT 1")[0][0]
            return pk

    def delivery(self) -> AskDelivery:
        """What reached the holder."""
        with acting_for(self.theirs):
            return AskDelivery.objects.latest("number")

    def request(self) -> str:
        return f"/o/theirs/requests/{self.delivery().pk}/"

    def answer(self, act: str, **fields: Any) -> Any:
        data = {"client": str(self.delivery().client_id), "act": act, **fields}
        return self.other.post(self.request(), data)

    def agree(self, **changed: Any) -> Any:
        """The holder records the client's consent, for the request."""
        assert self.held is not None
        today = clock.today()
        form = {
            "client": str(self.held.pk),
            "asked": str(self.delivery().pk),
            "recipient": "ours",
            "purposes": "To plan together",
            "parts": ["identity_contact", "treatment"],
            "decided_on_day": today.day,
            "decided_on_month": today.month,
            "decided_on_year": today.year,
            "ends": "open",
            "told_who_sees": "on",
            "told_notice": "on",
            "way": "witnessed",
            "spoken_words": "Yes, do",
            "witness": str(self.their_manager.pk),
            "answer": "given",
            "_page": str(uuid4()),
        }
        data = {k: v for k, v in {**form, **changed}.items() if v is not None}
        return self.other.post(f"/o/theirs/clients/{self.held.pk}/sharing/consents/new/", data)

    def witness(self, answer: str = "heard") -> None:
        """The witness says whether they heard it."""
        from consent.models import SharingConsent

        assert self.held is not None
        with acting_for(self.theirs):
            consent = SharingConsent.objects.latest("number")
        self.as_(self.their_manager).post(
            f"/o/theirs/clients/{self.held.pk}/sharing/consents/{consent.pk}/witness/",
            {"client": str(self.held.pk), "answer": answer},
        )

    def their_number(self) -> str:
        with acting_for(self.theirs):
            return Registration.objects.get(client=self.held).client_id_text
