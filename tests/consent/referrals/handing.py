"""Two partners between whom somebody is referred."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from caseload.models import (
    ClientEquality,
)
from consent.models import PartnerReferral
from consent.sharing.services import push
from tests.core.world import acting_for
from tests.factories.ask_desk import AskDesk, words_of
from tests.factories.share_consents import make_consent, make_end


class Handing(AskDesk):
    """`ours` refers Jordan to `theirs`, whom Jordan agreed to share identity, contact, equality and treatment with."""

    def __init__(self, *categories: str) -> None:
        super().__init__(held=False)
        self.sender = self.as_(self.manager)
        self.receiver = self.as_(self.their_manager)
        self.share(*(categories or ("identity", "contact", "equality", "treatment")))

    def share(self, *categories: str) -> None:
        with acting_for(self.ours):
            if not ClientEquality.objects.filter(client=self.client).exists():
                ClientEquality.objects.create(client=self.client, ethnicity="A")
            self.consent = make_consent(self.client, recipient=self.theirs, categories=list(categories))
            push(client=self.client, recipient_id=self.theirs.pk)

    def withdraw(self) -> None:
        with acting_for(self.ours):
            make_end(self.consent)
            push(client=self.client, recipient_id=self.theirs.pk)

    def send(self, **changed: Any) -> Any:
        form = {
            "client": str(self.client.pk),
            "to": "theirs",
            "kind": "referral",
            "urgency": "soon",
            "reason": "Moved to your side of the county",
            "parts": ["identity_contact", "equality"],
            "_page": str(uuid4()),
        }
        data = {k: v for k, v in {**form, **changed}.items() if v is not None}
        return self.sender.post(f"{self.at}sharing/refer/", data)

    def sent(self, **changed: Any) -> UUID:
        answer = self.send(**changed)
        assert answer.status_code == 302, words_of(answer)
        with acting_for(self.ours):
            return PartnerReferral.objects.latest("number").pk

    def page(self, pk: UUID, side: str = "theirs") -> Any:
        browser = self.receiver if side == "theirs" else self.sender
        return browser.get(f"/o/{side}/requests/referrals/{pk}/")

    def act(self, pk: UUID, act: str, side: str = "theirs", **fields: Any) -> Any:
        browser = self.receiver if side == "theirs" else self.sender
        return browser.post(f"/o/{side}/requests/referrals/{pk}/", {"act": act, **fields})

    def accept(self, pk: UUID, **changed: Any) -> Any:
        return self.act(pk, "accepted", **{"who": "new", "service": str(self.service.pk), **changed})
