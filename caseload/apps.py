"""Clients, registrations, episodes, interventions, outcomes: the record."""

from __future__ import annotations

from django.apps import AppConfig

_AREAS = {
    "my-caseload": {
        "words": "My caseload",
        "url": lambda slug: f"/o/{slug}/caseload/",
        "act": "caseload.view",
    },
    "clients": {"words": "Clients", "url": lambda slug: f"/o/{slug}/clients/", "act": "client.find"},
}
_PARTS = {
    key: {"words": words, "route": f"caseload:{route}", "act": act, "category": category}
    for key, words, route, act, category in (
        ("overview", "Overview", "client", "client.view", "identity"),
        ("details", "Details", "client-details", "client.view", "identity"),
        ("timeline", "Timeline", "client-timeline", "client.view", "identity"),
        ("episodes", "Episodes", "client-episodes", "client.view", "treatment"),
        ("outcomes", "Outcomes", "client-outcomes", "client.view", "treatment"),
        ("who-looked", "Who looked", "client-who-looked", "trail.client", ""),
    )
}


class CaseloadConfig(AppConfig):
    """Clients, registrations, episodes, interventions, outcomes: the record."""

    name = "caseload"
    verbose_name = "Caseload"

    def ready(self) -> None:
        """Register the area, the parts of the record, and the kind of job that keeps the search."""
        from caseload import attention, checks, timeline_sources, trail_subjects  # noqa: F401  # importing `checks` registers them
        from caseload.services import search_index  # noqa: F401  # importing registers its kind of job
        from caseload.views.outcomes import outcomes_panel
        from edatrs.core import registry

        registry.trail_subjects.add("caseload.client", trail_subjects)
        attention.register_kinds()
        timeline_sources.register_sources()
        for key, area in _AREAS.items():
            registry.navigation.add(key, area)
        for key, part in _PARTS.items():
            registry.client_parts.add(key, part)
        registry.client_panels.add("outcomes", outcomes_panel)
