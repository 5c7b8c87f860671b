"""Register a client."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import details, matching
from caseload.forms.clients import RegisterForm, warnings
from caseload.models import Client
from caseload.services import clients, known_elsewhere
from caseload.views.client_edit import back_to
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.models import Organisation, Service


class RegisterView(DraftedView):
    """Register a client at a service, after a look for the same person inside the organisation."""

    act = "client.register"
    area = "clients"
    title = "Register a client"
    draft = "caseload.client.register"
    template_name = "caseload/client_new.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Which service, where there are several; then the form."""
        typed = self.typed(request)
        service = self._service((typed or request.GET).get("service", ""))
        if service is None:
            return self.page(request, services=self._services())
        if typed is not None:
            form = RegisterForm(typed, part=None, letter=self._letter(service), unchecked=True)
            return self._show(request, service, form, _uuid(typed.get("form_id", "")) or uuid4(), [])
        form = RegisterForm(
            part=None,
            letter=self._letter(service),
            initial={"client_id_text": clients.next_client_id(service)},
        )
        return self._show(request, service, form, uuid4(), [])

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Register, or say what is wrong, or show who might be the same person. What was typed stays in every case."""
        service = self._service(request.POST.get("service", ""), strict=True)
        form_id = _uuid(request.POST.get("form_id", ""))
        if service is None or form_id is None:
            raise Denied(self.act, "the form names no service of the organisation")
        there = Client.objects.filter(pk=clients.client_of_form(form_id)).first()
        if there is not None:
            messages.info(
                request, "This form was sent before: the client is registered. Change details here."
            )
            return back_to(there, organisation)
        form = RegisterForm(request.POST, part=None, letter=self._letter(service))
        if not form.is_valid():
            return self._show(request, service, form, form_id, [], status=422)
        found = self._candidates(form)
        seen = set(request.POST.getlist("seen"))
        if found and not (form.cleaned_data["none_of_these"] and {str(c.client.pk) for c in found} <= seen):
            return self._show(request, service, form, form_id, found, status=422)
        return self._register(request, service, form, form_id, found)

    def _register(
        self,
        request: HttpRequest,
        service: Service,
        form: RegisterForm,
        form_id: UUID,
        found: list[matching.Candidate],
    ) -> HttpResponse:
        user: Any = request.user
        values = {category: form.values_in(category) for category in ("identity", "contact")}
        try:
            client, _ = clients.register_client(
                form_id=form_id,
                service=service,
                client_id_text=form.cleaned_data["client_id_text"],
                values=values,
                overruled=len(found),
                acting_user=user,
            )
        except clients.ClientIdTaken as taken:
            form.add_error("client_id_text", str(taken))
            return self._show(request, service, form, form_id, found, status=422)
        messages.success(
            request,
            f"Registered. The client ID at {service.agency_code} is {form.cleaned_data['client_id_text']}.",
        )
        for words in warnings({**values["identity"], **values["contact"]}):
            messages.warning(request, words)
        # Now that it is saved, and only now, a partner may be asked (design section 5).
        then = "caseload:known-elsewhere" if known_elsewhere.may_be_asked(client) else "caseload:client"
        return HttpResponseRedirect(reverse(then, args=[self.kwargs["organisation"], client.pk]))

    @staticmethod
    def _candidates(form: RegisterForm) -> list[matching.Candidate]:
        data = form.cleaned_data
        return matching.candidates(
            forename=data["forename"],
            surname=data["surname"],
            born=data["date_of_birth"],
            nhs_number=data["nhs_number"],
        )

    def _services(self) -> list[Service]:
        organisation: Organisation = self.request.organisation  # type: ignore[attr-defined]  # set by the middleware
        return list(organisation.services.all())

    def _service(self, wanted: str, *, strict: bool = False) -> Service | None:
        services = self._services()
        named = next((s for s in services if str(s.pk) == wanted), None)
        return named or (services[0] if len(services) == 1 and not strict else None)

    @staticmethod
    def _letter(service: Service) -> str:
        return clients.letter_of([service.pk], clock.today())

    def _show(
        self,
        request: HttpRequest,
        service: Service,
        form: RegisterForm,
        form_id: UUID,
        found: list[matching.Candidate],
        *,
        status: int = 200,
    ) -> HttpResponse:
        today = clock.today()
        rows = [
            {"pk": c.client.pk, "identity": details.short(c.client, today), "reasons": c.reasons}
            for c in found
        ]
        words = "Tick “None of these” or open the record that is the same person"
        return self.page(
            request,
            status=status,
            service=service,
            form=form,
            form_id=form_id,
            candidates=rows,
            has_errors=bool(found),
            candidate_lines=[{"box": "id_none_of_these", "words": words}],
        )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
