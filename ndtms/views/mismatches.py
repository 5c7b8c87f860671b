"""Mismatches: take in the list that NDTMS returned, work what consent does not explain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present
from edatrs.core import access, clock
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.selectors import services_of
from ndtms import mismatch_file, selectors_months
from ndtms.choices import MismatchKind, MismatchState
from ndtms.forms import MismatchForm, SettleForm
from ndtms.mismatch_file import BadMismatchFile
from ndtms.models import Mismatch
from ndtms.services import mismatches
from ndtms.views.calendar import service_called

BADGES = {MismatchState.OPEN: "late", MismatchState.CONSENT: "ok", MismatchState.SETTLED: "none"}


class MismatchesView(OrganisationView):
    """The work list, and the form to take a list in."""

    act = "extract.preview"
    changing_act = "extract.confirm"
    area = "submissions"
    title = "Mismatches"
    template_name = "ndtms/mismatches.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?state= &service= &kind= narrow it, ?page= is the next page."""
        return self._show(request, organisation, MismatchForm(services=_services()))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Take the list in, whole or not at all: every problem is told, with its line."""
        form = MismatchForm(request.POST, request.FILES, services=_services())
        if not form.is_valid():
            return self._show(request, organisation, form, status=422)
        service, sent = service_called(form.cleaned_data["service"]), form.cleaned_data["file"]
        assert service is not None  # noqa: S101  # one of the choices
        try:
            file, new = mismatches.take(service=service, raw=sent.read(), name=sent.name or "the list")
        except BadMismatchFile as bad:
            form.add_error("file", "Nothing was taken in. Put the lines below right and send it again")
            return self._show(request, organisation, form, problems=bad.lines, status=422)
        messages.success(request, _said(file, new))
        state = (
            ""
            if file.lines > file.by_consent + file.known_before
            else f"&state={MismatchState.CONSENT.value}"
        )
        page = reverse("ndtms:mismatches", args=[organisation])
        return HttpResponseRedirect(f"{page}?service={file.agency_code}{state}")

    def _show(
        self,
        request: HttpRequest,
        slug: str,
        form: MismatchForm,
        *,
        problems: list[str] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        asked = {name: request.GET.get(name, "") for name in ("state", "service", "kind")}
        state = asked["state"] if asked["state"] in MismatchState.values else MismatchState.OPEN.value
        rows = selectors_months.mismatches(state=state, agency=asked["service"], kind=asked["kind"])
        page = Paginator(rows, selectors_months.PAGE).get_page(request.GET.get("page"))
        shown = list(page.object_list)
        why = selectors_months.why(shown, clock.today())
        counts, services = selectors_months.counts(), _services()
        narrowed = {k: v for k, v in {**asked, "state": state}.items() if v}
        here = reverse("ndtms:mismatches", args=[slug])
        return self.page(
            request,
            status=status,
            form=form,
            problems=problems,
            asked={**asked, "state": state},
            services=[(code, words) for code, words in services if code],
            kinds=MismatchKind.choices,
            tabs=[
                {
                    "words": label,
                    "count": counts[value],
                    "current": value == state,
                    "url": f"{here}?{urlencode({**narrowed, 'state': value})}",
                }
                for value, label in MismatchState.choices
            ],
            heading=MismatchState(state).label,
            rows=[row_of(m, why[m.pk], slug) for m in shown],
            next=f"{here}?{urlencode({**narrowed, 'page': page.next_page_number()})}"
            if page.has_next()
            else "",
            narrowed=bool(asked["service"] or asked["kind"]),
            lists=selectors_months.newest_lists(),
            columns=mismatch_file.COLUMNS,
            may_take=access.may(self.changing_act),
        )


def _services() -> list[tuple[str, str]]:
    found = [(s.agency_code, f"{s.agency_code} {s.name}") for s in services_of(current_organisation())]
    return found if len(found) < 2 else [("", "Choose the agency code"), *found]


def _said(file: Any, new: bool) -> str:
    if not new:
        return f"This list was taken in before, by {file.by_label}. Nothing was written twice."
    still = file.lines - file.by_consent - file.known_before
    parts = [f"{file.lines} {'line' if file.lines == 1 else 'lines'} taken in for {file.agency_code}"]
    parts.append(f"{file.by_consent} resolved by consent" if file.by_consent else "none resolved by consent")
    if file.known_before:
        parts.append(f"{file.known_before} open already")
    parts.append(f"{still} to work" if still else "nothing to work")
    return ", ".join(parts) + "."


def row_of(m: Mismatch, why: str, slug: str) -> dict[str, Any]:
    """One line of the list."""
    return {
        "pk": m.pk,
        "agency": m.file.agency_code,
        "client_id": m.client_id_text,
        "episode_id": m.episode_id_text,
        "client": m.client_id,
        "name": present.name_of(m.client) if m.client is not None else "",
        "kind": m.get_kind_display(),
        "why": why,
        "badge": BADGES[MismatchState(m.state)],
        "state": m.get_state_display(),
        "taken_at": m.file.taken_at,
        "line": m.line,
        "settled_at": m.settled_at,
        "settled_by": m.settled_by_label,
        "url": reverse("ndtms:mismatch", args=[slug, m.pk]),
    }


class MismatchView(OrganisationView):
    """One mismatch: what the record says to it, and what became of it."""

    act = "extract.preview"
    changing_act = "extract.confirm"
    area = "submissions"
    title = "One mismatch"
    template_name = "ndtms/mismatch.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        return self._show(request, organisation, selectors_months.get_mismatch(pk), SettleForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Settle it with a reason, or open it again (`reopen`)."""
        found = selectors_months.get_mismatch(pk)
        form = SettleForm(request.POST)
        here = HttpResponseRedirect(reverse("ndtms:mismatch", args=[organisation, pk]))
        if request.POST.get("reopen"):
            try:
                mismatches.reopen(pk=pk)
            except mismatches.Refused as refused:
                messages.error(request, f"{refused}.")
                return here
            messages.success(request, "Opened again: it is on the work list.")
            return here
        if not form.is_valid():
            return self._show(request, organisation, found, form, status=422)
        mismatches.settle(pk=pk, reason=form.cleaned_data["reason"])
        messages.success(request, "Settled. It is off the work list, and can be opened again.")
        return HttpResponseRedirect(reverse("ndtms:mismatches", args=[organisation]))

    def _show(
        self, request: HttpRequest, slug: str, found: Mismatch, form: SettleForm, *, status: int = 200
    ) -> HttpResponse:
        why = selectors_months.why([found], clock.today())[found.pk]
        return self.page(
            request,
            status=status,
            row=row_of(found, why, slug),
            is_open=found.state == MismatchState.OPEN,
            form=form,
            may_settle=access.may(self.changing_act),
            may_open=found.client_id is not None and access.may("client.view", "identity"),
        )
