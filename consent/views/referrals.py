"""Referral and transfer between organisations: send one, the lists of both sides, and one with what can be done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import details, shared_page
from caseload.models import Client
from caseload.views.base import ClientPage
from consent import parts
from consent.asks import referral_list, referrals
from consent.asks.forms import AcceptForm, ReferForm, RejectForm
from consent.asks.open_to import open_to
from consent.asks.referral_list import Referral
from consent.asks.referrals import Offer
from consent.choices import ReferralKind, StepKind, Urgency
from consent.sharing import partners
from consent.sharing.services import Refused
from consent.views.base import called, page_key
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.models import Organisation, Service

NEW = "new"


class ReferView(DraftedView, ClientPage):
    """Refer or transfer a client to a partner that can see something of the record."""

    act = "caseload.transfer"
    category = ""
    title = "Refer or transfer to a partner"
    part = "sharing"
    template_name = "consent/asks/refer.html"
    draft = "consent.referral"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before sending. Raises Denied."""
        self._same(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        client, typed = self.client(pk), self.typed(request)
        return self._show(request, client, self._form(client, typed, unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Send it. Sent twice, it is sent once."""
        client = self.client(pk)
        self._same(request, client)
        form, user = self._form(client, request.POST), request.user
        if form.is_valid():
            data = form.cleaned_data
            slug, _, service = data["to"].partition(":")
            partner = partners.by_slug(slug)
            try:
                if partner is None:
                    raise Refused("Choose a partner", "to")
                row = referrals.send(
                    client=client,
                    receiver=partners.organisation(partner),
                    service=Service.objects.filter(pk=service).first() if service else None,
                    kind=data["kind"],
                    urgency=data["urgency"],
                    reason=data["reason"],
                    categories=data["parts"],
                    message=data["message"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    form_key=page_key(request),
                )
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(
                    request, f"{row} is sent to {partner.name}. Their team managers have a task."
                )
                return HttpResponseRedirect(reverse("consent:referral", args=[organisation, row.pk]))
        return self._show(request, client, form, status=422)

    def _form(self, client: Client, data: Any, **how: Any) -> ReferForm:
        return ReferForm(data, to=_receivers(), called=called(client), **how)

    def _show(
        self, request: HttpRequest, client: Client, form: ReferForm, *, status: int = 200
    ) -> HttpResponse:
        held = [(p, open_to(client, p.pk)) for p in partners.partners() if p.in_force]
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            called=called(client),
            open_now=[(p, parts.sentence(categories)) for p, categories in held if categories],
            earlier=[shown(found) for found in referral_list.referrals_of(client)],
        )

    def _same(self, request: HttpRequest, client: Client) -> None:
        """The client in the form must be the one in the address. Raises Denied."""
        if request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))


def _receivers() -> list[Any]:
    """The partners with a protocol in force, each with its services."""
    found: list[Any] = []
    sharing = [partner for partner in partners.partners() if partner.in_force]
    services: dict[UUID, list[Service]] = {}
    for service in Service.objects.filter(organisation_id__in=[p.pk for p in sharing]).order_by("name"):
        services.setdefault(service.organisation_id, []).append(service)
    for partner in sharing:
        own = [
            (f"{partner.slug}:{s.pk}", f"{partner.name}: {s.name or s.agency_code}")
            for s in services.get(partner.pk, [])
        ]
        found.append((partner.name, [(partner.slug, f"{partner.name}: any service"), *own]))
    return found


def shown(found: Referral) -> dict[str, Any]:
    """A referral on a page."""
    row = found.row
    return {
        "found": found,
        "row": row,
        "number": str(row),
        "kind": ReferralKind(row.kind).label.split(":")[0],
        "urgency": Urgency(row.urgency).label,
        "parts": parts.sentence(row.categories),
        "transfer": row.kind == ReferralKind.TRANSFER,
    }


class ReferralsView(OrganisationView):
    """Referrals from partners, and those that we sent."""

    act = "caseload.transfer"
    area = "requests"
    title = "Referrals from partners"
    template_name = "consent/asks/referrals.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """All that wait (the oldest 100 of them), and a page of those that are answered and of those that we sent, each by key."""
        waiting, more_waiting = referral_list.waiting()
        received, more_received = referral_list.answered(before=request.GET.get("received_before", ""))
        sent, more_sent = referral_list.sent(before=request.GET.get("sent_before", ""))
        return self.page(
            request,
            waiting=[shown(found) for found in waiting],
            more_waiting=more_waiting,
            received=[shown(found) for found in received],
            more_received=more_received,
            received_later="received_before" in request.GET,
            sent=[shown(found) for found in sent],
            more_sent=more_sent,
            sent_later="sent_before" in request.GET,
        )


class ReferralView(OrganisationView):
    """One referral, for either side: accept or reject it, take it back, say that one's part is done."""

    act = "caseload.transfer"
    area = "requests"
    title = "A referral between partners"
    template_name = "consent/asks/referral.html"

    def get(self, request: HttpRequest, organisation: str, referral: UUID) -> HttpResponseBase:
        """The page."""
        return self._show(request, referral_list.referral(referral))

    def post(self, request: HttpRequest, organisation: str, referral: UUID) -> HttpResponseBase:
        """The step that was chosen. Sent twice, it is done once. Raises Denied."""
        user: Any = request.user
        act = request.POST.get("act", "")
        if act == StepKind.ACCEPTED:
            return self._accept(request, referral, user)
        form = RejectForm(request.POST)
        steps: dict[str, Any] = {
            StepKind.REJECTED: lambda: referrals.reject(
                pk=referral, reason=request.POST.get("reason", ""), acting_user=user
            ),
            StepKind.TAKEN_BACK: lambda: referrals.take_back(pk=referral, acting_user=user),
            StepKind.DONE: lambda: referrals.done(pk=referral, acting_user=user),
        }
        if act not in steps:
            raise Denied(self.act, "no such step", subject=str(referral))
        if act == StepKind.REJECTED and not form.is_valid():
            return self._show(request, referral_list.referral(referral), reject=form, status=422)
        try:
            now = steps[act]()
        except Refused as refused:
            form.is_valid()
            form.add_error(None, str(refused))
            return self._show(request, referral_list.referral(referral), reject=form, status=422)
        messages.success(request, f"{now.row}: {now.words.lower()}.")
        return self._back(referral)

    def _accept(self, request: HttpRequest, pk: UUID, user: Any) -> HttpResponse:
        found = referral_list.referral(pk, ours=False)
        offer = referrals.offer(found) if found.waits else None
        form = self._form(request, offer, request.POST)
        if offer is None and found.waits:
            form.is_valid()
            form.add_error(None, referrals.ENDED.format(name=found.row.organisation.name))
        elif found.hand_over is None and not form.is_valid():
            return self._show(request, found, accept=form, offer=offer, status=422)
        else:
            try:
                made = self._taken_over(form, found, user)
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, f"{found.row} is accepted. The client is registered here.")
                return HttpResponseRedirect(
                    reverse("caseload:client", args=[self.kwargs["organisation"], made.client_id])
                )
        return self._show(request, referral_list.referral(pk), accept=form, offer=offer, status=422)

    def _taken_over(self, form: AcceptForm, found: Referral, user: Any) -> Any:
        if found.hand_over is not None:
            return found.hand_over
        data = form.cleaned_data
        if "record" in data:
            existing: UUID | None = referrals.own_record(data["record"])
        else:
            existing = None if data["who"] == NEW else UUID(data["who"])
        organisation: Organisation = self.request.organisation  # type: ignore[attr-defined]  # set by the middleware
        return referrals.accept(
            pk=found.row.pk,
            existing=existing,
            service=organisation.services.get(pk=data["service"]),
            client_id_text=data["client_id_text"],
            acting_user=user,
        )

    def _form(self, request: HttpRequest, offer: Offer | None, data: Any = None) -> AcceptForm:
        organisation: Organisation = request.organisation  # type: ignore[attr-defined]  # set by the middleware
        today, who = clock.today(), []
        for candidate in offer.candidates if offer else []:
            line = details.short(candidate.client, today)
            numbers = f", {', '.join(line['client_ids'])}" if line["client_ids"] else ""
            why = ", ".join(candidate.reasons).capitalize()
            who.append((str(candidate.client.pk), f"Yes: {line['name']}{numbers}", why))
        named = offer is None or offer.may_be_new
        if named:
            who.append((NEW, "No: make a new record with what is handed over", ""))
        services = [(str(s.pk), f"{s.agency_code} {s.name}".strip()) for s in organisation.services.all()]
        return AcceptForm(data, who=who, services=services, named=named)

    def _back(self, pk: UUID) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("consent:referral", args=[self.kwargs["organisation"], pk]))

    def _show(
        self,
        request: HttpRequest,
        found: Referral,
        *,
        accept: AcceptForm | None = None,
        reject: RejectForm | None = None,
        offer: Offer | None = None,
        status: int = 200,
    ) -> HttpResponse:
        asked = not found.ours and found.waits
        offer = offer or (referrals.offer(found) if asked else None)
        return self.page(
            request,
            status=status,
            **shown(found),
            form=accept if accept is not None and accept.errors else reject,
            accept=accept or (self._form(request, offer) if asked and offer else None),
            reject=reject or RejectForm(),
            offer=offer,
            offered=parts.sentence(offer.categories) if offer else "",
            identity=None,
            who=shared_page.head(offer.client, frozenset(offer.categories), clock.today()) if offer else None,
            client_id=found.row.client_id if found.ours else None,
        )
