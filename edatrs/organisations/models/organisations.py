"""Partners and their services."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from edatrs.organisations.choices import ClearanceKind, DataSet, OrganisationKind


class Organisation(models.Model):
    """A partner: a tenant, with the contact items of obligation 2. A brand may be shared by two partners and is not a tenant (3)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True, help_text="As it stands in every address: /o/<slug>/")
    name = models.CharField(max_length=120)
    brand = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=20, choices=OrganisationKind)
    is_controller = models.BooleanField(
        default=False, help_text="The sole data controller of the partnership (obligation 34)"
    )
    head_office = models.TextField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    emails = ArrayField(models.EmailField(), default=list, blank=True)
    data_protection_officer = models.CharField(max_length=120, blank=True)
    ico_references = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    # What holds somebody's access while it is not recorded. What is recorded and has run out holds it in any case.
    required_clearances = ArrayField(
        models.CharField(max_length=20, choices=ClearanceKind), default=list, blank=True
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """A service of a partner: one NDTMS agency code, one data set. One acts for the organisation; services are a filter."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="services")
    agency_code = models.CharField(
        max_length=20, unique=True, help_text="Issued by NDTMS; kept exactly as it came"
    )
    name = models.CharField(max_length=200, blank=True)
    dataset = models.CharField(max_length=10, choices=DataSet)

    class Meta:
        ordering = ["agency_code"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="service_with_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.agency_code} {self.name}".strip()

    def letter_on(self, day: dt.date, default: str) -> str:
        """The data set letter in force at the service on a day: the latest dated setting, else the dictionary's default."""
        in_force = [setting.letter for setting in self.letters.all() if setting.in_force_from <= day]
        return in_force[-1] if in_force else default


class ServiceLetter(models.Model):
    """From when a service reports by which letter (contract section 1)."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="letters")
    letter = models.CharField(max_length=1)
    in_force_from = models.DateField()

    class Meta:
        ordering = ["in_force_from"]
        constraints = [models.UniqueConstraint(fields=["service", "in_force_from"], name="one_letter_a_day")]

    def __str__(self) -> str:
        return f"{self.letter} from {self.in_force_from:%d/%m/%Y}"
