"""Consents to share of the demonstration: spoken by invented people, heard by a colleague, so that partners have something to see.

Safe to repeat: a client who gave one keeps it, and no second is made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from caseload.choices import Category
from caseload.models import Client
from consent.choices import Answer, Ends, Way, WitnessAnswer
from consent.models import SharingConsent
from consent.sharing import services
from edatrs.core import clock
from edatrs.organisations.models import Organisation, User

# What a client lets the partner see, in turn.
_PARTS: Sequence[tuple[Category, ...]] = (
    (Category.IDENTITY, Category.CONTACT, Category.TREATMENT),
    (Category.IDENTITY, Category.TREATMENT, Category.HEALTH, Category.RISK),
    (Category.IDENTITY, Category.EQUALITY, Category.CIRCUMSTANCES),
)
_PURPOSE = "So that both services plan my treatment together and I need not tell everything twice"


def ask(
    *, clients: Sequence[Client], recipient: Organisation, keyworker: User, witness: User
) -> list[SharingConsent]:
    """The keyworker records what each client says, another part of the record each time; the witness is still to confirm.

    In the scope of the keyworker. Nothing where the organisation has any consent to share. Raises services.Refused.
    """
    if SharingConsent.objects.exists():
        return []
    today = clock.today()
    return [
        services.record_consent(
            client=client,
            answer=Answer.GIVEN,
            recipient=recipient,
            recipient_name="",
            purposes=_PURPOSE,
            categories=_PARTS[number % len(_PARTS)],
            decided_on=today - dt.timedelta(days=number),
            acting_user=keyworker,
            ends=Ends.DATE,
            until=today + dt.timedelta(days=180 + number),
            told_who_sees=True,
            told_notice=True,
            notice_version="demonstration",
            way=Way.WITNESSED,
            spoken_words="Yes, they may see that, for half a year",
            witness=witness,
        )
        for number, client in enumerate(clients)
    ]


def hear(*, consents: Sequence[SharingConsent], witness: User) -> None:
    """The witness confirms all but the last, which stays to be done. In the scope of the witness. Raises services.Refused."""
    for consent in consents[:-1]:
        services.confirm_witness(consent=consent, answer=WitnessAnswer.HEARD, acting_user=witness)
