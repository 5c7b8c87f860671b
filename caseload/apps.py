"""Clients, registrations, episodes, interventions, outcomes: the record."""

from __future__ import annotations

from django.apps import AppConfig


class CaseloadConfig(AppConfig):
    """Clients, registrations, episodes, interventions, outcomes: the record."""

    name = "caseload"
    verbose_name = "Caseload"

    def ready(self) -> None:
        """Register the area, the parts of the record, and the kind of job that keeps the search."""
        from caseload import attention, checks, timeline_sources, trail_subjects  # noqa: F401  # registering is its effect, and Django asks for it here
        from caseload.services import search_index  # noqa: F401  # importing registers its kind of job
        from caseload.views.outcomes import outcomes_panel
        from edatrs.core import registry

        registry.trail_subjects.add("caseload.client", trail_subjects)
        attention.register_kinds()
        timeline_sources.register_sources()
        registry.navigation.add(
            "my-caseload",
            {"words": "My caseload", "url": lambda slug: f"/o/{slug}/caseload/", "act": "caseload.view"},
        )
        registry.navigation.add(
            "clients", {"words": "Clients", "url": lambda slug: f"/o/{slug}/clients/", "act": "client.find"}
        )
        for key, words, route, act, category in (
            ("overview", "Overview", "caseload:client", "client.view", "identity"),
            ("details", "Details", "caseload:client-details", "client.view", "identity"),
            ("timeline", "Timeline", "caseload:client-timeline", "client.view", "identity"),
            ("episodes", "Episodes", "caseload:client-episodes", "client.view", "treatment"),
            ("outcomes", "Outcomes", "caseload:client-outcomes", "client.view", "treatment"),
            ("who-looked", "Who looked", "caseload:client-who-looked", "trail.client", ""),
        ):
            registry.client_parts.add(key, {"words": words, "route": route, "act": act, "category": category})
        registry.client_panels.add("outcomes", outcomes_panel)
