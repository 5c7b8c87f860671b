"""Addresses: wiring only."""

from __future__ import annotations

from django.urls import include, path

from edatrs.core import pages

urlpatterns = [
    path("livez", pages.LiveView.as_view(), name="livez"),
    path("readyz", pages.ReadyView.as_view(), name="readyz"),
    path("help/", pages.HelpView.as_view(), name="help"),
    path("", include("edatrs.organisations.urls")),
    path("", include("caseload.urls")),
    path("", include("consent.urls")),
    path("", include("ndtms.urls")),
]

handler404 = "edatrs.core.errors.not_found"
handler403 = "edatrs.core.errors.forbidden"
handler400 = "edatrs.core.errors.bad_request"
handler500 = "edatrs.core.errors.failure"
