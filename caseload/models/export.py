"""Lists that somebody asked to take out as a file: what was asked, and each time the file was made. No client is in these rows."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from caseload.choices import ExportPurpose, LawfulGround
from edatrs.core.crypto import EncryptedTextField
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel

LONGEST_DAYS = 7


class ListExport(TenantModel):
    """A list that one person may take out as a file until a moment. The file is made anew at each download, and kept nowhere.

    `filters` holds ids and codes. `lines` and `people` say how many there were when it was asked for. Its id is made with the page, so that
    the same page sent twice asks once. `leaves`: the file is given to somebody outside the organisation, on a lawful ground (O-152).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        editable=False,
    )
    user = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    by_label = models.TextField()
    filters = models.JSONField(default=dict, db_default={})
    columns = ArrayField(models.CharField(max_length=30))
    names = models.BooleanField()
    names_reason = EncryptedTextField(blank=True, default="")
    purpose = models.CharField(max_length=20, choices=ExportPurpose)
    reason = EncryptedTextField()
    leaves = models.BooleanField()
    recipient = EncryptedTextField(blank=True, default="")
    lawful_ground = models.CharField(
        max_length=20, choices=LawfulGround, blank=True, default="", db_default=""
    )
    lines = models.PositiveIntegerField()
    people = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by_label = models.TextField(blank=True, default="", db_default="")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="list_export_with_organisation"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("asked_at"))
                & Q(expires_at__lte=models.F("asked_at") + dt.timedelta(days=LONGEST_DAYS)),
                name="list_export_ends_within_a_week",
            ),
            models.CheckConstraint(
                condition=Q(leaves=True, lawful_ground__gt="") | Q(leaves=False, lawful_ground=""),
                name="list_export_leaves_on_a_ground",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-asked_at"], name="list_export_newest")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.asked_at:%d/%m/%Y}"


class ListExportDownload(TenantModel):
    """One time that the file was made and taken: which columns, how much, and its SHA-256. Only grows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    export = models.ForeignKey(
        ListExport, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="downloads"
    )
    columns = ArrayField(models.CharField(max_length=30))
    lines = models.PositiveIntegerField()
    people = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "export"),
                to="caseload.ListExport",
                to_fields=("organisation", "id"),
                name="download_of_list_export",
            )
        ]
        indexes = [models.Index(fields=["organisation", "export", "at"], name="list_export_downloads")]

    def __str__(self) -> str:
        return f"{self.lines} lines, {self.at:%d/%m/%Y}"
