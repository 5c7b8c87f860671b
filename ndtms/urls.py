"""Addresses of the NDTMS pages."""

from __future__ import annotations

from django.urls import path

from ndtms.api import calendar as api_calendar
from ndtms.api import data_sets as api_data_sets
from ndtms.api import index as api_index
from ndtms.api import quality as api_quality
from ndtms.api import submissions as api_submissions
from ndtms.views import (
    calendar,
    data_sets,
    difference,
    imports,
    mismatches,
    quality,
    quality_answers,
    quality_export,
    quality_trend,
    submissions,
)

app_name = "ndtms"
_LIST = "o/<slug:organisation>/submissions/"
_ONE = f"{_LIST}<uuid:pk>/"
_IMPORTS = "o/<slug:organisation>/import/"
_IMPORT = f"{_IMPORTS}<uuid:pk>/"
_QUALITY = "o/<slug:organisation>/data-quality/"
_DATA_SETS = "o/<slug:organisation>/data-sets/"
_CALENDAR = f"{_LIST}calendar/"
_MISMATCHES = f"{_LIST}mismatches/"
_API = "o/<slug:organisation>/api/"
_API_ONE = f"{_API}submissions/<uuid:pk>/"

# What programs ask; the index reads this list.
api_patterns = [
    path(_API, api_index.IndexApi.as_view(), name="api"),
    path(f"{_API}data-set/", api_data_sets.DataSetApi.as_view(), name="api-data-set"),
    path(f"{_API}quality/", api_quality.QualityApi.as_view(), name="api-quality"),
    path(f"{_API}quality/work-list/", api_quality.WorkListApi.as_view(), name="api-work-list"),
    path(f"{_API}submissions/", api_submissions.SubmissionsApi.as_view(), name="api-submissions"),
    path(_API_ONE, api_submissions.SubmissionApi.as_view(), name="api-submission"),
    path(f"{_API_ONE}preview/", api_submissions.PreviewApi.as_view(), name="api-preview"),
    path(f"{_API_ONE}confirm/", api_submissions.ConfirmApi.as_view(), name="api-confirm"),
    path(f"{_API}calendar/", api_calendar.CalendarApi.as_view(), name="api-calendar"),
    path(f"{_API}mismatches/", api_calendar.MismatchesApi.as_view(), name="api-mismatches"),
    path(f"{_API_ONE}refuse/", api_submissions.RefuseApi.as_view(), name="api-refuse"),
]

urlpatterns = [
    path(_QUALITY, quality.QualityView.as_view(), name="data-quality"),
    path(f"{_QUALITY}answers/", quality_answers.AnswersView.as_view(), name="quality-answers"),
    path(f"{_QUALITY}answers/<uuid:episode>/", quality_answers.AnswerView.as_view(), name="quality-answer"),
    path(
        f"{_QUALITY}answers/<uuid:pk>/take-back/",
        quality_answers.UndoAnswerView.as_view(),
        name="quality-answer-undo",
    ),
    path(f"{_QUALITY}export/", quality_export.QualityExportView.as_view(), name="quality-export"),
    path(f"{_QUALITY}trend/", quality_trend.TrendView.as_view(), name="quality-trend"),
    path(f"{_ONE}difference/", difference.DifferenceView.as_view(), name="difference"),
    path(_CALENDAR, calendar.CalendarView.as_view(), name="calendar"),
    path(f"{_CALENDAR}nil/", calendar.NilView.as_view(), name="calendar-nil"),
    path(_MISMATCHES, mismatches.MismatchesView.as_view(), name="mismatches"),
    path(f"{_MISMATCHES}<uuid:pk>/", mismatches.MismatchView.as_view(), name="mismatch"),
    path(_DATA_SETS, data_sets.DataSetsView.as_view(), name="data-sets"),
    path(f"{_DATA_SETS}compare/", data_sets.CompareView.as_view(), name="data-sets-compare"),
    path(f"{_DATA_SETS}item/", data_sets.ItemView.as_view(), name="data-item"),
    path(_LIST, submissions.SubmissionListView.as_view(), name="submissions"),
    path(f"{_LIST}progress/", submissions.ProgressView.as_view(), name="progress"),
    path(_ONE, submissions.SubmissionDetailView.as_view(), name="submission"),
    path(f"{_ONE}progress/", submissions.SubmissionProgressView.as_view(), name="submission-progress"),
    path(f"{_ONE}download/", submissions.DownloadView.as_view(), name="download"),
    path(f"{_ONE}confirm/", submissions.ConfirmLoadView.as_view(), name="confirm"),
    path(f"{_ONE}refuse/", submissions.RefuseLoadView.as_view(), name="refuse"),
    path(f"{_ONE}full/", submissions.BuildFullView.as_view(), name="build-full"),
    path(_IMPORTS, imports.ImportListView.as_view(), name="imports"),
    path(_IMPORT, imports.ImportView.as_view(), name="import"),
    path(f"{_IMPORT}progress/", imports.ImportProgressView.as_view(), name="import-progress"),
    path(f"{_IMPORT}confirm/", imports.ConfirmImportView.as_view(), name="import-confirm"),
    path(f"{_IMPORT}cancel/", imports.CancelImportView.as_view(), name="import-cancel"),
    *api_patterns,
]
