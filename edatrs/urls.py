"""Addresses: wiring only."""

from __future__ import annotations

from django.urls import path

urlpatterns: list = []

handler404 = "edatrs.core.errors.not_found"
handler403 = "edatrs.core.errors.forbidden"
handler400 = "edatrs.core.errors.bad_request"
handler500 = "edatrs.core.errors.failure"
