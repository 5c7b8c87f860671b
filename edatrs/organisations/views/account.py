"""One's own account, and the choice of the organisation one acts for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from edatrs.core import clock
from edatrs.organisations import directory, passkeys
from edatrs.organisations.address import address_of
from edatrs.organisations.clearances import standing_of
from edatrs.organisations.forms.sign_in import ChangePasswordForm, ChooseOrganisationForm
from edatrs.organisations.held import held_everywhere
from edatrs.organisations.selectors import organisations_of
from edatrs.organisations.services import attempts, people, second_factor, sign_in
from edatrs.organisations.views import common
from edatrs.organisations.views.set_up import keep_to_show


class ChooseOrganisationView(common.SignedInView):
    """Which organisation one acts for. What is remembered is only the choice last made."""

    template_name = "organisations/choose.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The choice, with the one last used chosen."""
        return self._show(request, None)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Remember it, and go there."""
        user: Any = request.user
        mine = organisations_of(user, clock.today())
        form = ChooseOrganisationForm(request.POST, organisations=mine)
        if not form.is_valid():
            return self._show(request, form)
        chosen = next(o for o in mine if o.slug == form.cleaned_data["organisation"])
        people.remember_organisation(acting_user=user, organisation=chosen)
        request.session.cycle_key()
        home = common.home_of(chosen)
        wanted = common.safe_next(request)
        return HttpResponseRedirect(wanted if wanted.startswith(home) else home)

    def _show(self, request: HttpRequest, form: ChooseOrganisationForm | None) -> HttpResponseBase:
        user: Any = request.user
        mine = organisations_of(user, clock.today())
        if form is None:
            last = next((o.slug for o in mine if o.pk == user.last_organisation_id), None)
            chosen = last or (next(iter(mine)).slug if len(mine) == 1 else None)
            form = ChooseOrganisationForm(organisations=mine, initial={"organisation": chosen})
        return self.page(
            request,
            form=form,
            mine=mine,
            ended=directory.ended_roles(user, clock.today()),
            held_back=held_everywhere(user),
            last=attempts.last_sign_in(user.email),
            next=common.safe_next(request),
        )


class AccountView(common.SignedInView):
    """What the system knows of one's own sign-in, and what one can do about it."""

    template_name = "organisations/account.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The page."""
        user: Any = request.user
        today = clock.today()
        held = directory.organisations_by_date(user, today)
        return self.page(
            request,
            standings=[(o.name, standing_of(o, user.pk, today)) for o in held],
            mine={o: ", ".join(roles) for o, roles in organisations_of(user, today).items()},
            last=attempts.last_sign_in(user.email),
            recent=attempts.recent(user.email),
            left=user.recovery_codes.filter(used_at__isnull=True).count(),
            app=common.app_in_use(user),
            keys=passkeys.of(user),
            needs_passkey=passkeys.must_have(user),
        )


class ChangePasswordView(common.SignedInView):
    """A new password in place of the present one."""

    template_name = "organisations/change_password.html"
    fresh = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form."""
        return self.page(request, form=ChangePasswordForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Every other session ends; this one goes on under a new id."""
        user: Any = request.user
        form = ChangePasswordForm(request.POST)
        if not form.is_valid():
            return self.page(request, form=form)
        try:
            done = sign_in.change_password(
                acting_user=user,
                current=form.cleaned_data["current"],
                new=form.cleaned_data["password"],
                address=address_of(request),
            )
        except ValidationError as error:
            form.add_error("password", error)
            return self.page(request, form=form)
        if not done:
            form.add_error("current", "Enter your present password. This one is not right.")
            return self.page(request, form=form)
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed. You are signed out everywhere else.")
        return common.to("account")


class NewRecoveryCodesView(common.SignedInView):
    """New recovery codes in place of the old ones."""

    http_method_names = ["post", "options"]
    fresh = True

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Make them, and show them once."""
        user: Any = request.user
        keep_to_show(request, second_factor.replace_recovery_codes(acting_user=user))
        return common.to("recovery-codes", next=self.back_to())


class SignOutEverywhereView(common.SignedInView):
    """The end of every session of one's own."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Here too."""
        user: Any = request.user
        sign_in.sign_out_everywhere(acting_user=user)
        logout(request)
        return common.to("sign-in", ended="everywhere")
