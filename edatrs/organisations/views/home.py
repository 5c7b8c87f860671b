"""The start page of an organisation: its areas, and what one has been told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from edatrs.core.scope import current_organisation, current_scope
from edatrs.core.views import OrganisationView
from edatrs.organisations import directory
from edatrs.organisations.services import attempts, people
from edatrs.organisations.views import common


class HomeView(OrganisationView):
    """Areas and own tasks."""

    act = "tasks.own"
    title = "Start"
    template_name = "organisations/home.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The page."""
        user: Any = request.user
        scope = current_scope()
        return self.page(
            request,
            tasks=directory.tasks_of(user, current_organisation(), scope.roles),
            last=attempts.last_sign_in(user.email),
        )


class TaskDoneView(OrganisationView):
    """A task is done."""

    act = "tasks.own"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Mark it; it must be one's own."""
        user: Any = request.user
        people.task_done(task_id=pk, acting_user=user)
        return HttpResponseRedirect(common.home_of(request.organisation))  # type: ignore[attr-defined]  # set by the scope's middleware

    def back_to(self, request: HttpRequest) -> str:
        """The start page."""
        return common.home_of(request.organisation)  # type: ignore[attr-defined]  # set by the scope's middleware
