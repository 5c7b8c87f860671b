"""The governance officer's search of the trail. What is asked for goes in the body: it may be about a client."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from audit import checking, selectors, words
from audit.forms import TrailForm
from edatrs.core import access, registry
from edatrs.core.views import OrganisationView


class TrailView(OrganisationView):
    """The organisation's trail, newest first; each page of it is itself an entry."""

    act = "trail.search"
    area = "trail"
    title = "Trail"
    template_name = "audit/trail.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The newest entries."""
        return self._show(request, self._form())

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """What was asked for, or the page before it."""
        form = self._form(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        subjects: list[UUID] = []
        if form.cleaned_data["about"]:
            subjects = [
                pk for _, kind in registry.trail_subjects for pk in kind.find(form.cleaned_data["about"])
            ]
            if not subjects:
                form.add_error(
                    "about",
                    "No record of this organisation has this number or client ID. Check it; a record number begins with R",
                )
                return self._show(request, form, status=422)
        before = request.POST.get("before", "")
        return self._show(
            request,
            form,
            subjects=subjects,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
        )

    @staticmethod
    def _form(data: Any = None) -> TrailForm:
        return TrailForm(data, people=selectors.actors(), kinds=words.kinds())

    def _show(
        self,
        request: HttpRequest,
        form: TrailForm,
        *,
        subjects: list[UUID] | None = None,
        before: int | None = None,
        status: int = 200,
    ) -> HttpResponse:
        entries: list[words.Told] | None = None
        older = None
        asked: dict[str, Any] = {}
        if status == 200:
            asked = form.cleaned_data if form.is_bound else {}
            page = selectors.search(
                name=asked.get("what") or "",
                actor_id=UUID(asked["who"]) if asked.get("who") else None,
                since=asked.get("since"),
                until=asked.get("until"),
                subjects=subjects or (),
                before=before,
            )
            entries, older = words.told(page.entries), page.older
        return self.page(
            request,
            status=status,
            form=form,
            entries=entries,
            older=older,
            before=before,
            narrowed=any(asked.values()),
            state=selectors.chain_state(),
            under_way=checking.is_under_way(),
        )


class CheckTrailView(OrganisationView):
    """Have the own chain verified."""

    act = "trail.verify"
    area = "trail"

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A worker does it; the page says what came of it."""
        user: Any = request.user
        if checking.ask(acting_user=user):
            messages.success(
                request, "The trail is being checked. Load this page again in a moment to see what was found."
            )
        else:
            messages.info(request, "The trail is being checked already.")
        # Platform support may have it checked and may not read it.
        page = "audit:trail" if access.may("trail.search") else "organisations:home"
        return HttpResponseRedirect(reverse(page, args=[organisation]))
