"""The review of access: for the organisation administrator and the governance officer. No client data."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView
from edatrs.organisations import access_review
from edatrs.organisations.choices import Role
from edatrs.organisations.services import access_review as reviews

PAGE = 100


class AccessReviewView(OrganisationView):
    """Everybody with access, with what needs a look; and the mark that it was looked at."""

    act = "access.review"
    area = "access-review"
    title = "Access review"
    template_name = "organisations/access_review.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list: what needs a look, or all."""
        return self._show(request)

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Mark the chosen people as reviewed."""
        user: Any = request.user
        try:
            chosen = [UUID(text) for text in request.POST.getlist("person")]
        except ValueError:
            raise Denied(self.act, "no id of a person") from None
        try:
            marked = reviews.mark(people=chosen, acting_user=user)
        except reviews.ReviewRefused as refused:
            return self._show(request, wrong=str(refused), chosen=set(map(str, chosen)), status=422)
        messages.success(
            request, f"{marked} {'person is' if marked == 1 else 'people are'} marked as reviewed today"
        )
        return HttpResponseRedirect(reverse("organisations:access-review", args=[organisation]))

    def _show(
        self, request: HttpRequest, *, wrong: str = "", chosen: set[str] | None = None, status: int = 200
    ) -> HttpResponseBase:
        show, role = request.GET.get("show", ""), request.GET.get("role", "")
        everybody = access_review.lines(request.organisation, clock.now(), clock.today())  # type: ignore[attr-defined]  # set by the scope's middleware
        lines = [line for line in everybody if show == "all" or line.look]
        if role:
            lines = [line for line in lines if any(r.membership.role == role for r in line.roles)]
        return self.page(
            request,
            status=status,
            lines=Paginator(lines, PAGE).get_page(request.GET.get("page")),
            everybody=len(everybody),
            looks=sum(bool(line.look) for line in everybody),
            show=show,
            role=role,
            all_roles=Role.choices,
            wrong=wrong,
            has_errors=bool(wrong),
            chosen=chosen or set(),
            kept_days=access_review.KEPT_DAYS,
            administers=access.may("people.manage"),
        )
