"""Clients, registrations, episodes, interventions, outcomes: the record."""

from __future__ import annotations

from django.apps import AppConfig

_AREAS = {
    "my-caseload": {
        "words": "My caseload",
        "url": lambda slug: f"/o/{slug}/caseload/",
        "act": "caseload.view",
    },
    "shared": {
        "words": "Shared with us",
        "url": lambda slug: f"/o/{slug}/shared/",
        "act": "client.find",
        "by": "S",
    },
    "links": {
        "words": "Links",
        "url": lambda slug: f"/o/{slug}/links/",
        "act": "client.link",
    },
    "emergency": {
        "words": "Emergency access",
        "url": lambda slug: f"/o/{slug}/emergency/",
        "act": "break_glass.open",
        "by": "N",
    },
    "protection": {
        "words": "Protected records",
        "url": lambda slug: f"/o/{slug}/protection/",
        "act": "restriction.set",
    },
    "clients": {"words": "Clients", "url": lambda slug: f"/o/{slug}/clients/", "act": "client.find"},
    "exports": {"words": "Exports", "url": lambda slug: f"/o/{slug}/exports/", "act": "list.export"},
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
        from caseload import attention, checks, hidden, leavers, timeline_sources, trail_subjects  # noqa: F401  # importing `checks` registers them
        from caseload.services import (
            emergency,
            linked_records,  # noqa: F401  # likewise
            openings,
            search_index,  # noqa: F401  # importing registers its kind of job
        )
        from caseload.views.linking import panel as links_panel
        from caseload.views.outcomes import outcomes_panel
        from edatrs.core import managers, registry, views

        managers.narrow(hidden.narrowing)
        views.when_shown(openings.note_page)
        registry.after_signing_out.add("caseload.emergency", emergency.end_everywhere)
        registry.trail_subjects.add("caseload.client", trail_subjects)
        attention.register_kinds()
        leavers.register_work()
        timeline_sources.register_sources()
        for key, area in _AREAS.items():
            registry.navigation.add(key, area)
        for key, part in _PARTS.items():
            registry.client_parts.add(key, part)
        registry.client_panels.add("outcomes", outcomes_panel)
        registry.client_panels.add("links", links_panel)
