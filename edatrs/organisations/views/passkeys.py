"""One's own passkeys: added, named, removed; and the page for whoever needs one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core.views import SECOND_FACTOR_AT
from edatrs.organisations import passkeys
from edatrs.organisations.forms.sign_in import PasskeyForm
from edatrs.organisations.services import second_factor
from edatrs.organisations.services.second_factor import PasskeyRefused
from edatrs.organisations.views import common
from edatrs.organisations.views.set_up import NOT_MADE, keep_to_show
from edatrs.organisations.views.sign_in import has_confirmed

# Whoever has a passkey and needs one shows it before another is added: a code alone must not open that door.
SHOW_IT = "Confirm with a passkey you have before you add another: your role needs one"


class PasskeysView(common.SignedInView):
    """The passkeys of a person, and a form for one more."""

    template_name = "organisations/passkeys.html"
    fresh = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The list and the form."""
        return self._show(request, PasskeyForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Add one."""
        user: Any = request.user
        form = PasskeyForm(request.POST)
        if self._must_show(request):
            form.add_error(None, SHOW_IT)
        if not form.is_valid():
            return self._show(request, form, status=422)
        made: list[WebAuthnCredential] = []

        def make() -> WebAuthnCredential:
            answer = request.POST.get(passkeys.PASSKEY, "")
            made.append(passkeys.register(request, answer, form.cleaned_data["name"]))
            return made[0]

        try:
            codes = second_factor.add_passkey(acting_user=user, make=make)
        except passkeys.BadAnswer:
            form.add_error(None, NOT_MADE)
            return self._show(request, form, status=422)
        # It was made just now, with the person checked: that is showing it.
        has_confirmed(request, made[0], passkeys.PASSKEY)
        messages.success(request, f"The passkey “{made[0].name}” is added")
        if codes:
            keep_to_show(request, codes)
            return common.to("recovery-codes", next=common.safe_next(request))
        wanted = common.safe_next(request)
        return HttpResponseRedirect(wanted) if wanted else common.to("passkeys")

    @staticmethod
    def _must_show(request: HttpRequest) -> bool:
        user: Any = request.user
        shown = request.session.get(passkeys.FACTOR) == passkeys.PASSKEY
        return not shown and passkeys.must_have(user) and bool(passkeys.of(user))

    def _show(self, request: HttpRequest, form: PasskeyForm, status: int = 200) -> HttpResponse:
        user: Any = request.user
        must_show = self._must_show(request)
        return self.page(
            request,
            status=status,
            form=form,
            held=passkeys.of(user),
            has_app=common.app_in_use(user) is not None,
            needed=passkeys.must_have(user),
            must_show=must_show,
            passkey="" if must_show else passkeys.ask_to_register(request),
            next=common.safe_next(request),
        )


class PasskeyNeededView(common.SignedInView):
    """For whoever acts in a role that needs a passkey and has shown none: show it, or make one."""

    template_name = "organisations/passkey_needed.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """What is needed and why; whoever has shown one goes on."""
        user: Any = request.user
        if request.session.get(passkeys.FACTOR) == passkeys.PASSKEY or not passkeys.must_have(user):
            return common.after_sign_in(user, common.safe_next(request))
        return self.page(request, has_passkey=bool(passkeys.of(user)), next=common.safe_next(request))


class RemovePasskeyView(common.SignedInView):
    """One of one's own passkeys is taken away."""

    http_method_names = ["post", "options"]
    fresh = True

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Remove it, never the last second factor."""
        user: Any = request.user
        try:
            second_factor.remove_passkey(acting_user=user, passkey_id=pk)
        except PasskeyRefused as refused:
            messages.error(request, str(refused))
            return common.to("passkeys")
        messages.success(request, "The passkey is removed")
        # The session may stand on the one that is gone: the other factor is asked for again.
        request.session.pop(SECOND_FACTOR_AT, None)
        request.session.pop(passkeys.FACTOR, None)
        return common.to("passkeys")
