"""Signing in: password, second factor, and out again."""

from __future__ import annotations

from typing import Any

import django_otp
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django_otp.models import Device

from edatrs.core import clock
from edatrs.core.views import SECOND_FACTOR_AT, PublicView
from edatrs.organisations import idle, passkeys
from edatrs.organisations.address import address_of
from edatrs.organisations.forms.sign_in import CodeForm, RecoveryForm, SignInForm
from edatrs.organisations.models import SignInAttempt
from edatrs.organisations.selectors import organisations_of
from edatrs.organisations.services import second_factor, sign_in
from edatrs.organisations.views import common

WRONG_PASSKEY = "The passkey could not be checked. Try again, or use another way"
_BACKEND = "django.contrib.auth.backends.ModelBackend"
# What happened before, in words; a word that is not here says nothing.
ENDED = {
    idle.IDLE: ("You were signed out because nothing happened for 15 minutes", "What you had saved is kept."),
    idle.LONG: (
        "You were signed out because you had been signed in for 12 hours",
        "What you had saved is kept.",
    ),
    "out": ("You are signed out", ""),
    "everywhere": ("You are signed out on every device", ""),
    "password": ("Your new password is set", "Sign in with it. You need your authenticator app too."),
}


class StartView(PublicView):
    """The address without anything behind it: to sign-in, to the organisation last acted for, or to choose one."""

    public_because = "only leads on"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing is shown here."""
        user: Any = request.user
        if not user.is_authenticated:
            return common.to("sign-in")
        if not user.is_verified():
            return common.ask_second_factor(user, "")
        mine = list(organisations_of(user, clock.today()))
        last = next((o for o in mine if o.pk == user.last_organisation_id), None)
        if last is None and len(mine) == 1:
            last = mine[0]
        return HttpResponseRedirect(common.home_of(last)) if last else common.to("choose")


class SignInView(PublicView):
    """E-mail address and password."""

    public_because = "signing in"
    template_name = "organisations/sign_in.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form; whoever has given the password already goes on."""
        user: Any = request.user
        if user.is_authenticated:
            wanted = common.safe_next(request)
            return (
                common.after_sign_in(user, wanted)
                if user.is_verified()
                else common.ask_second_factor(user, wanted)
            )
        return self._show(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check both together."""
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._show(request, form)
        user = sign_in.check_password(**form.cleaned_data, address=address_of(request))
        if user is None:
            form.refuse()
            return self._show(request, form)
        login(request, user, backend=_BACKEND)
        for key in (SECOND_FACTOR_AT, django_otp.DEVICE_ID_SESSION_KEY, passkeys.FACTOR):
            request.session.pop(key, None)
        idle.begin(request)
        return common.ask_second_factor(user, common.safe_next(request))

    def _show(self, request: HttpRequest, form: SignInForm) -> HttpResponse:
        said, more = ENDED.get(request.GET.get("ended", ""), ("", ""))
        return self.page(request, form=form, next=common.safe_next(request), said=said, more=more)


def has_confirmed(request: HttpRequest, device: Device, factor: str) -> None:
    """Remember in the session, under a new id, that the second factor was given now, and which.

    Whoever has shown a passkey in this session stays one who has, whatever confirms it later.
    """
    request.session.cycle_key()
    django_otp.login(request, device)
    request.session[SECOND_FACTOR_AT] = clock.now().timestamp()
    if request.session.get(passkeys.FACTOR) != passkeys.PASSKEY:
        request.session[passkeys.FACTOR] = factor


class ConfirmView(common.HalfSignedInView):
    """The second factor: after the password, and again before what must not be done from a forgotten screen."""

    template_name = "organisations/confirm.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form."""
        return self._show(request, CodeForm(), RecoveryForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """A passkey, a code of the app, or a recovery code."""
        if passkeys.PASSKEY in request.POST:
            return self._passkey(request)
        by_recovery = "recovery" in request.POST
        form: CodeForm | RecoveryForm = (RecoveryForm if by_recovery else CodeForm)(request.POST)
        app = self._use(request, form) if form.is_valid() else None
        if app is None:
            if form.is_valid():
                form.refuse()
            return self._show(request, *((CodeForm(), form) if by_recovery else (form, RecoveryForm())))
        return self._go_on(request, app, "recovery_code" if by_recovery else "authenticator_app")

    def _passkey(self, request: HttpRequest) -> HttpResponseBase:
        user: Any = request.user
        shown = second_factor.confirm_passkey(
            acting_user=user,
            address=address_of(request),
            step=self._step(user),
            check=lambda: passkeys.confirm(request, request.POST[passkeys.PASSKEY]),
        )
        if shown is None:
            return self._show(request, CodeForm(), RecoveryForm(), wrong=WRONG_PASSKEY)
        return self._go_on(request, shown, passkeys.PASSKEY)

    def _go_on(self, request: HttpRequest, device: Device, factor: str) -> HttpResponseBase:
        user: Any = request.user
        if not user.is_verified():
            sign_in.complete(user=user, factor=factor)
        has_confirmed(request, device, factor)
        return common.after_sign_in(user, common.safe_next(request))

    def _use(self, request: HttpRequest, form: CodeForm | RecoveryForm) -> Device | None:
        user: Any = request.user
        return second_factor.confirm(
            acting_user=user, address=address_of(request), step=self._step(user), **form.cleaned_data
        )

    @staticmethod
    def _step(user: Any) -> SignInAttempt.Step:
        steps = SignInAttempt.Step
        return steps.CONFIRMATION if user.is_verified() else steps.SECOND_FACTOR

    def _show(self, request: HttpRequest, form: Any, recovery: Any, *, wrong: str = "") -> HttpResponseBase:
        user: Any = request.user
        has_passkey = bool(passkeys.of(user))
        has_app = common.app_in_use(user) is not None
        if not has_app and not has_passkey:
            return common.to("set-up", next=common.safe_next(request))
        return self.page(
            request,
            form=recovery if recovery.errors else form,
            code=form,
            recovery=recovery,
            next=common.safe_next(request),
            left=user.recovery_codes.filter(used_at__isnull=True).count(),
            has_app=has_app,
            passkey=passkeys.ask_to_confirm(request) if has_passkey else "",
            needs_passkey=has_passkey and passkeys.must_have(user),
            wrong=wrong,
            has_errors=bool(wrong),
            again=user.is_verified(),
        )


class SignOutView(PublicView):
    """The end of this session."""

    public_because = "signing out"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """End the session here."""
        user: Any = request.user
        if user.is_authenticated:
            if user.is_verified():
                sign_in.sign_out(acting_user=user)
            logout(request)
        return common.to("sign-in", ended="out")
