"""Addresses: wiring only."""

from __future__ import annotations

from django.urls import include, path

from edatrs.core import pages
from edatrs.organisations.views import frame

urlpatterns = [
    path("livez", pages.LiveView.as_view(), name="livez"),
    path("readyz", pages.ReadyView.as_view(), name="readyz"),
    path("help/", frame.HelpView.as_view(), name="help"),
    path("help/<slug:topic>/", frame.HelpTopicView.as_view(), name="help-topic"),
    path("keyboard-shortcuts/", frame.ShortcutsView.as_view(), name="keyboard-shortcuts"),
    path("privacy/", frame.PrivacyView.as_view(), name="privacy"),
    path("accessibility/", frame.AccessibilityView.as_view(), name="accessibility"),
    path("", include("edatrs.organisations.urls")),
    path("", include("audit.urls")),
    path("", include("caseload.urls")),
    path("", include("consent.urls")),
    path("", include("ndtms.urls")),
]

handler404 = "edatrs.core.errors.not_found"
handler403 = "edatrs.core.errors.forbidden"
handler400 = "edatrs.core.errors.bad_request"
handler500 = "edatrs.core.errors.failure"
