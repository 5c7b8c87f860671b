"""Consent to NDTMS as acts with evidence (O-103 to O-114). Never edited: a change of mind is a new act."""

from __future__ import annotations

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now

from caseload.choices import NdtmsConsent
from consent.choices import Competence, FileKind, Method, Origin, Wish
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel


class ConsentAct(TenantModel):
    """One decision on one episode. The latest by date, then by `sequence` (the order of recording), decides.

    A withdrawal is an N after a Y. The evidence of a local act says which statement was used, whether the leaflet was given and questions
    were answered before the decision; of an imported one only date and method are known, and nothing is made up.
    """

    # Its key has ON UPDATE CASCADE (migration 0003): at a merge it follows its episode, and nobody has a right to change it.
    moves_with_episode = True

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
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    episode = models.ForeignKey(
        "caseload.Episode",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="consent_acts",
    )
    sequence = models.BigIntegerField(
        editable=False, db_default=Func(Value("consent_act_sequence"), function="nextval")
    )
    decision = models.CharField(max_length=1, choices=NdtmsConsent)
    decided_on = models.DateField()
    method = models.CharField(max_length=10, choices=Method)
    origin = models.CharField(max_length=10, choices=Origin)
    statement_version = models.CharField(max_length=40, blank=True, default="", db_default="")
    # None of an act recorded before this was asked, and of an imported one.
    statement_said = models.BooleanField(null=True)
    leaflet_given = models.BooleanField(null=True)
    questions_answered = models.BooleanField(null=True)
    # Young people (O-106): who decided that the answer counts, and how that is known.
    competence = models.CharField(max_length=12, choices=Competence, blank=True, default="", db_default="")
    competence_note = models.TextField(blank=True, default="", db_default="")
    permission_by = models.TextField(blank=True, default="", db_default="")
    permission_relation = models.TextField(blank=True, default="", db_default="")
    young_person_knows = models.BooleanField(
        null=True, help_text="That somebody else is asked for permission"
    )
    # Of a withdrawal: which wish, and why an episode was left at yes although everything was asked for (O-135).
    wish = models.CharField(max_length=10, choices=Wish, blank=True, default="", db_default="")
    left_out_reason = models.TextField(blank=True, default="", db_default="")
    # Of the page it was sent from: the same page sent twice records once.
    form_key = models.UUIDField(null=True, editable=False)
    recorded_by = models.UUIDField(
        null=True, help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
    )
    recorded_by_label = models.TextField(blank=True, default="", db_default="")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    act = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="consent_act_of_episode",
            ),
            models.UniqueConstraint(
                fields=["organisation", "episode", "id"], name="consent_act_with_episode"
            ),
            models.CheckConstraint(condition=models.Q(decision__in=["Y", "N"]), name="consent_act_decides"),
            models.CheckConstraint(
                condition=models.Q(origin="imported")
                | models.Q(
                    statement_version__gt="",
                    leaflet_given__isnull=False,
                    questions_answered__isnull=False,
                    recorded_by__isnull=False,
                ),
                name="local_consent_act_has_evidence",
            ),
            models.UniqueConstraint(fields=["sequence"], name="consent_act_sequence_once"),
            models.UniqueConstraint(
                fields=["organisation", "episode", "form_key"], name="consent_act_once_a_form"
            ),
        ]
        indexes = [
            models.Index(fields=["episode", "decided_on", "sequence"], name="consent_act_latest"),
            models.Index(
                fields=["organisation", "client"],
                condition=models.Q(wish="all-here"),
                name="consent_acts_for_all_here",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} on {self.decided_on:%d/%m/%Y}"


class ConsentDeferral(TenantModel):
    """Asked, and no answer yet: kept in the history, neither a no nor not asked. It changes nothing on the episode."""

    # Its key has ON UPDATE CASCADE (migration 0003): at a merge it follows its episode, and nobody has a right to change it.
    moves_with_episode = True

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
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    episode = models.ForeignKey(
        "caseload.Episode", on_delete=models.PROTECT, db_constraint=False, related_name="consent_deferrals"
    )
    asked_on = models.DateField()
    note = models.TextField(blank=True, default="", db_default="")
    form_key = models.UUIDField(null=True, editable=False)
    recorded_by = models.UUIDField()
    recorded_by_label = models.TextField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    act = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="consent_deferral_of_episode",
            ),
            models.UniqueConstraint(
                fields=["organisation", "episode", "form_key"], name="consent_deferral_once_a_form"
            ),
        ]

    def __str__(self) -> str:
        return f"Not now, {self.asked_on:%d/%m/%Y}"


class OfAnAct(TenantModel):
    """What was recorded about an act of consent, once; it never changes."""

    # Its key has ON UPDATE CASCADE (migration 0005): at a merge it follows its episode, and nobody has a right to change it.
    moves_with_episode = True

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
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    episode = models.ForeignKey(
        "caseload.Episode", on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    recorded_by = models.UUIDField()
    recorded_by_label = models.TextField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    act = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        abstract = True


class ConsentInvalidation(OfAnAct):
    """An act was recorded in error: it counts no longer, and stays in the history with this reason. A withdrawal is something else."""

    consent_act = models.OneToOneField(
        ConsentAct,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="invalidation",
    )
    reason = models.TextField()

    class Meta(OfAnAct.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="consent_invalidation_of_episode",
            ),
            TenantForeignKey(
                fields=("organisation", "episode", "consent_act"),
                to="consent.ConsentAct",
                to_fields=("organisation", "episode", "id"),
                name="consent_invalidation_of_act",
            ),
            models.CheckConstraint(condition=models.Q(reason__gt=""), name="consent_invalidation_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Recorded in error: {self.consent_act_id}"


class ConsentForm(OfAnAct):
    """The signed form of an act in writing: sealed bytes, their size and SHA-256 in clear. Never changed."""

    consent_act = models.OneToOneField(
        ConsentAct,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="form",
    )
    kind = models.CharField(max_length=4, choices=FileKind)
    size = models.PositiveIntegerField(help_text="Bytes of the file as it came")
    sha256 = models.CharField(max_length=64, help_text="Of the file as it came, in hex")
    sealed = models.BinaryField(help_text="Encrypted (edatrs.core.crypto.encrypt_bytes)")

    class Meta(OfAnAct.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="consent_form_of_episode",
            ),
            TenantForeignKey(
                fields=("organisation", "episode", "consent_act"),
                to="consent.ConsentAct",
                to_fields=("organisation", "episode", "id"),
                name="consent_form_of_act",
            ),
        ]

    def __str__(self) -> str:
        return f"Signed form, {self.size} bytes"
