"""Files for the national collection: every attempt is kept with its manifest, its hash, who and when."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel
from edatrs.organisations.choices import DataSet
from ndtms.choices import ExtractKind, SubmissionState


def _of_submission(name: str) -> TenantForeignKey:
    return TenantForeignKey(
        fields=("organisation", "submission"),
        to="ndtms.Submission",
        to_fields=("organisation", "id"),
        name=f"{name}_of_submission",
    )


class Submission(TenantModel):
    """One file for one agency code. `manifest` holds counts only; what names episodes is in `SubmissionContent`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("organisations.Service", on_delete=models.PROTECT, related_name="+")
    agency_code = models.CharField(max_length=20)
    dataset = models.CharField(max_length=10, choices=DataSet)
    letter = models.CharField(max_length=1)
    letter_overridden = models.BooleanField(default=False)
    kind = models.CharField(max_length=10, choices=ExtractKind)
    as_of = models.DateField()
    state = models.CharField(max_length=10, choices=SubmissionState, default=SubmissionState.BUILDING)
    asked_at = models.DateTimeField()
    asked_by = models.UUIDField(null=True)
    asked_by_label = models.CharField(max_length=120, blank=True)
    snapshot_at = models.DateTimeField(null=True)
    built_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=120, blank=True)
    stored_as = models.CharField(
        max_length=120, blank=True, help_text="The file's name in the extract folder"
    )
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    manifest = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_label = models.CharField(max_length=120, blank=True)
    refused_reason = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="submission_with_organisation"),
            TenantForeignKey(
                fields=("organisation", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="submission_of_own_service",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["building", "failed"])
                | (~models.Q(sha256="") & models.Q(built_at__isnull=False)),
                name="published_submission_has_its_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_code} {self.kind} {self.as_of:%d/%m/%Y}"


class SubmissionContent(TenantModel):
    """Which episodes a file carries with yes, which it takes out of the national collection, and the preview, all of one snapshot."""

    submission = models.OneToOneField(
        Submission, primary_key=True, on_delete=models.PROTECT, related_name="content"
    )
    carried = ArrayField(models.UUIDField(), default=list)
    removed = ArrayField(models.UUIDField(), default=list)
    held_back = models.JSONField(default=dict)
    preview = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [_of_submission("content")]

    def __str__(self) -> str:
        return str(self.submission_id)


class SubmissionDownload(TenantModel):
    """A file was taken: from here on the national collection may hold its episodes."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="downloads")
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_label = models.CharField(max_length=120, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["at"]
        constraints = [_of_submission("download")]

    def __str__(self) -> str:
        return f"{self.by_label} {self.at:%d/%m/%Y %H:%M}"
