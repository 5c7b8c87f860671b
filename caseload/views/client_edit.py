"""Show and change what is known of one by category, and take one out of use that was entered in error."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import details, present, selectors, speaking
from caseload.forms.clients import FORMS, DetailsForm, ReasonForm, warnings
from caseload.linked import COPIED
from caseload.models import Client
from caseload.recorded import Recorded
from caseload.services import clients, known_elsewhere, linked_records, merge
from caseload.views import linking, protection
from caseload.views.base import ClientPage
from caseload.views.record_form import RecordFormView, same_client
from edatrs.core import access, clock
from edatrs.core.views import OrganisationView


def back_to(client: Client, slug: str) -> HttpResponseRedirect:
    """To the details of a client."""
    return HttpResponseRedirect(reverse("caseload:client-details", args=[slug, client.pk]))


class DetailsView(ClientPage):
    """What is known of a client by category, with the way to change each; the records that were merged in."""

    title = "Details"
    template_name = "caseload/client_details.html"
    part = "details"
    shows = ("identity", *(c for c in clients.CATEGORIES if c != "identity"))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; a category that the roles may not see is not there."""
        client = self.client(pk)
        letter = clients.letter_of([r.service_id for r in client.registrations.all()], clock.today())
        return self.client_page(
            request,
            client,
            categories=details.categories(client, letter),
            merges=details.merges_of(client) if access.may("client.merge") else [],
            may_merge=access.may("client.merge"),
            may_void=access.may("client.void"),
            protection=protection.panel(client),
            links=linking.of_details(client),
            may_ask_partners=access.may("client.register") and known_elsewhere.may_be_asked(client),
        )


class ClientEditView(RecordFormView, abstract=True):
    """Change one category of a client."""

    act = "client.edit"
    part = "details"
    form: ClassVar[type[DetailsForm]]

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        cls.form = FORMS[cls.category]
        cls.title = cls.form.heading
        cls.draft = f"caseload.client.{cls.category}"
        cls.shows = tuple(dict.fromkeys(("identity", cls.category)))
        super().__init_subclass__(abstract=abstract, **kwargs)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def read(self, client: Client) -> Recorded:
        """The category."""
        return clients.read_part(client, self.category)

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> DetailsForm:
        """The category's form, with the code lists of the letter in force."""
        services = list(client.registrations.values_list("service_id", flat=True))
        letter = clients.letter_of(services, clock.today())
        return self.form(data, part=recorded, letter=letter, unchecked=unchecked)

    def history_address(self, client: Client) -> str:
        """Of the category."""
        return reverse(
            "caseload:client-detail-history", args=[self.kwargs["organisation"], client.pk, self.category]
        )

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """Where else a change is written: to the records that a link ties to this one."""
        also_at = linked_records.also_at(client.pk) if self.category in COPIED else []
        if also_at and self.category == "contact" and protection.panel(client)["kind"]:
            also_at = []  # contact of a sensitive record is not copied
        return super().more(client, recorded, form) | {"also_at": also_at}

    def speaks(self, request: HttpRequest) -> dict[str, list[str]]:
        """What the rules say of the client's open episodes while somebody types here."""
        client = self.open(request)
        form = self.make_form(client, self.read(client), request.POST)
        form.full_clean()
        typed = {name: form.cleaned_data.get(name) for name in form.fields}
        return speaking.speak_of_client(client, typed, self.category)

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """Write what is different."""
        user: Any = request.user
        return clients.change_part(
            client=client, category=self.category, values=values, version=version, acting_user=user
        )

    def saved(
        self, request: HttpRequest, client: Client, changed: list[str], values: dict[str, Any]
    ) -> HttpResponseBase:
        """Back to the details, with what should be looked at again."""
        answer = super().saved(request, client, changed, values)
        for words in warnings({name: values[name] for name in changed}):
            messages.warning(request, words)
        if changed:
            for said in speaking.speak_of_client(client, values, self.category).values():
                for words in said:
                    messages.warning(request, f"Saved, and to be looked at: {words}")
        return answer


class EditIdentityView(ClientEditView):
    """Category identity."""

    category = "identity"


class EditContactView(ClientEditView):
    """Category contact."""

    category = "contact"


class EditEqualityView(ClientEditView):
    """Category equality."""

    category = "equality"


class EditDisabilityView(ClientEditView):
    """Category disability."""

    category = "disability"


class EditCircumstancesView(ClientEditView):
    """Category circumstances."""

    category = "circumstances"


class VoidView(ClientPage):
    """Take a client out of use that was entered in error, with a reason."""

    act = "client.void"
    category = ""
    title = "Entered in error"
    template_name = "caseload/client_void.html"
    part = "details"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.void")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What will happen, and the reason."""
        return self._show(request, self.client(pk), ReasonForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Do it."""
        client = self.client(pk)
        same_client(request, client, self.act)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, client, form, status=422)
        user: Any = request.user
        clients.void_client(client=client, reason=form.cleaned_data["reason"], acting_user=user)
        messages.success(request, f"{client} is out of use. It is kept here and can be brought back.")
        return HttpResponseRedirect(reverse("caseload:clients-void", args=[organisation]))

    def _show(
        self, request: HttpRequest, client: Client, form: ReasonForm, *, status: int = 200
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            episodes=selectors.episodes_of(client).count(),
            merged=merge.merges_into(client).exists(),
        )


class VoidedView(OrganisationView):
    """The clients that were entered in error."""

    act = "client.void"
    area = "clients"
    title = "Entered in error"
    template_name = "caseload/clients_void.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The latest 200."""
        rows = list(clients.voided_clients()[:200])
        return self.page(request, rows=[_voided(row) for row in rows])


def _voided(client: Client) -> dict[str, Any]:
    who = getattr(client, "clientidentity", None)
    return {
        "pk": client.pk,
        "record": str(client),
        "name": present.list_name(who.forename, who.surname) if who else "Name not recorded",
        "at": client.voided_at,
        "reason": client.voided_reason,
    }


class RestoreView(OrganisationView):
    """Bring a client back that was entered in error by mistake."""

    act = "client.void"
    area = "clients"
    title = "Bring a record back"
    template_name = "caseload/client_restore.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What it is."""
        return self.page(request, row=_voided(clients.get_voided(pk)))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Do it."""
        client = clients.get_voided(pk)
        same_client(request, client, self.act)
        user: Any = request.user
        clients.restore_client(client=client, acting_user=user)
        messages.success(request, f"{client} is in use again.")
        return back_to(client, organisation)
