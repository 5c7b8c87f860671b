"""The lists of an episode: add an entry, change one, take one out of use and bring it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import entry_groups, present, selectors
from caseload.address import ALL_LISTS, LIST_OF_KEY
from caseload.forms.clients import ReasonForm
from caseload.forms.items import ItemsForm
from caseload.models import Client, Episode
from caseload.record import TREATMENT
from caseload.recorded import Recorded
from caseload.services import entries, episodes
from caseload.services.items import Refused, row_of_form
from caseload.views.base import ClientPage
from caseload.views.episode_forms import EpisodeFormView, id_in, rows_of, to_episode
from caseload.views.record_form import same_client
from edatrs.core import access
from edatrs.core.access import Denied

NO_TO_REST = "no_to_the_rest"


class EntryFormView(EpisodeFormView, abstract=True):
    """The form of an entry of a list."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """The list in the address says the title."""
        super().setup(request, *args, **kwargs)
        self.name = LIST_OF_KEY[kwargs["list"]]
        self.title = entry_groups.TITLES[self.name]  # type: ignore[misc]  # of this request

    def draft_object(self) -> str:
        """The entry; of a new one the episode and the list."""
        return str(self.kwargs.get("entry") or f"{self.kwargs['episode']},{self.kwargs['list']}")

    def over(self) -> str:
        """The list."""
        return self.name

    def leave_to(self, client: Client) -> str:
        """The list on the episode's page."""
        return to_episode(self.kwargs["organisation"], self.episode, self.kwargs["list"])

    def row(self) -> Any:
        """The entry; None for a new one."""
        return None

    def open(self, request: HttpRequest) -> Client:
        """As an episode's; the data set must have the list. Raises Denied."""
        client = super().open(request)
        self.items = entries.items_for(self.episode, self.name)
        return client

    def history_address(self, client: Client) -> str:
        """Of the entry; a new one has none."""
        row = self.row()
        here = [self.kwargs["organisation"], client.pk, self.episode.pk, self.kwargs["list"]]
        return reverse("caseload:entry-history", args=[*here, row.pk]) if row is not None else ""

    def read(self, client: Client) -> Recorded:
        """The entry."""
        return entries.read_entry(self.episode, self.name, self.row())

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> ItemsForm:
        """The items of the entry."""
        if data is not None and NO_TO_REST in data:
            data = entry_groups.no_to_the_rest(data, self.items)
        return ItemsForm(
            data,
            items=self.items,
            letter=episodes.letter_of(self.episode),
            recorded=recorded.values,
            heading=self.title,
            unchecked=unchecked,
        )

    def groups(self, form: Any, says: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        """The flags of a review by their kind; other lists in one group."""
        return [
            {"title": group.title, "rows": rows_of(form, says, group.names), "table": group.flags}
            for group in entry_groups.groups(self.name, self.items)
        ]

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """With what a list needs beside the form."""
        return super().more(client, recorded, form) | {
            "form_id": self.request.POST.get("form_id") or self._typed_id() or uuid4(),
            "has_flags": any(item.type == "flag" for item in self.items),
            "entry": self.row(),
            "list_key": self.kwargs["list"],
            "may_void": access.may("client.void"),
        }

    def _typed_id(self) -> str:
        typed = self.typed(self.request) if self.request.method == "GET" else None
        return typed.get("form_id", "") if typed else ""

    def refused(self) -> tuple[type[Exception], ...]:
        """Nothing to save."""
        return (Refused,)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """As every form's; "no to the rest" fills in and shows the form again, and saves nothing."""
        if NO_TO_REST not in request.POST:
            return super().post(request, **kwargs)
        client = self.open(request)
        same_client(request, client, self.act)
        recorded = self.read(client)
        form = self.make_form(client, recorded, request.POST)
        messages.info(
            request, "No was put where nothing was answered. Nothing is saved yet: look, then save."
        )
        form.is_valid()
        return self._show(
            request, client, form, recorded, version=int(request.POST.get("version") or 0), status=200
        )

    def say_rules(self, request: HttpRequest, client: Client, values: Mapping[str, Any]) -> None:
        """As a section's, of the entry alone."""
        super().say_rules(request, client, values)


class EntryNewView(EntryFormView):
    """Add an entry."""

    draft = "caseload.episode.entry.new"
    draft_words = "New entry of an episode"
    save_words = "Add"

    def row(self) -> Any:
        """What this very form added before: whoever goes back and types on changes that one, and sees both texts."""
        if self.request.method != "POST" or not self.request.POST.get("form_id"):
            return None
        if not hasattr(self, "_row"):
            try:
                pk = row_of_form(id_in(self.request, self.act))
                self._row = entries.get_entry(self.episode, self.name, pk)
            except Denied:
                self._row = None
        return self._row

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """Add it; a form sent twice adds one."""
        user: Any = request.user
        _, changed = entries.save_entry(
            episode=self.episode,
            list_name=self.name,
            row=self.row(),
            form_id=id_in(request, self.act),
            values=values,
            version=version,
            acting_user=user,
        )
        return changed

    def saved(
        self, request: HttpRequest, client: Client, changed: Any, values: dict[str, Any]
    ) -> HttpResponseBase:
        """Back to the list."""
        if changed:
            return super().saved(request, client, changed, values)
        messages.info(request, "This form was sent before: the entry is there already.")
        return HttpResponseRedirect(self.leave_to(client))


class EntryView(EntryFormView):
    """Change an entry."""

    draft = "caseload.episode.entry"
    draft_words = "Entry of an episode"

    def row(self) -> Any:
        """The entry in the address. Raises Denied."""
        if not hasattr(self, "_row"):
            self._row = entries.get_entry(self.episode, self.name, self.kwargs["entry"])
        return self._row

    def open(self, request: HttpRequest) -> Client:
        """With the entry. Raises Denied."""
        client = super().open(request)
        self.row()
        return client

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> list[str]:
        """Write what is different."""
        user: Any = request.user
        _, changed = entries.save_entry(
            episode=self.episode,
            list_name=self.name,
            row=self.row(),
            form_id=None,
            values=values,
            version=version,
            acting_user=user,
        )
        return changed


class EntryListView(ClientPage):
    """The address of a list leads to its place on the episode's page, where an entry is chosen."""

    category = TREATMENT
    title = "List"
    part = "episodes"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """There."""
        client = self.client(kwargs["pk"])
        episode = episodes.get_episode(client, kwargs["episode"])
        entries.items_for(episode, ALL_LISTS[kwargs["section"]])
        return HttpResponseRedirect(to_episode(kwargs["organisation"], episode, kwargs["section"]))


class EntryVoidView(ClientPage):
    """Take an entry out of use that was entered in error, with a reason."""

    act = "client.void"
    title = "Entered in error"
    template_name = "caseload/entry_void.html"
    part = "episodes"
    category = ""
    shows = ("identity", TREATMENT)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.void")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """What it is, and the reason."""
        return self._show(request, *self._open(), ReasonForm())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Do it."""
        client, episode, row = self._open()
        same_client(request, client, self.act)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, client, episode, row, form, status=422)
        user: Any = request.user
        entries.void_entry(row=row, reason=form.cleaned_data["reason"], acting_user=user)
        messages.success(request, "The entry is out of use. It is kept and can be brought back.")
        return HttpResponseRedirect(to_episode(kwargs["organisation"], episode, kwargs["list"]))

    def _open(self) -> tuple[Client, Episode, Any]:
        client = self.client(self.kwargs["pk"])
        episode = episodes.get_episode(client, self.kwargs["episode"])
        return (
            client,
            episode,
            entries.get_entry(episode, ALL_LISTS[self.kwargs["list"]], self.kwargs["entry"]),
        )

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        episode: Episode,
        row: Any,
        form: ReasonForm,
        *,
        status: int = 200,
    ) -> HttpResponse:
        name = ALL_LISTS[self.kwargs["list"]]
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            episode=present.episode_row(episode),
            what=entry_groups.summary(name, row),
            title_of=entry_groups.TITLES[name],
            leave_to=to_episode(self.kwargs["organisation"], episode, self.kwargs["list"]),
        )


class EntriesVoidedView(ClientPage):
    """The entries of an episode that were entered in error, each with the way back."""

    act = "client.void"
    title = "Entered in error"
    template_name = "caseload/entries_voided.html"
    part = "episodes"
    category = ""
    shows = ("identity", TREATMENT)

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.void")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """The list."""
        client = self.client(kwargs["pk"])
        episode = episodes.get_episode(client, kwargs["episode"])
        rows = [
            {
                "list": key,
                "pk": row.pk,
                "title": entry_groups.TITLES[name],
                "what": entry_groups.summary(name, row),
                "at": row.voided_at,
                "reason": row.voided_reason,
            }
            for key, name in ALL_LISTS.items()
            for row in entries.voided_entries(episode, name)
        ]
        rows.sort(key=lambda row: row["at"], reverse=True)
        return self.client_page(request, client, rows=rows, episode=present.episode_row(episode))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Bring one back."""
        client = self.client(kwargs["pk"])
        same_client(request, client, self.act)
        episode = episodes.get_episode(client, kwargs["episode"])
        key, pk = request.POST.get("list", ""), request.POST.get("entry", "")
        if key not in ALL_LISTS:
            raise Denied(self.act, "not found")
        row = entries.get_entry(episode, ALL_LISTS[key], _uuid(pk, self.act), voided=True)
        user: Any = request.user
        try:
            entries.restore_entry(row=row, acting_user=user)
        except Refused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, "The entry is in use again.")
        return HttpResponseRedirect(to_episode(kwargs["organisation"], episode, key))


def _uuid(text: str, act: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Denied(act, "not found") from None
