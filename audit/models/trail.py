"""The trail: events in chains, and the head of each chain (design section 7).

Rows are written by `audit.services.flush` alone, in SQL; the database refuses to change or delete them. Ids and labels are copied, without
foreign keys: nothing that happens to a person or an organisation later may touch a row.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models

from edatrs.core.scope import Actor, ScopeMissing, current_scope, scope_or_none

# The chain of what belongs to no organisation: sign-ins, strangers, the operator's acts for the partnership.
PARTNERSHIP_CHAIN = UUID(int=0)


class TrailWritten(TypeError):
    """Somebody tried to write the trail through the ORM: append with `edatrs.core.trail.record`."""


def _refuse(*args: Any, **kwargs: Any) -> Any:
    raise TrailWritten("the trail is appended with edatrs.core.trail.record, and never changed")


class TrailQuerySet(models.QuerySet["AuditEvent"]):
    """Reads only."""

    create = bulk_create = bulk_update = update = delete = _refuse
    get_or_create = update_or_create = _refuse
    acreate = abulk_create = abulk_update = aupdate = adelete = _refuse
    aget_or_create = aupdate_or_create = _refuse


class TrailManager(models.Manager.from_queryset(TrailQuerySet)):  # type: ignore[misc]  # built by Django at run time
    """The chain of the organisation acted for; for an operator of the partnership, the partnership's chain."""

    use_in_migrations = False

    def get_queryset(self) -> TrailQuerySet:
        """Rows of one chain. Raises ScopeMissing."""
        scope = current_scope()
        if scope.organisation_id is not None:
            chain = scope.organisation_id
        elif scope.actor is Actor.OPERATOR:
            chain = PARTNERSHIP_CHAIN
        else:
            raise ScopeMissing("the partnership's chain is read by the operator only")
        return TrailQuerySet(self.model, using=self._db).filter(chain=chain)

    def none(self) -> TrailQuerySet:
        """An empty queryset; works without a scope."""
        return TrailQuerySet(self.model, using=self._db).none()

    def using(self, alias: str | None) -> TrailQuerySet:
        """As Django's; without a scope it is empty (Django calls it while it loads)."""
        return self.none().using(alias) if scope_or_none() is None else self.get_queryset().using(alias)


class AuditEvent(models.Model):
    """One thing that happened, in one chain. An event that concerns several organisations is one `event_id` in several chains.

    `sequence` counts without gaps in a chain. `hash` covers every other column but `mac`; `mac` seals it with a key that is outside the
    database (`audit.chain`). `act` is the id that the rows written in the same act carry. `at` is when the act began: a long act is
    written after a short one that began later, so it may lie before that of the row above.
    """

    chain = models.UUIDField(
        help_text="Id of the organisation whose chain this is; all zeros: the partnership's"
    )
    sequence = models.BigIntegerField()
    event_id = models.UUIDField()
    act = models.UUIDField()
    name = models.CharField(max_length=60)
    actor = models.CharField(max_length=10, help_text="Kind of actor: person, worker, operator")
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=120, blank=True)
    roles = models.CharField(
        max_length=200, blank=True, help_text="Roles held in the act, sorted, with commas"
    )
    organisation_id = models.UUIDField(
        null=True, help_text="The organisation acted for; null: the partnership"
    )
    organisation_label = models.CharField(max_length=60, blank=True)
    subject = models.CharField(
        max_length=40, blank=True, help_text="Id or record number of what it was about"
    )
    details = models.JSONField(default=dict)
    at = models.DateTimeField()
    previous = models.BinaryField(help_text="Hash of the row before, 32 zero bytes for the first")
    hash = models.BinaryField()
    mac = models.BinaryField()

    objects = TrailManager()

    class Meta:
        base_manager_name = "objects"
        default_manager_name = "objects"
        ordering = ["-sequence"]
        verbose_name = "entry of the trail"
        verbose_name_plural = "entries of the trail"
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="trail_sequence_once"),
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="trail_counts_from_one"),
        ]
        indexes = [
            models.Index(
                fields=["chain", "subject", "sequence"],
                condition=~models.Q(subject=""),
                name="trail_by_subject",
            ),
            models.Index(fields=["chain", "actor_id", "sequence"], name="trail_by_actor"),
            models.Index(fields=["chain", "name", "sequence"], name="trail_by_name"),
            models.Index(fields=["chain", "at"], name="trail_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sequence}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refused. Raises TrailWritten."""
        _refuse()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused. Raises TrailWritten."""
        return _refuse()


class ChainHead(models.Model):
    """The last row of a chain, sealed on its own: what is locked to append, and what shows that rows at the end are missing.

    Holds no data of anybody, so every scope may read and lock every head: one disclosure is entered in several chains.
    """

    chain = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField()
    hash = models.BinaryField()
    mac = models.BinaryField()
    at = models.DateTimeField(help_text="Time of the last row")

    class Meta:
        verbose_name = "head of a chain"
        verbose_name_plural = "heads of chains"

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"
