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


class SensitiveKind(models.TextChoices):
    """Why only a named team finds a record (design section 5)."""

    STAFF = "staff", "Works for a partner"
    RELATIVE = "relative", "Related to somebody who works for a partner"
    AT_RISK = "at_risk", "At risk if the address is found"


class LawfulGround(models.TextChoices):
    """The five lawful grounds for sharing without consent (O-152): a closed list, for emergency access too."""

    WELFARE = "welfare", "Protecting someone’s welfare"
    LAW = "law", "Law or court order"
    CRIME = "crime", "A criminal investigation or proceedings"
    PUBLIC_BODY = "public_body", "Another public body’s statutory function"
    OWN_FUNCTION = "own_function", "Our own statutory function"


class ExportPurpose(models.TextChoices):
    """What a list is taken out for: a closed list, so that the governance officer can look over it; the reason is in words beside it."""

    WORK = "work", "Planning or checking our own work"
    QUALITY = "quality", "Checking data quality"
    AUDIT = "audit", "An audit or inspection"
    HAND_OVER = "hand_over", "Handing over records"
    OTHER = "other", "Something else"


class LinkState(models.TextChoices):
    """How far the linking of two organisations' records of one person is."""

    OPEN = "open", "Waiting for an answer"
    LINKED = "linked", "Linked"
    REFUSED = "refused", "Refused"
    TAKEN_BACK = "taken_back", "Taken back"
    ENDED = "ended", "Unlinked"


class LinkAnswer(models.TextChoices):
    """What one organisation said to it. Empty: nothing yet."""

    AGREED = "agreed", "Agreed"
    REFUSED = "refused", "Refused"
    TAKEN_BACK = "taken_back", "Taken back"
