"""For somebody who cannot sign in: a link by mail, and the page that it leads to."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from edatrs.core.views import PublicView
from edatrs.organisations.forms.sign_in import AskForLinkForm, NewPasswordForm
from edatrs.organisations.services import password_links
from edatrs.organisations.views import common


class CannotSignInView(PublicView):
    """Ask for a link."""

    public_because = "somebody who has forgotten the password cannot sign in"
    template_name = "organisations/cannot_sign_in.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form, or the answer."""
        return self.page(request, form=AskForLinkForm(), sent="sent" in request.GET)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """The same answer, whoever it is."""
        form = AskForLinkForm(request.POST)
        if not form.is_valid():
            return self.page(request, form=form, sent=False)
        password_links.ask(email=form.cleaned_data["email"])
        return common.to("cannot-sign-in", sent="1")


class NewPasswordView(PublicView):
    """Set a password with a link. It signs nobody in: the password and the second factor come after."""

    public_because = "the link is the permission, once"
    template_name = "organisations/new_password.html"

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """The form. Looking does not use the link up."""
        link = password_links.find(token)
        if link is None:
            return self._ended(request)
        return self.page(request, form=NewPasswordForm(), invited=link.purpose == link.Purpose.INVITATION)

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Set it, once."""
        form = NewPasswordForm(request.POST)
        link = password_links.find(token)
        if link is None:
            return self._ended(request)
        if form.is_valid():
            try:
                if not password_links.use(token=token, password=form.cleaned_data["password"]):
                    return self._ended(request)
                return common.to("sign-in", ended="password")
            except ValidationError as error:
                form.add_error("password", error)
        return self.page(request, form=form, invited=link.purpose == link.Purpose.INVITATION)

    def _ended(self, request: HttpRequest) -> HttpResponseBase:
        """Not an error of the address: no refusal is recorded, and so the token stands nowhere."""
        return self.page(request, status=410, ended=True)
