"""Import through the browser: send a zip, look at what it would do, confirm or cancel, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from edatrs.core import trail
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView
from ndtms import selectors_imports
from ndtms.bundle import file_specs
from ndtms.choices import ImportState, LineKind
from ndtms.forms import ConfirmImportForm, ImportForm
from ndtms.models import ImportRun
from ndtms.services import imports
from ndtms.services.submissions import Refused
from ndtms.views import present_imports as present
from ndtms.zipped import BadZip

# What can be shown of a preview. Unless told, what it would do; what is held already is not in the way.
KINDS = {
    "changes": "Created and changed",
    LineKind.CREATED.value: "Created",
    LineKind.CHANGED.value: "Changed",
    LineKind.UNCHANGED.value: "Unchanged",
    "all": "Everything",
}


class ImportListView(OrganisationView):
    """What was imported, and the form to send a bundle."""

    act = "import.caseload"
    area = "import"
    title = "Import a caseload"
    template_name = "ndtms/imports.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list and an empty form."""
        return self._show(request, organisation, ImportForm(initial={"form_id": uuid4()}))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Take an upload. What cannot be a bundle is refused at once; what is in the files is read by a worker."""
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._show(request, organisation, form, status=422)
        sent = form.cleaned_data["file"]
        user: Any = request.user
        try:
            run = imports.send(
                form_id=form.cleaned_data["form_id"],
                raw=sent.read(),
                file_name=sent.name or "",
                acting_user=user,
            )
        except BadZip as bad:
            for words in bad.lines[:20]:
                form.add_error("file", words)
            trail.record("ndtms.import_refused", details={"why": bad.why, "problems": len(bad.lines)})
            return self._show(request, organisation, form, status=422)
        except Refused as refused:
            form.add_error("file", str(refused))
            return self._show(request, organisation, form, status=409)
        return HttpResponseRedirect(present.url("import", organisation, run))

    def _show(self, request: HttpRequest, slug: str, form: ImportForm, *, status: int = 200) -> HttpResponse:
        runs, more = selectors_imports.page_of_runs(before=request.GET.get("before", ""))
        return self.page(
            request,
            status=status,
            form=form,
            rows=[present.row(run, slug) for run in runs],
            more=more,
            files=[spec.name for spec in file_specs()],
            kept_days=imports.KEPT.days,
        )


class _ImportPage(OrganisationView, abstract=True):
    """A page about one import of the organisation acted for."""

    act = "import.caseload"
    area = "import"

    def run(self, pk: UUID) -> ImportRun:
        """The one in the address. Raises Denied: absent and another organisation's answer alike."""
        try:
            return selectors_imports.get_run(pk)
        except ImportRun.DoesNotExist:
            raise Denied(self.act, "not found", subject=str(pk)) from None


class ImportView(_ImportPage):
    """One import: how far it is, what it would do line by line, what became of it."""

    title = "Import"
    template_name = "ndtms/import.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page. Looking at lines is on the trail: they hold data of clients."""
        run = self.run(pk)
        shown: dict[str, Any] = {}
        if run.state in (ImportState.READY, ImportState.REFUSED):
            shown = self._lines(request, run)
        return self.page(
            request,
            run=present.detail(run),
            running=present.running(selectors_imports.job_of(run), run),
            url_progress=present.url("import-progress", organisation, run),
            url_list=present.url("imports", organisation),
            url_confirm=present.url("import-confirm", organisation, run),
            url_cancel=present.url("import-cancel", organisation, run),
            kept_days=imports.KEPT.days,
            **shown,
        )

    @staticmethod
    def _lines(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
        kind, file, after = (request.GET.get(name, "") for name in ("kind", "file", "after"))
        if run.state == ImportState.REFUSED:
            kind = LineKind.REFUSED
        elif kind not in KINDS:
            kind = "changes"
        file = file if file in run.counts else ""
        rows, more = selectors_imports.page_of_lines(run, kind=kind, file=file, after=after)
        trail.record(
            "ndtms.import_viewed", subject=str(run.pk), details={"rows": len(rows), "sha256": run.sha256}
        )
        return {
            "lines": present.lines(rows),
            "more": more,
            "kind": kind,
            "file": file,
            "kinds": list(KINDS.items()),
        }


class ImportProgressView(_ImportPage):
    """The fragment that shows how far it is; asking for it does not count as being at work."""

    template_name = "ndtms/_import_progress.html"
    extends_session = False

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The fragment."""
        run = self.run(pk)
        return self.page(
            request,
            fragment=True,
            running=present.running(selectors_imports.job_of(run), run),
            url_progress=present.url("import-progress", organisation, run),
            url_done=present.url("import", organisation, run),
        )


class ConfirmImportView(_ImportPage):
    """Write what the preview showed."""

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Have it written; the page says how far it is."""
        run = self.run(pk)
        form = ConfirmImportForm(request.POST)
        user: Any = request.user
        try:
            if not form.is_valid():
                raise Refused("no_preview", "Look at the preview, then confirm it below.")
            imports.confirm(
                run=run,
                preview=form.cleaned_data["preview"],
                digest=form.cleaned_data["digest"],
                acting_user=user,
            )
        except Refused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(present.url("import", organisation, run))


class CancelImportView(_ImportPage):
    """Let go of an upload."""

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Delete its file and its preview."""
        run = self.run(pk)
        user: Any = request.user
        try:
            imports.cancel(run=run, acting_user=user)
            messages.success(request, "Cancelled. Nothing was written, and the file is deleted.")
        except Refused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(present.url("import", organisation, run))
