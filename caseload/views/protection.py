"""Who may find a record: the named team of a sensitive one, conflicts of interest, and the governance officer's lists of both."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import selectors
from caseload.choices import SensitiveKind
from caseload.forms.protection import AddForm, ConflictForm, FlagForm, OfficerConflictForm
from caseload.models import Client, ConflictOfInterest
from caseload.services import protection
from caseload.services.clients import Refused
from caseload.services.protection import Protection
from caseload.views.base import ClientPage
from caseload.views.record_form import same_client
from edatrs.core import access
from edatrs.core.views import OrganisationView

NOT_FOUND_NOW = "This record is no longer found for you. Nothing in it has changed."


def panel(client: Client) -> dict[str, Any]:
    """The panel "Who may find this record" on the details of a client: for who finds it."""
    held = protection.of_client(client.pk)
    return {
        "kind": SensitiveKind(held.record.kind).label if held else "",
        "team": [member.user.full_name for member in held.team] if held else [],
        "may_change": access.may(*protection.EDIT),
    }


def _to_list(organisation: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("caseload:clients", args=[organisation]))


def _uuid(text: str) -> UUID:
    """The id in a form; one of nobody where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _stamp(request: HttpRequest) -> int:
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def shown(held: Protection) -> dict[str, Any]:
    """A sensitive record on a page, named by its number."""
    return {
        "pk": held.record.pk,
        "number": held.number,
        "kind": SensitiveKind(held.record.kind).label,
        "reason": held.record.reason,
        "by": held.record.flagged_by.full_name,
        "since": held.record.flagged_at,
        "stamp": held.stamp,
        "team": [{"pk": member.user_id, "name": member.user.full_name} for member in held.team],
    }


def _change_team(request: HttpRequest, client_id: UUID) -> str:
    """Add, take out, or lift, as the form says. Returns what was done, in words. Raises Refused, Denied."""
    user: Any = request.user
    asked, person = request.POST.get("do", ""), _uuid(request.POST.get("person", ""))
    same: dict[str, Any] = {"client_id": client_id, "stamp": _stamp(request), "acting_user": user}
    if asked == "lift":
        protection.lift(**same)
        return "Everybody whose role allows it finds this record again."
    if asked == "remove":
        protection.remove_from_team(person=person, **same)
        return "They no longer find this record."
    if asked == "add":
        if not person.int:
            raise Refused("Choose whom to add")
        protection.add_to_team(person=person, **same)
        return "They find this record now."
    raise Refused("Choose what to change")


class SensitiveView(ClientPage):
    """Mark a record as sensitive; change its named team; let everybody find it again."""

    act, category = protection.EDIT
    title = "Who may find this record"
    template_name = "caseload/sensitive.html"
    part = "details"

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, self.act)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What stands, or the form to mark it."""
        return self._show(request, self.client(pk))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Mark, or change the team."""
        client = self.client(pk)
        same_client(request, client, self.act)
        if request.POST.get("do") == "flag":
            return self._flag(request, client)
        try:
            words = _change_team(request, client.pk)
        except Refused as refused:
            return self._show(request, client, refused=str(refused))
        if selectors.clients_for(self.act).filter(pk=client.pk).exists():
            messages.success(request, words)
            return HttpResponseRedirect(request.path)
        messages.success(request, NOT_FOUND_NOW)
        return _to_list(organisation)

    def _flag(self, request: HttpRequest, client: Client) -> HttpResponseBase:
        user: Any = request.user
        form = FlagForm(request.POST, people=protection.people_to_name(), me=user.pk)
        if not form.is_valid():
            return self._show(request, client, form=form, status=422)
        typed = form.cleaned_data
        try:
            protection.flag_sensitive(
                client=client,
                kind=typed["kind"],
                reason=typed["reason"],
                team=[_uuid(text) for text in typed["team"]],
                acting_user=user,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
            return self._show(request, client, form=form, status=422)
        messages.success(request, "Only the named team finds this record now.")
        return HttpResponseRedirect(request.path)

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        *,
        form: FlagForm | None = None,
        refused: str = "",
        status: int = 200,
    ) -> HttpResponse:
        user: Any = request.user
        held = protection.of_client(client.pk)
        people = protection.people_to_name()
        return self.client_page(
            request,
            client,
            status=422 if refused else status,
            refused=refused,
            refused_lines=[{"words": refused}],
            has_errors=bool(refused),
            row=shown(held) if held else None,
            add=AddForm(people=people, team=[m.user_id for m in held.team]) if held else None,
            form=None if held else form or FlagForm(people=people, me=user.pk),
        )


class ConflictView(ClientPage):
    """Say that oneself, or somebody one manages, must not find this client."""

    title = "Conflict of interest"
    template_name = "caseload/conflict.html"
    part = "details"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What follows, and the reason."""
        return self._show(request, self.client(pk), self._form(request))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Said once; one's own leads to the list."""
        client = self.client(pk)
        same_client(request, client, self.act)
        user: Any = request.user
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._show(request, client, form, status=422)
        person = _uuid(form.cleaned_data["person"]) if "person" in form.fields else user.pk
        try:
            protection.declare_conflict(
                client_id=client.pk, person=person, reason=form.cleaned_data["reason"], acting_user=user
            )
        except Refused as refused:
            form.add_error(None, str(refused))
            return self._show(request, client, form, status=422)
        if person == user.pk:
            messages.success(request, NOT_FOUND_NOW)
            return _to_list(organisation)
        messages.success(request, "They no longer find this record. The governance officer can end it.")
        return HttpResponseRedirect(reverse("caseload:client-details", args=[organisation, client.pk]))

    def _form(self, request: HttpRequest, data: Any = None) -> ConflictForm:
        user: Any = request.user
        others = protection.is_manager()
        people = protection.people_to_name() if others else []
        return ConflictForm(data, people=people, me=user, others=others)

    def _show(
        self, request: HttpRequest, client: Client, form: ConflictForm, *, status: int = 200
    ) -> HttpResponse:
        return self.client_page(request, client, status=status, form=form)


class ProtectionListView(OrganisationView):
    """Sensitive records and conflicts of interest by record number, for the governance officer; and a conflict said by the officer."""

    act = protection.OFFICER
    area = "protection"
    title = "Who may not find a record"
    template_name = "caseload/protection.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Both lists, the latest first."""
        return self._show(request, self._form(request))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A conflict of somebody with a record that is named by its number."""
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        user: Any = request.user
        typed = form.cleaned_data
        try:
            client_id = protection.find_by_number(typed["record"])
            protection.declare_conflict(
                client_id=client_id, person=_uuid(typed["person"]), reason=typed["reason"], acting_user=user
            )
        except Refused as refused:
            form.add_error(None, str(refused))
            return self._show(request, form, status=422)
        messages.success(request, "The conflict of interest is recorded.")
        return HttpResponseRedirect(request.path)

    def _form(self, request: HttpRequest, data: Any = None) -> OfficerConflictForm:
        user: Any = request.user
        return OfficerConflictForm(data, people=protection.people_to_name(), me=user, others=True)

    def _show(self, request: HttpRequest, form: OfficerConflictForm, *, status: int = 200) -> HttpResponse:
        return self.page(
            request,
            status=status,
            form=form,
            flags=[shown(held) for held in protection.flags()],
            conflicts=[_conflict(*found) for found in protection.conflicts()],
        )


def _conflict(row: ConflictOfInterest, number: str) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "number": number,
        "who": row.user.full_name,
        "by": row.declared_by.full_name,
        "reason": row.reason,
        "since": row.created_at,
    }


class ProtectionFlagView(OrganisationView):
    """One sensitive record: why, who is in the team, and the ways to change it, for the governance officer. It does not open the record."""

    act = protection.OFFICER
    area = "protection"
    title = "Sensitive record"
    template_name = "caseload/protection_flag.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        return self._show(request, protection.flag(pk))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Change the team, or lift."""
        held = protection.flag(pk)
        try:
            words = _change_team(request, held.record.client_id)
        except Refused as refused:
            return self._show(request, protection.flag(pk), refused=str(refused))
        messages.success(request, words)
        to_list = reverse("caseload:protection", args=[organisation])
        return HttpResponseRedirect(to_list if request.POST.get("do") == "lift" else request.path)

    def _show(self, request: HttpRequest, held: Protection, *, refused: str = "") -> HttpResponse:
        team = [member.user_id for member in held.team]
        return self.page(
            request,
            status=422 if refused else 200,
            refused=refused,
            refused_lines=[{"words": refused}],
            has_errors=bool(refused),
            row=shown(held),
            add=AddForm(people=protection.people_to_name(), team=team),
        )


class ProtectionConflictView(OrganisationView):
    """One conflict of interest, and the way to end it, for the governance officer."""

    act = protection.OFFICER
    area = "protection"
    title = "Conflict of interest"
    template_name = "caseload/protection_conflict.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        return self._show(request, pk)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """End it."""
        user: Any = request.user
        try:
            protection.end_conflict(pk=pk, acting_user=user)
        except Refused as refused:
            return self._show(request, pk, refused=str(refused))
        messages.success(request, "The conflict of interest has ended.")
        return HttpResponseRedirect(reverse("caseload:protection", args=[organisation]))

    def _show(self, request: HttpRequest, pk: UUID, *, refused: str = "") -> HttpResponse:
        return self.page(
            request,
            status=422 if refused else 200,
            refused=refused,
            refused_lines=[{"words": refused}],
            has_errors=bool(refused),
            row=_conflict(*protection.conflict(pk)),
        )
