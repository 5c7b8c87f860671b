"""People of an organisation: who they are, their roles, invitations, and the reset of a second factor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import clock, registry
from edatrs.core.dates import long_date
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations import directory
from edatrs.organisations.choices import Role
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.forms.people import EndRoleForm, InviteForm, ResetSecondFactorForm, RoleForm
from edatrs.organisations.models import Membership, User
from edatrs.organisations.services import password_links, people, second_factor

PAGE = 50


class PeopleView(OrganisationView, abstract=True):
    """Base of the pages about people."""

    act = "people.manage"
    area = "people"

    def person(self, pk: UUID) -> User:
        """A person of the organisation acted for. Raises Denied."""
        return directory.person_of(current_organisation(), pk, act=self.act)

    def roles(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The roles that can be given here."""
        return directory.roles_of_kind(request.organisation)  # type: ignore[attr-defined]  # set by the scope's middleware

    def to_person(self, organisation: str, pk: UUID) -> HttpResponseRedirect:
        """Back to the person's page."""
        return HttpResponseRedirect(reverse("organisations:person", args=[organisation, pk]))

    def back_to(self, request: HttpRequest) -> str:
        """The list: pages of a change alone cannot be asked for."""
        return reverse("organisations:people", args=[request.organisation.slug])  # type: ignore[attr-defined]  # as above


class PersonListView(PeopleView):
    """Everybody with a role here."""

    title = "People"
    template_name = "organisations/people.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list, by role and state."""
        role, state = request.GET.get("role", ""), request.GET.get("state", "now")
        lines = directory.people_lines(request.organisation, clock.today(), role=role, state=state)  # type: ignore[attr-defined]  # set by the scope's middleware
        return self.page(
            request,
            lines=Paginator(lines, PAGE).get_page(request.GET.get("page")),
            all_roles=Role.choices,
            role=role,
            state=state,
        )


class InviteView(DraftedView, PeopleView):
    """Somebody new."""

    draft = "organisations.invite"
    title = "Invite a person"
    template_name = "organisations/person_invite.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The form."""
        typed = self.typed(request)
        return self.page(request, form=self._form(request, typed, unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Give the role and send the mail."""
        user: Any = request.user
        form = self._form(request, request.POST)
        if form.is_valid():
            try:
                person = people.invite(**form.values(), acting_user=user)
            except people.RoleRefused as refused:
                form.add_error("role", str(refused))
            except ValidationError as error:
                form.add_error("email", error.messages)
            else:
                messages.success(request, f"A mail is on its way to {person.email}")
                return self.to_person(organisation, person.pk)
        return self.page(request, form=form)

    def _form(self, request: HttpRequest, data: Any = None, *, unchecked: bool = False) -> InviteForm:
        organisation: Any = request.organisation  # type: ignore[attr-defined]  # set by the scope's middleware
        return InviteForm(data, organisation=organisation, roles=self.roles(request), unchecked=unchecked)


class PersonView(DraftedView, PeopleView):
    """One person: roles, state, and what can be done."""

    draft = "organisations.role"
    draft_words = "Give a role"
    title = "Person"
    template_name = "organisations/person.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        person, typed = self.person(pk), self.typed(request)
        return self._show(request, person, self._form(request, typed, unchecked=typed is not None))

    def check_draft(self, request: HttpRequest) -> None:
        """A person of this organisation. Raises Denied."""
        self.person(self.kwargs["pk"])

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Give another role."""
        user: Any = request.user
        person = self.person(pk)
        form = self._form(request, request.POST)
        if form.is_valid():
            try:
                people.give_role(person_id=person.pk, **form.values(), acting_user=user)
            except people.RoleRefused as refused:
                form.add_error("role", str(refused))
            else:
                messages.success(request, "The role is given")
                return self.to_person(organisation, pk)
        return self._show(request, person, form)

    def _form(self, request: HttpRequest, data: Any = None, *, unchecked: bool = False) -> RoleForm:
        organisation: Any = request.organisation  # type: ignore[attr-defined]  # set by the scope's middleware
        return RoleForm(data, organisation=organisation, roles=self.roles(request), unchecked=unchecked)

    def _show(self, request: HttpRequest, person: User, form: RoleForm) -> HttpResponseBase:
        line = directory.person_line(request.organisation, person, clock.today())  # type: ignore[attr-defined]  # set by the scope's middleware
        return self.page(
            request,
            person=person,
            line=line,
            form=form,
            invitation=_invitation(person) if line.is_expected else None,
            myself=person.pk == request.user.pk,
        )


def _invitation(person: User) -> dict[str, str] | None:
    """Until when an invitation is good, in words; None for whoever has set a password."""
    if person.has_usable_password():
        return None
    link = password_links.open_invitation(person)
    if link is None or link.expires_at <= clock.now():
        return {"words": "The invitation has ended before it was used."}
    until = f"{link.expires_at.astimezone(clock.LONDON):%H:%M}"
    day = long_date(clock.london_date(link.expires_at))
    return {"words": f"The invitation is good until {until} on {day}."}


class InvitationAgainView(PeopleView):
    """The invitation is sent once more."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """A new link; the one before ends."""
        user: Any = request.user
        try:
            person = people.invite_again(person_id=pk, acting_user=user)
        except people.RoleRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(
                request, f"A new mail is on its way to {person.email}. The link before has ended"
            )
        return self.to_person(organisation, pk)


class InvitationRevokeView(PeopleView):
    """The invitation is taken back."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The link and the roles here end."""
        user: Any = request.user
        try:
            people.revoke_invitation(person_id=pk, acting_user=user)
        except people.RoleRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, "The invitation is taken back. Its link does not work any more")
        return self.to_person(organisation, pk)


class EndRoleView(PeopleView):
    """The end of a role."""

    title = "End a role"
    template_name = "organisations/role_end.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, membership: int) -> HttpResponseBase:
        """The form."""
        person = self.person(pk)
        held = directory.membership_of(current_organisation(), person, membership)
        return self._show(request, person, held, EndRoleForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, membership: int) -> HttpResponseBase:
        """End it."""
        user: Any = request.user
        person = self.person(pk)
        held = directory.membership_of(current_organisation(), person, membership)
        form = EndRoleForm(request.POST)
        if form.is_valid():
            try:
                people.end_role(
                    person_id=person.pk, membership_id=held.pk, last_day=form.last(), acting_user=user
                )
            except people.RoleRefused as refused:
                form.add_error("when", str(refused))
            else:
                messages.success(request, "The end of the role is set")
                return self.to_person(organisation, pk)
        return self._show(request, person, held, form)

    def _show(
        self, request: HttpRequest, person: User, held: Membership, form: EndRoleForm
    ) -> HttpResponseBase:
        line = directory.role_line(held, clock.today())
        return self.page(request, person=person, line=line, form=form)


class DisableView(PeopleView):
    """The end of everything a person may do here, at once."""

    title = "End all access"
    template_name = "organisations/person_disable.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The question."""
        person = self.person(pk)
        return self.page(request, person=person, myself=person.pk == request.user.pk)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Do it."""
        user: Any = request.user
        try:
            person = people.disable(person_id=pk, acting_user=user)
        except people.RoleRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"All access of {person.full_name} here has ended")
        return self.to_person(organisation, pk)


class ResetSecondFactorView(PeopleView):
    """Reset a person's second factor after checking who they are."""

    act = "second_factor.reset"
    fresh_second_factor = True
    title = "Reset the second step"
    template_name = "organisations/second_factor_reset.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form. One's own is not there."""
        user: Any = request.user
        return self.page(request, person=self._other(pk, user), form=ResetSecondFactorForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Reset it."""
        user: Any = request.user
        form = ResetSecondFactorForm(request.POST)
        if not form.is_valid():
            return self.page(request, person=self._other(pk, user), form=form)
        person = second_factor.reset(person_id=pk, acting_user=user, **form.cleaned_data)
        messages.success(
            request,
            f"The second step of {person.full_name} is reset. They set up a new one when they sign in.",
        )
        return self.to_person(organisation, pk)

    def _other(self, pk: UUID, user: User) -> User:
        person = self.person(pk)
        second_factor.refuse_own(person, user)
        return person


registry.navigation.add(
    "people",
    {
        "words": "People",
        "url": lambda slug: reverse("organisations:people", args=[slug]),
        "act": PeopleView.act,
    },
)
registry.navigation.add(
    "access-review",
    {
        "words": "Access review",
        "url": lambda slug: reverse("organisations:access-review", args=[slug]),
        "act": "access.review",
    },
)
