"""Show and change what is known of one by category, and take one out of use that was entered in error."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import details, present, selectors
from caseload.forms.clients import FORMS, DetailsForm, ReasonForm, warnings
from caseload.models import Client
from caseload.services import clients, merge
from caseload.views.base import ClientPage
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView


def same_client(request: HttpRequest, client: Client, act: str) -> None:
    """The client in the form must be the one in the address: two tabs must not mix. Raises Denied."""
    if request.POST.get("client") != str(client.pk):
        raise Denied(act, "the form is of another client", subject=str(client.pk))


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
        )


class ClientEditView(ClientPage, abstract=True):
    """Change one category. A save against a newer version shows both texts, field by field."""

    act = "client.edit"
    part = "details"
    template_name = "caseload/client_edit.html"
    form: ClassVar[type[DetailsForm]]

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        cls.form = FORMS[cls.category]
        cls.title = cls.form.heading
        cls.shows = tuple(dict.fromkeys(("identity", cls.category)))
        super().__init_subclass__(abstract=abstract, **kwargs)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form, with what the category said before."""
        client = self.client(pk)
        part = clients.read_part(client, self.category)
        return self._show(request, client, self.form(part=part, letter=self._letter(client)), part)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Save, or say what is wrong, or show what somebody else saved meanwhile."""
        client = self.client(pk)
        same_client(request, client, self.act)
        part = clients.read_part(client, self.category)
        form = self.form(request.POST, part=part, letter=self._letter(client))
        version = request.POST.get("version", "")
        version_seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
        if not form.is_valid():
            return self._show(request, client, form, part, status=422, version=version_seen)
        mine = form.values()
        chosen = {name: request.POST.get(f"keep_{name}", "") for name in mine}
        if "resolving" in request.POST and version_seen == part.version:
            rows = details.conflict(form, mine, part.values, chosen=chosen)
            if any(not row["chosen"] for row in rows):
                return self._conflict(request, client, form, part, rows, status=422)
            mine |= {row["name"]: part.values[row["name"]] for row in rows if row["chosen"] == "theirs"}
        return self._save(request, client, form, mine, version_seen)

    def _save(
        self, request: HttpRequest, client: Client, form: DetailsForm, mine: dict[str, Any], version: int
    ) -> HttpResponse:
        user: Any = request.user
        try:
            changed = clients.change_part(
                client=client, category=self.category, values=mine, version=version, acting_user=user
            )
        except clients.Stale as stale:
            rows = details.conflict(form, mine, stale.now.values, then=stale.then)
            return self._conflict(request, client, form, stale.now, rows, status=409)
        messages.success(request, "Saved." if changed else "Nothing was different, so nothing was written.")
        for words in warnings({name: mine[name] for name in changed}):
            messages.warning(request, words)
        return back_to(client, self.kwargs["organisation"])

    @staticmethod
    def _letter(client: Client) -> str:
        return clients.letter_of(
            list(client.registrations.values_list("service_id", flat=True)), clock.today()
        )

    def _conflict(
        self,
        request: HttpRequest,
        client: Client,
        form: DetailsForm,
        part: clients.Part,
        rows: list[dict[str, Any]],
        *,
        status: int,
    ) -> HttpResponse:
        saved = details.who_wrote(client, part)
        unchosen = "Choose one text for each field, then save."
        said = "Nothing of yours is saved yet, and nothing is lost. Choose for each field; the other text stays in the history."
        return self._show(
            request,
            client,
            form,
            part,
            status=status,
            conflict=rows,
            saved_by=saved,
            conflict_title=f"{saved.get('who', 'Somebody')} saved this after you opened it",
            conflict_text=unchosen if status == 422 else said,
            has_errors=True,
        )

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        form: DetailsForm,
        part: clients.Part,
        *,
        status: int = 200,
        version: int | None = None,
        **more: Any,
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            version=part.version if version is None else version,
            earlier=details.history(client, part, form),
            **more,
        )


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
