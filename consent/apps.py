"""Consent to NDTMS as acts with evidence."""

from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """Consent to NDTMS as acts with evidence."""

    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        """Register the part of the record."""
        from consent.timeline import register_source
        from edatrs.core import registry

        register_source()
        registry.client_parts.add(
            "consent",
            {"words": "Consent", "route": "consent:ndtms", "act": "consent.ndtms.record", "category": ""},
        )
