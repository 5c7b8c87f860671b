"""Merge two records of the organisation that are the same person, with a look before and an undo after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import details, matching, present, selectors
from caseload.forms.clients import FORMS, ReasonForm
from caseload.models import Client, Episode
from caseload.services import clients, linked_records, merge, unmerge
from caseload.views.base import ClientPage
from caseload.views.client_edit import back_to
from caseload.views.record_form import same_client
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.templatetags.page import short_date
from edatrs.organisations.drafted import DraftedView

_INHERITED = (
    "In one record the person said no, and in the other yes before that or on a day not known. The no stands for both, and takes effect "
    "when the next file is sent. If they have changed their mind, ask and record it."
)


def _becomes_no(episode: Episode) -> str:
    of = f" of {short_date(episode.consent_on)}" if episode.consent_on else ""
    return f"Episode {episode.episode_id} ({episode.service.agency_code}): yes{of} becomes no"


class MergePage(ClientPage, abstract=True):
    """A page about the record that stays."""

    act = "client.merge"
    category = ""
    part: ClassVar[str] = "details"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.merge")


class MergeFindView(MergePage):
    """Which record is the same person: those that look like it, or by record number or client ID."""

    title = "Merge another record into this one"
    template_name = "caseload/client_merge_find.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Those that look like it."""
        return self._show(request, self.client(pk))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """To the one that was typed. What was typed may be a name by mistake, so it is no address."""
        client = self.client(pk)
        same_client(request, client, self.act)
        typed = request.POST.get("other", "").strip()
        found = list(_named(typed).exclude(pk=client.pk)[:10]) if typed else []
        if len(found) == 1:
            return HttpResponseRedirect(
                reverse("caseload:client-merge", args=[organisation, client.pk, found[0].pk])
            )
        problem = (
            "Enter a record number like R123, or a client ID"
            if not typed
            else "No other record of this organisation has this record number or client ID"
            if not found
            else "Several records have this client ID. Choose one"
        )
        return self._show(request, client, status=422, typed=typed, problem=problem, several=found)

    def _show(
        self, request: HttpRequest, client: Client, *, status: int = 200, several: Any = (), **more: Any
    ) -> HttpResponse:
        who = getattr(client, "clientidentity", None)
        found = (
            matching.candidates(
                forename=who.forename,
                surname=who.surname,
                born=who.date_of_birth,
                nhs_number=who.nhs_number,
                leave_out=[client.pk],
            )
            if who
            else []
        )
        today = clock.today()
        rows = [(c.client, c.reasons) for c in found]
        rows += [(c, ("Client ID",)) for c in several if c.pk not in {f.client.pk for f in found}]
        return self.client_page(
            request,
            client,
            status=status,
            candidates=[
                {"pk": c.pk, "identity": details.short(c, today), "reasons": reasons} for c, reasons in rows
            ],
            has_errors=status != 200,
            **more,
        )


def _named(typed: str) -> Any:
    number = typed[1:] if typed[:1] in {"R", "r"} else ""
    rows = selectors.clients_for("client.merge").prefetch_related("registrations__service")
    if number.isascii() and number.isdigit() and len(number) < 18:
        return rows.filter(record_number=int(number))
    return rows.filter(pk__in=clients.with_client_id(typed))


class MergeView(DraftedView, MergePage):
    """What will move, which values differ and which are kept; and the merge."""

    title = "Merge two records"
    draft = "caseload.client.merge"
    template_name = "caseload/client_merge.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, other: UUID) -> HttpResponseBase:
        """The look before."""
        client, merged = self._both(pk, other)
        typed = self.typed(request)
        return self._show(request, client, merged, ReasonForm(typed, unchecked=typed is not None))

    def draft_client(self) -> UUID | None:
        """The one that stays."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """Both records, and the form is of this one. Raises Denied."""
        client, _ = self._both(self.kwargs["pk"], self.kwargs["other"])
        same_client(request, client, self.act)

    def post(self, request: HttpRequest, organisation: str, pk: UUID, other: UUID) -> HttpResponseBase:
        """Do it, or say what is missing. Choices and reason stay."""
        there = merge.ClientMerge.objects.filter(
            client_id=other, survivor_id=pk, undone_at__isnull=True
        ).first()
        if there is not None and request.POST.get("client") == str(pk):
            return back_to(self.client(pk), organisation)
        client, merged = self._both(pk, other)
        same_client(request, client, self.act)
        if request.POST.get("other") != str(merged.pk):
            raise Denied(self.act, "the form is of another client", subject=str(merged.pk))
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, client, merged, form, status=422)
        user: Any = request.user
        choices = {name[5:]: value for name, value in request.POST.items() if name.startswith("keep:")}
        try:
            merge.merge_clients(
                survivor=client,
                merged=merged,
                choices=choices,
                reason=form.cleaned_data["reason"],
                stamp=request.POST.get("stamp", ""),
                acting_user=user,
            )
        except merge.Refused as refused:
            form.add_error(None, str(refused))
            status = 409 if isinstance(refused, merge.Changed) else 422
            return self._show(request, client, merged, form, status=status)
        messages.success(request, f"{merged} is merged into {client}. The merge can be undone on this page.")
        return back_to(client, organisation)

    def _both(self, pk: UUID, other: UUID) -> tuple[Client, Client]:
        client = self.client(pk)
        if pk == other:
            raise Denied(self.act, "not found", subject=str(other))
        return client, selectors.get_client(other, "client.merge")

    def _show(
        self, request: HttpRequest, client: Client, merged: Client, form: ReasonForm, *, status: int = 200
    ) -> HttpResponse:
        made = merge.plan(survivor=client, merged=merged)
        today = clock.today()
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            made=made,
            merged=details.short(merged, today),
            merged_pk=merged.pk,
            differences=[self._difference(form.data, made, d) for d in made.differences],
            episodes=[present.episode_row(e) for e in made.episodes],
            withdrawn=[_becomes_no(e) for e in made.withdrawn],
            withdrawn_text=_INHERITED,
            linked=linked_records.also_at(merged.pk),
        )

    @staticmethod
    def _difference(
        typed: Mapping[str, Any], made: merge.Plan, difference: merge.Difference
    ) -> dict[str, Any]:
        kept, other = made.parts[difference.category]
        shown = FORMS[difference.category](part=kept, letter=clients.letter_of([], clock.today()))
        name = f"keep:{difference.category}.{difference.name}"
        return {
            "name": name,
            "label": shown.fields[difference.name].label,
            "kept": shown.shown(difference.name, difference.kept),
            "merged": shown.shown(difference.name, difference.merged),
            "chosen": typed.get(name) or difference.usual,
        }


class UnmergeView(MergePage):
    """Take a merge apart again."""

    title = "Undo a merge"
    template_name = "caseload/client_unmerge.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID, merge_pk: UUID) -> HttpResponseBase:
        """What goes back."""
        client = self.client(pk)
        return self._show(request, client, merge.get_merge(client, merge_pk), ReasonForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID, merge_pk: UUID) -> HttpResponseBase:
        """Do it."""
        client = self.client(pk)
        same_client(request, client, self.act)
        row = merge.get_merge(client, merge_pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, client, row, form, status=422)
        user: Any = request.user
        try:
            unmerge.undo_merge(merge=row, reason=form.cleaned_data["reason"], acting_user=user)
        except merge.Refused as refused:
            form.add_error(None, str(refused))
            return self._show(request, client, row, form, status=422)
        messages.success(request, f"The merge is undone. {row.client} is a record of its own again.")
        return back_to(client, organisation)

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        row: merge.ClientMerge,
        form: ReasonForm,
        *,
        status: int = 200,
    ) -> HttpResponse:
        back = unmerge.undo_rows(row)
        moved = sum(len(ids) for ids in row.moved.values())
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            merge=row,
            registrations=len(back.get("caseload.registration", [])),
            episodes=len(back.get("caseload.episode", [])),
            since=sum(len(ids) for ids in back.values()) - moved,
            changed=unmerge.changed_since(row),
        )
