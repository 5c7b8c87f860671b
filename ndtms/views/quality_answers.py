"""Answering a warning that cannot be put right, the list of such answers, and taking one back."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present
from caseload.dataset.rules import RULES
from caseload.services import openings
from caseload.views.record_form import came_from, same_client
from edatrs.core.forms import Form
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.selectors import services_of
from ndtms import desk
from ndtms.models import QualityAnswer
from ndtms.services import answers
from ndtms.views.quality import asked_of, key_of_page, query


class AnswerForm(Form):
    """Which warning, and why it cannot be known. Whether it may be said is for the service."""

    rule = forms.ChoiceField(
        label="What cannot be known?",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what cannot be known",
            "invalid_choice": "This has been put right or answered meanwhile. Choose another, or go back",
        },
    )
    reason = forms.CharField(
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For example: the client was asked twice and does not remember. It is kept with your name",
        error_messages={"required": "Say why it cannot be known"},
    )

    def __init__(self, *args: Any, offered: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [(said.rule_id, said.sentence) for said in offered]  # type: ignore[attr-defined]  # a choice field


class AnswerView(OrganisationView):
    """Say of a warning of an episode that it cannot be known. It leaves the work list, and nothing that is sent changes."""

    act = desk.ACT
    area = "data-quality"
    title = "Cannot be known"
    template_name = "ndtms/quality_answer.html"

    def get(self, request: HttpRequest, organisation: str, episode: UUID) -> HttpResponseBase:
        """?rule= is chosen already."""
        held = desk.reachable(episode)
        offered = answers.answerable(held)
        rule = request.GET.get("rule", "")
        openings.note_opened(client=held.episode.client, panel="quality", categories=["identity"])
        return self._show(request, held, offered, AnswerForm(offered=offered, initial={"rule": rule}))

    def post(self, request: HttpRequest, organisation: str, episode: UUID) -> HttpResponseBase:
        """Keep it, and go back to the same place of the list."""
        held = desk.reachable(episode)
        offered = answers.answerable(held)
        if not offered:
            return self._show(request, held, offered, AnswerForm(offered=offered), status=422)
        same_client(request, held.episode.client, self.act)
        form = AnswerForm(request.POST, offered=offered)
        if not form.is_valid():
            return self._show(request, held, offered, form, status=422)
        user: Any = request.user
        try:
            answers.answer(
                episode_id=episode,
                rule_id=form.cleaned_data["rule"],
                reason=form.cleaned_data["reason"],
                acting_user=user,
            )
        except answers.Refused as refused:
            form.add_error(refused.field, str(refused))
            return self._show(request, held, offered, form, status=422)
        messages.success(
            request, "Kept. It is off the work list, and comes back when something of it changes."
        )
        return HttpResponseRedirect(self._back(request))

    def _back(self, request: HttpRequest) -> str:
        slug = self.kwargs["organisation"]
        return came_from(request, slug) or reverse("ndtms:data-quality", args=[slug])

    def _show(
        self, request: HttpRequest, held: Any, offered: list[Any], form: AnswerForm, *, status: int = 200
    ) -> HttpResponse:
        episode = held.episode
        return self.page(
            request,
            status=status,
            form=form,
            offered=offered,
            client=episode.client,
            name=present.name_of(episode.client),
            client_id=episode.registration.client_id_text,
            episode=episode.episode_id,
            agency=episode.service.agency_code,
            stopping=[RULES[rule].words for rule in held.errors if rule in RULES],
            came_from=came_from(request, self.kwargs["organisation"]),
            leave_to=self._back(request),
        )


class AnswersView(OrganisationView):
    """What was answered: it stays to be seen, with who, when and why."""

    act = desk.ACT
    area = "data-quality"
    title = "Answered: cannot be known"
    template_name = "ndtms/quality_answers.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?rule= &service= narrow it, ?after= is the next page."""
        asked = asked_of(request.GET)
        rows, more = desk.answered(asked, after=key_of_page(request.GET.get("after", ""), False))
        return self.page(
            request,
            rows=[_row(row) for row in rows],
            asked=asked,
            rules=[
                (rule.id, f"{rule.words} ({rule.id})") for rule in RULES.values() if rule.level != "error"
            ],
            services=[
                (s.agency_code, f"{s.name} ({s.agency_code})") for s in services_of(current_organisation())
            ],
            next=query(asked, after=more) if more else "",
            narrowed=bool(asked.rule or asked.service),
            own_only=not desk.sees_all(),
        )


def _row(row: QualityAnswer) -> dict[str, Any]:
    episode = row.episode
    rule = RULES.get(row.rule)
    at: dt.datetime = row.answered_at
    return {
        "pk": row.pk,
        "client": episode.client_id,
        "name": present.name_of(episode.client),
        "client_id": episode.registration.client_id_text,
        "episode": episode.episode_id,
        "agency": episode.service.agency_code,
        "rule": row.rule,
        "words": rule.words if rule else row.rule,
        "reason": row.reason,
        "by": row.by_label,
        "at": at,
    }


class UndoAnswerView(OrganisationView):
    """Take an answer back."""

    act = desk.ACT
    area = "data-quality"
    title = "Answered: cannot be known"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """It is on the work list again."""
        user: Any = request.user
        answers.undo(answer_id=pk, acting_user=user)
        messages.success(request, "Taken back. It is on the work list again, where it is still a fault.")
        return HttpResponseRedirect(reverse("ndtms:quality-answers", args=[organisation]))
