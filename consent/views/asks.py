"""Who asks: a partner for a client of one's own whom it knows, the holder of a shared record for more, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import shared
from caseload.choices import Category
from caseload.models import Client
from caseload.services import known_elsewhere
from caseload.views.base import ClientPage
from consent import parts
from consent.asks import selectors, services
from consent.asks.forms import AskForm
from consent.asks.selectors import AskLine
from consent.choices import HowKnown
from consent.models import Ask
from consent.sharing.services import Refused
from consent.views.base import called, page_key
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import DraftedView


def known_next(client: Client, slug: str) -> dict[str, str] | None:
    """The step after a yes of "known elsewhere": ask, or see what was asked."""
    if selectors.asks_of(client):
        return {"words": "See what you asked", "url": reverse("consent:asks", args=[slug, client.pk])}
    return {"words": "Ask the partner", "url": reverse("consent:ask", args=[slug, client.pk])}


def shared_next(client: Client, slug: str) -> dict[str, str] | None:
    """The step from a record that a partner shares: ask for more of it."""
    if not access.may("sharing.ask", by="N"):
        return None
    return {
        "words": "Ask for more of this record",
        "url": reverse("consent:ask-more", args=[slug, client.pk]),
    }


def shown(line: AskLine) -> dict[str, Any]:
    """An ask on a page of who asks."""
    return {
        "line": line,
        "row": line.row,
        "number": str(line.row),
        "parts": parts.sentence(line.row.categories),
        "how": HowKnown(line.row.how).label,
    }


class AsksView(ClientPage):
    """What was asked of partners about a client of one's own."""

    act = "sharing.ask"
    by = "N"
    category = ""
    title = "What we asked partners"
    part = "sharing"
    template_name = "consent/asks/of_client.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The list, the newest first."""
        client = self.client(pk)
        lines = selectors.asks_of(client)
        check = known_elsewhere.latest(client)
        return self.client_page(
            request,
            client,
            called=called(client),
            rows=[shown(line) for line in lines],
            may_ask=bool(check and check.known and not any(line.waits for line in lines))
            and known_elsewhere.may_be_asked(client),
        )


class AskView(DraftedView, ClientPage):
    """Ask whoever knows this person. It is not said whom, and what comes back is an agreement or nothing."""

    act = "sharing.ask"
    by = "N"
    category = ""
    title = "Ask a partner to share"
    part = "sharing"
    template_name = "consent/asks/ask.html"
    draft = "consent.ask"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before asking. Raises Denied."""
        self._same(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        client, typed = self.client(pk), self.typed(request)
        return self._show(request, client, AskForm(typed, called=called(client), unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Ask. Sent twice, it asks once."""
        client = self.client(pk)
        self._same(request, client)
        form = AskForm(request.POST, called=called(client))
        if form.is_valid():
            data, user = form.cleaned_data, request.user
            try:
                services.ask(
                    client=client,
                    purpose=data["purpose"],
                    categories=data["parts"],
                    how=data["how"],
                    told=data["told"],
                    message=data["message"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    form_key=page_key(request),
                )
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, "The partner is asked. You can carry on with your work.")
                return HttpResponseRedirect(reverse("consent:asks", args=[organisation, client.pk]))
        return self._show(request, client, form, status=422)

    def _show(
        self, request: HttpRequest, client: Client, form: AskForm, *, status: int = 200
    ) -> HttpResponse:
        check = known_elsewhere.latest(client)
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            called=called(client),
            known=check is not None and check.known and known_elsewhere.may_be_asked(client),
            waiting=any(line.waits for line in selectors.asks_of(client)),
            answer_by=services.answer_by(clock.today()),
        )

    def _same(self, request: HttpRequest, client: Client) -> None:
        """The client in the form must be the one in the address. Raises Denied."""
        if request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))


class AskMoreView(DraftedView):
    """Ask the holder of a record that is shared with us for more of it."""

    act = "sharing.ask"
    by = "N"
    area = "shared"
    title = "Ask for more of a shared record"
    template_name = "consent/asks/ask_more.html"
    draft = "consent.ask_more"

    def check_draft(self, request: HttpRequest) -> None:
        """As before asking. Raises Denied."""
        self._found(request)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        client, open_to_us = self._found(request)
        typed = self.typed(request)
        return self._show(
            request,
            client,
            open_to_us,
            AskForm(typed, directed=True, open_now=open_to_us, unchecked=typed is not None),
        )

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Ask. Sent twice, it asks once."""
        client, open_to_us = self._found(request)
        form = AskForm(request.POST, directed=True, open_now=open_to_us)
        if form.is_valid():
            data, user = form.cleaned_data, request.user
            try:
                asked = services.ask_more(
                    held=client,
                    purpose=data["purpose"],
                    categories=data["parts"],
                    told=data["told"],
                    message=data["message"],
                    acting_user=user,  # type: ignore[arg-type]  # signed in
                    form_key=page_key(request),
                )
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            else:
                messages.success(request, f"{client.organisation.name} is asked.")
                return HttpResponseRedirect(reverse("consent:asked", args=[organisation, asked.pk]))
        return self._show(request, client, open_to_us, form, status=422)

    def _found(self, request: HttpRequest) -> tuple[Client, frozenset[str]]:
        """The shared record in the address, which must be the one in the form. Raises Denied."""
        client, open_to_us = shared.get_shared(self.kwargs["pk"], "S")
        if request.method == "POST" and request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))
        return client, open_to_us

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        open_to_us: frozenset[str],
        form: AskForm,
        *,
        status: int = 200,
    ) -> HttpResponse:
        return self.page(
            request,
            status=status,
            client=client,
            form=form,
            open_now=parts.sentence([c.value for c in Category if c.value in open_to_us]),
            rows=[shown(line) for line in selectors.asks_about(client.pk)],
            waiting=any(line.waits for line in selectors.asks_about(client.pk)),
            answer_by=services.answer_by(clock.today()),
        )


class AskedView(OrganisationView):
    """One thing that we asked: how it stands, and taking it back."""

    act = "sharing.ask"
    by = "N"
    area = "requests"
    title = "What we asked a partner"
    template_name = "consent/asks/asked.html"

    def get(self, request: HttpRequest, organisation: str, ask: UUID) -> HttpResponseBase:
        """The page. Refused, silent and nobody found are one page."""
        line = selectors.ask_of_ours(ask)
        return self.page(request, **shown(line), holder=line.row.holder, client_id=line.row.client_id)

    def post(self, request: HttpRequest, organisation: str, ask: UUID) -> HttpResponseBase:
        """Take it back. Sent twice, it is taken back once."""
        row: Ask = selectors.ask_of_ours(ask).row
        user: Any = request.user
        try:
            services.take_back(asked=row, acting_user=user)
        except Refused as refused:
            messages.warning(request, f"{refused}.")
        else:
            messages.success(request, f"Request {row} is taken back. Whoever got it is told.")
        return HttpResponseRedirect(reverse("consent:asked", args=[organisation, row.pk]))
