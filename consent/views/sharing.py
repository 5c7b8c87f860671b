"""Who can see a client's record, and each consent to share: recorded, shown, taken back, confirmed, printed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import selectors as clients
from caseload.models import Client
from caseload.services import openings
from caseload.views.base import ClientPage
from consent import parts
from consent.choices import EndKind
from consent.forms import ErrorForm
from consent.sharing import partners, present, rules, services, sources
from consent.sharing.forms import WithdrawConsentForm, WitnessForm
from consent.sharing.sources import Book, ConsentLine
from consent.views.base import called
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.registry import Ask

PRINTED = "consent.sharing.printed"


class SharingPage(ClientPage, abstract=True):
    """A page about the sharing of one client. Who may not see the client sees its number, and no word that the client said."""

    act = "grant.view"
    category = ""
    part = "sharing"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return clients.get_client(pk, self.act)

    @property
    def sees_client(self) -> bool:
        """Whether the roles may see who it is."""
        return "O" in access.letters("client.view", "identity")

    def called(self, client: Client) -> str:
        """How the page speaks of the client."""
        return called(client) if self.sees_client else "the client"

    def same_client(self, request: HttpRequest, client: Client) -> None:
        """The client in the form must be the one in the address: two tabs must not mix. Raises Denied."""
        if request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))

    def show(
        self, request: HttpRequest, client: Client, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        """The page in the frame of a client, or by its number alone; the opening is on the trail either way."""
        context |= {
            "called": self.called(client),
            "sees_client": self.sees_client,
            "may_record": access.may("consent.share.record"),
            "may_withdraw": access.may("grant.withdraw"),
            "may_decide": access.may("grant.without_consent"),
            "may_disclose": access.may("disclosure.record"),
            "may_refer": access.may("caseload.transfer"),
        }
        if self.sees_client:
            return self.client_page(
                request, client, status=status, frame="caseload/client_base.html", **context
            )
        if request.method == "GET":
            openings.note_opened(client=client, panel=self.part, categories=[])
        return self.page(
            request,
            status=status,
            frame="base.html",
            client=client,
            identity={"record": str(client)},
            **context,
        )

    def to_list(self) -> HttpResponseRedirect:
        """Back to who can see the record."""
        return HttpResponseRedirect(
            reverse("consent:sharing", args=[self.kwargs["organisation"], self.kwargs["pk"]])
        )


class WhoCanSeeView(SharingPage):
    """Organisations and parts of the record; what is in force, what ended, and what was given to others by hand."""

    title = "Who can see this record"
    template_name = "consent/sharing/who_can_see.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        client = self.client(pk)
        book, name = sources.read(client), self.called(client)
        columns = present.columns(client, book, own_name=request.organisation.name, called=_big(name))  # type: ignore[attr-defined]
        given = list(sources.disclosures_of(client)[:6])
        return self.show(
            request,
            client,
            now=clock.now(),
            parts_of_record=[(p, p.holds.format(called=name)) for p in parts.PARTS],
            columns=columns,
            rows=_rows(columns, name),
            others=present.others(columns),
            reasons=present.reasons(book),
            earlier=present.earlier(book),
            asks=[ask_row(ask) for ask in present.open_asks(client)],
            emergencies=present.emergencies(client),
            disclosures=given[:5],
            more_disclosures=len(given) > 5,
        )


class PrintedView(WhoCanSeeView):
    """The same on paper, for the client to take home."""

    title = "Who can see your record"
    template_name = "consent/sharing/who_can_see_printed.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; that it was opened to be printed is on the trail."""
        client = self.client(pk)
        trail.record(PRINTED, subject=str(client.pk), details={"what": "who-can-see"})
        return super().get(request, organisation, pk)


def _rows(columns: list[present.Column], called: str) -> list[dict[str, Any]]:
    shown = [column for column in columns if not column.off]
    return [
        {"words": p.words, "holds": p.holds.format(called=called), "cells": [c.cells[p.key] for c in shown]}
        for p in parts.PARTS
    ]


def ask_row(ask: Ask) -> dict[str, Any]:
    partner = partners.by_id(ask.organisation_id)
    return {
        "ask": ask,
        "organisation": partner.name if partner else "A partner",
        "parts": parts.sentence(ask.categories),
        "many": len(parts.words_of(ask.categories)),
    }


def _big(words: str) -> str:
    return words[:1].upper() + words[1:]


class ConsentAbout(SharingPage, abstract=True):
    """A page about one consent."""

    def found(self) -> tuple[Client, Book, ConsentLine]:
        """Client and consent in the address. Raises Denied."""
        client = self.client(self.kwargs["pk"])
        book = sources.read(client)
        return client, book, book.consent(self.kwargs["consent"])

    def show_one(
        self, request: HttpRequest, client: Client, line: ConsentLine, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        """The page with the consent in words."""
        partner = partners.by_id(line.consent.recipient_id) if line.consent.recipient_id else None
        return self.show(
            request,
            client,
            status=status,
            line=line,
            consent=line.consent,
            parts_said=parts.sentence(line.consent.categories),
            partner=partner,
            gives_access=line.live and partner is not None and partner.in_force,
            confirm_by=line.consent.recorded_at + rules.WITNESS_WITHIN,
            **context,
        )


class OneView(ConsentAbout):
    """One consent with everything that became of it."""

    title = "A consent to share"
    template_name = "consent/sharing/one.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """The page."""
        client, _, line = self.found()
        person: Any = request.user
        return self.show_one(
            request,
            client,
            line,
            recorded=request.GET.get("recorded") == "1",
            is_witness=line.consent.witness == person.pk,
        )


class CopyView(ConsentAbout):
    """The filled form, for the client and for the file: to be printed."""

    act = "consent.share.record"
    title = "Copy of a consent to share"
    template_name = "consent/sharing/copy.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """The copy of one consent."""
        client, _, line = self.found()
        trail.record(
            PRINTED,
            subject=str(client.pk),
            details={"what": "copy", "consent": str(line.consent), "row": consent},
        )
        return self.show_one(request, client, line)


class BlankView(SharingPage):
    """The paper form, three to a page (O-163), to be printed and signed by hand."""

    act = "consent.share.record"
    title = "Consent form to sign"
    template_name = "consent/sharing/blank.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Three of them."""
        client = self.client(pk)
        trail.record(PRINTED, subject=str(client.pk), details={"what": "blank"})
        return self.show(request, client, three=range(3))


class EndView(ConsentAbout, abstract=True):
    """A page that ends a consent: what happens then, and one form."""

    kind: str = ""
    done_words = ""

    def form(self, data: Any = None, *, client: Client) -> Any:
        """The form."""
        raise NotImplementedError

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """What happens then."""
        client, _, line = self.found()
        return self.show_one(request, client, line, form=self.form(client=client), done=self._done(line))

    def post(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """End it. Sent twice, it ends once."""
        client, _, line = self.found()
        self.same_client(request, client)
        if self._done(line):
            return self.to_list()
        form, user = self.form(request.POST, client=client), request.user
        if form.is_valid():
            try:
                services.end_consent(
                    consent=line.consent,
                    kind=self.kind,
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    on=form.cleaned_data.get("on"),
                    reason=form.cleaned_data["reason"],
                )
            except services.Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, self.done_words.format(line=line))
                return self.to_list()
        return self.show_one(request, client, line, status=422, form=form, done=False)

    def _done(self, line: ConsentLine) -> bool:
        return any(end.kind == self.kind for end in line.endings)


class WithdrawView(EndView):
    """Take a consent back: the partner loses access at its next click."""

    act = "grant.withdraw"
    kind = EndKind.WITHDRAWN.value
    title = "Withdraw a consent to share"
    template_name = "consent/sharing/withdraw.html"
    done_words = "Withdrawn. {line.recipient} can see nothing by this consent from now on."

    def form(self, data: Any = None, *, client: Client) -> WithdrawConsentForm:
        """When it was said, and their words if they want them kept."""
        return WithdrawConsentForm(data, initial={"on": clock.today()})


class InvalidateView(EndView):
    """Mark a consent as recorded in error: it was never given, or for somebody else."""

    act = "consent.share.record"
    kind = EndKind.INVALIDATED.value
    title = "Consent recorded in error"
    template_name = "consent/sharing/in_error.html"
    done_words = "Marked as recorded in error. {line.recipient} can see nothing by it."

    def form(self, data: Any = None, *, client: Client) -> ErrorForm:
        """What was wrong."""
        return ErrorForm(data)


class WitnessView(ConsentAbout):
    """The colleague who was named says whether they heard it."""

    act = "consent.share.record"
    title = "Confirm that you heard a consent"
    template_name = "consent/sharing/witness.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """What was said, and the question to the witness alone."""
        client, _, line = self.found()
        return self._show(request, client, line, WitnessForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, consent: UUID) -> HttpResponseBase:
        """Keep the answer. Sent twice, it is kept once."""
        client, _, line = self.found()
        self.same_client(request, client)
        form, person = WitnessForm(request.POST), request.user
        if form.is_valid():
            try:
                services.confirm_witness(
                    consent=line.consent,
                    answer=form.cleaned_data["answer"],
                    note=form.cleaned_data["note"],
                    acting_user=person,  # type: ignore[arg-type]  # signed in
                )
            except services.Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, "Your answer is recorded.")
                return HttpResponseRedirect(
                    reverse("consent:share-one", args=[organisation, client.pk, consent])
                )
        return self._show(request, client, line, form, status=422)

    def _show(
        self, request: HttpRequest, client: Client, line: ConsentLine, form: WitnessForm, *, status: int = 200
    ) -> HttpResponse:
        person: Any = request.user
        is_witness = line.consent.witness == person.pk
        problem = rules.problem_with_witnessing(state=line.state, is_witness=is_witness)
        return self.show_one(request, client, line, status=status, form=form, problem=problem)
