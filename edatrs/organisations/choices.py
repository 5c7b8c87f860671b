"""Closed lists of the organisations app."""

from __future__ import annotations

from django.db import models


class OrganisationKind(models.TextChoices):
    """What a partner is in the protocol (obligation 6)."""

    PROVIDER = "provider", "Provider"
    COMMISSIONER = "commissioner", "Commissioner"
    SUPPLIER = "supplier", "System supplier"


class DataSet(models.TextChoices):
    """The national data set of a service: the setting decides it, not the client's age."""

    ADULT = "adult", "Adult"
    YOUNG_PEOPLE = "yp", "Young people"
    CJIT = "cjit", "Criminal justice (CJIT)"


class Role(models.TextChoices):
    """The eight roles of the access table; there are no others."""

    KEYWORKER = "keyworker", "Keyworker"
    CLINICIAN = "clinician", "Clinician"
    TEAM_MANAGER = "team_manager", "Team manager"
    NDTMS_ADMINISTRATOR = "ndtms_administrator", "NDTMS administrator"
    ORGANISATION_ADMINISTRATOR = "organisation_administrator", "Organisation administrator"
    INFORMATION_GOVERNANCE = "information_governance", "Information governance officer"
    COMMISSIONER = "commissioner", "Commissioner"
    PLATFORM_SUPPORT = "platform_support", "Platform support"


class JobState(models.TextChoices):
    """Where a piece of work stands."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
