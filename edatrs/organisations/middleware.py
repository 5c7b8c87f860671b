"""Opens the scope of a request: who acts, for which organisation, when. Writes what was refused to the trail before the answer leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve

from edatrs.core import clock, errors, refusals
from edatrs.core.access import Denied
from edatrs.core.scope import Actor, Scope, open_scope
from edatrs.organisations import left, passkeys
from edatrs.organisations.held import held_page
from edatrs.organisations.idle import signed_out
from edatrs.organisations.models import Membership
from edatrs.organisations.selectors import held_organisations, memberships_on

_ORGANISATION = re.compile(r"^/o/(?P<slug>[-a-zA-Z0-9_]+)/")
# Answers without the database or for everyone: no scope is opened.
_OUTSIDE = ("/livez", "/readyz", "/static/")


class _Undo(Exception):
    """Leaves the scope so that it rolls back; the answer is already made."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


class ScopeMiddleware:
    """One scope, in one transaction, per request; rights are read from the database every time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open the scope, answer, and make sure that what failed leaves nothing behind."""
        if request.path_info.startswith(_OUTSIDE):
            return self._no_store(request, self.get_response(request))
        match = _ORGANISATION.match(request.path_info)
        user: Any = request.user  # django-otp adds is_verified
        if match and not (user.is_authenticated and user.is_verified()):
            return self._no_store(request, signed_out(request, ""))
        if match:
            held = list(memberships_on(user, clock.today()).filter(organisation__slug=match["slug"]))
            if not held:
                return self._no_store(request, self._stranger(request, match["slug"]))
            if passkeys.is_missing(request, (m.role for m in held)):
                return self._no_store(request, passkeys.ask_for_it(request))
            answer = self._in_scope(request, held)
        else:
            answer = self._in_scope(request, [])
        return self._no_store(request, answer)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember what a view raised: Django turns it into an answer before it reaches us again."""
        request.edatrs_raised = exception  # type: ignore[attr-defined]  # read in _in_scope, of the same request

    def _in_scope(self, request: HttpRequest, held: list[Membership]) -> HttpResponseBase:
        scope: Scope | None = None
        user = request.user if not isinstance(request.user, AnonymousUser) else None
        organisation = held[0].organisation if held else None
        request.organisation = organisation  # type: ignore[attr-defined]  # for templates and views: the one in the address
        try:
            with open_scope(
                actor=Actor.PERSON,
                organisation_id=organisation.pk if organisation else None,
                organisation_label=organisation.slug if organisation else "",
                person_id=user.pk if user else None,
                person_label=user.full_name if user else "",
                roles=frozenset(m.role for m in held),
                reads_only=request.method in ("GET", "HEAD"),
            ) as scope:
                request.scope = scope  # type: ignore[attr-defined]  # for templates
                response = self.get_response(request)
                if getattr(request, "edatrs_raised", None) is not None or response.status_code >= 500:
                    raise _Undo(response)
                return response
        except _Undo as undone:
            raised = getattr(request, "edatrs_raised", None)
            if scope is not None and isinstance(raised, Http404 | PermissionDenied):
                refusals.record(scope, raised, self._route(request), self._subject(request))
            return left.page_for(request, raised) or undone.response

    def _stranger(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Somebody asks in the name of an organisation that is not theirs, or that does not exist: one answer, and a line on the trail.

        Whose role there is held by training or a check is told so, whatever the page: they know that they work there.
        """
        user: Any = request.user
        held = next((o for o in held_organisations(user, clock.today()) if o.slug == slug), None)
        scope = Scope(
            actor=Actor.PERSON,
            organisation_id=held.pk if held else None,
            organisation_label=held.slug if held else "",
            person_id=user.pk,
            person_label=user.full_name,
        )
        why = "training or a check is out of date" if held else "no role there today"
        refusals.record(scope, Denied("organisation.enter", why, subject=slug), self._route(request), "")
        return held_page(request, held) if held else errors.not_found(request)

    @staticmethod
    def _route(request: HttpRequest) -> str:
        try:
            found = request.resolver_match or resolve(request.path_info)
        except Resolver404:
            return "unknown"
        return found.view_name or "unnamed"

    @staticmethod
    def _subject(request: HttpRequest) -> str:
        match = request.resolver_match
        # `pk` is what the page is about: it comes first and becomes the subject on the trail.
        ids = (
            sorted((k != "pk", k, str(v)) for k, v in match.kwargs.items() if k != "organisation")
            if match
            else []
        )
        return ",".join(text for _, _, text in ids)

    @staticmethod
    def _no_store(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Nothing of a signed-in page is kept by a browser or between."""
        if not request.path_info.startswith("/static/"):
            response["Cache-Control"] = "no-store"
        return response
