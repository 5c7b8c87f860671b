"""Closed lists of the consent app."""

from __future__ import annotations

from django.db import models


class Method(models.TextChoices):
    """How the decision was given (O-109)."""

    ORAL = "oral", "Oral"
    WRITTEN = "written", "In writing"


class Origin(models.TextChoices):
    """Where an act comes from."""

    LOCAL = "local", "Recorded here"
    IMPORTED = "imported", "Imported"
