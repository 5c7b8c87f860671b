"""Two records of one organisation that were made into one, and how to take it apart again."""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from caseload.models.clients import Client
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel


class ClientMerge(TenantModel):
    """`client` was merged into `survivor`. What moved stands here by id, what was written by the versions before and after: the values
    themselves stay in the row history, behind the walls of their own categories.
    """

    # Nothing of this row follows a client into another merge.
    stays_at_merge = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="merges"
    )
    survivor = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="merged_in"
    )
    reason = models.TextField()
    # {"caseload.registration": [id, …]}
    moved = models.JSONField(default=dict, db_default={})
    # [{"model": "caseload.clientidentity", "pk": …, "fields": […], "before": version, "after": version}]
    written = models.JSONField(default=list, db_default=[])
    merged_at = models.DateTimeField()
    merged_by = models.UUIDField(
        help_text="The person who merged; an id, no foreign key, so that it outlives them"
    )
    merged_by_label = models.TextField()
    act = models.UUIDField(null=True, editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.UUIDField(null=True, blank=True)
    undone_by_label = models.TextField(blank=True, default="", db_default="")
    undone_reason = models.TextField(blank=True, default="", db_default="")

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client"),
                to="caseload.Client",
                to_fields=("organisation", "id"),
                name="merge_of_client",
            ),
            TenantForeignKey(
                fields=("organisation", "survivor"),
                to="caseload.Client",
                to_fields=("organisation", "id"),
                name="merge_into_client",
            ),
            models.UniqueConstraint(
                fields=["client"], condition=Q(undone_at__isnull=True), name="merged_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(client=models.F("survivor")), name="merge_of_two"),
            models.CheckConstraint(condition=Q(reason__gt=""), name="merge_has_a_reason"),
        ]
        indexes = [models.Index(fields=["organisation", "survivor"], name="merge_by_survivor")]

    def __str__(self) -> str:
        return f"{self.client_id} into {self.survivor_id}"
