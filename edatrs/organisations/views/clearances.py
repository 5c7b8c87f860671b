"""Training and background checks: the dates of one person, and what the organisation requires of everybody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.organisations import directory
from edatrs.organisations.choices import ClearanceKind
from edatrs.organisations.clearances import standing_of
from edatrs.organisations.forms.people import ClearanceForm, RequirementsForm
from edatrs.organisations.models import User
from edatrs.organisations.services import clearances
from edatrs.organisations.views.people import PeopleView


class ClearanceView(PeopleView):
    """One kind of one person."""

    title = "Training and checks"
    template_name = "organisations/clearance.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, kind: str) -> HttpResponseBase:
        """The dates that stand, to be changed."""
        person, chosen = self.person(pk), self._kind(kind)
        standing = self._standing(request, person, chosen)
        held = standing.clearance
        initial = {"done_on": held.done_on, "valid_until": held.valid_until} if held else {}
        return self._show(request, person, chosen, ClearanceForm(kind=chosen, initial=initial))

    def post(self, request: HttpRequest, organisation: str, pk: UUID, kind: str) -> HttpResponseBase:
        """Record them."""
        user: Any = request.user
        person, chosen = self.person(pk), self._kind(kind)
        form = ClearanceForm(request.POST, kind=chosen)
        if form.is_valid():
            try:
                clearances.record(person_id=pk, kind=kind, **form.cleaned_data, acting_user=user)
            except clearances.ClearanceRefused as refused:
                form.add_error("done_on", str(refused))
            else:
                messages.success(request, f"{chosen.label}: the dates are recorded")
                return self.to_person(organisation, pk)
        return self._show(request, person, chosen, form, status=422)

    @staticmethod
    def _kind(kind: str) -> ClearanceKind:
        if kind not in ClearanceKind.values:
            raise Denied("people.manage", "no such kind")
        return ClearanceKind(kind)

    @staticmethod
    def _standing(request: HttpRequest, person: User, kind: ClearanceKind) -> Any:
        found = standing_of(request.organisation, person.pk, clock.today())  # type: ignore[attr-defined]  # set by the scope's middleware
        return next(standing for standing in found if standing.kind == kind)

    def _show(
        self, request: HttpRequest, person: User, kind: ClearanceKind, form: ClearanceForm, status: int = 200
    ) -> HttpResponseBase:
        return self.page(
            request,
            status=status,
            person=person,
            standing=self._standing(request, person, kind),
            form=form,
            myself=person.pk == request.user.pk,
        )


class RequirementsView(PeopleView):
    """What the organisation requires of everybody."""

    title = "What everybody must have recorded"
    template_name = "organisations/requirements.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The choice, and whom it holds or would hold."""
        chosen = request.organisation.required_clearances  # type: ignore[attr-defined]  # set by the scope's middleware
        return self._show(request, RequirementsForm(initial={"kinds": chosen}))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Set it."""
        user: Any = request.user
        form = RequirementsForm(request.POST)
        if form.is_valid():
            try:
                clearances.require(kinds=form.cleaned_data["kinds"], acting_user=user)
            except clearances.ClearanceRefused as refused:
                form.add_error("kinds", str(refused))
            else:
                messages.success(request, "What everybody must have recorded is set")
                return HttpResponseRedirect(reverse("organisations:people", args=[organisation]))
        return self._show(request, form, status=422)

    def _show(self, request: HttpRequest, form: RequirementsForm, status: int = 200) -> HttpResponseBase:
        lines = directory.people_lines(request.organisation, clock.today())  # type: ignore[attr-defined]  # set by the scope's middleware
        missing = [
            (
                kind.label,
                kind.value in request.organisation.required_clearances,  # type: ignore[attr-defined]  # as above
                [line.person for line in lines for s in line.standings if s.kind == kind and s.missing],
            )
            for kind in ClearanceKind
        ]
        return self.page(request, status=status, form=form, missing=missing, everybody=len(lines))
