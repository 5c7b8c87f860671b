"""The signature drawn on screen, shown on the copy, and the scan of the signed paper, taken as a file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from consent.choices import FileKind, Way
from consent.sharing import sources
from consent.uploads import CONTENT_TYPES, ENDINGS
from consent.views.sharing import ConsentAbout
from edatrs.core import trail
from edatrs.core.crypto import unseal


class SignatureView(ConsentAbout):
    """The bytes, under a name of ours, and on the trail. What was drawn here may stand on a page of ours; a file from outside never."""

    act = "consent.share.record"
    title = "Signature"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """The drawing or the scan."""
        client, _, line = self.found()
        held = sources.signature_of(client, line.consent.pk)
        kind = FileKind(held.kind)
        trail.record(
            "consent.sharing.signature_opened",
            subject=str(client.pk),
            details={"consent": str(line.consent), "row": line.consent.pk, "sha256": held.sha256},
        )
        answer = HttpResponse(
            unseal(bytes(held.sealed), str(held.consent_id)), content_type=CONTENT_TYPES[kind]
        )
        shown = "inline" if line.consent.way == Way.DRAWN else "attachment"
        answer["Content-Disposition"] = f'{shown}; filename="{line.consent}-signature.{ENDINGS[kind]}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
