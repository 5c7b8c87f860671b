"""The governance officer's search of the trail, its check and its export. What is asked for goes in the body: it may be about a client."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from audit import checking, heads, selectors, words
from audit.export import export_chain
from audit.forms import TrailForm
from edatrs.core import access, registry
from edatrs.core.views import OrganisationView

VERIFIER = Path(__file__).parent / "verifier" / "verify_trail.py"


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
            heads=selectors.heads_state(),
            under_way=checking.is_under_way(),
        )


class CheckTrailView(OrganisationView):
    """Whether the own chain is whole, when signed heads left last, and what is needed to check both outside."""

    act = "trail.verify"
    area = "trail"
    title = "Check the trail"
    template_name = "audit/check.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """What was found last; no entry is shown."""
        return self.page(
            request,
            state=selectors.chain_state(),
            heads=selectors.heads_state(),
            under_way=checking.is_under_way(),
            key=heads.public_key().hex(),
            may_read=access.may("trail.search"),
        )

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A worker checks it; the page says what came of it."""
        user: Any = request.user
        if checking.ask(acting_user=user):
            messages.success(
                request, "The trail is being checked. Load this page again in a moment to see what was found."
            )
        else:
            messages.info(request, "The trail is being checked already.")
        return HttpResponseRedirect(reverse("audit:trail-check", args=[organisation]))


class ExportTrailView(OrganisationView):
    """The whole chain for its governance officer, to be checked outside. Who may only check the trail may not read it."""

    act = "trail.search"
    area = "trail"
    fresh_second_factor = True

    def back_to(self, request: HttpRequest) -> str:
        """To the page that has the button."""
        return reverse("audit:trail-check", args=[request.resolver_match.kwargs["organisation"]])  # type: ignore[union-attr]

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The file as an attachment; the export is an entry."""
        made = export_chain()
        return FileResponse(
            made.file, as_attachment=True, filename=made.name, content_type="application/jsonl; charset=utf-8"
        )


class VerifierView(OrganisationView):
    """The program that checks exports and signed heads outside."""

    act = "trail.verify"
    area = "trail"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """One file of Python."""
        return FileResponse(
            VERIFIER.open("rb"), as_attachment=True, content_type="text/x-python; charset=utf-8"
        )


class PublicKeyView(OrganisationView):
    """The public key of the signed heads."""

    act = "trail.verify"
    area = "trail"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """64 hexadecimal digits."""
        return HttpResponse(
            heads.public_key().hex() + "\n",
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="edatrs-trail-key.txt"'},
        )


class NewestHeadsView(OrganisationView):
    """The newest signed statement of the heads, to hold against a partner's copy."""

    act = "trail.verify"
    area = "trail"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The statement as it lies outside the database; back to the page where none was made yet."""
        newest = selectors.newest_statement()
        if newest is None:
            messages.info(request, "No signed head has left yet. The first is made within a minute.")
            return HttpResponseRedirect(reverse("audit:trail-check", args=[organisation]))
        number, line = newest
        return HttpResponse(
            line,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{number:012d}.heads"'},
        )
