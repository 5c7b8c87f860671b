"""What every client-linked row has in common."""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now

from edatrs.core.history import stamp
from edatrs.core.managers import TenantModel


class Record(TenantModel):
    """A client-linked row: it carries (organisation, client), a version that every change counts up, and the act that wrote it.

    Foreign keys to other client-linked rows are made by `TenantForeignKey`, with the organisation and the client in them; Django's own
    carry no constraint, so that each reference is checked once.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    client = models.ForeignKey(
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    act = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        abstract = True
        triggers = [stamp()]


class KeyedRecord(Record):
    """A record with an unguessable key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)

    class Meta(Record.Meta):
        abstract = True


class Voidable(models.Model):
    """Entered in error: kept with the reason, out of lists and extracts, and can be brought back."""

    voided_at = models.DateTimeField(null=True, blank=True, editable=False)
    voided_reason = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True
