"""Requests and referrals as rows, written in the open scope for the organisation acted for, past the services and the delivery."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from caseload.models import Client
from consent.models import (
    Ask,
    AskAnswer,
    AskDelivery,
    AskEnd,
    PartnerReferral,
    PartnerReferralStep,
    ReferralHandOver,
)
from edatrs.core import clock
from edatrs.core.scope import current_organisation
from tests.factories.caseload import make_client


def _by() -> dict[str, Any]:
    return {"recorded_by": uuid4(), "recorded_by_label": "a test", "recorded_at": clock.now()}


def _asked() -> dict[str, Any]:
    return {
        "purpose": "To plan together",
        "categories": ["identity", "treatment"],
        "message": "Call me",
        "how": "here",
        "told": True,
        "answer_by": clock.today(),
    }


def make_ask(client: Client | None = None, **fields: Any) -> Ask:
    """What the organisation acted for asked about a client of its own."""
    made = Ask.objects.create(client=client or make_client(), **{**_by(), **_asked(), **fields})
    made.refresh_from_db()
    return made


def make_ask_end(ask: Ask, **fields: Any) -> AskEnd:
    """Taken back."""
    return AskEnd.objects.create(ask=ask, **{**_by(), **fields})


def make_delivery(client: Client, asker: Any, **fields: Any) -> AskDelivery:
    """What a partner asks of a client of the organisation acted for."""
    return AskDelivery.objects.create(
        client=client,
        **{**_by(), **_asked(), "ask": uuid4(), "number": 2001, "asker": asker, "directed": False, **fields},
    )


def make_answer(delivery: AskDelivery, **fields: Any) -> AskAnswer:
    """Refused."""
    defaults = {"kind": "refused", "reason": "Not the same person"}
    return AskAnswer.objects.create(
        delivery=delivery, client_id=delivery.client_id, **{**_by(), **defaults, **fields}
    )


def make_partner_referral(client: Client, receiver: Any, **fields: Any) -> PartnerReferral:
    """A client of the organisation acted for, referred to a partner."""
    defaults = {
        "kind": "referral",
        "urgency": "routine",
        "reason": "Lives there now",
        "message": "Call me",
        "categories": ["identity"],
    }
    made = PartnerReferral.objects.create(client=client, receiver=receiver, **{**_by(), **defaults, **fields})
    made.refresh_from_db()
    return made


def make_step(referral: PartnerReferral, **fields: Any) -> PartnerReferralStep:
    """A step of the organisation acted for: the sender took it back, the receiver rejected it."""
    ours = referral.organisation_id == current_organisation()
    defaults = {"kind": "taken_back" if ours else "rejected", "reason": "Moved again"}
    return PartnerReferralStep.objects.create(
        referral=referral,
        sender_id=referral.organisation_id,
        receiver_id=referral.receiver_id,
        **{**_by(), **defaults, **fields},
    )


def make_hand_over(client: Client, **fields: Any) -> ReferralHandOver:
    """What the organisation acted for made of a referral to it."""
    return ReferralHandOver.objects.create(
        client=client, **{**_by(), "referral": uuid4(), "is_new": True, "categories": ["identity"], **fields}
    )


def make_asking(client: Client, partner: Any, **fields: Any) -> dict[str, Any]:
    """One row of every table of asking and referring, by the names of what an address names."""
    ask = make_ask(client, **fields)
    make_ask_end(ask)
    delivery = make_delivery(client, partner, **fields)
    make_answer(delivery)
    referral = make_partner_referral(client, partner)
    make_step(referral)
    make_hand_over(client)
    return {"ask": ask.pk, "request": delivery.pk, "referral": referral.pk}
