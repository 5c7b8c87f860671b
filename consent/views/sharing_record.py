"""Record one answer to one recipient: a consent to share, or a refusal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.models import Client
from consent import parts
from consent.choices import Answer, Way
from consent.sharing import colleagues, partners, present, services, sources
from consent.sharing.forms import OUTSIDE, ShareForm
from consent.sharing.sources import Book
from consent.views.base import page_key
from consent.views.sharing import SharingPage, ask_row
from edatrs.core import clock
from edatrs.organisations.drafted import DraftedView

WAYS = (
    (Way.DRAWN.value, "Draws a signature on this screen"),
    (Way.PAPER.value, "Signed on paper, upload a scan or photo"),
    (Way.WITNESSED.value, "Says it, and a colleague witnesses"),
)


class RecordView(DraftedView, SharingPage):
    """One consent, for one recipient: read aloud and filled in together. A refusal is recorded here too."""

    act = "consent.share.record"
    title = "Consent to share"
    template_name = "consent/sharing/record.html"
    draft = "consent.sharing"
    draft_words = "Consent to share"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before an answer. Raises Denied."""
        self.same_client(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form: empty, as a draft left it, or as a request or an earlier consent suggests."""
        client = self.client(pk)
        book, typed = sources.read(client), self.typed(request)
        start = self._suggested(request, client, book)
        form = self._form(client, typed, unchecked=typed is not None, initial=start)
        kept = {name: typed.get(name, "") for name in ("asked", "renews")} if typed is not None else start
        return self._show(
            request, client, book, form, asked=kept.get("asked", ""), renews=kept.get("renews", "")
        )

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Record yes or no, or say what is missing. Sent twice, it records once."""
        client = self.client(pk)
        self.same_client(request, client)
        book = sources.read(client)
        form = self._form(client, request.POST, request.FILES)
        if form.is_valid():
            try:
                consent = self._record(request, client, book, form.cleaned_data)
            except services.Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                return HttpResponseRedirect(
                    reverse("consent:share-one", args=[organisation, client.pk, consent.pk]) + "?recorded=1"
                )
        kept = {name: request.POST.get(name, "")[:36] for name in ("asked", "renews")}
        return self._show(request, client, book, form, status=422, **kept)

    def _record(self, request: HttpRequest, client: Client, book: Book, data: dict[str, Any]) -> Any:
        user: Any = request.user
        outside = data["recipient"] == OUTSIDE
        partner = None if outside else partners.by_slug(data["recipient"])
        answer = Answer.REFUSED if request.POST.get("answer") == Answer.REFUSED.value else Answer.GIVEN
        return services.record_consent(
            client=client,
            answer=answer,
            recipient=partners.organisation(partner) if partner else None,
            recipient_name=data["recipient_name"] if outside else "",
            purposes=data["purposes"],
            categories=data["parts"],
            decided_on=data["decided_on"],
            acting_user=user,
            ends=data["ends"],
            until=data["until"],
            told_who_sees=data["told_who_sees"],
            told_notice=data["told_notice"],
            notice_version=clock.today().isoformat(),
            way=data["way"],
            spoken_words=data["spoken_words"],
            witness=colleagues.by_key(data["witness"], but=user.pk),
            signature=data["signature"],
            note=data["note"],
            renews=self._renewed(request.POST.get("renews", ""), book),
            asked=self._asked(request.POST.get("asked", ""), client),
            form_key=page_key(request),
        )

    @staticmethod
    def _renewed(typed: str, book: Book) -> UUID | None:
        """The earlier consent that this takes the place of; one of this client, or none."""
        return next((line.consent.pk for line in book.consents if str(line.consent.pk) == typed), None)

    @staticmethod
    def _asked(typed: str, client: Client) -> UUID | None:
        return next((ask.pk for ask in present.open_asks(client) if str(ask.pk) == typed), None)

    @staticmethod
    def _suggested(request: HttpRequest, client: Client, book: Book) -> dict[str, Any]:
        """What a request of a partner or an earlier consent suggests; dates and signatures never."""
        start: dict[str, Any] = {"decided_on": clock.today()}
        ask = next((a for a in present.open_asks(client) if str(a.pk) == request.GET.get("ask")), None)
        old = next((c.consent for c in book.consents if str(c.consent.pk) == request.GET.get("renews")), None)
        if ask is not None:
            partner = partners.by_id(ask.organisation_id)
            start |= {"recipient": partner.slug if partner else "", "parts": parts.keys_of(ask.categories)}
            start |= {"purposes": ask.purpose, "asked": str(ask.pk)}
        elif old is not None:
            start |= {"parts": parts.keys_of(old.categories), "purposes": old.purposes, "renews": str(old.pk)}
            partner = partners.by_id(old.recipient_id) if old.recipient_id else None
            start |= {"recipient": partner.slug if partner else OUTSIDE, "recipient_name": old.recipient_name}
        return start

    def _form(self, client: Client, data: Any, files: Any = None, **how: Any) -> ShareForm:
        return ShareForm(
            data,
            files,
            called=self.called(client),
            partners=partners.partners(),
            colleagues=colleagues.choices(),
            **how,
        )

    def _show(
        self, request: HttpRequest, client: Client, book: Book, form: ShareForm, **context: Any
    ) -> HttpResponse:
        renews = next((c for c in book.consents if str(c.consent.pk) == context.get("renews")), None)
        ask = next((a for a in present.open_asks(client) if str(a.pk) == context.get("asked")), None)
        way = str(form["way"].value() or "")
        return self.show(
            request,
            client,
            form=form,
            renewed=renews,
            ask=ask_row(ask) if ask else None,
            ways=[{"value": value, "words": words, "chosen": way == value} for value, words in WAYS],
            other_consents=[line for line in book.consents if line.live],
            protocols={p.pk: p for p in partners.partners()},
            **context,
        )
