"""Who beside the organisation that holds a record reaches it, and who of its own people does not.

The grant is django-guardian's row on a table of our own; the role decides the act, the row, its dates and the protocol in force decide the
record. Written by `caseload.services.grants` alone, from what the consent app decided.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from guardian.models import GroupObjectPermissionBase

from caseload.choices import Category, LawfulGround, SensitiveKind
from caseload.models.base import KeyedRecord
from caseload.models.clients import Client, of_client
from edatrs.core.crypto import EncryptedTextField
from edatrs.core.history import stamp, tracked
from edatrs.core.managers import OrganisationAsked, TenantManager, TenantModel, TenantQuerySet
from edatrs.core.scope import current_organisation


class GrantManager(TenantManager):
    """The grants that the organisation acted for gave, and those that it holds; it writes only those that it gave."""

    def is_generic(self) -> bool:
        """Guardian asks: rows point at their client by a foreign key."""
        return False

    def get_queryset(self) -> TenantQuerySet[Any]:
        """Rows of both sides. Raises ScopeMissing."""
        asked = OrganisationAsked(current_organisation())
        return TenantQuerySet(self.model, using=self._db).filter(
            Q(organisation_id=asked) | Q(holder_id=asked)
        )


@tracked()
class SharingGrant(TenantModel, GroupObjectPermissionBase):
    """One category of one client, opened to another organisation between two London dates, both included.

    `organisation` holds the record, `holder` may see it. `suspended_at` ends it at once: withdrawn, invalidated or restricted. There is one
    row for a client, a holder and a category: several consents to the same meet in it, and it says what is so today.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    content_object = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        db_column="client_id",
        related_name="grants",
    )
    holder = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=20, choices=Category)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    act = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[TenantManager] = GrantManager()
    hides = False

    class Meta(TenantModel.Meta):
        triggers = [stamp()]
        constraints = [
            of_client("grant", "content_object"),
            models.UniqueConstraint(fields=["content_object", "holder", "category"], name="grant_once"),
            models.CheckConstraint(condition=~Q(holder=models.F("organisation")), name="grant_to_another"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=models.F("valid_from")),
                name="grant_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["holder", "category", "content_object"], name="grant_held")]

    def __str__(self) -> str:
        return f"{self.category} of {self.content_object_id} to {self.holder_id}"


class EmergencyManager(TenantManager):
    """The emergency accesses that people of the organisation opened, and those to its clients; it writes only the former."""

    def get_queryset(self) -> TenantQuerySet[Any]:
        """Rows of both sides. Raises ScopeMissing."""
        asked = OrganisationAsked(current_organisation())
        return TenantQuerySet(self.model, using=self._db).filter(
            Q(organisation_id=asked) | Q(client_organisation_id=asked)
        )


@tracked()
class SensitiveRecord(KeyedRecord):
    """A record that only a named team may find: of staff, of their relatives, of somebody whose address must not be found."""

    client = models.OneToOneField(
        Client, on_delete=models.PROTECT, db_constraint=False, related_name="sensitive"
    )
    kind = models.CharField(max_length=20, choices=SensitiveKind)
    reason = EncryptedTextField()
    flagged_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    flagged_at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)

    hides = False
    # The merge itself says what becomes of it (caseload.services.merge).
    stays_at_merge = True

    class Meta(KeyedRecord.Meta):
        constraints = [of_client("sensitive")]

    def __str__(self) -> str:
        return f"{self.kind} {self.client_id}"


@tracked()
class NamedTeamMember(KeyedRecord):
    """A person of the named team of a sensitive record."""

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="named_team"
    )
    user = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    hides = False
    # The merge itself says what becomes of it (caseload.services.merge).
    stays_at_merge = True

    class Meta(KeyedRecord.Meta):
        constraints = [
            of_client("named_team"),
            models.UniqueConstraint(fields=["client", "user"], name="named_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.client_id}"


@tracked()
class ConflictOfInterest(KeyedRecord):
    """This person and this client: the client is not found for them, whatever their role."""

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="conflicts"
    )
    user = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    reason = EncryptedTextField()
    declared_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    hides = False
    # The merge itself says what becomes of it (caseload.services.merge).
    stays_at_merge = True

    class Meta(KeyedRecord.Meta):
        constraints = [
            of_client("conflict"),
            models.UniqueConstraint(fields=["client", "user"], name="conflict_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} and {self.client_id}"


class EmergencyAccess(TenantModel):
    """Break-glass: one person, one client of another organisation, one ground, a reason, at most 60 minutes (T11).

    `organisation` is that of the person; the client's own is `client_organisation`. Only grows: ended and reviewed are its last columns.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    user = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")
    client_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    opened_client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    categories = ArrayField(models.CharField(max_length=20, choices=Category))
    ground = models.CharField(max_length=20, choices=LawfulGround)
    reason = EncryptedTextField()
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    accounted_at = models.DateTimeField(null=True, blank=True)
    account = EncryptedTextField(blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        "organisations.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review = EncryptedTextField(blank=True, default="")
    justified = models.BooleanField(null=True)

    objects: ClassVar[TenantManager] = EmergencyManager()
    hides = False

    class Meta(TenantModel.Meta):
        constraints = [
            of_client("emergency", "opened_client", organisation="client_organisation"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=models.F("opened_at") + dt.timedelta(minutes=60)),
                name="emergency_at_most_an_hour",
            ),
            models.CheckConstraint(
                condition=~Q(client_organisation=models.F("organisation")), name="emergency_at_another"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "user", "ends_at"], name="emergency_of_person")]

    def __str__(self) -> str:
        return f"{self.user_id} opened {self.opened_client_id}"
