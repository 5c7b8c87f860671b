"""What NDTMS returned that differs from a file, what became of it, and months of which there was nothing to report."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel
from ndtms.choices import MismatchKind, MismatchState

LONGEST_REASON = 500


class MismatchFile(TenantModel):
    """A list that was taken in, once: the same bytes for the same agency code are the same list."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("organisations.Service", on_delete=models.PROTECT, related_name="+")
    agency_code = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    lines = models.PositiveIntegerField()
    by_consent = models.PositiveIntegerField(default=0)
    known_before = models.PositiveIntegerField(default=0)
    taken_at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_label = models.CharField(max_length=120, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-taken_at"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="mismatch_file_with_organisation"),
            models.UniqueConstraint(
                fields=["organisation", "service", "sha256"], name="mismatch_file_taken_once"
            ),
            TenantForeignKey(
                fields=("organisation", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="mismatch_file_of_own_service",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_code} {self.taken_at:%d/%m/%Y}"


class Mismatch(TenantModel):
    """One line of a list. `client` and `episode` are empty where nothing here has these identifiers.

    Who may not find the client finds no mismatch of it. One that consent caused is resolved from the start (contract section 6, O-145).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    file = models.ForeignKey(MismatchFile, on_delete=models.PROTECT, related_name="mismatches")
    line = models.PositiveIntegerField()
    client_id_text = models.CharField(max_length=100)
    episode_id_text = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=MismatchKind)
    client = models.ForeignKey(
        "caseload.Client",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        null=True,
    )
    episode = models.ForeignKey(
        "caseload.Episode", on_delete=models.PROTECT, db_constraint=False, related_name="+", null=True
    )
    state = models.CharField(max_length=10, choices=MismatchState, default=MismatchState.OPEN)
    reason = models.TextField(blank=True, default="", db_default="")
    settled_at = models.DateTimeField(null=True)
    settled_by_label = models.CharField(max_length=120, blank=True, default="", db_default="")

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "file"),
                to="ndtms.MismatchFile",
                to_fields=("organisation", "id"),
                name="mismatch_of_file",
            ),
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="mismatch_of_episode",
            ),
            models.CheckConstraint(
                condition=Q(client__isnull=True, episode__isnull=True)
                | Q(client__isnull=False, episode__isnull=False),
                name="mismatch_names_both_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(state="settled") | (Q(reason__gt="") & Q(settled_at__isnull=False)),
                name="mismatch_settled_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state", "file", "line"], name="mismatches_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.client_id_text} {self.episode_id_text}"


class NilReturn(TenantModel):
    """Of a month there was nothing to report for an agency code: said by somebody, which is not the same as missed. Taken back, it ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey("organisations.Service", on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="The first day of the month")
    recorded_at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_label = models.CharField(max_length=120, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by_label = models.CharField(max_length=120, blank=True, default="", db_default="")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "service", "month"],
                condition=Q(ended_at__isnull=True),
                name="nil_return_once_a_month",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="nil_return_of_a_whole_month"),
            TenantForeignKey(
                fields=("organisation", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="nil_return_of_own_service",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%B %Y}: nil"
