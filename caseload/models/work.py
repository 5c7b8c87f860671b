"""Who works with whom, what NDTMS would say of an episode, and the views that people keep."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from caseload.models.base import KeyedRecord
from caseload.models.clients import Client
from caseload.models.episodes import Episode
from edatrs.core.database import TenantForeignKey
from edatrs.core.history import tracked
from edatrs.core.managers import TenantModel


class AllocationKind(models.TextChoices):
    """The keyworker of a client, or somebody who covers for them up to a day."""

    KEYWORKER = "keyworker", "Keyworker"
    COVER = "cover", "Cover"


@tracked()
class Allocation(KeyedRecord):
    """A client in somebody's caseload, from a day until a day (both included; no end: until further notice).

    The keyworker is who was allocated last; one who is replaced on their first day keeps a row that lasted no day. Two records that are
    merged may bring one each, so no constraint allows only one.
    """

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="allocations"
    )
    kind = models.CharField(max_length=10, choices=AllocationKind)
    keyworker = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    reason = models.TextField()
    by = models.UUIDField(help_text="Who allocated; an id, no foreign key, so that it outlives them")
    by_label = models.TextField()

    class Meta(KeyedRecord.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client"),
                to="caseload.Client",
                to_fields=("organisation", "id"),
                name="allocation_of_client",
            ),
            models.CheckConstraint(condition=Q(reason__gt=""), name="allocation_has_a_reason"),
            models.CheckConstraint(
                condition=Q(kind="keyworker") | Q(valid_until__isnull=False), name="cover_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from") - dt.timedelta(days=1)),
                name="allocation_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "keyworker", "valid_from"], name="allocation_by_keyworker"),
            models.Index(fields=["client", "valid_from"], name="allocation_by_client"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.client_id}"


class AllocationRun(TenantModel):
    """One act of giving clients to somebody, as it was confirmed: what was written for whom, and who was left out and why.

    Its id is made with the preview, so that the same confirmation sent twice writes once. `lines` holds, for each client, its id, the
    id of the allocation that was made, those that it ended with the last day they had before, or the reason why nothing was done: what
    the result page shows, and what undoing needs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        editable=False,
    )
    kind = models.CharField(max_length=10, choices=AllocationKind)
    keyworker = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    reason = models.TextField()
    lines = models.JSONField(default=list, db_default=[])
    by = models.UUIDField(help_text="Who allocated; an id, no foreign key, so that it outlives them")
    by_label = models.TextField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_label = models.TextField(blank=True, default="", db_default="")

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organisation", "-at"], name="allocation_run_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.valid_from}"


class EpisodeQuality(TenantModel):
    """The NDTMS rules that an episode fails, pushed down by ndtms. No row: not checked. Made again at any time, so no history.

    `checked_at` is when it was first found as it stands here: a check that finds the same writes nothing. `since` says of each failing rule
    since when it has been failing without a break, whatever else changed meanwhile. `answered` are the warnings of which somebody said that
    they cannot be put right (`ndtms.QualityAnswer`); `failing_since` is the earliest of the others.
    """

    # The key itself carries the row to the survivor of a merge.
    moves_with_episode = True

    episode = models.OneToOneField(
        Episode, primary_key=True, on_delete=models.PROTECT, db_constraint=False, related_name="quality"
    )
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    errors = ArrayField(models.TextField(), default=list, db_default=[])
    warnings = ArrayField(models.TextField(), default=list, db_default=[])
    answered = ArrayField(models.TextField(), default=list, db_default=[])
    letter = models.CharField(max_length=1)
    checked_at = models.DateTimeField()
    since = models.JSONField(default=dict, db_default={})
    failing_since = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="quality_of_episode",
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "client"],
                condition=~Q(errors=[]) | ~Q(warnings=[]),
                name="quality_to_put_right",
            ),
            models.Index(
                fields=["organisation", "failing_since", "episode"],
                condition=Q(failing_since__isnull=False),
                name="quality_oldest_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{', '.join([*self.errors, *self.warnings]) or 'Nothing'} of {self.episode_id}"


class SavedView(TenantModel):
    """Filters of a page that a person keeps under a name. Holds no name and no id of a client. Taken away by a date: nothing is deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        editable=False,
    )
    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    filters = models.JSONField(default=dict, db_default={})
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user", "page", "name"],
                condition=Q(removed_at__isnull=True),
                name="saved_view_once_a_name",
            ),
            models.CheckConstraint(condition=Q(name__gt=""), name="saved_view_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
