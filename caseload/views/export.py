"""Take a list out as a file: ask for it, look at it first, take it, end it; and who took which (wish 1)."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import reverse

from caseload import export_columns, selectors_export
from caseload.choices import Category, LawfulGround
from caseload.export_columns import COLUMNS
from caseload.forms.export import ExportForm, initial_of
from caseload.models import ListExport
from caseload.selectors_export import FIRST, narrowed, stored, words_of
from caseload.services import list_exports
from caseload.services.list_exports import is_open
from caseload.views.my_caseload import uuid_or_nobody
from edatrs.core import clock
from edatrs.core.scope import current_scope
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import DraftedView


class ExportListView(OrganisationView):
    """The exports that the person acting asked for; to the governance officer, those of everybody."""

    act = export_columns.ACT
    area = "exports"
    title = "Exports of lists"
    template_name = "caseload/exports.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The newest 200, those that can be downloaded first."""
        rows = [_row(export) for export in selectors_export.exports()]
        return self.page(
            request,
            open_now=[row for row in rows if row["open"]],
            over=[row for row in rows if not row["open"]],
            everybody=not export_columns.reaches_clients(),
        )


def _row(export: ListExport) -> dict[str, Any]:
    """An export in a list."""
    downloads = sorted(export.downloads.all(), key=lambda row: row.at, reverse=True)
    return {
        "pk": export.pk,
        "at": export.asked_at,
        "who": export.by_label,
        "own": export.user_id == current_scope().person_id,
        "names": export.names,
        "leaves": export.leaves,
        "purpose": export.get_purpose_display(),
        "lines": export.lines,
        "until": export.ended_at or export.expires_at,
        "ended_by": export.ended_by_label,
        "open": is_open(export),
        "downloads": len(downloads),
        "last": downloads[0].at if downloads else None,
    }


class ExportNewView(DraftedView):
    """Ask for a list as a file: the form, then what the file would be, then it is kept for the time that was chosen."""

    act = export_columns.ACT
    area = "exports"
    title = "Export a list"
    template_name = "caseload/export_new.html"
    fresh_second_factor = True
    draft = "caseload.export"
    draft_words = "Export a list"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The form; ?service= &keyworker= &state= &consent= &substance= say which list."""
        typed = self.typed(request)
        if typed is not None:
            return self._form(request, ExportForm(typed, unchecked=True))
        return self._form(request, ExportForm(initial=initial_of(_kept(request.GET))))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Look at it first; then, with `confirm`, keep it; with `change`, back to the form."""
        if "change" in request.POST:
            return self._form(request, ExportForm(request.POST, unchecked=True))
        form = ExportForm(request.POST)
        if not form.is_valid():
            return self._form(request, form, status=422)
        user: Any = request.user
        wish, asked = form.wish(), form.asked()
        try:
            if "confirm" not in request.POST:
                return self._check(request, form, wish, asked)
            form_id = uuid_or_nobody(request.POST.get("export", ""))
            made = list_exports.ask(form_id=form_id, asked=asked, acting_user=user, **wish)
        except list_exports.Refused as refused:
            form.refuse(refused.field, str(refused))
            return self._form(request, form, status=422)
        messages.success(request, "The export is ready to download. Nothing has left the system yet.")
        return HttpResponseRedirect(list_exports.address_of(made))

    def _form(self, request: HttpRequest, form: ExportForm, *, status: int = 200) -> HttpResponse:
        return self.page(request, status=status, form=form, most=selectors_export.MOST_LINES)

    def _check(
        self, request: HttpRequest, form: ExportForm, wish: dict[str, Any], asked: Any
    ) -> HttpResponse:
        """What the file would be: how many lines, and the first of them. Raises Refused."""
        lines, people = list_exports.check(
            asked=asked, columns=wish["columns"], names=wish["names"], leaves=wish["leaves"]
        )
        columns = export_columns.allowed(wish["columns"], names=wish["names"])
        first = selectors_export.lines_of(asked, columns, limit=FIRST)
        return self.page(
            request,
            check=True,
            form=form,
            export=uuid4(),
            lines=lines,
            people=people,
            columns=columns,
            first=first.cells,
            narrowing=words_of(asked),
            wish=wish,
            ground=dict(LawfulGround.choices).get(wish["lawful_ground"], ""),
            hidden=_hidden(request.POST, form),
        )


def _kept(data: QueryDict) -> dict[str, Any]:
    """What an address narrows to, in the words of a stored narrowing; what is unknown is left out."""
    several = {key: data.getlist(key) for key in ("service", "state", "consent", "substance")}
    return narrowed({**several, "keyworker": data.get("keyworker", "")}).kept()


def _hidden(data: QueryDict, form: ExportForm) -> list[tuple[str, str]]:
    """What was typed, to come along with the confirmation."""
    return [(name, value) for name in form.fields for value in data.getlist(name)]


class ExportView(OrganisationView):
    """One export: what was asked, until when, who took it how often; and the way to take it or to end it."""

    act = export_columns.ACT
    area = "exports"
    title = "Export of a list"
    template_name = "caseload/export.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page: one's own, or any to the governance officer."""
        export = selectors_export.get_export(pk)
        now_given = export_columns.allowed(export.columns, names=export.names)
        own = export.user_id == current_scope().person_id
        return self.page(
            request,
            export=export,
            own=own,
            open=is_open(export),
            expired=export.ended_at is None and not is_open(export),
            narrowing=words_of(stored(export.filters)),
            columns=[COLUMNS[key].words for key in export.columns if key in COLUMNS],
            parts=[Category(c).label for c in export_columns.categories_of(
                [COLUMNS[key] for key in export.columns if key in COLUMNS])],
            left_out=[COLUMNS[key].words for key in export.columns
                      if key in COLUMNS and COLUMNS[key] not in now_given] if own else [],
            downloads=selectors_export.downloads_of(export),
            now=clock.now(),
        )  # fmt: skip


class ExportFileView(OrganisationView):
    """Hand the file out, made now. To nobody but who asked for it."""

    act = export_columns.ACT
    area = "exports"
    title = "Export of a list"
    fresh_second_factor = True

    def back_to(self, request: HttpRequest) -> str:
        """The page with the button."""
        return reverse("caseload:export", args=[self.kwargs["organisation"], self.kwargs["pk"]])

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The file as an attachment. Its name says nothing of what is in it."""
        user: Any = request.user
        try:
            written = list_exports.download(export_id=pk, acting_user=user)
        except list_exports.Refused as refused:
            messages.error(request, f"{refused}.")
            return HttpResponseRedirect(self.back_to(request))
        return FileResponse(
            io.BytesIO(written.content),
            as_attachment=True,
            filename=f"list-{clock.today():%Y-%m-%d}.csv",
            content_type="text/csv; charset=utf-8",
        )


class ExportEndView(OrganisationView):
    """End an export now: by who asked, or the governance officer."""

    act = export_columns.ACT
    area = "exports"
    title = "Export of a list"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Ended; the row stays."""
        user: Any = request.user
        list_exports.end(export_id=pk, acting_user=user)
        messages.success(request, "The export has ended. Nobody can download it any more.")
        return HttpResponseRedirect(reverse("caseload:export", args=[organisation, pk]))
