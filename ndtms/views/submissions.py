"""The submissions desk: build a file, watch it, look at what NDTMS will do with it, download it, record what NDTMS said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from caseload.dataset.reader import load_dictionary
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.selectors import services_of
from ndtms import selectors
from ndtms.choices import ExtractKind, SubmissionState
from ndtms.forms import BuildForm, RefuseForm
from ndtms.models import Submission
from ndtms.services import submissions
from ndtms.services.submissions import Refused
from ndtms.views import present


class SubmissionView(OrganisationView, abstract=True):
    """A page about one submission of the organisation acted for."""

    act = "submissions.view"
    area = "submissions"

    def submission(self, pk: UUID) -> Submission:
        """The one in the address. Raises Denied: absent and another organisation's answer alike."""
        try:
            return selectors.get_submission(pk)
        except Submission.DoesNotExist:
            raise Denied(self.act, "not found", subject=str(pk)) from None

    def back_to(self, request: HttpRequest) -> str:
        """The page of the submission, after the second factor was asked for again."""
        kwargs = self.kwargs
        return present.reverse("ndtms:submission", args=[kwargs["organisation"], kwargs["pk"]])


class SubmissionListView(OrganisationView):
    """All files, what is being built, and the form to build one."""

    act = "submissions.view"
    changing_act = "extract.build"
    area = "submissions"
    title = "Submissions to NDTMS"
    template_name = "ndtms/submissions.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The desk. Today is proposed as the as-of date."""
        first = {"kind": ExtractKind.REPORTING.value, "as_of": clock.today()}
        return self._desk(request, organisation, BuildForm(initial=first, services=self._choices()))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Start a build. For another date than today it first says how many episodes that would hold back."""
        form = BuildForm(request.POST, services=self._choices())
        if not form.is_valid():
            return self._desk(request, organisation, form, status=422)
        agency, kind, as_of = form.order()
        if request.POST.get("as_of_today"):
            as_of = clock.today()
        try:
            order = submissions.check_order(
                agency_code=agency,
                dataset=None,
                letter=None,
                kind=kind,
                as_of=as_of,
                organisation=self._organisation(request),
            )
            if as_of != clock.today() and not request.POST.get("confirmed"):
                return self._desk(request, organisation, form, confirm=self._cost(order))
            submission, _ = submissions.ask_for_extract(order=order, acting_user=self._user(request))
        except Refused as refused:
            form.add_error("as_of" if refused.problem == "as_of_in_future" else "service", str(refused))
            return self._desk(request, organisation, form, status=409)
        return HttpResponseRedirect(present.url("submission", organisation, submission))

    def _desk(
        self,
        request: HttpRequest,
        slug: str,
        form: BuildForm,
        *,
        status: int = 200,
        confirm: dict[str, Any] | None = None,
    ) -> HttpResponse:
        today = clock.today()
        services = list(services_of(current_organisation()).prefetch_related("letters"))
        return self.page(
            request,
            status=status,
            form=form,
            confirm=confirm,
            figures=present.figures(selectors.figures(), len(services), slug),
            services=[
                {
                    "agency": s.agency_code,
                    "name": s.name,
                    "dataset_words": s.get_dataset_display(),
                    "letter": s.letter_on(today, load_dictionary().default_letter),
                }
                for s in services
            ],
            url_build=present.url("submissions", slug) if access.may("extract.build") else "",
            url_submissions=present.url("submissions", slug),
            url_calendar=present.url("calendar", slug),
            url_mismatches=present.url("mismatches", slug) if access.may("extract.preview") else "",
            **_lists(slug),
        )

    @staticmethod
    def _choices() -> list[tuple[str, str]]:
        today = clock.today()
        choices = [
            (
                s.agency_code,
                f"{s.agency_code} {s.name} ({s.get_dataset_display()}, letter {s.letter_on(today, load_dictionary().default_letter)})",
            )
            for s in services_of(current_organisation()).prefetch_related("letters")
        ]
        return choices if len(choices) < 2 else [("", "Choose the service"), *choices]

    @staticmethod
    def _cost(order: submissions.ExtractOrder) -> dict[str, Any]:
        return {
            "agency": order.service.agency_code,
            "service_name": order.service.name,
            "as_of": order.as_of,
            "held_back": selectors.count_after(order.service.pk, order.as_of),
            "today": clock.today(),
        }

    @staticmethod
    def _organisation(request: HttpRequest) -> Any:
        return request.organisation  # type: ignore[attr-defined]  # set by the middleware

    @staticmethod
    def _user(request: HttpRequest) -> Any:
        return request.user


def _lists(slug: str, *, only: Submission | None = None) -> dict[str, Any]:
    """What is being built and the newest files, for the desk and its fragment."""
    under_way = [(j, s) for j, s in selectors.builds_under_way() if only is None or s.pk == only.pk]
    return {
        "running": [present.running(job, submission) for job, submission in under_way],
        "rows": [present.row(s, slug) for s in selectors.newest_submissions()],
        "url_progress": present.url("progress", slug),
    }


class ProgressView(OrganisationView):
    """The fragment of the desk that shows how far builds are; asking for it does not count as being at work."""

    act = "submissions.view"
    area = "submissions"
    template_name = "ndtms/_progress.html"
    extends_session = False

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The fragment."""
        return self.page(request, fragment=True, **_lists(organisation))


class SubmissionDetailView(SubmissionView):
    """One file. Who may not see rows sees numbers and states."""

    template_name = "ndtms/submission.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; looking at the preview is on the trail."""
        return self.show(request, organisation, self.submission(pk), RefuseForm())

    def show(
        self,
        request: HttpRequest,
        slug: str,
        submission: Submission,
        refuse_form: RefuseForm,
        *,
        status: int = 200,
    ) -> HttpResponse:
        """The page with a form for a refusal, which may hold errors."""
        built = submission.state in submissions.ON_DISK
        rows = built and access.may("extract.preview")
        if rows:
            trail.record("ndtms.preview_viewed", subject=str(submission.pk))
        named = selectors.episodes_named(submission, present.shown_ids(submission)) if rows else {}
        kept = present.preview(submission, named, slug) if rows else _no_rows()
        open_file = submission.state == SubmissionState.BUILT
        warnings = present.warnings(submission, named) if rows and open_file else []
        return self.page(
            request,
            status=status,
            s=present.detail(submission),
            held_back=present.held_back(submission, named, slug) if rows else [],
            preview=kept,
            held_back_count=len(submission.content.held_back) if rows else 0,
            warnings=warnings,
            # A full extract keeps what ended before the window, and nothing that a rule holds back.
            full_keeps=rows
            and "out_of_window" in submission.content.preview.get("removed_though_agreed", {}).values(),
            can={
                "download": built and access.may("extract.download"),
                "confirm": open_file and access.may("extract.confirm"),
                "refuse": open_file and access.may("extract.confirm"),
            },
            sees_rows=rows,
            refuse_form=refuse_form,
            running=_lists(slug, only=submission)["running"],
            url_progress=present.url("submission-progress", slug, submission),
            urls={
                "list": present.url("submissions", slug),
                "difference": present.url("difference", slug, submission) if rows else "",
                "download": present.url("download", slug, submission),
                "confirm": present.url("confirm", slug, submission),
                "refuse": present.url("refuse", slug, submission),
                "build_full": present.url("build-full", slug, submission)
                if access.may("extract.build") and submission.kind == ExtractKind.REPORTING
                else "",
            },
        )


def _no_rows() -> dict[str, Any]:
    return {"new_count": 0, "new": [], "replaced_count": 0, "removed_by_consent": [], "missing": []}


class SubmissionProgressView(SubmissionView):
    """The same fragment for one file."""

    template_name = "ndtms/_progress.html"
    extends_session = False

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The fragment."""
        submission = self.submission(pk)
        return self.page(
            request,
            fragment=True,
            running=_lists(organisation, only=submission)["running"],
            url_progress=present.url("submission-progress", organisation, submission),
            url_done=present.url("submission", organisation, submission),
        )


class DownloadView(SubmissionView):
    """Hand the file out: a disclosure, with a fresh second factor."""

    act = "extract.download"
    fresh_second_factor = True

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The file as an attachment, under the name that NDTMS wants."""
        submission = self.submission(pk)
        try:
            path = submissions.record_download(submission=submission, acting_user=_person(request))
        except Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(present.url("submission", organisation, submission))
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=submission.file_name,
            content_type="text/csv; charset=utf-8",
        )


class ConfirmLoadView(SubmissionView):
    """NDTMS took the file."""

    act = "extract.confirm"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Record it."""
        submission = self.submission(pk)
        try:
            submissions.confirm_load(submission=submission, acting_user=_person(request))
            messages.success(request, "Recorded as loaded. What NDTMS holds is up to date here.")
        except Refused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(present.url("submission", organisation, submission))


class RefuseLoadView(SubmissionDetailView):
    """NDTMS refused the file."""

    act = "extract.confirm"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """A refusal has no page of its own: to the file."""
        return HttpResponseRedirect(present.url("submission", organisation, self.submission(pk)))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Record it with its reason; the page again where the reason is missing."""
        submission = self.submission(pk)
        form = RefuseForm(request.POST)
        if not form.is_valid():
            return self.show(request, organisation, submission, form, status=422)
        try:
            submissions.refuse_load(
                submission=submission, reason=form.cleaned_data["reason"], acting_user=_person(request)
            )
            messages.success(request, "Recorded as refused. Nothing changed at NDTMS.")
        except Refused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(present.url("submission", organisation, submission))


class BuildFullView(SubmissionView):
    """The same service and date as a full extract, which keeps the agreed older episodes."""

    act = "extract.build"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Start it."""
        submission = self.submission(pk)
        try:
            order = submissions.check_order(
                agency_code=submission.agency_code,
                dataset=submission.dataset,
                letter=submission.letter,
                kind=ExtractKind.FULL.value,
                as_of=submission.as_of,
                organisation=request.organisation,  # type: ignore[attr-defined]  # set by the middleware
            )
            full, _ = submissions.ask_for_extract(order=order, acting_user=_person(request))
        except Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(present.url("submission", organisation, submission))
        return HttpResponseRedirect(present.url("submission", organisation, full))


def _person(request: HttpRequest) -> Any:
    return request.user
