"""A mistake: a new act, that says first what it does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.models import Client
from caseload.selectors import episodes_of
from consent import rules, selectors, services
from consent.forms import ErrorForm
from consent.models import ConsentAct
from consent.views.base import ConsentPage, episode_rows
from edatrs.core.access import Denied
from edatrs.core.dates import long_date


class ErrorView(ConsentPage):
    """Mark an act as recorded in error: it stays in the history with a reason, and the answer before it counts again."""

    title = "Recorded in error"
    template_name = "consent/recorded_in_error.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, consent_act: UUID) -> HttpResponseBase:
        """What it was, and what would count afterwards."""
        client, act = self._found(pk, consent_act)
        return self._show(request, client, act, ErrorForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, consent_act: UUID) -> HttpResponseBase:
        """Mark it. Sent twice, it is marked once."""
        client, act = self._found(pk, consent_act)
        self.same_client(request, client)
        back = HttpResponseRedirect(reverse("consent:ndtms-episode", args=[organisation, pk, act.episode_id]))
        if hasattr(act, "invalidation"):
            return back
        form = ErrorForm(request.POST)
        user: Any = request.user
        if form.is_valid():
            try:
                services.invalidate(consent_act=act, reason=form.cleaned_data["reason"], acting_user=user)
            except services.DecisionRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"Marked as recorded in error. {_stands(act)}")
                return back
        return self._show(request, client, act, form, status=422)

    def _found(self, pk: UUID, consent_act: UUID) -> tuple[Client, ConsentAct]:
        client = self.client(pk)
        act = selectors.get_act(client, consent_act)
        if act.episode.voided_at is not None:
            raise Denied(self.act, "not found", subject=str(consent_act))
        return client, act

    def _show(
        self, request: HttpRequest, client: Client, act: ConsentAct, form: ErrorForm, *, status: int = 200
    ) -> HttpResponse:
        episodes = list(episodes_of(client))
        row = next((r for r in episode_rows(episodes) if r["id"] == act.episode_id), None)
        return self.with_history(
            request,
            client,
            episodes,
            status=status,
            form=form,
            consent_act=act,
            done=getattr(act, "invalidation", None),
            episode=row,
            stands=_stands(act),
        )


def _stands(act: ConsentAct) -> str:
    """Which answer counts on the episode without this act."""
    others = [other for other in selectors.counting(act.episode) if getattr(other, "pk", None) != act.pk]
    left = rules.latest(others)
    if left is None:
        return "Nobody has been asked about this episode then, and nothing of it is sent."
    words = "Yes" if left.decision == "Y" else "No"
    effect = "and it goes into the next file" if left.decision == "Y" else "and nothing of it is sent"
    return f"The answer that counts is then: {words}, {long_date(left.decided_on)}, {effect}."
