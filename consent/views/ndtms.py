"""Ask a client about NDTMS and record the answer as an act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.models import Client, Episode
from caseload.selectors import episodes_of
from consent import selectors, services, statements
from consent.forms import NOT_NOW, DecisionForm
from consent.views.base import ConsentPage, called, effects, episode_rows, number_in, page_key
from edatrs.core import clock
from edatrs.organisations.choices import DataSet
from edatrs.organisations.drafted import DraftedView


class ConsentStartView(ConsentPage):
    """The way in from the record: to the episode to ask about first, or the words that there is none."""

    title = "NDTMS consent"
    template_name = "consent/no_episode.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """On to an episode."""
        client = self.client(pk)
        episode = selectors.first_to_ask(list(episodes_of(client)))
        if episode is None:
            return self.client_page(request, client)
        return HttpResponseRedirect(reverse("consent:ndtms-episode", args=[organisation, pk, episode.pk]))


class ConsentView(DraftedView, ConsentPage):
    """What to say, what was done, the answer, and the history of every episode."""

    title = "Ask about NDTMS"
    template_name = "consent/ndtms.html"
    draft = "consent.ndtms"
    draft_words = "NDTMS consent"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before an answer. Raises Denied."""
        client = self.client(self.kwargs["pk"])
        self.same_client(request, client)
        self.episode_in(client)

    def get(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """The page of one episode, with what was typed and not sent."""
        client = self.client(pk)
        asked = self.episode_in(client)
        typed = self.typed(request)
        form = self._form(client, asked, typed, unchecked=typed is not None)
        return self._show(request, client, asked, form, version=self.version_typed(selectors.seen_of(asked)))

    def post(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """Record the answer, or say what is missing, or what came in between. Sent twice, it records once."""
        client = self.client(pk)
        asked = self.episode_in(client)
        self.same_client(request, client)
        form = self._form(client, asked, request.POST, request.FILES)
        version = number_in(request)
        if form.is_valid():
            try:
                recorded = self._record(
                    request, asked, form.cleaned_data, services.Sent(page_key(request), version)
                )
            except services.DecisionRefused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            except services.Superseded:
                self.begin_again(request)
                return self._show(request, client, asked, form, status=409, version=selectors.seen_of(asked))
            else:
                back = reverse("consent:ndtms-episode", args=[organisation, client.pk, asked.pk])
                return HttpResponseRedirect(f"{back}?recorded={recorded}")
        return self._show(request, client, asked, form, status=422, version=version or 0)

    def _record(
        self, request: HttpRequest, episode: Episode, data: dict[str, Any], sent: services.Sent
    ) -> str:
        """Record. What was recorded, for the page that says what happens next."""
        user: Any = request.user
        if data["answer"] == NOT_NOW:
            services.record_not_now(
                episode=episode, asked_on=data["decided_on"], note=data["note"], acting_user=user, sent=sent
            )
            return NOT_NOW
        act = services.record_ndtms_decision(
            episode=episode,
            decision=data["answer"],
            decided_on=data["decided_on"],
            method=data["method"],
            statement_version=statements.statement_on(data["decided_on"]).version,
            statement_said=data["said"],
            leaflet_given=data["leaflet"],
            questions_answered=data["questions"],
            acting_user=user,
            competence=data.get("competence", ""),
            competence_note=data.get("competence_note", ""),
            permission_by=data.get("permission_by", ""),
            permission_relation=data.get("permission_relation", ""),
            young_person_knows=data.get("young_person_knows"),
            form=data["signed_form"],
            sent=sent,
        )
        return str(act.pk)

    @staticmethod
    def _form(
        client: Client, episode: Episode, data: Any, files: Any = None, *, unchecked: bool = False
    ) -> DecisionForm:
        return DecisionForm(
            data,
            files,
            unchecked=unchecked,
            young_person=episode.service.dataset == DataSet.YOUNG_PEOPLE,
            called=called(client),
            hints=effects(episode, selectors.held_of([episode.pk]).get(episode.pk)),
            initial={"decided_on": clock.today()},
        )

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        episode: Episode,
        form: DecisionForm,
        *,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        episodes = list(episodes_of(client))
        rows = {row["id"]: row for row in episode_rows(episodes)}
        return self.with_history(
            request,
            client,
            episodes,
            status=status,
            episode=rows[episode.pk],
            others=[row for pk, row in rows.items() if pk != episode.pk],
            form=form,
            statement=statements.statement_on(clock.today()),
            recorded=self._recorded(request, client, episode),
            **context,
        )

    @staticmethod
    def _recorded(request: HttpRequest, client: Client, episode: Episode) -> dict[str, Any] | None:
        """What was recorded just now, and what happens next."""
        said = request.GET.get("recorded", "")
        if not said or request.method != "GET":
            return None
        if said == NOT_NOW:
            return {
                "title": "Kept: asked, and no answer yet",
                "text": "Nothing is sent. The record goes on saying that consent is missing, so that it is asked again.",
            }
        try:
            act = selectors.get_act(client, UUID(said))
        except ValueError:
            return None
        words = effects(act.episode, selectors.held_of([act.episode_id]).get(act.episode_id))
        return {
            "title": "The answer is recorded: " + ("yes" if act.decision == "Y" else "no"),
            "text": words[act.decision],
            "act": act.pk,
        }
