"""Leaving an agreement: the notice with its last day worked out, taking it back, and the certificate afterwards (obligations 86 to 89)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase

from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements, protocol
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.forms.protocol import CertificateForm, NoticeForm, ReceivedForm
from edatrs.organisations.models import Agreement, AgreementParty
from edatrs.organisations.services import protocol_acts as acts
from edatrs.organisations.services.protocol import ProtocolRefused
from edatrs.organisations.views.agreement_acts import AuthorityView
from edatrs.organisations.views.agreements import AgreementsView


class LeaveView(AuthorityView):
    """Notice to leave: the last day is worked out and shown before anything is sent."""

    title = "Give notice to leave"
    template_name = "organisations/agreement_leave.html"
    form_class = NoticeForm
    sure = "My organisation gives written notice to leave this agreement"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The day, worked out for today or for the day that was typed."""
        agreement = self.agreement(pk)
        self.party(agreement)
        asked = ReceivedForm(request.GET) if "received_on_day" in request.GET else None
        if asked is not None and not asked.is_valid():
            return self._show(request, agreement, None, clock.today(), asked, status=422)
        day = asked.cleaned_data["received_on"] if asked is not None else clock.today()
        form = self.form(request, initial=self._initial(request, day))
        return self._show(request, agreement, form, day, asked)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Give notice; every other party is told."""
        user: Any = request.user
        agreement = self.agreement(pk)
        self.party(agreement)
        form = self.form(request, request.POST)
        if form is None or not form.is_valid():
            return self._show(request, agreement, form, clock.today(), None, status=422)
        try:
            received = form.cleaned_data["received_on"]
            acts.give_notice(
                agreement_id=pk,
                received_on=received,
                signed_as=form.cleaned_data["signed_as"],
                acting_user=user,
            )
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        last = long_date(protocol.last_day_of_notice(received))
        messages.success(request, f"Notice is given. The last day is {last}. Every partner is told.")
        return self.to_agreement(pk)

    def _initial(self, request: HttpRequest, day: dt.date) -> dict[str, Any]:
        user: Any = request.user
        roles = acts.roles_of(user)
        return {"received_on": day, "signed_as": roles[0][0] if len(roles) == 1 else None}

    def _show(
        self,
        request: HttpRequest,
        agreement: Agreement,
        form: Any,
        day: dt.date,
        asked: Any,
        status: int = 200,
    ) -> HttpResponseBase:
        last = protocol.last_day_of_notice(day)
        return self.show(
            request,
            agreement,
            form,
            status=status,
            asked=asked or ReceivedForm(initial={"received_on": day}),
            received=day,
            last_day=last,
            ends_on=last + dt.timedelta(days=1),
            can_leave=self.overview(agreement).current,
        )


class StayView(AuthorityView):
    """The notice is taken back before it ends."""

    title = "Take the notice back"
    template_name = "organisations/agreement_stay.html"
    sure = "My organisation takes its notice back and stays"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The question."""
        agreement = self.agreement(pk)
        self.party(agreement)
        return self.show(request, agreement, self.form(request), today=clock.today())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Do it."""
        user: Any = request.user
        agreement = self.agreement(pk)
        self.party(agreement)
        form = self.form(request, request.POST)
        if form is None or not form.is_valid():
            return self.show(request, agreement, form, status=422, today=clock.today())
        try:
            acts.withdraw_notice(agreement_id=pk, signed_as=form.cleaned_data["signed_as"], acting_user=user)
        except ProtocolRefused as why:
            return self.refused(request, pk, why)
        messages.success(request, "The notice is taken back. Every partner is told.")
        return self.to_agreement(pk)


class CertificateView(DraftedView, AgreementsView):
    """Return or destroy: the certificate after leaving."""

    act = "protocol.edit"
    draft = "organisations.agreement_certificate"
    title = "Return-or-destroy certificate"
    template_name = "organisations/agreement_certificate.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        agreement, party = self._own(pk)
        typed = self.typed(request)
        form = CertificateForm(typed, unchecked=typed is not None)
        return self._show(request, agreement, party, form)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Give it."""
        user: Any = request.user
        agreement, party = self._own(pk)
        form = CertificateForm(request.POST)
        if form.is_valid():
            try:
                acts.certify(agreement_id=pk, **form.cleaned_data, acting_user=user)
            except ProtocolRefused as why:
                form.add_error("done_on", str(why))
            else:
                messages.success(request, "The certificate is given.")
                return self.to_agreement(pk)
        return self._show(request, agreement, party, form, status=422)

    def check_draft(self, request: HttpRequest) -> None:
        """A party. Raises Denied."""
        self._own(self.kwargs["pk"])

    def _own(self, pk: UUID) -> tuple[Agreement, AgreementParty]:
        agreement = self.agreement(pk)
        party = agreements.own_party(agreement, current_organisation())
        if party is None:
            raise Denied(self.act, "no party", subject=str(pk))
        return agreement, party

    def _show(
        self, request: HttpRequest, agreement: Agreement, party: AgreementParty, form: Any, status: int = 200
    ) -> HttpResponseBase:
        open_now = (
            party.leaves_on is not None and party.leaves_on < clock.today() and party.certificate_on is None
        )
        return self.page(
            request, status=status, agreement=agreement, party=party, form=form, open_now=open_now
        )
