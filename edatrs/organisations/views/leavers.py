"""Somebody leaves: the administrator enters the last day and sees numbers; the team manager hands the work over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import access, clock, registry
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations import directory
from edatrs.organisations.drafted import check_may_continue, words_of
from edatrs.organisations.forms.people import LeaverForm
from edatrs.organisations.models import User
from edatrs.organisations.services import leavers
from edatrs.organisations.services.leavers import LeavingRefused
from edatrs.organisations.views.people import PeopleView

# Whoever may give clients to somebody may hand over the rest of a leaver's work too.
HANDS_OVER = "caseload.allocate"


class StartLeavingView(PeopleView):
    """The last day of somebody, and who hands their work over."""

    title = "Somebody leaves"
    template_name = "organisations/leaving_start.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form, with what is left to hand over in numbers."""
        person = self.person(pk)
        return self._show(request, person, LeaverForm(managers=self._managers(person)))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Enter it."""
        user: Any = request.user
        person = self.person(pk)
        form = LeaverForm(request.POST, managers=self._managers(person))
        if form.is_valid():
            try:
                leaver = leavers.start(
                    person_id=pk,
                    last_day=form.cleaned_data["last_day"],
                    manager_id=form.manager_id(),
                    acting_user=user,
                )
            except LeavingRefused as refused:
                form.add_error("last_day", str(refused))
            else:
                messages.success(
                    request, "The last day is entered. Access ends by itself at the end of that day"
                )
                return HttpResponseRedirect(reverse("organisations:leaver", args=[organisation, leaver.pk]))
        return self._show(request, person, form, status=422)

    @staticmethod
    def _managers(person: User) -> list[User]:
        return [one for one in leavers.managers() if one.pk != person.pk]

    def _show(
        self, request: HttpRequest, person: User, form: LeaverForm, status: int = 200
    ) -> HttpResponseBase:
        return self.page(
            request,
            status=status,
            person=person,
            form=form,
            left=leavers.left(person.pk),
            leaver=leavers.of_person(person.pk),
            myself=person.pk == request.user.pk,
        )


class LeaverListView(OrganisationView):
    """Who leaves or has left."""

    act = "people.leave"
    area = "leavers"
    title = "Leavers"
    template_name = "organisations/leavers.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list."""
        everybody = request.GET.get("show") == "all"
        return self.page(
            request,
            lines=leavers.listed(everybody=everybody),
            everybody=everybody,
            days=leavers.LISTED_DAYS,
            today=clock.today(),
        )


class LeaverPage(OrganisationView, abstract=True):
    """Base of what concerns one leaver."""

    act = "people.leave"
    area = "leavers"

    def back(self) -> HttpResponseRedirect:
        """To the leaver's page."""
        return HttpResponseRedirect(
            reverse("organisations:leaver", args=[self.kwargs["organisation"], self.kwargs["pk"]])
        )


class LeaverView(LeaverPage):
    """What one leaver has left to hand over: numbers for the administrator, and for a team manager what to do."""

    title = "Leaver"
    template_name = "organisations/leaver.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        leaver = leavers.find(pk)
        # As long as they were ever here: by the wall of the page about people too.
        directory.person_of(current_organisation(), leaver.user_id, act=self.act)
        hands_over = access.may(HANDS_OVER) and leaver.user_id != request.user.pk
        left = leavers.left(leaver.user_id)
        return self.page(
            request,
            leaver=leaver,
            left=left,
            done=not any(one.number for one in left),
            over=clock.today() > leaver.last_day,
            hands_over=hands_over,
            administers=access.may("people.manage"),
            sealed=[(draft, words_of(draft.form)) for draft in leavers.sealed_to_me(leaver)]
            if hands_over
            else [],
        )


class UndoLeavingView(LeaverPage):
    """They stay after all."""

    act = "people.manage"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Undo it, until the last day."""
        user: Any = request.user
        try:
            leaver = leavers.undo(leaver_id=pk, acting_user=user)
        except LeavingRefused as refused:
            messages.error(request, str(refused))
            return self.back()
        messages.success(request, "Undone. Their roles, tasks and unopened drafts are theirs again")
        return HttpResponseRedirect(reverse("organisations:person", args=[organisation, leaver.user_id]))


class TakeTasksView(LeaverPage):
    """The open tasks of a leaver become those of the team manager who asks."""

    act = HANDS_OVER
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Take them."""
        user: Any = request.user
        try:
            taken = leavers.take_tasks(leaver_id=pk, acting_user=user)
        except LeavingRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"{taken} {'task is' if taken == 1 else 'tasks are'} yours now")
        return self.back()


class SealDraftsView(LeaverPage):
    """The drafts of a leaver go sealed to the team manager who asks."""

    act = HANDS_OVER
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Take them."""
        user: Any = request.user
        try:
            taken = leavers.seal_drafts(leaver_id=pk, acting_user=user)
        except LeavingRefused as refused:
            messages.error(request, str(refused))
        else:
            drafts = "draft is" if taken == 1 else "drafts are"
            messages.success(request, f"{taken} {drafts} sealed to you. Nobody else can open them")
        return self.back()


class OpenDraftView(LeaverPage):
    """A sealed draft is opened in its form."""

    act = HANDS_OVER
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID, draft: UUID) -> HttpResponseBase:
        """Break the seal, if the form itself lets one in, and go there."""
        user: Any = request.user
        sealed = leavers.sealed_draft(pk, draft)
        try:
            check_may_continue(request, sealed.address)
            leavers.open_draft(leaver_id=pk, draft_id=draft, acting_user=user)
        except LeavingRefused as refused:
            messages.error(request, str(refused))
            return self.back()
        except Denied:
            messages.error(request, "You may not use this form for this person, so the draft stays sealed")
            return self.back()
        return HttpResponseRedirect(sealed.address)


registry.navigation.add(
    "leavers",
    {
        "words": "Leavers",
        "url": lambda slug: reverse("organisations:leavers", args=[slug]),
        "act": LeaverListView.act,
    },
)
