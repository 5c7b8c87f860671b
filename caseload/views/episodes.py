"""The page of an episode; its beginning; episodes entered in error."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import episode_page, present, selectors
from caseload.dataset.reader import load_dictionary
from caseload.forms.clients import ReasonForm
from caseload.forms.episodes import ReferralForm
from caseload.models import Client, Episode, Registration
from caseload.record import TREATMENT
from caseload.sections import items_of
from caseload.services import clients, episode_acts, episodes
from caseload.services.items import Refused, row_of_form
from caseload.views.base import ClientPage
from caseload.views.episode_forms import id_in, to_episode
from caseload.views.record_form import same_client
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.models import Organisation, Service


class EpisodeView(ClientPage):
    """One episode at a glance, with every section and list."""

    title = "Episode"
    template_name = "caseload/episode.html"
    part = "episodes"
    category = TREATMENT
    shows = (
        "identity",
        TREATMENT,
        "circumstances",
        "health",
        "contact",
        "equality",
        "disability",
        "offending",
        "safeguarding",
        "risk",
        "prescribing",
    )

    def get(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """The page; a section that the roles may not see is not there."""
        client = self.client(pk)
        found = episodes.get_episode(client, episode)
        return self.client_page(
            request,
            client,
            episode=present.episode_row(found),
            may_consent=access.may("consent.ndtms.record"),
            **episode_page.page_of(organisation, found, clock.today()),
        )


class EpisodeNewView(DraftedView, ClientPage):
    """A new referral of a client: at a registration, or at a service where the client is registered with it."""

    act = "client.register"
    category = ""
    title = "New referral"
    template_name = "caseload/episode_new.html"
    part = "episodes"
    shows = ("identity", TREATMENT)
    draft = "caseload.episode.new"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before a save. Raises Denied."""
        same_client(request, self.client(self.kwargs["pk"]), self.act)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Where, when there is a choice; then the form."""
        client = self.client(pk)
        typed = self.typed(request)
        places = self._places(client)
        at = (typed.get("at", "") if typed else "") or request.GET.get("at", "")
        place = places[0] if len(places) == 1 else next((p for p in places if p["key"] == at), None)
        if place is None:
            return self._show(request, client, places=places)
        form = self._form(client, place, typed, unchecked=typed is not None)
        return self._show(request, client, place=place, form=form, several=len(places) > 1)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Begin the episode, or say what is wrong. A form sent twice begins one."""
        client = self.client(pk)
        same_client(request, client, self.act)
        form_id = id_in(request, self.act)
        there = Episode.objects.filter(pk=row_of_form(form_id), client=client).first()
        if there is not None:
            messages.info(request, "This form was sent before: the episode has begun.")
            return HttpResponseRedirect(to_episode(organisation, there))
        places = self._places(client)
        place = next((p for p in places if p["key"] == request.POST.get("at")), None)
        if place is None:
            raise Denied(self.act, "the form names no place of the client")
        form = self._form(client, place, request.POST)
        if not form.is_valid():
            return self._show(
                request, client, place=place, form=form, several=len(places) > 1, has_errors=True, status=422
            )
        user: Any = request.user
        try:
            registration = place["registration"] or episode_acts.register_at(
                client=client,
                service=place["service"],
                client_id_text=form.cleaned_data["client_id_text"],
                form_id=form_id,
                acting_user=user,
            )
        except clients.ClientIdTaken as taken:
            form.add_error("client_id_text", str(taken))
            return self._show(request, client, place=place, form=form, several=len(places) > 1, status=422)
        episode, _ = episodes.start_episode(
            form_id=form_id, registration=registration, values=form.values(), acting_user=user
        )
        messages.success(
            request, f"Episode {episode.episode_id} has begun. NDTMS consent and triage come next."
        )
        return HttpResponseRedirect(to_episode(organisation, episode))

    def _places(self, client: Client) -> list[dict[str, Any]]:
        """The registrations of the client, then the services of the organisation without one."""
        organisation: Organisation = self.request.organisation  # type: ignore[attr-defined]  # set by the middleware
        services = list(organisation.services.all())
        held = list(Registration.objects.filter(client=client).select_related("service"))
        held.sort(key=lambda r: (r.service.agency_code, r.client_id_text))
        found: list[dict[str, Any]] = [
            {
                "key": str(r.pk),
                "service": r.service,
                "registration": r,
                "words": f"{r.service}, client ID {r.client_id_text}",
            }
            for r in held
        ]
        known = {r.service_id for r in held}
        return found + [
            {"key": str(s.pk), "service": s, "registration": None, "words": f"{s}, not registered there yet"}
            for s in services
            if s.pk not in known
        ]

    def _form(
        self, client: Client, place: dict[str, Any], data: Any, *, unchecked: bool = False
    ) -> ReferralForm:
        service: Service = place["service"]
        letter = service.letter_on(clock.today(), load_dictionary().default_letter)
        place["open_ones"] = [
            present.episode_row(e)
            for e in selectors.episodes_of(client)
            if e.service_id == service.pk and e.discharged_on is None
        ]
        items = items_of("referral", service.dataset, letter)
        return ReferralForm(
            data,
            items=items,
            letter=letter,
            recorded={i.name: None if i.type == "date" else "" for i in items},
            next_client_id="" if place["registration"] else clients.next_client_id(service),
            open_ones=len(place["open_ones"]),
            unchecked=unchecked,
        )

    def _show(
        self, request: HttpRequest, client: Client, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        slug = self.kwargs["organisation"]
        held = self.typed(request) if request.method == "GET" else None
        return self.client_page(
            request,
            client,
            status=status,
            form_id=request.POST.get("form_id") or (held.get("form_id") if held else None) or uuid4(),
            leave_to=reverse("caseload:client-episodes", args=[slug, client.pk]),
            **context,
        )


class EpisodeVoidView(ClientPage):
    """Take an episode out of use that was entered in error, with a reason."""

    act = "client.void"
    category = ""
    title = "Entered in error"
    template_name = "caseload/episode_void.html"
    part = "episodes"
    shows = ("identity", TREATMENT)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.void")

    def get(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """What will happen, and the reason."""
        client = self.client(pk)
        return self._show(request, client, episodes.get_episode(client, episode), ReasonForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, episode: UUID) -> HttpResponseBase:
        """Do it."""
        client = self.client(pk)
        same_client(request, client, self.act)
        found = episodes.get_episode(client, episode)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, client, found, form, status=422)
        user: Any = request.user
        episodes.void_episode(episode=found, reason=form.cleaned_data["reason"], acting_user=user)
        messages.success(
            request, f"Episode {found.episode_id} is out of use. It is kept here and can be brought back."
        )
        return HttpResponseRedirect(reverse("caseload:episodes-void", args=[organisation, client.pk]))

    def _show(
        self, request: HttpRequest, client: Client, episode: Episode, form: ReasonForm, *, status: int = 200
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            episode=present.episode_row(episode),
            leave_to=to_episode(self.kwargs["organisation"], episode),
        )


class EpisodesVoidedView(ClientPage):
    """The episodes of a client that were entered in error, each with the way back."""

    act = "client.void"
    category = ""
    title = "Entered in error"
    template_name = "caseload/episodes_voided.html"
    part = "episodes"
    shows = ("identity", TREATMENT)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.void")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The list."""
        client = self.client(pk)
        rows = [
            present.episode_row(e) | {"at": e.voided_at, "reason": e.voided_reason}
            for e in episodes.voided_episodes(client)
        ]
        return self.client_page(request, client, rows=rows)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Bring one back."""
        client = self.client(pk)
        same_client(request, client, self.act)
        wanted = request.POST.get("episode", "")
        found = next((e for e in episodes.voided_episodes(client) if str(e.pk) == wanted), None)
        if found is None:
            raise Denied(self.act, "not found")
        user: Any = request.user
        try:
            episodes.restore_episode(episode=found, acting_user=user)
        except Refused as refused:
            messages.warning(request, str(refused))
            return HttpResponseRedirect(request.path)
        messages.success(request, f"Episode {found.episode_id} is in use again.")
        return HttpResponseRedirect(to_episode(organisation, found))
