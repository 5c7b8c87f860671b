"""Who may sign agreements for an organisation: named by its administrator, with dates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import access, clock
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations import agreements
from edatrs.organisations.choices import Role
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.forms.protocol import LastDayForm, SignatoryForm
from edatrs.organisations.models import AuthorisedRole, User
from edatrs.organisations.selectors import people_holding
from edatrs.organisations.services import signatories
from edatrs.organisations.services.protocol import ProtocolRefused


class SignatoryListView(DraftedView, OrganisationView):
    """Who may, could or will be able to sign, and somebody new."""

    act = "people.manage"
    area = "people"
    draft = "organisations.signatory"
    draft_words = "Name who may sign"
    title = "Who may sign agreements"
    template_name = "organisations/signatories.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list and the form."""
        typed = self.typed(request)
        return self._show(request, self._form(request, typed, unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Name somebody."""
        user: Any = request.user
        form = self._form(request, request.POST)
        if form.is_valid():
            values = {**form.cleaned_data}
            try:
                signatories.authorise(person_id=UUID(values.pop("person")), **values, acting_user=user)
            except ProtocolRefused as why:
                form.add_error("person", str(why))
            else:
                messages.success(request, "They are on the list.")
                return HttpResponseRedirect(request.path)
        return self._show(request, form, status=422)

    def _people(self, request: HttpRequest) -> list[User]:
        """Who can be named: colleagues with a role here today, not oneself."""
        user: Any = request.user
        found = people_holding(current_organisation(), Role.values, clock.today()).exclude(pk=user.pk)
        return list(found.order_by("full_name"))

    def _form(self, request: HttpRequest, data: Any = None, *, unchecked: bool = False) -> SignatoryForm:
        return SignatoryForm(data, people=self._people(request), unchecked=unchecked)

    def _show(self, request: HttpRequest, form: SignatoryForm, status: int = 200) -> HttpResponseBase:
        today = clock.today()
        # Whose role in this system may sign at all.
        may = [role for role in Role.values if access.letters("protocol.sign", roles=frozenset({role}))]
        able = set(people_holding(current_organisation(), may, today).values_list("pk", flat=True))
        lines = [
            {"held": held, **_state(held, today), "able": held.user_id in able}
            for held in agreements.signatories_of(current_organisation())
        ]
        return self.page(request, status=status, form=form, lines=lines, me=request.user.pk)


def _state(held: AuthorisedRole, today: Any) -> dict[str, str]:
    if held.valid_until is not None and held.valid_until < today:
        return {"badge": "none", "state": "Ended"}
    return (
        {"badge": "info", "state": "From later"}
        if held.valid_from > today
        else {"badge": "ok", "state": "May sign"}
    )


class SignatoryEndView(OrganisationView):
    """The last day of an authorised role."""

    act = "people.manage"
    area = "people"
    title = "Last day as signatory"
    template_name = "organisations/signatory_end.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form."""
        held = agreements.signatory_of(current_organisation(), pk)
        form = LastDayForm(initial={"last_day": held.valid_until or clock.today()})
        return self.page(request, held=held, form=form)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Set it."""
        user: Any = request.user
        held, form = agreements.signatory_of(current_organisation(), pk), LastDayForm(request.POST)
        if form.is_valid():
            try:
                signatories.end(authorised_id=pk, last_day=form.cleaned_data["last_day"], acting_user=user)
            except ProtocolRefused as why:
                form.add_error("last_day", str(why))
            else:
                messages.success(request, "The last day is set. What was signed stays signed.")
                return HttpResponseRedirect(reverse("organisations:signatories", args=[organisation]))
        return self.page(request, status=422, held=held, form=form)
