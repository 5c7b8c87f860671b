"""The forms of an episode: one for each section, with what the rules say; triage after confidentiality was explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present, selectors, speaking
from caseload.confidentiality import policy_on
from caseload.forms.episodes import ConfidentialityForm
from caseload.forms.items import ItemsForm
from caseload.models import Client, Episode
from caseload.record import TREATMENT
from caseload.recorded import Recorded
from caseload.sections import SECTIONS, TRIAGE
from caseload.services import episode_acts, episodes
from caseload.services.items import Refused
from caseload.views.base import ClientPage
from caseload.views.record_form import RecordFormView, same_client
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.organisations.drafted import DraftedView


def to_episode(slug: str, episode: Episode, anchor: str = "") -> str:
    """The address of an episode's page."""
    page = reverse("caseload:episode", args=[slug, episode.client_id, episode.pk])
    return f"{page}#{anchor}" if anchor else page


def rows_of(form: Any, says: Mapping[str, list[str]], names: Iterable[str]) -> list[dict[str, Any]]:
    """Fields for the template, each with what the rules say of it."""
    return [{"bound": form[name], "says": says.get(name, [])} for name in names if name in form.fields]


class EpisodeFormView(RecordFormView, abstract=True):
    """A form about an episode: the rules speak while one types, when the page is opened, and after saving."""

    act = "client.edit"
    category = TREATMENT
    part = "episodes"
    shows = ("identity", TREATMENT)
    template_name = "caseload/episode_form.html"
    list_name: ClassVar[str] = ""
    episode: Episode

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def open(self, request: HttpRequest) -> Client:
        """The client and the episode. Raises Denied."""
        client = self.client(self.kwargs["pk"])
        self.episode = episodes.get_episode(client, self.kwargs["episode"])
        return client

    def leave_to(self, client: Client) -> str:
        """The episode."""
        return to_episode(self.kwargs["organisation"], self.episode)

    def draft_object(self) -> str:
        """The episode and its section: the episode says whose it is."""
        return f"{self.kwargs['episode']},{self.kwargs.get('section', '')}"

    def over(self) -> str:
        """The list that the values are an entry of; '' for a section."""
        return ""

    def says(self, form: Any, recorded: Recorded) -> dict[str, list[str]]:
        """What the rules say of what stands in the boxes."""
        if not form.is_bound:
            values = recorded.values
            if not any(value not in (None, "") for value in values.values()):
                return {}
            return speaking.speak(self.episode, values, list_name=self.over())
        # A form of its own: reading what stands in the boxes checks it again, and would forget what a save found wrong.
        probe = self.make_form(self.episode.client, recorded, form.data)
        return speaking.speak(self.episode, probe.typed(), list_name=self.over())

    def speaks(self, request: HttpRequest) -> dict[str, list[str]]:
        """What the rules say while somebody types."""
        client = self.open(request)
        recorded = self.read(client)
        form = self.make_form(client, recorded, request.POST)
        return speaking.speak(self.episode, form.typed(), list_name=self.over())

    def groups(self, form: Any, says: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        """The fields as they stand on the page: groups with a title, or one without."""
        return [{"title": "", "rows": rows_of(form, says, form.fields)}]

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """The fields with what the rules say, what was changed before, and which episode it is."""
        says = self.says(form, recorded)
        return super().more(client, recorded, form) | {
            "groups": self.groups(form, says),
            "episode": present.episode_row(self.episode),
        }

    def saved(
        self, request: HttpRequest, client: Client, changed: Any, values: dict[str, Any]
    ) -> HttpResponseBase:
        """Back to the episode, with what the rules say of what was saved."""
        answer = super().saved(request, client, changed, values)
        if changed:
            self.say_rules(request, client, values)
        return answer

    def say_rules(self, request: HttpRequest, client: Client, values: Mapping[str, Any]) -> None:
        """Messages of the rules that what was saved fails. It is saved all the same."""
        self.episode = episodes.get_episode(client, self.episode.pk)
        for words in dict.fromkeys(
            w for some in speaking.speak(self.episode, values, list_name=self.over()).values() for w in some
        ):
            messages.warning(request, f"Saved, and to be looked at: {words}")


class SectionView(EpisodeFormView):
    """A section of an episode. Its category guards it; a section that the data set has not is not found."""

    draft = "caseload.episode.section"
    draft_words = "Episode form"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """The section in the address says the category and the title."""
        super().setup(request, *args, **kwargs)
        section = SECTIONS[self.section_key()]
        self.category = section.category  # type: ignore[misc]  # of this request
        self.title = section.title  # type: ignore[misc]
        self.shows = tuple(dict.fromkeys(("identity", section.category)))  # type: ignore[misc]

    def section_key(self) -> str:
        """The key of the section."""
        return str(self.kwargs["section"])

    def open(self, request: HttpRequest) -> Client:
        """As an episode's; the data set must have the section. Raises Denied."""
        client = super().open(request)
        self.items = episodes.section_items(self.episode, self.section_key())
        return client

    def history_address(self, client: Client) -> str:
        """Of the section."""
        here = [self.kwargs["organisation"], client.pk, self.episode.pk, self.section_key()]
        return reverse("caseload:section-history", args=here)

    def read(self, client: Client) -> Recorded:
        """The section."""
        return episodes.read_section(self.episode, self.section_key())

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> ItemsForm:
        """The items of the section, with the code lists of the letter in force."""
        return ItemsForm(
            data,
            items=self.items,
            letter=episodes.letter_of(self.episode),
            recorded=recorded.values,
            heading=self.title,
            unchecked=unchecked,
        )

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """Write what is different."""
        user: Any = request.user
        return episodes.change_section(
            episode=self.episode, key=self.section_key(), values=values, version=version, acting_user=user
        )


class TriageView(SectionView):
    """Triage. A triage date is not recorded before the confidentiality policy was explained, or why it was not (O-132)."""

    draft = "caseload.episode.triage"
    draft_words = "Triage"
    template_name = "caseload/episode_triage.html"

    def section_key(self) -> str:
        """Triage."""
        return TRIAGE

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """As a section, when confidentiality was dealt with; what was triaged already may be corrected. Raises Refused."""
        before = episodes.read_section(self.episode, TRIAGE).values.get("TRIAGED")
        if values.get("TRIAGED") and not before and episode_acts.confidentiality_of(self.episode) is None:
            raise Refused(
                "Record first that the confidentiality policy was explained, or why it could not be. "
                "The link is above; what you typed here is kept as a draft when you choose “Keep as a draft”",
                "TRIAGED",
            )
        return super().save(request, client, form, values, version)

    def refused(self) -> tuple[type[Exception], ...]:
        """Before confidentiality."""
        return (Refused,)

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """With what is recorded of confidentiality."""
        return super().more(client, recorded, form) | {
            "confidentiality": episode_acts.confidentiality_of(self.episode),
            "confidentiality_url": reverse(
                "caseload:confidentiality",
                args=[self.kwargs["organisation"], client.pk, self.episode.pk],
            ),
        }


class ConfidentialityView(DraftedView, ClientPage):
    """Explain the confidentiality policy, and record that it was done or why not. Asked once per episode; shown after that."""

    act = "client.edit"
    category = TREATMENT
    part = "episodes"
    shows = ("identity", TREATMENT)
    title = "Confidentiality"
    template_name = "caseload/confidentiality.html"
    draft = "caseload.episode.confidentiality"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def draft_object(self) -> str:
        """The episode: it says whose it is."""
        return str(self.kwargs["episode"])

    def check_draft(self, request: HttpRequest) -> None:
        """As before a save. Raises Denied."""
        client, _ = self._open()
        same_client(request, client, self.act)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """The words, and what was done."""
        client, episode = self._open()
        typed = self.typed(request)
        initial = {"explained_on": clock.today()}
        return self._show(
            request, client, episode, ConfidentialityForm(typed, initial=initial, unchecked=typed is not None)
        )

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Record, and go on with triage."""
        client, episode = self._open()
        same_client(request, client, self.act)
        form_id = id_in(request, self.act)
        form = ConfidentialityForm(request.POST)
        policy = next(
            (p for p in [policy_on(clock.today())] if request.POST.get("policy") == p.version), None
        )
        if policy is None:
            messages.warning(request, "The words changed since this page was opened. Read them again.")
            return self._show(request, client, episode, form, status=422)
        if not form.is_valid():
            return self._show(request, client, episode, form, status=422)
        user: Any = request.user
        made = episode_acts.explain_confidentiality(
            form_id=form_id,
            episode=episode,
            policy_version=policy.version,
            values=form.values(),
            acting_user=user,
        )
        done = "Recorded: the confidentiality policy was explained."
        messages.success(
            request, done if made.explained_on else "Recorded why it was not explained. The reminder stays."
        )
        slug = self.kwargs["organisation"]
        if episode.triaged_on is None:
            return HttpResponseRedirect(
                reverse("caseload:episode-section", args=[slug, client.pk, episode.pk, TRIAGE])
            )
        return HttpResponseRedirect(to_episode(slug, episode))

    def _open(self) -> tuple[Client, Episode]:
        client = self.client(self.kwargs["pk"])
        return client, episodes.get_episode(client, self.kwargs["episode"])

    def _show(
        self, request: HttpRequest, client: Client, episode: Episode, form: Any, *, status: int = 200
    ) -> HttpResponse:
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            form_id=request.POST.get("form_id") or uuid4(),
            policy=policy_on(clock.today()),
            recorded=episode_acts.confidentiality_of(episode),
            episode=present.episode_row(episode),
            leave_to=to_episode(self.kwargs["organisation"], episode),
        )


def id_in(request: HttpRequest, act: str) -> UUID:
    """The id of the form that was sent: what makes sending twice harmless. Raises Denied without one."""
    try:
        return UUID(request.POST.get("form_id", ""))
    except ValueError:
        raise Denied(act, "the form has no id") from None
