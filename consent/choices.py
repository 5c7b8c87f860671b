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


class Competence(models.TextChoices):
    """Whether a young person can decide alone (O-106). Empty: not a young people's service."""

    COMPETENT = "competent", "Understands and can decide"
    PERMISSION = "permission", "A parent or guardian decides with them"
    UNSURE = "unsure", "Not sure yet"


class Wish(models.TextChoices):
    """What somebody wanted who withdrew (O-135). Empty: no withdrawal, or not asked."""

    EPISODE = "episode", "These episodes only"
    ALL_HERE = "all-here", "Everything at this organisation"


class FileKind(models.TextChoices):
    """What a signed form may be, told by its first bytes, never by its name."""

    PDF = "pdf", "PDF"
    PNG = "png", "PNG"
    JPEG = "jpeg", "JPEG"
