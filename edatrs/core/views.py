"""Base views: a page of an organisation cannot exist without the act it performs (style rule 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views import View

from edatrs.core import access, clock
from edatrs.core.scope import current_organisation

SECOND_FACTOR_AT = "second_factor_at"
# Told of every page about people that was shown, by the name of its route, at the end of its request.
_shown: list[Callable[[str], None]] = []


def when_shown(listener: Callable[[str], None]) -> None:
    """Register who keeps that a page about people was shown (T10: reads are complete)."""
    if listener not in _shown:
        _shown.append(listener)


def second_factor_is_fresh(request: HttpRequest) -> bool:
    """Whether the second factor was given within FRESH_SECOND_FACTOR_SECONDS (T11)."""
    at = request.session.get(SECOND_FACTOR_AT)
    return at is not None and 0 <= clock.now().timestamp() - float(at) < settings.FRESH_SECOND_FACTOR_SECONDS


def _refuse_null_bytes(request: HttpRequest) -> None:
    """No person types one and PostgreSQL holds none: what carries one was not made by our pages. Raises SuspiciousOperation (400)."""
    sent = [*request.GET.lists(), *request.POST.lists()]
    if any("\x00" in text for name, values in sent for text in (name, *values)):
        raise SuspiciousOperation("a null byte was sent")


class PublicView(View):
    """A page that is open without an organisation: why it may be is said in `public_because`."""

    public_because: ClassVar[str] = ""
    template_name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.public_because:
            raise TypeError(f"{cls.__name__} must say in public_because why it needs no organisation")

    def page(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        """The view's template with a context."""
        return render(request, self.template_name, {"view": self, **context}, status=status)


class OrganisationView(View):
    """A page under /o/<organisation>/. `act` is a row of the access table; `abstract` bases may leave it out.

    `by` are the letters of that row which open it: those of one's own things unless said otherwise. `changing_act`, where set, is what any
    method but GET and HEAD needs instead. `fresh_second_factor` asks for the second factor again
    when it is older than the limit, for every method.
    """

    act: ClassVar[str] = ""
    changing_act: ClassVar[str] = ""
    category: ClassVar[str] = ""
    by: ClassVar[Iterable[str]] = access.OWN
    fresh_second_factor: ClassVar[bool] = False
    template_name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    area: ClassVar[str] = ""

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract and not cls.act:
            raise TypeError(f"{cls.__name__} must name the act it performs (a row of the access table)")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Role × act first, then the freshness of the second factor, then the method. Raises Denied."""
        current_organisation()
        _refuse_null_bytes(request)
        reading = request.method in ("GET", "HEAD", "OPTIONS")
        act = self.act if reading or not self.changing_act else self.changing_act
        access.require(act, self.category, by=self.by)
        if self.fresh_second_factor and not second_factor_is_fresh(request):
            back = request.get_full_path() if request.method == "GET" else self.back_to(request)
            return HttpResponseRedirect(f"{settings.CONFIRM_URL}?{urlencode({'next': back})}")
        response = super().dispatch(request, *args, **kwargs)
        if request.method in ("GET", "POST") and response.status_code == 200 and access.of_people(act):
            for listener in _shown:
                listener(request.resolver_match.view_name if request.resolver_match else "")
        return response

    def back_to(self, request: HttpRequest) -> str:
        """Where to return after the second factor was asked for in the middle of a change."""
        return request.path

    def page(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        """The view's template with a context."""
        return render(request, self.template_name, {"view": self, **context}, status=status)
