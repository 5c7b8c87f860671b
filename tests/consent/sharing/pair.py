"""Two partners and one client: what the tests of sharing by consent share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from caseload import shared
from caseload.models import Client
from consent.models import SharingConsent
from consent.sharing import services, sources
from consent.sharing.rules import State
from consent.uploads import SignedForm
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import Scope
from edatrs.organisations.models import Organisation, User
from tests.core.world import acting_for

Acting = Callable[..., AbstractContextManager[Scope]]
PDF = SignedForm("pdf", b"%PDF-1.4 %%EOF")  # type: ignore[arg-type]
TODAY = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
LATER = dt.date(2027, 3, 31)


@dataclass
class Pair:
    """Who holds the record, who asks to see it, and their people."""

    ours: Organisation
    theirs: Organisation
    worker: User
    colleague: User
    reader: User
    client: Client

    def categories(self, at: dt.datetime = TODAY) -> frozenset[str]:
        """What the other organisation reaches, through both walls."""
        with clock.frozen(at), acting_for(self.theirs, "keyworker"):
            try:
                return shared.get_shared(self.client.pk, "S")[1]
            except Denied:
                return frozenset()


def give(pair: Pair, **changed: Any) -> SharingConsent:
    """A yes on paper for two parts until a day."""
    said: dict[str, Any] = {
        "client": pair.client,
        "answer": "given",
        "recipient": pair.theirs,
        "recipient_name": "",
        "purposes": "So that I do not have to tell it twice",
        "categories": ["identity", "contact", "treatment"],
        "decided_on": dt.date(2026, 11, 20),
        "acting_user": pair.worker,
        "ends": "date",
        "until": LATER,
        "told_who_sees": True,
        "told_notice": True,
        "way": "paper",
        "signature": PDF,
    }
    return services.record_consent(**{**said, **changed})


def withdraw(consent: SharingConsent, worker: User, **how: Any) -> Any:
    return services.end_consent(consent=consent, kind="withdrawn", acting_user=worker, **how)


def state(pair: Pair, consent: SharingConsent) -> State:
    return sources.read(pair.client).consent(consent.pk).state


def spoken(pair: Pair, **changed: Any) -> SharingConsent:
    said = {
        "way": "witnessed",
        "spoken_words": "Yes, tell them",
        "witness": pair.colleague,
        "signature": None,
    }
    return give(pair, **{**said, **changed})
