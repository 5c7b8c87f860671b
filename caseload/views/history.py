"""What a part of one's own client's record said before, field by field in plain words: a page for each part, and for one field of it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from caseload import entry_groups, row_history
from caseload.address import ALL_LISTS, OUTCOMES
from caseload.forms.clients import FORMS
from caseload.forms.items import ItemsForm
from caseload.models import Client
from caseload.record import TREATMENT
from caseload.recorded import Recorded
from caseload.sections import SECTIONS
from caseload.services import clients, entries, episodes
from caseload.views.base import ClientPage
from caseload.views.episode_forms import to_episode
from edatrs.core import clock


class HistoryPage(ClientPage, abstract=True):
    """The history of one row. `heading` names the part; ?field= shows one field of it, ?before= what lies further back."""

    template_name = "caseload/history.html"
    title = "History"
    panel = "history"
    heading: ClassVar[str] = ""

    def row(self, client: Client) -> tuple[Recorded, Any]:
        """What is recorded, and a form that says it in words. Raises Denied."""
        raise NotImplementedError

    def back(self, client: Client) -> str:
        """The page that shows what is so now."""
        raise NotImplementedError

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """The page. A field that is none of this part, or not for who asks, shows the whole part."""
        client = self.client(kwargs["pk"])
        recorded, form = self.row(client)
        names = row_history.fields_shown(recorded.about, recorded.values)
        field = request.GET.get("field", "")
        field = field if field in names else ""
        before = request.GET.get("before", "")
        past = row_history.read(
            client,
            recorded,
            form,
            names=[field] if field else names,
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 10 else 0,
        )
        return self.client_page(
            request,
            client,
            heading=self.heading,
            field=field,
            label=row_history.label_of(form, field) if field else "",
            now=form.shown(field, recorded.values[field]) if field else "",
            past=past,
            onward=bool(before),
            back=self.back(client),
        )


class DetailHistoryView(HistoryPage):
    """A category of the client."""

    part = "details"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """The category in the address guards the page."""
        super().setup(request, *args, **kwargs)
        self.category = str(kwargs["detail"])  # type: ignore[misc]  # of this request
        self.heading = FORMS[self.category].heading  # type: ignore[misc]
        self.shows = tuple(dict.fromkeys(("identity", self.category)))  # type: ignore[misc]

    def row(self, client: Client) -> tuple[Recorded, Any]:
        """The category, with the code lists of the letter in force."""
        part = clients.read_part(client, self.category)
        services = list(client.registrations.values_list("service_id", flat=True))
        letter = clients.letter_of(services, clock.today())
        return part, FORMS[self.category](part=part, letter=letter)

    def back(self, client: Client) -> str:
        """The details."""
        return reverse("caseload:client-details", args=[self.kwargs["organisation"], client.pk])


class SectionHistoryView(HistoryPage):
    """A section of an episode."""

    category = TREATMENT
    part = "episodes"
    shows = ("identity", TREATMENT)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """The section in the address says the category."""
        super().setup(request, *args, **kwargs)
        section = SECTIONS[kwargs["section"]]
        self.category = section.category  # type: ignore[misc]  # of this request
        self.heading = section.title  # type: ignore[misc]
        self.shows = tuple(dict.fromkeys(("identity", section.category)))  # type: ignore[misc]

    def row(self, client: Client) -> tuple[Recorded, Any]:
        """The section, of an episode in use."""
        self.episode = episodes.get_episode(client, self.kwargs["episode"])
        items = episodes.section_items(self.episode, self.kwargs["section"])
        recorded = episodes.read_section(self.episode, self.kwargs["section"])
        letter = episodes.letter_of(self.episode)
        return recorded, ItemsForm(items=items, letter=letter, recorded=recorded.values)

    def back(self, client: Client) -> str:
        """The episode."""
        return to_episode(self.kwargs["organisation"], self.episode)


class EntryHistoryView(HistoryPage):
    """An entry of a list of an episode, outcome forms too."""

    category = TREATMENT
    part = "episodes"
    shows = ("identity", TREATMENT)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """The list in the address says what it is."""
        super().setup(request, *args, **kwargs)
        self.name = ALL_LISTS[kwargs["list"]]
        self.heading = entry_groups.TITLES[self.name]  # type: ignore[misc]  # of this request

    def row(self, client: Client) -> tuple[Recorded, Any]:
        """The entry, in use, of an episode in use."""
        self.episode = episodes.get_episode(client, self.kwargs["episode"])
        row = entries.get_entry(self.episode, self.name, self.kwargs["entry"])
        recorded = entries.read_entry(self.episode, self.name, row)
        items = entries.items_for(self.episode, self.name)
        letter = episodes.letter_of(self.episode)
        return recorded, ItemsForm(items=items, letter=letter, recorded=recorded.values)

    def back(self, client: Client) -> str:
        """The outcomes, or the list on the episode's page."""
        if self.name == OUTCOMES:
            return reverse("caseload:client-outcomes", args=[self.kwargs["organisation"], client.pk])
        return to_episode(self.kwargs["organisation"], self.episode, self.kwargs["list"])


def of_detail(slug: str, client_id: UUID, category: str) -> str:
    """The address of the history of a category of a client."""
    return reverse("caseload:client-detail-history", args=[slug, client_id, category])
