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


class MonthState(models.TextChoices):
    """How a month of an agency code stands in the calendar of submissions."""

    NOT_OPEN = "not_open", "Not open yet"
    UNKNOWN = "unknown", "Nothing recorded"
    DUE = "due", "Due"
    LATE = "late", "Late"
    MISSED = "missed", "Missed"
    BUILDING = "building", "Building"
    FAILED = "failed", "Not built"
    BUILT = "built", "Built"
    DOWNLOADED = "downloaded", "Downloaded"
    REFUSED = "refused", "Refused by NDTMS"
    LOADED = "loaded", "Loaded"
    NIL = "nil", "Nil return"


class MismatchKind(models.TextChoices):
    """What NDTMS found when it compared a file with what it holds. Our words: the collection's own are not established."""

    MISSING = "missing", "Held by NDTMS, and not in the file"
    NOT_TAKEN = "not-taken", "In the file, and not taken by NDTMS"
    DIFFERS = "differs", "Held by NDTMS with other values"


class MismatchState(models.TextChoices):
    """What became of a mismatch."""

    OPEN = "open", "Open"
    CONSENT = "consent", "Resolved by consent"
    SETTLED = "settled", "Settled"
