"""A change of mind and a mistake: both are new acts, and say first what they do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.models import Client, Episode
from caseload.selectors import episodes_of
from consent import rules, selectors, services, statements
from consent.forms import ErrorForm, WithdrawForm
from consent.models import ConsentAct
from consent.views.base import ConsentPage, called, episode_rows, number_in, page_key, period
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.organisations.drafted import DraftedView


class WithdrawView(DraftedView, ConsentPage):
    """Take back the yes of some or all episodes at this organisation, at once and as new acts."""

    title = "Withdraw NDTMS consent"
    template_name = "consent/withdraw.html"
    draft = "consent.withdraw"

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before a withdrawal. Raises Denied."""
        self.same_client(request, self.client(self.kwargs["pk"]))

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What would happen, and every episode at yes, ticked."""
        client = self.client(pk)
        episodes = list(episodes_of(client))
        typed = self.typed(request)
        form = self._form(client, episodes, typed, unchecked=typed is not None)
        version = self.version_typed(selectors.seen_of_client(client))
        return self._show(request, client, episodes, form, version=version)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """All of them together, or none. Sent twice, it records once."""
        client = self.client(pk)
        self.same_client(request, client)
        episodes = list(episodes_of(client))
        sent = services.Sent(page_key(request), number_in(request))
        back = HttpResponseRedirect(reverse("consent:ndtms", args=[organisation, client.pk]))
        if sent.key and ConsentAct.objects.filter(client=client, form_key=sent.key).exists():
            return back
        form = self._form(client, episodes, request.POST, request.FILES)
        if form.is_valid():
            try:
                done = self._withdraw(request, client, form.cleaned_data, sent)
            except services.DecisionRefused as refused:
                form.add_error(None, str(refused))
            except services.Superseded:
                self.begin_again(request)
                return self._show(
                    request, client, episodes, form, status=409, version=selectors.seen_of_client(client)
                )
            else:
                messages.success(request, self._next(done))
                return back
        return self._show(request, client, episodes, form, status=422, version=sent.seen or 0)

    @staticmethod
    def _withdraw(
        request: HttpRequest, client: Client, data: dict[str, Any], sent: services.Sent
    ) -> list[ConsentAct]:
        user: Any = request.user
        return services.withdraw(
            client=client,
            chosen={UUID(pk) for pk in data["episodes"]},
            decided_on=data["decided_on"],
            method=data["method"],
            statement_version=statements.statement_on(data["decided_on"]).version,
            left_out_reason=data["left_out_reason"],
            form=data["signed_form"],
            acting_user=user,
            sent=sent,
        )

    @staticmethod
    def _next(done: list[ConsentAct]) -> str:
        held = selectors.held_of([act.episode_id for act in done])
        many = "1 episode" if len(done) == 1 else f"{len(done)} episodes"
        told = (
            "NDTMS is told with the next file to take out what it holds; that takes effect once the file is loaded."
            if held
            else "NDTMS may hold none of it, so nothing is sent."
        )
        return f"The withdrawal is recorded for {many}. {told}"

    @staticmethod
    def _form(
        client: Client, episodes: list[Episode], data: Any, files: Any = None, *, unchecked: bool = False
    ) -> WithdrawForm:
        agreed = [e for e in episodes if e.consent == "Y"]
        held = selectors.held_of([e.pk for e in agreed])
        hints = {}
        for e in agreed:
            since = held.get(e.pk)
            hints[str(e.pk)] = (
                f"NDTMS may hold it since {long_date(since.date())}. It is told with the next file of {e.service.agency_code}."
                if since
                else "Never sent. Nothing more happens than that it stays here."
            )
        return WithdrawForm(
            data,
            files,
            unchecked=unchecked,
            episodes=[
                (str(e.pk), f"Episode {e.episode_id} {period(e)} ({e.service.agency_code})") for e in agreed
            ],
            hints=hints,
            called=called(client),
            initial={"decided_on": clock.today(), "episodes": [str(e.pk) for e in agreed]},
        )

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        episodes: list[Episode],
        form: WithdrawForm,
        *,
        status: int = 200,
        version: int,
    ) -> HttpResponse:
        agreed = [e for e in episodes if e.consent == "Y"]
        held = selectors.held_of([e.pk for e in agreed])
        return self.with_history(
            request,
            client,
            episodes,
            status=status,
            form=form,
            version=version,
            registrations=_registrations(agreed, held),
            none_agreed=not agreed,
        )


def _registrations(agreed: list[Episode], held: dict[UUID, Any]) -> list[dict[str, Any]]:
    """The registrations of which something may be held: a withdrawal is about a registration (contract section 4)."""
    found: dict[UUID, dict[str, Any]] = {}
    for e in agreed:
        row = found.setdefault(
            e.registration_id,
            {
                "client_id": e.registration.client_id_text,
                "agency": e.service.agency_code,
                "service": e.service.name,
                "held": 0,
                "episodes": 0,
            },
        )
        row["episodes"] += 1
        row["held"] += e.pk in held
    return list(found.values())


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
