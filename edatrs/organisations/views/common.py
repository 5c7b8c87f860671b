"""What the pages of sign-in share: where to go on, and who may come in."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from edatrs.core import clock
from edatrs.core.views import PublicView, second_factor_is_fresh
from edatrs.organisations.models import AuthenticatorApp, Organisation, User
from edatrs.organisations.selectors import organisations_of
from edatrs.organisations.services.second_factor import has_any

LONGEST_NEXT = 2000


def safe_next(request: HttpRequest) -> str:
    """The page to go on to, if it is one of ours; else nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if not wanted.startswith("/") or len(wanted) > LONGEST_NEXT:
        return ""
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def to(name: str, *args: Any, next: str = "", **query: str) -> HttpResponseRedirect:
    """Go to one of our pages."""
    asked = {**query, **({"next": next} if next else {})}
    address = reverse(f"organisations:{name}", args=args)
    return HttpResponseRedirect(f"{address}?{urlencode(asked)}" if asked else address)


def home_of(organisation: Organisation) -> str:
    """The start page of an organisation."""
    return reverse("organisations:home", args=[organisation.slug])


def after_sign_in(user: User, next: str) -> HttpResponseRedirect:
    """Where somebody goes who has just shown both factors: on, or to their organisation, or to choose one."""
    if next:
        return HttpResponseRedirect(next)
    mine = list(organisations_of(user, clock.today()))
    return HttpResponseRedirect(home_of(mine[0])) if len(mine) == 1 else to("choose")


def app_in_use(user: User) -> AuthenticatorApp | None:
    """The authenticator app of a person, once it is set up."""
    return AuthenticatorApp.objects.filter(user=user, confirmed=True).first()


def ask_second_factor(user: User, next: str) -> HttpResponseRedirect:
    """To the second factor: to set it up, when there is none."""
    return to("confirm" if has_any(user) else "set-up", next=next)


class HalfSignedInView(PublicView):
    """A page for whoever has given their password: the second factor itself."""

    public_because = "one's own second factor: holds nothing of an organisation"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only with the password given."""
        if not request.user.is_authenticated:
            return to("sign-in", next=safe_next(request))
        return super().dispatch(request, *args, **kwargs)


class SignedInView(PublicView):
    """A page about oneself, for whoever has given both factors; `fresh` asks for the second one again when it is old."""

    public_because = "one's own sign-in: holds nothing of an organisation"
    fresh: ClassVar[bool] = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only with both factors."""
        user: Any = request.user
        here = request.get_full_path() if request.method == "GET" else self.back_to()
        if not user.is_authenticated:
            return to("sign-in", next=here)
        if not user.is_verified():
            return ask_second_factor(user, here)
        if self.fresh and not second_factor_is_fresh(request):
            return HttpResponseRedirect(f"{settings.CONFIRM_URL}?{urlencode({'next': here})}")
        return super().dispatch(request, *args, **kwargs)

    def back_to(self) -> str:
        """Where to go on when the second factor was asked for in the middle of a change."""
        return reverse("organisations:account")
