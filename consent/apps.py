"""Consent to NDTMS as acts with evidence."""

from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """Consent to NDTMS as acts with evidence."""

    name = "consent"
    verbose_name = "Consent"
