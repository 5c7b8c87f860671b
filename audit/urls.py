"""Addresses of the trail pages."""

from __future__ import annotations

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("o/<slug:organisation>/trail/", views.TrailView.as_view(), name="trail"),
    path("o/<slug:organisation>/trail/check/", views.CheckTrailView.as_view(), name="trail-check"),
]
