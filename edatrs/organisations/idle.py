"""Ends a sign-in that nobody uses, and every one after twelve hours (security.md, T12).

What a page does by itself does not count as use: autosave (header `X-Autosave: 1`) and views with `extends_session = False`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from edatrs.core import clock
from edatrs.organisations.drafted import keep_typed

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
IDLE = "idle"
LONG = "long"
# Written at most so often: a page with several requests writes its session once.
_GRAIN = 15


def begin(request: HttpRequest) -> None:
    """Start both clocks, at sign-in."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = clock.now().timestamp()


def _has_clocks(request: HttpRequest) -> bool:
    return SIGNED_IN_AT in request.session and SEEN_AT in request.session


class IdleMiddleware:
    """Stands after django-otp's middleware and before the scope's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Sign out whoever's time is over, before anything is looked at."""
        if (
            not request.path_info.startswith(("/static/", "/livez", "/readyz"))
            and request.user.is_authenticated
        ):
            if not _has_clocks(request):
                begin(request)  # however it was begun, no sign-in is without an end
            why = _over(request)
            if why:
                # What the form sent is kept as its author's draft, with every check of the page; it cannot be saved any more.
                answer = signed_out(request, why)
                if keep_typed(request):
                    self.get_response(request)
                logout(request)
                return answer
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Remember that somebody was here, unless the page asked by itself."""
        by_itself = request.headers.get("X-Autosave") == "1" or not getattr(
            getattr(view, "view_class", None), "extends_session", True
        )
        if request.user.is_authenticated and not by_itself:
            now = clock.now().timestamp()
            if now - request.session.get(SEEN_AT, 0) >= _GRAIN:
                request.session[SEEN_AT] = now


def left(request: HttpRequest) -> tuple[int, int]:
    """Seconds until this sign-in ends without use, and until it ends in any case; both 0 or more."""
    now = clock.now().timestamp()
    idle = request.session.get(SEEN_AT, now) + settings.SESSION_IDLE_SECONDS - now
    long = request.session.get(SIGNED_IN_AT, now) + settings.SESSION_COOKIE_AGE - now
    return max(0, int(idle)), max(0, int(long))


def _over(request: HttpRequest) -> str:
    """Why the sign-in is over, or nothing."""
    now = clock.now().timestamp()
    if now - request.session[SIGNED_IN_AT] >= settings.SESSION_COOKIE_AGE:
        return LONG
    return IDLE if now - request.session[SEEN_AT] >= settings.SESSION_IDLE_SECONDS else ""


def signed_out(request: HttpRequest, why: str) -> HttpResponseBase:
    """To sign-in and back; what a page asked by itself gets a 401 with the address."""
    asked = {"next": _back(request)} | ({"ended": why} if why else {})
    address = f"{settings.LOGIN_URL}?{urlencode(asked, safe='/')}"
    if request.headers.get("HX-Request") or request.headers.get("X-Autosave"):
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = address
    else:
        answer = HttpResponseRedirect(address)
    answer["Cache-Control"] = "no-store"
    return answer


def _back(request: HttpRequest) -> str:
    """Where to go on after signing in again: this page, or the page whose form was sent."""
    if request.method == "GET" and not request.headers.get("HX-Request"):
        return request.get_full_path()
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if came_from and url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
        parts = urlsplit(came_from)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "/"
