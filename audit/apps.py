"""The trail: append-only, one keyed chain per organisation."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Trail and, later, breaches. Knows no client model."""

    name = "audit"
    label = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        """Open the door of the trail and take the refusals. Before this nothing can be recorded, so nothing goes unrecorded."""
        from audit import checking  # noqa: F401  # importing registers its kind of job
        from audit.events import scrub_event
        from audit.services import flush, record_refusal
        from edatrs.core import refusals, registry, trail

        trail.install(scrub=scrub_event, flush=flush)
        refusals.register(record_refusal)
        registry.navigation.add(
            "trail", {"words": "Trail", "url": lambda slug: f"/o/{slug}/trail/", "act": "trail.search"}
        )
