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


class ImportState(models.TextChoices):
    """What became of an upload. Only one that is ready can be confirmed."""

    READING = "reading", "Being read"
    READY = "ready", "Waiting for your answer"
    REFUSED = "refused", "Cannot be loaded"
    LOADING = "loading", "Being written"
    LOADED = "loaded", "Loaded"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    FAILED = "failed", "Not read"


class LineKind(models.TextChoices):
    """What a line of a bundle does to the record."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    UNCHANGED = "unchanged", "Unchanged"
    REFUSED = "refused", "Refused"


class AnswerEnd(models.TextChoices):
    """Why what somebody said of a warning counts no longer."""

    UNDONE = "undone", "Taken back"
    RIGHT = "right", "No longer a fault"
    CHANGED = "changed", "What it was about has changed"
