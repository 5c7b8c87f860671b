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


class AgreementStatus(models.TextChoices):
    """Where a version of an agreement stands (obligation 11)."""

    DRAFT = "draft", "Draft"
    FOR_APPROVAL = "for_approval", "For approval"
    APPROVED = "approved", "Approved"


class PartyRole(models.TextChoices):
    """What a party is in an agreement; it may be several (obligations 34 to 37)."""

    SOLE_CONTROLLER = "sole_controller", "Sole controller"
    JOINT_CONTROLLER = "joint_controller", "Joint controller"
    PROCESSOR = "processor", "Processor"
    SUPPLIER = "supplier", "System supplier"


class EntryKind(models.TextChoices):
    """What a line of an agreement says."""

    PURPOSE = "purpose", "Purpose"
    INFORMATION = "information", "Information item"
    ARTICLE_6 = "article_6", "Legal basis: Article 6"
    ARTICLE_9 = "article_9", "Legal basis: Article 9"
    DPA_PART_3 = "dpa_part_3", "Legal basis: Data Protection Act, part 3"
    STATUTE = "statute", "Legal basis: statute"
    DOCUMENT = "document", "Supporting document"
    RIGHT = "right", "Right that applies"


class DocumentKind(models.TextChoices):
    """The five kinds of supporting document (obligation 16); the `key` of an entry begins with one."""

    DPIA = "dpia", "Data protection impact assessment"
    PROCEDURE = "procedure", "Standard operating procedure"
    CONTRACT = "contract", "Associated contract"
    POLICY = "policy", "Associated policy documents"
    OTHER = "other", "Other"


class AuthorisedAs(models.TextChoices):
    """Whose signature binds an organisation (obligation 90)."""

    SIRO = "siro", "Senior Information Risk Owner"
    CALDICOTT = "caldicott", "Caldicott Guardian"
    CIO = "cio", "Chief Information Officer"


class ClearanceKind(models.TextChoices):
    """What must be in date before somebody may work here: training (obligation 59) and a background check (obligation 62)."""

    TRAINING = "training", "Data-protection training"
    BACKGROUND_CHECK = "background_check", "Background check (DBS)"
