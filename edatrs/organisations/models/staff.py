"""What an organisation must know of its people: training and checks, reviews of access, and who is leaving. No client data."""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q

from edatrs.core.crypto import EncryptedTextField
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel
from edatrs.organisations.choices import ClearanceKind


class Clearance(models.Model):
    """When somebody was trained or checked for an organisation, and until when it counts (no end: until further notice).

    One row a kind: each change of it is an entry on the trail, with what stood before. It is read before any organisation is acted for, as
    memberships are, and so has no row security.
    """

    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="clearances")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=ClearanceKind)
    done_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by_label = models.CharField(max_length=120)

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "kind"], name="clearance_once_a_kind"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("done_on")),
                name="clearance_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class StaffRow(TenantModel):
    """Base of rows about people of one organisation, behind both walls."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)

    class Meta(TenantModel.Meta):
        abstract = True


class AccessReview(StaffRow):
    """Somebody looked at what a person may do here and found that it is still right. Each review is kept."""

    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    by_label = models.CharField(max_length=120)
    roles = models.CharField(max_length=400, blank=True, help_text="The roles that were confirmed, by code")

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organisation", "user", "-at"], name="review_by_person")]

    def __str__(self) -> str:
        return f"Reviewed {self.at:%d/%m/%Y}"


class Leaver(StaffRow):
    """Somebody who leaves an organisation after a last day. Their roles carry that day: it counts without any job.

    For the undo: `before` holds the dates of each role as they were and as they are set, by the id of the membership, and `tasks` who got
    which task, by its id.
    """

    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    manager = models.ForeignKey(
        "organisations.User",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who is asked to hand over the work; nobody where no client is seen",
    )
    last_day = models.DateField()
    started_at = models.DateTimeField()
    started_by_label = models.CharField(max_length=120)
    before = models.JSONField(default=dict)
    tasks = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by_label = models.CharField(max_length=120, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="leaver_with_organisation")
        ]
        indexes = [models.Index(fields=["organisation", "last_day"], name="leaver_by_day")]

    def __str__(self) -> str:
        return f"Leaves after {self.last_day:%d/%m/%Y}"


class LeaverDraft(StaffRow):
    """A draft of a leaver, sealed to the manager (`user`): row security shows it to nobody else. Opening it is on the trail."""

    leaver = models.ForeignKey(
        Leaver, on_delete=models.PROTECT, related_name="drafts", db_constraint=False, db_index=False
    )
    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=60)
    object = models.CharField(max_length=80, blank=True)
    about_client = models.UUIDField(null=True, help_text="An id, no foreign key: drafts know no client model")
    address = models.CharField(max_length=300)
    version = models.PositiveIntegerField(default=0)
    text = EncryptedTextField(help_text="The fields as they were sent, in JSON")
    kept_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "leaver"),
                to="organisations.Leaver",
                to_fields=("organisation", "id"),
                name="leaverdraft_of_own_leaver",
            )
        ]
        indexes = [models.Index(fields=["organisation", "leaver"], name="leaverdraft_by_leaver")]

    def __str__(self) -> str:
        return self.form
