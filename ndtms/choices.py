"""Closed lists of the ndtms app."""

from __future__ import annotations

from django.db import models


class ExtractKind(models.TextChoices):
    """Which episodes a file carries: those of the reporting window, or all (contract section 4)."""

    REPORTING = "reporting", "Reporting extract"
    FULL = "full", "Full extract"


class SubmissionState(models.TextChoices):
    """What became of a file."""

    BUILDING = "building", "Building"
    FAILED = "failed", "Not built"
    BUILT = "built", "Built"
    LOADED = "loaded", "Loaded"
    REFUSED = "refused", "Refused by NDTMS"
