"""Sharing without consent on a lawful ground, and what is given to others outside the system."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.choices import LawfulGround
from caseload.models import Client
from consent import parts
from consent.choices import CONDITIONS, Standing
from consent.sharing import decisions, disclosures, partners, present, services, sources
from consent.sharing.forms import DecisionForm, DisclosureForm, ReviewForm
from consent.sharing.sources import DecisionLine
from consent.views.base import page_key
from consent.views.sharing import SharingPage
from edatrs.core import clock
from edatrs.core.registry import Ask
from edatrs.organisations.drafted import DraftedView

_PAGE = 100


def open_ask(client: Client, typed: str) -> Ask | None:
    """The request of a partner about a client that an address or a form names, while it waits; None for any other."""
    return next((ask for ask in present.open_asks(client) if str(ask.pk) == typed), None)


class DecideView(DraftedView, SharingPage):
    """Decide to share without consent, on one of five grounds."""

    act = "grant.without_consent"
    title = "Share without consent"
    template_name = "consent/sharing/decide.html"
    draft = "consent.decision"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before a decision. Raises Denied."""
        self.same_client(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        client, typed = self.client(pk), self.typed(request)
        ask = open_ask(client, request.GET.get("ask", ""))
        start: dict[str, Any] = {"decided_on": clock.today()}
        if ask is not None:
            partner = partners.by_id(ask.organisation_id)
            start |= {"recipient": partner.slug if partner else "", "parts": parts.keys_of(ask.categories)}
        form = self._form(client, typed, unchecked=typed is not None, initial=start)
        asked = typed.get("asked", "") if typed is not None else str(ask.pk) if ask else ""
        return self.show(request, client, form=form, asked=asked)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Decide. Sent twice, it decides once."""
        ask = open_ask(self.client(pk), request.POST.get("asked", ""))
        client = self.client(pk)
        self.same_client(request, client)
        form, user = self._form(client, request.POST), request.user
        if form.is_valid():
            data = form.cleaned_data
            partner = partners.by_slug(data["recipient"])
            try:
                if partner is None:
                    raise services.Refused("Choose with whom", "recipient")
                decision = decisions.decide(
                    client=client,
                    recipient=partners.organisation(partner),
                    ground=data["ground"],
                    categories=data["parts"],
                    decided_by=data["decided_by"],
                    decided_as=data["decided_as"],
                    decided_on=data["decided_on"],
                    reason=data["reason"],
                    review_on=data["review_on"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    # To whoever asked, and to nobody else.
                    asked=ask.pk if ask is not None and ask.organisation_id == partner.pk else None,
                    form_key=page_key(request),
                )
            except services.Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, f"Decision {decision} is recorded.")
                return self.to_list()
        return self.show(request, client, status=422, form=form, asked=request.POST.get("asked", "")[:36])

    def _form(self, client: Client, data: Any, **how: Any) -> DecisionForm:
        return DecisionForm(data, called=self.called(client), partners=partners.partners(), **how)


class DecisionView(SharingPage):
    """One decision with its reviews, and the next review."""

    act = "grant.without_consent"
    title = "A decision without consent"
    template_name = "consent/sharing/decision.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, decision: UUID) -> HttpResponseBase:
        """The page."""
        client, line = self._found()
        return self._show(request, client, line, ReviewForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, decision: UUID) -> HttpResponseBase:
        """Review it. Sent twice after it was ended, it stays ended."""
        client, line = self._found()
        self.same_client(request, client)
        form, user = ReviewForm(request.POST), request.user
        if form.is_valid():
            try:
                decisions.review(
                    decision=line.decision,
                    outcome=form.cleaned_data["outcome"],
                    reason=form.cleaned_data["reason"],
                    review_on=form.cleaned_data["review_on"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    form_key=page_key(request),
                )
            except services.Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, "The review is recorded.")
                return HttpResponseRedirect(
                    reverse("consent:decision", args=[organisation, client.pk, decision])
                )
        return self._show(request, client, line, form, status=422)

    def _found(self) -> tuple[Client, DecisionLine]:
        client = self.client(self.kwargs["pk"])
        return client, sources.read(client).decision(self.kwargs["decision"])

    def _show(
        self, request: HttpRequest, client: Client, line: DecisionLine, form: ReviewForm, *, status: int = 200
    ) -> HttpResponse:
        partner = partners.by_id(line.decision.recipient_id)
        return self.show(
            request,
            client,
            status=status,
            line=line,
            decision=line.decision,
            form=form,
            key=page_key(request) or services.new_key(),
            parts_said=parts.sentence(line.decision.categories),
            ground=LawfulGround(line.decision.ground).label,
            gives_access=line.live and partner is not None and partner.in_force,
        )


class DisclosuresView(SharingPage):
    """Everything that was given to others by letter, phone, print or export."""

    title = "Given to others"
    template_name = "consent/sharing/disclosures.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The list, the newest first."""
        client = self.client(pk)
        rows = list(sources.disclosures_of(client)[: _PAGE + 1])
        return self.show(
            request,
            client,
            rows=[(row, parts.sentence(row.categories)) for row in rows[:_PAGE]],
            more=len(rows) > _PAGE,
            standing=[
                {"words": Standing(kind).label, "conditions": [c.label for c in conditions]}
                for kind, conditions in CONDITIONS.items()
            ],
        )


class DiscloseView(DraftedView, SharingPage):
    """Log something that was given to somebody outside the system."""

    act = "disclosure.record"
    title = "Log something given to others"
    template_name = "consent/sharing/disclose.html"
    draft = "consent.disclosure"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before it is logged. Raises Denied."""
        self.same_client(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        client, typed = self.client(pk), self.typed(request)
        form = self._form(client, typed, unchecked=typed is not None, initial={"given_on": clock.today()})
        return self.show(request, client, form=form)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Log it. Sent twice, it is logged once."""
        client = self.client(pk)
        self.same_client(request, client)
        form, user = self._form(client, request.POST), request.user
        if form.is_valid():
            data = form.cleaned_data
            chosen = next((k for k, _ in form.fields["consent"].choices if k and k == data["consent"]), "")  # type: ignore[attr-defined]
            try:
                disclosures.disclose(
                    client=client,
                    way=data["way"],
                    recipient=None,
                    recipient_name=data["recipient_name"],
                    what=data["what"],
                    categories=data["parts"],
                    purpose=data["purpose"],
                    ground=data["ground"],
                    given_on=data["given_on"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    consent_id=UUID(chosen) if chosen else None,
                    standing=data["standing"],
                    condition=data["condition"],
                    lawful_ground=data["lawful_ground"],
                    form_key=page_key(request),
                )
            except services.Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, "It is logged.")
                return HttpResponseRedirect(reverse("consent:disclosures", args=[organisation, client.pk]))
        return self.show(request, client, status=422, form=form)

    def _form(self, client: Client, data: Any, **how: Any) -> DisclosureForm:
        consents = [
            (
                str(line.consent.pk),
                f"{line.consent}: {line.recipient}, {parts.sentence(line.consent.categories)}",
            )
            for line in sources.read(client).consents
            if line.live
        ]
        return DisclosureForm(data, called=self.called(client), consents=consents, **how)
