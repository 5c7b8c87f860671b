"""Discharge with its checks, and opening an episode again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import closure, episode_page, present, selectors, speaking
from caseload.address import OUTCOMES
from caseload.forms.episodes import DischargeForm, ReopenForm
from caseload.models import Client, Episode
from caseload.record import TREATMENT
from caseload.recorded import Recorded, Stale
from caseload.sections import list_items
from caseload.services import entries, episode_acts, episodes
from caseload.services.items import Refused
from caseload.views.base import ClientPage
from caseload.views.episode_forms import SectionView, rows_of, to_episode
from caseload.views.record_form import same_client, version_in
from edatrs.organisations.drafted import words_of
from edatrs.organisations.services import drafts


class DischargeView(SectionView):
    """The discharge of an episode. What is not in order is said before; an open intervention refuses, the rest may be overruled."""

    draft = "caseload.episode.discharge"
    draft_words = "Discharge"
    template_name = "caseload/episode_discharge.html"
    save_words = "Discharge"

    def section_key(self) -> str:
        """Discharge."""
        return episode_acts.DISCHARGE

    def open(self, request: HttpRequest) -> Client:
        """With the interventions that are open. Raises Denied."""
        client = super().open(request)
        self.interventions = episode_acts.open_interventions(self.episode)
        self.closing = self.episode.discharged_on is None
        return client

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> DischargeForm:
        """The items of the discharge, the open interventions, and the reason for closing in spite of checks."""
        return DischargeForm(
            data,
            interventions=self.interventions,
            closing=self.closing,
            items=self.items,
            letter=episodes.letter_of(self.episode),
            recorded=recorded.values,
            heading="Discharge" if self.closing else "Discharge: correct it",
            unchecked=unchecked,
        )

    def refused(self) -> tuple[type[Exception], ...]:
        """Checks that nobody overruled, an intervention left open."""
        return (Refused,)

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """Close, with the interventions that were ticked. Raises Refused while a check is neither put right nor overruled."""
        overruled: list[str] = []
        if self.closing and values.get("DISD") is not None:
            overruled = [check.key for check in self.checks(form, values)]
            unseen = set(overruled) - set(request.POST.getlist("seen"))
            if overruled and (unseen or not form.cleaned_data["anyway"]):
                raise Refused(
                    "Put right what the checks name, or enter why it is closed all the same", "anyway"
                )
        user: Any = request.user
        return episode_acts.close_episode(
            episode=self.episode,
            values=values,
            version=version,
            ending=form.ending(),
            overruled=overruled,
            reason=form.cleaned_data["anyway"],
            acting_user=user,
        )

    def saved(
        self, request: HttpRequest, client: Client, changed: Any, values: dict[str, Any]
    ) -> HttpResponseBase:
        """Back to the episode."""
        if self.closing and values.get("DISD") is not None and changed:
            messages.success(request, "Discharged. The episode can be opened again from its page.")
            self.say_rules(request, client, values)
            return HttpResponseRedirect(self.leave_to(client))
        return super().saved(request, client, changed, values)

    def checks(self, form: Any, values: dict[str, Any]) -> list[closure.Check]:
        """What is not in order, with what is typed put over what is recorded."""
        context = episodes.context_of(self.episode)
        record = speaking.record_of(self.episode) | values
        dataset = self.episode.service.dataset
        tops = entries.entries_of(self.episode, OUTCOMES) if self._has_tops(dataset, context.letter) else []
        mine = (self.draft, self.draft_object())
        held = [d for d in drafts.open_on(self.episode.client_id) if (d.form, d.object) != mine]
        self.other_drafts = [{"words": words_of(d.form), "url": d.address} for d in held]
        return closure.checks(
            closure.Facts(
                day=values.get("DISD"),
                consent=self.episode.consent,
                has_tops=self._has_tops(dataset, context.letter),
                started=any(e.get("MODST") for e in record["interventions"]),
                exit_tops=tuple(t.completed_on for t in tops if t.stage == "E"),
                drafts=len(held),
                errors=[e for e in speaking.failures(record, context) if e.stops and self._typed(e, values)],
            )
        )

    @staticmethod
    def _has_tops(dataset: str, letter: str) -> bool:
        return bool(list_items(OUTCOMES, dataset, letter))

    @staticmethod
    def _typed(said: Any, values: dict[str, Any]) -> bool:
        """Whether an error counts now: before anything is typed those of the discharge itself do not."""
        return bool(values.get("DISD")) or not any(item.name in values for item in said.items)

    def groups(self, form: Any, says: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        """The items; the interventions and the reason have places of their own."""
        return [{"title": "", "rows": rows_of(form, says, [i.name for i in self.items])}]

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """With the checks and their links."""
        made = super().more(client, recorded, form)
        values = dict(recorded.values)
        if form.is_bound:
            values = self.make_form(client, recorded, form.data).typed()
        found = self.checks(form, values) if self.closing else []
        slug, pk = self.kwargs["organisation"], self.episode.pk
        ends = [
            {"tick": form[f"end_{row.pk}"], "exit": form[f"exit_{row.pk}"], "started": row.started_on}
            for row in self.interventions
        ]
        consent = episode_page.route("consent:ndtms-episode", slug, client.pk, pk)
        return made | {
            "checks": found,
            "ends": ends,
            "closing": self.closing,
            "other_drafts": getattr(self, "other_drafts", []),
            "consent_url": consent or episode_page.route("consent:ndtms", slug, client.pk),
            "top_url": episode_page.route("caseload:top-new", slug, client.pk, pk),
            "reopen_url": reverse("caseload:episode-reopen", args=[slug, client.pk, pk]),
        }


class ReopenView(ClientPage):
    """Open a closed episode again, with a reason: date, reason and destination are taken out and stay in the history."""

    act = "client.edit"
    category = TREATMENT
    title = "Open the episode again"
    template_name = "caseload/episode_reopen.html"
    part = "episodes"
    shows = ("identity", TREATMENT)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def get(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """What will happen, and the reason."""
        client = self.client(pk)
        found = episodes.get_episode(client, episode)
        return self._show(request, client, found, ReopenForm(ended=episode_acts.ended_with(found)))

    def post(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """Do it."""
        client = self.client(pk)
        same_client(request, client, self.act)
        found = episodes.get_episode(client, episode)
        form = ReopenForm(request.POST, ended=episode_acts.ended_with(found))
        if not form.is_valid():
            return self._show(request, client, found, form, status=422)
        user: Any = request.user
        try:
            episode_acts.reopen_episode(
                episode=found,
                reason=form.cleaned_data["reason"],
                again=[UUID(pk) for pk in form.cleaned_data.get("again", [])],
                version=version_in(request),
                acting_user=user,
            )
        except Refused as refused:
            messages.warning(request, str(refused))
            return HttpResponseRedirect(to_episode(organisation, found))
        except Stale:
            messages.warning(
                request, "Somebody changed the discharge after you opened this page. Look at it again."
            )
            return self._show(request, client, found, form, status=409)
        messages.success(request, "The episode is open again. What stood before is in the history.")
        return HttpResponseRedirect(to_episode(organisation, found))

    def _show(
        self, request: HttpRequest, client: Client, episode: Episode, form: ReopenForm, *, status: int = 200
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            version=episode.version,
            episode=present.episode_row(episode),
            leave_to=to_episode(self.kwargs["organisation"], episode),
        )
