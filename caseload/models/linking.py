"""Linking one's own record of a person with those that partners hold: each organisation's side of it (design section 4)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from caseload.choices import LinkAnswer, LinkState
from caseload.models.base import KeyedRecord
from caseload.models.clients import Client, of_client
from edatrs.core.crypto import EncryptedTextField


class LinkSide(KeyedRecord):
    """What one organisation was asked, said and holds of one proposal to link.

    A proposal has a side for every organisation that would hold a record of the person: that which asks, that which is asked, and those
    linked with either already. An organisation reads and answers its own side; the others' sides are written by functions of the database
    alone (migration 0013), which take no values. Records are linked while both sides stand (`linked`), the persons are one and a protocol
    is in force between the two organisations.
    """

    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="link_sides"
    )
    proposal = models.UUIDField(editable=False, help_text="The same for every side of one proposal")
    asks = models.BooleanField(default=False, db_default=False, editable=False)
    asked_by_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", editable=False
    )
    asked_by = models.UUIDField(help_text="The person; an id, no foreign key, so that it outlives them")
    asked_by_label = models.TextField()
    asked_at = models.DateTimeField()
    reason = EncryptedTextField()
    other_organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", editable=False
    )
    other_client = models.UUIDField(editable=False, help_text="The partner's record as it was when asked")
    other_record = models.BigIntegerField(null=True, blank=True, editable=False)
    state = models.CharField(
        max_length=12, choices=LinkState, default=LinkState.OPEN, db_default=LinkState.OPEN
    )
    answer = models.CharField(max_length=12, choices=LinkAnswer, blank=True, default="", db_default="")
    answered_by_label = models.TextField(blank=True, default="", db_default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer_reason = EncryptedTextField(null=True, blank=True)
    linked_at = models.DateTimeField(null=True, blank=True)
    # The person of this client before it was linked: the operator's keys go on meaning it (ndtms.load_clients).
    person_before = models.UUIDField(null=True, blank=True, editable=False)
    left = models.BooleanField(default=False, db_default=False, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by_organisation = models.ForeignKey(
        "organisations.Organisation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    ended_by_label = models.TextField(blank=True, default="", db_default="")
    end_reason = EncryptedTextField(null=True, blank=True)
    # The person that stayed behind when this organisation left, for the undo.
    group_person = models.UUIDField(null=True, blank=True, editable=False)

    class Meta(KeyedRecord.Meta):
        constraints = [
            of_client("link_side"),
            models.UniqueConstraint(fields=["organisation", "proposal"], name="one_side_an_organisation"),
            models.CheckConstraint(
                condition=~Q(state=LinkState.LINKED)
                | Q(answer=LinkAnswer.AGREED, linked_at__isnull=False, person_before__isnull=False),
                name="linked_when_agreed",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "client"], name="link_side_of_client"),
            models.Index(fields=["client", "state"], name="link_side_standing"),
            models.Index(fields=["proposal"], name="link_side_of_proposal"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} in {self.proposal}"
