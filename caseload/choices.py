"""Closed lists of the caseload app; code lists of the national data sets are data, in `caseload.dataset`."""

from __future__ import annotations

from django.db import models


class NdtmsConsent(models.TextChoices):
    """The latest NDTMS decision on an episode. Empty: not asked. There is no default and no pre-ticked box (O-133)."""

    YES = "Y", "Yes"
    NO = "N", "No"


class Category(models.TextChoices):
    """The information categories that sharing and row security know (design section 5)."""

    IDENTITY = "identity", "Identity"
    CONTACT = "contact", "Contact"
    EQUALITY = "equality", "Equality"
    DISABILITY = "disability", "Disability"
    CIRCUMSTANCES = "circumstances", "Circumstances"
    HEALTH = "health", "Health"
    PRESCRIBING = "prescribing", "Prescribing"
    SAFEGUARDING = "safeguarding", "Safeguarding"
    OFFENDING = "offending", "Offending"
    RISK = "risk", "Risk"
    TREATMENT = "treatment", "Treatment"
