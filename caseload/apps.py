"""Clients, registrations, episodes, interventions, outcomes: the record."""

from __future__ import annotations

from django.apps import AppConfig


class CaseloadConfig(AppConfig):
    """Clients, registrations, episodes, interventions, outcomes: the record."""

    name = "caseload"
    verbose_name = "Caseload"

    def ready(self) -> None:
        """Register the system checks."""
        from caseload import checks  # noqa: F401  # registering is its effect, and Django asks for it here
