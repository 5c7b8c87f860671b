"""Acts of sharing, written in the open scope for the organisation acted for, past the services: no grant follows."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

from caseload.models import Client
from consent.models import (
    Disclosure,
    LawfulDecision,
    LawfulReview,
    SharingConsent,
    SharingEnd,
    SharingSignature,
    SharingWitness,
)
from edatrs.core import clock
from edatrs.core.crypto import seal
from tests.factories.caseload import DAY, make_client


def _by() -> dict[str, Any]:
    return {"recorded_by": uuid4(), "recorded_by_label": "a test", "recorded_at": clock.now()}


def make_consent(client: Client | None = None, **fields: Any) -> SharingConsent:
    """A yes to somebody outside, signed on paper, without an end."""
    client = client or make_client()
    defaults: dict[str, Any] = {
        "answer": "given",
        "purposes": "To plan together",
        "categories": ["identity", "contact"],
        "decided_on": DAY,
        "ends": "open",
        "way": "paper",
        "told_who_sees": True,
        "told_notice": True,
    }
    if not fields.get("recipient"):
        defaults["recipient_name"] = "Somebody outside"
    made = SharingConsent.objects.create(client=client, **{**_by(), **defaults, **fields})
    made.refresh_from_db()
    return made


def make_signature(
    consent: SharingConsent, raw: bytes = b"%PDF-1.4 %%EOF", **fields: Any
) -> SharingSignature:
    """The scan of a signed form."""
    defaults = {
        "kind": "pdf",
        "size": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "sealed": seal(raw, str(consent.pk)),
    }
    return SharingSignature.objects.create(
        consent=consent, client_id=consent.client_id, **{**_by(), **defaults, **fields}
    )


def make_witness(consent: SharingConsent, **fields: Any) -> SharingWitness:
    """The witness heard it."""
    return SharingWitness.objects.create(
        consent=consent, client_id=consent.client_id, **{**_by(), "answer": "heard", **fields}
    )


def make_end(consent: SharingConsent, **fields: Any) -> SharingEnd:
    """Taken back."""
    defaults = {"kind": "withdrawn", "on": clock.today()}
    return SharingEnd.objects.create(
        consent=consent, client_id=consent.client_id, **{**_by(), **defaults, **fields}
    )


def make_decision(client: Client, recipient: Any, **fields: Any) -> LawfulDecision:
    """A decision without consent, to be reviewed in a far day."""
    defaults: dict[str, Any] = {
        "ground": "welfare",
        "categories": ["safeguarding"],
        "decided_by": "Marta Lind",
        "decided_as": "Caldicott Guardian",
        "decided_on": DAY,
        "reason": "A child is at risk",
        "review_on": clock.today().replace(month=1, day=1, year=clock.today().year + 1),
    }
    made = LawfulDecision.objects.create(
        client=client, recipient=recipient, **{**_by(), **defaults, **fields}
    )
    made.refresh_from_db()
    return made


def make_review(decision: LawfulDecision, **fields: Any) -> LawfulReview:
    """It goes on until the same day."""
    defaults = {"outcome": "goes_on", "reason": "Nothing changed", "review_on": decision.review_on}
    return LawfulReview.objects.create(
        decision=decision, client_id=decision.client_id, **{**_by(), **defaults, **fields}
    )


def make_disclosure(client: Client, **fields: Any) -> Disclosure:
    """A letter to the GP."""
    defaults: dict[str, Any] = {
        "way": "letter",
        "recipient_name": "A surgery",
        "what": "Prescription summary",
        "categories": ["prescribing"],
        "purpose": "To prescribe safely",
        "ground": "standing",
        "standing": "gp",
        "condition": "prescribing",
        "given_on": DAY,
    }
    return Disclosure.objects.create(client=client, **{**_by(), **defaults, **fields})


def make_sharing(client: Client, recipient: Any) -> dict[str, Any]:
    """One row of every table of sharing, by the names of what an address names."""
    consent = make_consent(
        client, way="witnessed", witness=uuid4(), witness_label="A colleague", spoken_words="Yes"
    )
    make_signature(consent)
    make_witness(consent)
    make_end(consent)
    decision = make_decision(client, recipient)
    make_review(decision)
    make_disclosure(client)
    return {"share_consent": consent.pk, "decision": decision.pk}
