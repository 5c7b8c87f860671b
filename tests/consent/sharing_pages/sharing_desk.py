"""The desk of a keyworker who records consents to share."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import Any
from uuid import uuid4

from django.test import Client as Browser

from caseload.models import Client, ClientIdentity, SharingGrant
from consent.models import SharingConsent
from edatrs.core import clock
from edatrs.organisations.models import User
from tests.core.world import acting_for
from tests.factories.caseload import (
    PARTS,
    make_client,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement


def png(width: int = 12, height: int = 4, ink: int = 255) -> bytes:
    """The picture of a canvas with one drawn point, or none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = [b"\0" + bytes(4 * width)] * height
    rows[1] = b"\0" + bytes(4 * (width - 1)) + bytes([0, 0, 0, ink])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


def drawn(raw: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(raw).decode()


class Desk:
    """An organisation that shares with another, a client, and a worker of each signed in."""

    def __init__(self) -> None:
        self.ours = make_organisation("ours", name="Ours Trust")
        self.theirs = make_organisation("theirs", name="Theirs Trust")
        self.agreement = make_agreement(self.ours, self.theirs)
        make_service(self.ours)
        with acting_for(self.ours):
            self.client: Client = make_client()
            for part in PARTS:
                fields = {"forename": "Leanne", "surname": "Marsh"} if part is ClientIdentity else {}
                make_part(part, self.client, **fields)
            make_episode(registration=make_registration(client=self.client))
        self.worker = make_person(self.ours, full_name="Priya Nair")
        self.colleague = make_person(self.ours, full_name="Cole Eage")
        self.browser = sign_in(Browser(), self.worker)
        self.at = f"/o/ours/clients/{self.client.pk}/sharing/"

    def get(self, path: str = "", user: User | None = None, **data: Any) -> Any:
        browser = sign_in(Browser(), user) if user else self.browser
        return browser.get(self.at + path, data)

    def post(self, path: str, data: dict[str, Any], user: User | None = None) -> Any:
        browser = sign_in(Browser(), user) if user else self.browser
        return browser.post(self.at + path, {"client": str(self.client.pk), **data})

    def said(self, **changed: Any) -> dict[str, Any]:
        """The form as filled in with the client."""
        today = clock.today()
        form = {
            "recipient": "theirs",
            "purposes": "So that I do not have to tell it twice",
            "parts": ["identity_contact", "treatment"],
            "decided_on_day": today.day,
            "decided_on_month": today.month,
            "decided_on_year": today.year,
            "ends": "open",
            "told_who_sees": "on",
            "told_notice": "on",
            "way": "drawn",
            "drawn": drawn(png()),
            "answer": "given",
            "_page": str(uuid4()),
        }
        return {k: v for k, v in {**form, **changed}.items() if v is not None}

    def consent(self) -> SharingConsent:
        with acting_for(self.ours):
            return SharingConsent.objects.latest("number")

    def granted(self) -> set[str]:
        with acting_for(self.ours):
            rows = SharingGrant.objects.filter(content_object_id=self.client.pk, suspended_at=None)
            return set(rows.values_list("category", flat=True))

    def other_side(self) -> Any:
        """What a worker of the other organisation gets for the client."""
        reader = getattr(self, "_reader", None) or make_person(self.theirs)
        self._reader = reader
        return sign_in(Browser(), reader).get(f"/o/theirs/shared/{self.client.pk}/")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def given(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    return {
        "way": "letter",
        "recipient_name": "Dr Osei",
        "what": "Prescription summary",
        "parts": ["prescribing"],
        "purpose": "To prescribe safely",
        "ground": "standing",
        "standing": "gp",
        "condition": "prescribing",
        "given_on_day": today.day,
        "given_on_month": today.month,
        "given_on_year": today.year,
        "_page": str(uuid4()),
        **changed,
    }
