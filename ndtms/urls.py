"""Addresses of the NDTMS pages."""

from __future__ import annotations

from django.urls import path

from ndtms.views import imports, quality, submissions

app_name = "ndtms"
_LIST = "o/<slug:organisation>/submissions/"
_ONE = f"{_LIST}<uuid:pk>/"
_IMPORTS = "o/<slug:organisation>/import/"
_IMPORT = f"{_IMPORTS}<uuid:pk>/"

urlpatterns = [
    path("o/<slug:organisation>/data-quality/", quality.QualityView.as_view(), name="data-quality"),
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
]
