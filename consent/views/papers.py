"""What is handed over: the form to sign, the copy for the client, and the signed form that was sent in."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from consent import selectors, statements
from consent.choices import FileKind
from consent.uploads import CONTENT_TYPES, ENDINGS
from consent.views.base import ConsentPage, called, effects, period, registration_of
from edatrs.core import clock, trail
from edatrs.core.crypto import decrypt_bytes

PRINTED = "consent.ndtms.printed"


class BlankFormView(ConsentPage):
    """The statement with lines to sign, to be printed."""

    title = "NDTMS consent form"
    template_name = "consent/form_to_sign.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """The form of one episode."""
        client = self.client(pk)
        asked = self.episode_in(client)
        trail.record(PRINTED, subject=str(client.pk), details={"what": "form", "episode": str(asked.pk)})
        return self.client_page(
            request,
            client,
            called=called(client),
            episode=asked,
            period=period(asked),
            registration=registration_of(asked),
            statement=statements.statement_on(clock.today()),
        )


class CopyView(ConsentPage):
    """What the client takes home: what was said, what they answered, and how to change it."""

    title = "Copy of an NDTMS answer"
    template_name = "consent/copy.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent_act: UUID) -> HttpResponseBase:
        """The copy of one act."""
        client = self.client(pk)
        act = selectors.get_act(client, consent_act)
        trail.record(PRINTED, subject=str(client.pk), details={"what": "copy", "consent": str(act.pk)})
        held = selectors.held_of([act.episode_id]).get(act.episode_id)
        return self.client_page(
            request,
            client,
            called=called(client),
            consent_act=act,
            error=getattr(act, "invalidation", None),
            period=period(act.episode),
            registration=registration_of(act.episode),
            statement=statements.by_version(act.statement_version),
            effect=effects(act.episode, held)[act.decision],
        )


class SignedFormView(ConsentPage):
    """The signed form as it was sent in: taken as a file, never shown inside a page, and on the trail."""

    title = "Signed form"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent_act: UUID) -> HttpResponseBase:
        """The bytes, under a name of ours."""
        client = self.client(pk)
        form = selectors.get_form(client, consent_act)
        kind = FileKind(form.kind)
        trail.record(
            "consent.ndtms.form_opened",
            subject=str(client.pk),
            details={"consent": str(consent_act), "sha256": form.sha256},
        )
        answer = HttpResponse(decrypt_bytes(bytes(form.sealed)), content_type=CONTENT_TYPES[kind])
        answer["Content-Disposition"] = f'attachment; filename="ndtms-consent-form.{ENDINGS[kind]}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
