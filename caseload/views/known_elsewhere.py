"""Is this person known to a partner: the step after a registration, and the same page later from the client's details."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present, selectors
from caseload.models import Client
from caseload.services import known_elsewhere
from caseload.views.base import ClientPage
from caseload.views.record_form import same_client
from edatrs.core import access, registry
from edatrs.core.access import Denied


class KnownElsewhereView(ClientPage):
    """Ask, and read the last answer. Who may register may ask: the question is part of registering, and is put after it is saved."""

    act = "client.register"
    category = ""
    title = "Does a partner know this person?"
    template_name = "caseload/known_elsewhere.html"
    part = "details"
    shows = ("identity", "contact")

    def client(self, pk: UUID) -> Client:
        """The one in the address, of one's own organisation. Raises Denied."""
        return selectors.get_client(pk, "client.register", along="clientcontact")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What was recorded, the button, and the last answer."""
        client = self.client(pk)
        return self._show(request, client)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Ask the database, and come back to the page that says what it answered. Raises Denied."""
        client = self.client(pk)
        same_client(request, client, self.act)
        user: Any = request.user
        try:
            form_id = UUID(request.POST.get("form_id", ""))
        except ValueError:
            raise Denied(self.act, "the form carries no id of its own", subject=str(pk)) from None
        known_elsewhere.ask(client=client, form_id=form_id, acting_user=user)
        return HttpResponseRedirect(reverse("caseload:known-elsewhere", args=[organisation, client.pk]))

    def _show(self, request: HttpRequest, client: Client) -> HttpResponse:
        slug = self.kwargs["organisation"]
        check = known_elsewhere.latest(client)
        follows = []
        if check is not None and check.known and access.may("sharing.ask", by="N"):
            follows = [step for _, offer in registry.known_elsewhere_next if (step := offer(client, slug))]
        return self.client_page(
            request,
            client,
            check=check,
            follows=follows,
            may_ask=known_elsewhere.may_be_asked(client),
            form_id=uuid4(),
            rows=_compared(client),
        )


def _compared(client: Client) -> list[dict[str, Any]]:
    """What is compared, in words, and where it is changed."""
    who = getattr(client, "clientidentity", None)
    contact = getattr(client, "clientcontact", None)
    nhs_number = present.nhs_number(who.nhs_number) if who else ""
    rows = [
        ("Name", present.name_of(client), "identity", None),
        ("Date of birth", "", "identity", who.date_of_birth if who else None),
        ("Sex", present.code_words("sex", who.sex) if who else "", "identity", None),
        ("NHS number", nhs_number, "identity", None),
        ("Postcode", contact.postcode if contact else "", "contact", None),
    ]
    return [
        {
            "label": label,
            "words": words,
            "day": day,
            "route": f"caseload:client-edit-{category}" if access.may("client.edit", category) else "",
        }
        for label, words, category, day in rows
    ]
