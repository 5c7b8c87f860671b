"""A withdrawal, in two steps: which wish and which episodes; what will happen, and the act. Also the letter for other services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload.dataset.window import next_due, window_start
from caseload.models import Client, Episode
from caseload.selectors import episodes_of
from consent import rules, selectors, services, statements
from consent.choices import Wish
from consent.forms import ELSEWHERE, WithdrawForm
from consent.models import ConsentAct
from consent.sharing import partners, present
from consent.sharing.sources import read
from consent.views.base import ConsentPage, called, number_in, page_key, period
from consent.views.papers import PRINTED
from edatrs.core import access, clock, trail
from edatrs.core.dates import long_date
from edatrs.organisations.drafted import DraftedView


class WithdrawView(DraftedView, ConsentPage):
    """Take back the yes of some or all episodes at this organisation, at once and as new acts (O-135 to O-143)."""

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
        """The wishes, and every episode here, ticked for the one that is about all."""
        client = self.client(pk)
        episodes = list(episodes_of(client))
        typed = self.typed(request)
        form = self._form(client, episodes, typed, unchecked=typed is not None)
        version = self.version_typed(selectors.seen_of_client(client))
        return self._show(request, client, episodes, form, version=version)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """First what will happen; sent from there (`confirmed`), all acts together, or none. Sent twice, it records once."""
        client = self.client(pk)
        self.same_client(request, client)
        episodes = list(episodes_of(client))
        sent = services.Sent(page_key(request), number_in(request))
        back = HttpResponseRedirect(reverse("consent:ndtms", args=[organisation, client.pk]))
        if sent.key and ConsentAct.objects.filter(client=client, form_key=sent.key).exists():
            return back
        form = self._form(client, episodes, request.POST, request.FILES)
        confirmed = request.POST.get("confirmed") == "1"
        if request.POST.get("wish") == ELSEWHERE:
            return HttpResponseRedirect(reverse("consent:letter", args=[organisation, client.pk]))
        version = sent.seen or 0
        if not form.is_valid():
            checking = confirmed and set(form.errors) == {"signed_form"}
            return self._show(request, client, episodes, form, status=422, version=version, checking=checking)
        if not confirmed or request.POST.get("back") == "1":
            checking = not confirmed
            return self._show(request, client, episodes, form, version=version, checking=checking)
        try:
            done = self._withdraw(request, client, form, sent)
        except services.DecisionRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self._show(request, client, episodes, form, status=422, version=version)
        except services.Superseded:
            self.begin_again(request)
            seen = selectors.seen_of_client(client)
            return self._show(request, client, episodes, form, status=409, version=seen)
        messages.success(request, self._next(done))
        return back

    @staticmethod
    def _withdraw(
        request: HttpRequest, client: Client, form: WithdrawForm, sent: services.Sent
    ) -> list[ConsentAct]:
        user: Any = request.user
        data = form.cleaned_data
        return services.withdraw(
            client=client,
            chosen={UUID(pk) for pk in form.chosen},
            decided_on=data["decided_on"],
            method=data["method"],
            statement_version=statements.statement_on(data["decided_on"]).version,
            left_out_reason=data["left_out_reason"],
            form=data["signed_form"],
            acting_user=user,
            wish=Wish(data["wish"]),
            sent=sent,
        )

    @staticmethod
    def _next(done: list[ConsentAct]) -> str:
        held = selectors.held_of([act.episode_id for act in done])
        many = "1 episode" if len(done) == 1 else f"{len(done)} episodes"
        due = long_date(next_due(clock.today()))
        told = (
            f"NDTMS is told with the next file, due {due}, to take out what it holds; that takes effect once the file is loaded. "
            "How far it went stands on this page."
            if held
            else "NDTMS may hold none of it, so nothing is sent."
        )
        return f"The withdrawal is recorded for {many}. {told}"

    @staticmethod
    def _form(
        client: Client, episodes: list[Episode], data: Any, files: Any = None, *, unchecked: bool = False
    ) -> WithdrawForm:
        offered = [e for e in episodes if e.consent != "N"]
        held = selectors.held_of([e.pk for e in offered])
        hints = {}
        for e in offered:
            since = held.get(e.pk)
            hints[str(e.pk)] = (
                f"NDTMS may hold it since {long_date(since.date())}. It is told with the next file of {e.service.agency_code}"
                if since
                else "Agreed, and never sent"
                if e.consent == "Y"
                else "Nobody asked and it was never sent. It is recorded as no, so that nobody sends it by mistake"
            )
        choices = {
            e.pk: (str(e.pk), f"Episode {e.episode_id} {period(e)} ({e.service.agency_code})")
            for e in offered
        }
        return WithdrawForm(
            data,
            files,
            unchecked=unchecked,
            agreed=[choices[e.pk] for e in offered if e.consent == "Y"],
            episodes=list(choices.values()),
            hints=hints,
            called=called(client),
            organisation=client.organisation.name,
            initial={"decided_on": clock.today(), "episodes": [str(e.pk) for e in offered]},
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
        checking: bool = False,
    ) -> HttpResponse:
        offered = [e for e in episodes if e.consent != "N"]
        agreed = [e for e in episodes if e.consent == "Y"]
        held = selectors.held_of([e.pk for e in episodes])
        effects = what_happens(episodes, {UUID(pk) for pk in form.chosen}, held) if checking else None
        return self.with_history(
            request,
            client,
            episodes,
            status=status,
            form=form,
            version=version,
            registrations=_registrations(agreed, held),
            nothing_left=not offered,
            effects=effects,
            hidden=_hidden(form) if checking else [],
            in_writing=checking and form.cleaned_data.get("method") == "written",
            due=next_due(clock.today()),
            shares_with=shares_with(client),
        )


def what_happens(episodes: list[Episode], chosen: set[UUID], held: dict[UUID, Any]) -> dict[str, Any]:
    """What a withdrawal does to each episode: what stands now, what will once it is recorded, and what NDTMS does when it loads the next
    monthly file; and which agreed ones go with it although they were left (O-143).
    """
    start = window_start(clock.today())
    withdrawn = [e for e in episodes if e.pk in chosen]
    left = [e for e in episodes if e.consent == "Y" and e.pk not in chosen]
    pulled = rules.pulled_along(withdrawn, left, held, start)
    told = {e.registration_id for e in withdrawn if e.pk in held}
    rows = []
    for e in episodes:
        if e.pk in chosen:
            then = "Withdrawn" if e.consent == "Y" else "No"
            later = "Removed" if e.pk in held else "Nothing there to remove"
        else:
            then = {"Y": "Yes", "N": "No"}.get(e.consent, "Not asked")
            later = "Stays as it is"
            if e in pulled:
                later = "Removed too, unless a full file is sent"
            elif e.consent != "Y" and e.pk in held and e.registration_id in told:
                later = "Removed"
        now = {"Y": "Yes", "N": "No"}.get(e.consent, "Not asked")
        rows.append({"episode": e, "period": period(e), "now": now, "then": then, "later": later})
    return {"rows": rows, "pulled": [f"Episode {e.episode_id} {period(e)}" for e in pulled], "start": start}


def _hidden(form: WithdrawForm) -> list[tuple[str, str]]:
    """What was chosen, to be sent again with the act; the signed form is chosen last."""
    date = [f"decided_on_{part}" for part in ("day", "month", "year")]
    names = ["wish", "only", "episodes", "left_out_reason", "method", *date]
    data: Any = form.data
    return [(name, value) for name in names for value in data.getlist(name)]


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


def shares_with(client: Client) -> list[str]:
    """The partners that the client shares the record with, by name: for whoever may see that (O-142)."""
    if not access.may("grant.view"):
        return []
    granted = set(present.granted(client)) | read(client, evidence=False).recipients
    return [partner.name for partner in partners.partners() if partner.pk in granted]


class LetterView(ConsentPage):
    """A letter that the client can take to another service (W4 to W6, O-142). Nothing is sent, and nobody is told."""

    title = "Letter to another service"
    template_name = "consent/letter.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The letter, with lines for the name of the service: who it is for is written by hand."""
        client = self.client(pk)
        trail.record(PRINTED, subject=str(client.pk), details={"what": "letter"})
        return self.client_page(
            request, client, called=called(client), shares_with=shares_with(client), today=clock.today()
        )
