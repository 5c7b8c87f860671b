"""Clients, registrations, episodes, interventions, outcomes: the record."""

from __future__ import annotations

from django.apps import AppConfig


class CaseloadConfig(AppConfig):
    """Clients, registrations, episodes, interventions, outcomes: the record."""

    name = "caseload"
    verbose_name = "Caseload"
