"""Addresses of the consent pages."""

from __future__ import annotations

from django.urls import path

from consent.views.ndtms import ConsentView

app_name = "consent"
urlpatterns = [
    path("o/<slug:organisation>/clients/<uuid:pk>/consent/", ConsentView.as_view(), name="ndtms"),
]
