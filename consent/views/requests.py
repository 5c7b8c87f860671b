"""Who is asked: what partners ask of us, one request, and the ways to answer it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present
from caseload.services import openings
from consent import parts
from consent.asks import selectors, services
from consent.asks.forms import RefuseForm
from consent.asks.open_to import lives_in
from consent.asks.selectors import Delivery
from consent.choices import HowKnown
from consent.sharing.services import Refused
from consent.views.asks import shown as asked_by_us
from edatrs.core import access
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView


class RequestsView(OrganisationView):
    """What partners ask of us, and what we asked of them."""

    act = "consent.share.record"
    area = "requests"
    title = "Requests from partners"
    template_name = "consent/asks/requests.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A page of them, by key; those that wait for an answer first."""
        found, more = selectors.requests(before=request.GET.get("before", ""))
        rows = [shown(row) for row in found]
        onward = "before" in request.GET
        asks, more_asks = (
            selectors.asks_by_us(before=request.GET.get("ours_before", ""))
            if access.may("sharing.ask", by="N")
            else ([], "")
        )
        return self.page(
            request,
            waiting=[row for row in rows if row["found"].waits],
            answered=[row for row in rows if not row["found"].waits],
            more=more,
            later=onward,
            may_transfer=access.may("caseload.transfer"),
            ours=[asked_by_us(line) for line in asks],
            more_asks=more_asks,
            asks_later="ours_before" in request.GET,
        )


def shown(found: Delivery) -> dict[str, Any]:
    """A request on a page of who is asked."""
    who = getattr(found.row.client, "clientidentity", None)
    return {
        "found": found,
        "row": found.row,
        "number": str(found.row),
        "name": present.list_name(who.forename, who.surname) if who else str(found.row.client),
        "parts": parts.sentence(found.row.categories),
        "how": HowKnown(found.row.how).label,
    }


class RequestView(OrganisationView):
    """One request of a partner, and the ways to answer it."""

    act = "consent.share.record"
    area = "requests"
    title = "A request from a partner"
    template_name = "consent/asks/request.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; that it was opened is on the trail."""
        found = selectors.delivery(pk)
        openings.note_opened(client=found.row.client, panel="sharing", categories=["identity"])
        return self._show(request, found, RefuseForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Refuse, name ourselves, or open a refused one again. Sent twice, it is done once. Raises Denied."""
        found = selectors.delivery(pk)
        if request.POST.get("client") != str(found.row.client_id):
            raise Denied(self.act, "the form is of another client", subject=str(pk))
        form, user = RefuseForm(request.POST), request.user
        chosen: dict[str, Any] = {
            "refuse": lambda: services.refuse(pk=pk, reason=form.data.get("reason", ""), acting_user=user),  # type: ignore[arg-type]  # signed in
            "name": lambda: services.name_us(pk=pk, acting_user=user),  # type: ignore[arg-type]  # signed in
            "again": lambda: services.open_again(pk=pk, acting_user=user),  # type: ignore[arg-type]  # signed in
        }
        act = request.POST.get("act", "")
        if act not in chosen:
            raise Denied(self.act, "no such answer", subject=str(pk))
        if act == "refuse" and not form.is_valid():
            return self._show(request, found, form, status=422)
        try:
            now = chosen[act]()
        except Refused as refused:
            form = RefuseForm(request.POST)
            form.is_valid()
            form.add_error(None, str(refused))
            return self._show(request, selectors.delivery(pk), form, status=422)
        messages.success(request, f"{now.row}: {now.words.lower()}.")
        return HttpResponseRedirect(reverse("consent:request", args=[organisation, pk]))

    def _show(
        self, request: HttpRequest, found: Delivery, form: RefuseForm, *, status: int = 200
    ) -> HttpResponse:
        opened = selectors.opened_to(found.row)
        return self.page(
            request,
            status=status,
            **shown(found),
            form=form,
            record=lives_in(found.row.client_id)[-1],
            key=str(found.row.pk),
            answers=found.answers,
            opened=parts.sentence(opened) if opened else "",
            may_decide=access.may("grant.without_consent"),
        )
