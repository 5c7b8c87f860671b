"""What binds: for approval, signing, approving, review, the next version, publication."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements
from edatrs.organisations.forms.protocol import (
    AuthorityForm,
    NewVersionForm,
    PublicationForm,
    ReviewForm,
)
from edatrs.organisations.models import Agreement, AgreementParty
from edatrs.organisations.services import protocol_acts as acts
from edatrs.organisations.services import protocol_review
from edatrs.organisations.services.protocol import ProtocolRefused
from edatrs.organisations.views.agreements import AgreementsView


class LeadView(AgreementsView, abstract=True):
    """An act of whoever leads the agreement: its owner, or the controller while that is blank."""

    act = "protocol.edit"

    def led(self, pk: UUID) -> Agreement:
        """The agreement. Raises Denied for who does not lead it."""
        agreement = self.agreement(pk)
        if not agreements.leads(agreement, current_organisation()):
            raise Denied(self.act, "not the owner", subject=str(pk))
        return agreement


class StatusView(LeadView):
    """What is missing, and the step between draft and for approval."""

    title = "Check before approval"
    template_name = "organisations/agreement_status.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What is missing."""
        overview = self.overview(self.led(pk))
        return self.page(request, agreement=overview.agreement, o=overview, gaps=self.gaps(overview))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Send it for approval, or take it back."""
        user: Any = request.user
        self.led(pk)
        try:
            if request.POST.get("to") == "draft":
                acts.back_to_draft(agreement_id=pk, acting_user=user)
                messages.success(request, "It is a draft again. Signatures are taken off.")
            else:
                acts.send_for_approval(agreement_id=pk, acting_user=user)
                messages.success(request, "It waits for approval. Every party is asked to sign.")
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        return self.to_agreement(pk)


class AuthorityView(AgreementsView, abstract=True):
    """An act that only somebody authorised at the organisation may do, today, with a fresh second factor."""

    act = "protocol.sign"
    fresh_second_factor = True
    sure: ClassVar[str] = ""
    form_class: ClassVar[Any] = AuthorityForm

    def party(self, agreement: Agreement) -> AgreementParty:
        """One's own organisation's part. Raises Denied."""
        found = agreements.own_party(agreement, current_organisation())
        if found is None:
            raise Denied(self.act, "no party", subject=str(agreement.pk))
        return found

    def form(self, request: HttpRequest, data: Any = None, **more: Any) -> Any:
        """The form, for the roles that the person holds today; None for who holds none."""
        user: Any = request.user
        roles = acts.roles_of(user)
        return self.form_class(data, roles=roles, words=self.sure, **more) if roles else None

    def who_may(self) -> str:
        """Words for who holds none."""
        return acts.who_may(current_organisation(), clock.today())

    def show(
        self, request: HttpRequest, agreement: Agreement, form: Any, *, status: int = 200, **more: Any
    ) -> HttpResponseBase:
        """The page, with the form or with the words why there is none."""
        return self.page(
            request,
            status=status,
            agreement=agreement,
            o=self.overview(agreement),
            party=agreements.own_party(agreement, current_organisation()),
            form=form,
            who_may="" if form is not None else self.who_may(),
            **more,
        )


class SignView(AuthorityView):
    """One's own organisation's signature."""

    title = "Sign the agreement"
    template_name = "organisations/agreement_sign.html"
    sure = "I have read the agreement and sign it for my organisation"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What is signed."""
        agreement = self.agreement(pk)
        self.party(agreement)
        return self.show(request, agreement, self.form(request))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Sign."""
        user: Any = request.user
        agreement = self.agreement(pk)
        self.party(agreement)
        form = self.form(request, request.POST)
        if form is None or not form.is_valid():
            return self.show(request, agreement, form, status=422)
        try:
            acts.sign(agreement_id=pk, signed_as=form.cleaned_data["signed_as"], acting_user=user)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(
            request,
            "Signed. Your organisation shares with every partner that has signed, once it is approved.",
        )
        return self.to_agreement(pk)


class ApproveView(AuthorityView):
    """The owner's approval."""

    title = "Approve the agreement"
    template_name = "organisations/agreement_approve.html"
    sure = "I approve this agreement for its owner"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What is approved, and what follows."""
        agreement = self._led(pk)
        return self._show(request, agreement, self.form(request))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Approve."""
        user: Any = request.user
        agreement = self._led(pk)
        form = self.form(request, request.POST)
        if form is None or not form.is_valid():
            return self._show(request, agreement, form, status=422)
        try:
            acts.approve(agreement_id=pk, signed_as=form.cleaned_data["signed_as"], acting_user=user)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(request, "Approved. It can be read by anybody now.")
        return self.to_agreement(pk)

    def _led(self, pk: UUID) -> Agreement:
        agreement = self.agreement(pk)
        if not agreements.leads(agreement, current_organisation()):
            raise Denied(self.act, "not the owner", subject=str(pk))
        return agreement

    def _show(
        self, request: HttpRequest, agreement: Agreement, form: Any, status: int = 200
    ) -> HttpResponseBase:
        overview = self.overview(agreement)
        unsigned = [p.organisation.name for p in agreement.parties.all() if p.signed_on is None]
        return self.show(
            request,
            agreement,
            form,
            status=status,
            gaps=self.gaps(overview),
            unsigned=unsigned,
            today=clock.today(),
        )


class ReviewView(LeadView):
    """The review, brought forward."""

    title = "Review it now"
    template_name = "organisations/agreement_review.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        return self._show(request, self.led(pk), ReviewForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Open it."""
        user: Any = request.user
        agreement, form = self.led(pk), ReviewForm(request.POST)
        if not form.is_valid():
            return self._show(request, agreement, form, status=422)
        try:
            protocol_review.open_review(agreement_id=pk, **form.cleaned_data, acting_user=user)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(request, "The review is open.")
        return self.to_agreement(pk)

    def _show(
        self, request: HttpRequest, agreement: Agreement, form: Any, status: int = 200
    ) -> HttpResponseBase:
        return self.page(request, status=status, agreement=agreement, o=self.overview(agreement), form=form)


class NewVersionView(LeadView):
    """A version that follows this one."""

    title = "Start a new version"
    template_name = "organisations/agreement_version.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        return self._show(request, self.led(pk), NewVersionForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Start it."""
        user: Any = request.user
        agreement, form = self.led(pk), NewVersionForm(request.POST)
        if form.is_valid():
            try:
                new = protocol_review.start_new_version(
                    agreement_id=pk, **form.cleaned_data, acting_user=user
                )
            except ProtocolRefused as why:
                form.add_error("version", str(why))
            else:
                messages.success(
                    request, "The new version is a draft. This one stays in force until that is approved."
                )
                return self.to_agreement(new.pk)
        return self._show(request, agreement, form, status=422)

    def _show(
        self, request: HttpRequest, agreement: Agreement, form: Any, status: int = 200
    ) -> HttpResponseBase:
        return self.page(request, status=status, agreement=agreement, o=self.overview(agreement), form=form)


class PublicationView(LeadView):
    """When and where it is published outside."""

    title = "Publication"
    template_name = "organisations/agreement_publication.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        agreement = self.led(pk)
        initial = {"published_on": agreement.published_on, "published_at": agreement.published_at}
        return self._show(request, agreement, PublicationForm(initial=initial))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Save it."""
        user: Any = request.user
        agreement, form = self.led(pk), PublicationForm(request.POST)
        if not form.is_valid():
            return self._show(request, agreement, form, status=422)
        try:
            protocol_review.publish(
                agreement_id=pk,
                published_on=form.cleaned_data["published_on"],
                address=form.cleaned_data["published_at"],
                acting_user=user,
            )
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(request, "Saved")
        return self.to_agreement(pk)

    def _show(
        self, request: HttpRequest, agreement: Agreement, form: Any, status: int = 200
    ) -> HttpResponseBase:
        back = reverse("organisations:agreement", args=[self.kwargs["organisation"], agreement.pk])
        return self.page(
            request, status=status, agreement=agreement, o=self.overview(agreement), form=form, back=back
        )
