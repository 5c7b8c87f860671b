"""Ask a client about NDTMS and record the answer as an act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present
from caseload.models import Client, Episode
from caseload.selectors import episodes_of
from caseload.views.base import ClientPage
from consent import selectors, services, statements
from consent.forms import NOT_NOW, DecisionForm
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.organisations.choices import DataSet


class ConsentView(ClientPage):
    """NDTMS consent of each episode with the history, and the form to record an answer for one."""

    act = "consent.ndtms.record"
    category = ""
    title = "NDTMS consent"
    template_name = "consent/ndtms.html"
    part = "consent"
    shows = ("identity", "treatment")

    def client(self, pk: UUID) -> Client:
        """The one in the address."""
        if not access.may("client.view", "treatment"):
            raise Denied("client.view", "role")
        return super().client(pk)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; ?episode= chooses one, else the first to ask about."""
        client = self.client(pk)
        episodes = list(episodes_of(client))
        episode = self._chosen(episodes, request.GET.get("episode", ""))
        form = self._form(episode, None) if episode else None
        return self._show(request, client, episodes, episode, form)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Record the answer. The client in the form must be the one in the address: two tabs must not mix."""
        client = self.client(pk)
        episodes = list(episodes_of(client))
        episode = next((e for e in episodes if str(e.pk) == request.POST.get("episode", "")), None)
        if episode is None or request.POST.get("client") != str(client.pk):
            raise Denied(self.act, "the form is of another client", subject=str(client.pk))
        form = self._form(episode, request.POST)
        if form.is_valid():
            try:
                self._record(request, episode, form.cleaned_data)
            except services.DecisionRefused as refused:
                form.add_error("answer", str(refused))
        if not form.is_valid():
            return self._show(request, client, episodes, episode, form, status=422)
        return HttpResponseRedirect(reverse("consent:ndtms", args=[organisation, client.pk]))

    def _record(self, request: HttpRequest, episode: Episode, data: dict[str, Any]) -> None:
        user: Any = request.user
        if data["answer"] == NOT_NOW:
            services.record_not_now(episode=episode, asked_on=data["decided_on"], acting_user=user)
            messages.success(request, "Kept: asked, and no answer yet. Nothing is sent.")
            return
        services.record_ndtms_decision(
            episode=episode,
            decision=data["answer"],
            decided_on=data["decided_on"],
            method=data["method"],
            statement_version=statements.statement_on(data["decided_on"]).version,
            leaflet_given=data["leaflet"],
            questions_answered=data["questions"],
            acting_user=user,
            competence=data.get("competence", ""),
            competence_note=data.get("competence_note", ""),
            permission_by=data.get("permission_by", ""),
            permission_relation=data.get("permission_relation", ""),
        )
        effect = (
            "It goes into the next file."
            if data["answer"] == "Y"
            else "It takes effect when the next file is sent."
        )
        messages.success(request, f"The answer is recorded. {effect}")

    @staticmethod
    def _chosen(episodes: list[Episode], wanted: str) -> Episode | None:
        return next((e for e in episodes if str(e.pk) == wanted), None) or selectors.first_to_ask(episodes)

    @staticmethod
    def _form(episode: Episode, data: Any) -> DecisionForm:
        young = episode.service.dataset == DataSet.YOUNG_PEOPLE
        return DecisionForm(data, young_person=young, initial={"decided_on": clock.today()})

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        episodes: list[Episode],
        episode: Episode | None,
        form: DecisionForm | None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            episodes=[present.episode_row(e) for e in episodes],
            episode=present.episode_row(episode) if episode else None,
            form=form,
            statement=statements.statement_on(clock.today()),
            history=selectors.history_of(client),
        )
