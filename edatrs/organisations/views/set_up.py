"""Setting up the second factor: the authenticator app, then the recovery codes, shown once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core import crypto
from edatrs.core.views import second_factor_is_fresh
from edatrs.organisations import passkeys
from edatrs.organisations.address import address_of
from edatrs.organisations.forms.sign_in import CodeForm, SavedForm
from edatrs.organisations.models import AuthenticatorApp, User
from edatrs.organisations.services import second_factor, sign_in
from edatrs.organisations.views import common
from edatrs.organisations.views.sign_in import has_confirmed

IN_SET_UP = "set_up_app"
TO_SHOW = "recovery_codes_to_show"
ISSUER = "EDATRS caseload"
FIRST_NAME = "Passkey"
NOT_MADE = "The passkey was not made. Try again, or use an authenticator app"


def keep_to_show(request: HttpRequest, codes: list[str]) -> None:
    """Keep new recovery codes, encrypted, until the person says that they are saved or the session ends."""
    request.session[TO_SHOW] = crypto.encrypt("\n".join(codes))


def _codes_to_show(request: HttpRequest) -> list[str]:
    kept = request.session.get(TO_SHOW)
    return crypto.decrypt(kept).splitlines() if kept else []


def _qr(app: AuthenticatorApp, user: User) -> str:
    """The QR code as an address of an image: our pages allow no style and no script inside them."""
    label = quote(f"{ISSUER}:{user.email}")
    asked = urlencode({"secret": app.secret, "issuer": ISSUER}, quote_via=quote)
    code = segno.make(f"otpauth://totp/{label}?{asked}", error="m")
    return code.svg_data_uri(scale=4, border=2, light="white")


class SetUpView(common.HalfSignedInView):
    """The authenticator app: the first one after the password alone, another one only with the old one, freshly used."""

    template_name = "organisations/set_up.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever has an app must show it first."""
        user: Any = request.user
        has_app = user.is_authenticated and second_factor.has_any(user)
        if has_app and not (user.is_verified() and second_factor_is_fresh(request)):
            return common.to("confirm", next=request.path)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The key, as a picture and in letters."""
        return self._show(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check that the app shows the right codes; or take a passkey in its place."""
        user: Any = request.user
        if passkeys.PASSKEY in request.POST and not second_factor.has_any(user):
            return self._passkey(request)
        form = CodeForm(request.POST)
        done = None
        if form.is_valid():
            done = second_factor.finish_set_up(
                acting_user=user, app_id=request.session.get(IN_SET_UP, 0), code=form.cleaned_data["code"]
            )
        if done is None:
            if form.is_valid():
                form.refuse()
            return self._show(request, form)
        app, codes = done
        if not user.is_verified():
            sign_in.first_time(user=user, address=address_of(request))
        has_confirmed(request, app, "authenticator_app")
        request.session.pop(IN_SET_UP, None)
        keep_to_show(request, codes)
        return common.to("recovery-codes", next=common.safe_next(request))

    def _passkey(self, request: HttpRequest) -> HttpResponseBase:
        """A passkey as the first second step: sign-in ends here, and recovery codes come with it."""
        user: Any = request.user
        made: list[WebAuthnCredential] = []

        def make() -> WebAuthnCredential:
            made.append(passkeys.register(request, request.POST[passkeys.PASSKEY], FIRST_NAME))
            return made[0]

        try:
            codes = second_factor.add_passkey(acting_user=user, make=make)
        except passkeys.BadAnswer:
            return self._show(request, CodeForm(), wrong=NOT_MADE)
        sign_in.first_time(user=user, address=address_of(request), factor=passkeys.PASSKEY)
        has_confirmed(request, made[0], passkeys.PASSKEY)
        keep_to_show(request, codes)
        return common.to("recovery-codes", next=common.safe_next(request))

    def _show(self, request: HttpRequest, form: CodeForm, *, wrong: str = "") -> HttpResponse:
        user: Any = request.user
        app = AuthenticatorApp.objects.filter(
            pk=request.session.get(IN_SET_UP, 0), user=user, confirmed=False
        ).first()
        if app is None:
            app = second_factor.start_set_up(acting_user=user)
            request.session[IN_SET_UP] = app.pk
        key = [app.secret[i : i + 4] for i in range(0, len(app.secret), 4)]
        return self.page(
            request,
            form=form,
            key=" ".join(key),
            qr=_qr(app, user),
            next=common.safe_next(request),
            again=user.is_verified(),
            passkey="" if second_factor.has_any(user) else passkeys.ask_to_register(request),
            wrong=wrong,
            has_errors=bool(wrong),
        )


class RecoveryCodesView(common.SignedInView):
    """The recovery codes, until the person says that they are saved."""

    template_name = "organisations/recovery_codes.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The codes."""
        return self._show(request, SavedForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Forget them."""
        form = SavedForm(request.POST)
        if not form.is_valid():
            return self._show(request, form)
        request.session.pop(TO_SHOW, None)
        user: Any = request.user
        return common.after_sign_in(user, common.safe_next(request))

    def _show(self, request: HttpRequest, form: SavedForm) -> HttpResponseBase:
        codes = _codes_to_show(request)
        if not codes:
            return common.to("account")
        return self.page(request, form=form, codes=codes, next=common.safe_next(request))


class RecoveryCodesFileView(common.SignedInView):
    """The same codes as a text file."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The file, while they are shown."""
        codes = _codes_to_show(request)
        if not codes:
            return common.to("account")
        lines = [
            "EDATRS caseload: recovery codes",
            "Each works once. Keep them away from your computer.",
            "",
            *codes,
            "",
        ]
        answer = HttpResponse("\r\n".join(lines), content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="edatrs-recovery-codes.txt"'
        return answer
