"""Addresses of the trail pages."""

from __future__ import annotations

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("o/<slug:organisation>/trail/", views.TrailView.as_view(), name="trail"),
    path("o/<slug:organisation>/trail/check/", views.CheckTrailView.as_view(), name="trail-check"),
    path(
        "o/<slug:organisation>/trail/export/download/", views.ExportTrailView.as_view(), name="trail-export"
    ),
    path(
        "o/<slug:organisation>/trail/verifier/download/", views.VerifierView.as_view(), name="trail-verifier"
    ),
    path("o/<slug:organisation>/trail/heads/download/", views.NewestHeadsView.as_view(), name="trail-heads"),
    path("o/<slug:organisation>/trail/key.txt", views.PublicKeyView.as_view(), name="trail-key"),
]
