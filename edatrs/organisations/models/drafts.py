"""What people have typed and not saved."""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models

from edatrs.core.crypto import EncryptedTextField
from edatrs.core.managers import TenantModel


class Draft(TenantModel):
    """One person's unsaved text of one form about one object. Row security shows it to its author alone.

    `version` is the version of the object that the form was opened at, so that a save against a newer one is found. `page` is the id of
    the page that sent it last; once that page was saved (`closed_at`), what it sends late is not kept again. Gone after 30 days.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        editable=False,
    )
    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=60)
    object = models.CharField(max_length=80, blank=True)
    about_client = models.UUIDField(null=True, help_text="An id, no foreign key: drafts know no client model")
    address = models.CharField(max_length=300, help_text="Where it is continued; holds ids, no name")
    version = models.PositiveIntegerField(default=0)
    text = EncryptedTextField(help_text="The fields as they were sent, in JSON")
    page = models.CharField(max_length=36, blank=True)
    kept_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user", "form", "object"], name="draft_once_an_object"
            )
        ]
        indexes = [models.Index(fields=["organisation", "kept_at"], name="draft_by_age")]

    def __str__(self) -> str:
        return f"{self.form} {self.object}"
