"""Consent to share as acts with evidence, decisions without consent, and what was given to others by hand (O-146 to O-163).

Nothing here is ever edited: a change of mind, a mistake, a witness and a review are rows of their own. When two records are merged, rows
stay with the record they were made in; who reads them asks for both (`consent.sharing.sources`). What follows of them for others is pushed
down as grants (`caseload.services.grants`).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from caseload.choices import Category, LawfulGround
from consent.choices import (
    Answer,
    Condition,
    DisclosureGround,
    DisclosureWay,
    EndKind,
    Ends,
    FileKind,
    ReviewOutcome,
    Standing,
    Way,
    WitnessAnswer,
)
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel


def _of_client(name: str) -> TenantForeignKey:
    return TenantForeignKey(
        fields=("organisation", "client"),
        to="caseload.Client",
        to_fields=("organisation", "id"),
        name=f"{name}_of_client",
    )


def _below(name: str, field: str, to: str) -> TenantForeignKey:
    return TenantForeignKey(
        fields=("organisation", "client", field),
        to=to,
        to_fields=("organisation", "client", "id"),
        name=f"{name}_of_{field}",
    )


def _parent(to: str, related_name: str) -> Any:
    return models.ForeignKey(
        to, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name=related_name
    )


def _one_recipient(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(recipient__isnull=False, recipient_name="")
        | Q(recipient__isnull=True, recipient_name__gt=""),
        name=name,
    )


def _number(sequence: str) -> Any:
    return models.BigIntegerField(
        editable=False, db_default=Func(Value(sequence), function="nextval"), help_text="For people to read"
    )


class SharingAct(TenantModel):
    """What every act of sharing has: a client, who recorded it and when. Only grows."""

    # A merge leaves it where it was made: what is append-only has no right to move.
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
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    form_key = models.UUIDField(
        null=True, editable=False, help_text="Of the page it was sent from: sent twice, it records once"
    )
    recorded_by = models.UUIDField(
        help_text="The person who recorded it; an id, no foreign key, so that it outlives them"
    )
    recorded_by_label = models.TextField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    act = models.UUIDField(null=True, editable=False)

    class Meta(TenantModel.Meta):
        abstract = True


class SharingConsent(SharingAct):
    """One answer to one recipient (O-158 to O-163): a yes with what may be seen, or a refusal, which is kept too.

    The recipient is a partner, or somebody outside, by name. A partner gets access only while a protocol is in force and, where the
    consent was spoken, after the witness confirmed; neither changes this row.
    """

    number = _number("consent_sharing_number")
    answer = models.CharField(max_length=8, choices=Answer)
    recipient = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    recipient_name = models.TextField(blank=True, default="", db_default="")
    purposes = models.TextField(help_text="In the client's own words")
    categories = ArrayField(models.CharField(max_length=20, choices=Category))
    decided_on = models.DateField()
    ends = models.CharField(max_length=8, choices=Ends, blank=True, default="", db_default="")
    until = models.DateField(null=True, help_text="The last day, included")
    told_who_sees = models.BooleanField(null=True)
    told_notice = models.BooleanField(null=True)
    notice_version = models.CharField(max_length=40, blank=True, default="", db_default="")
    way = models.CharField(max_length=10, choices=Way, blank=True, default="", db_default="")
    spoken_words = models.TextField(blank=True, default="", db_default="")
    witness = models.UUIDField(null=True, help_text="The colleague who is to confirm; an id, no foreign key")
    witness_label = models.TextField(blank=True, default="", db_default="")
    note = models.TextField(blank=True, default="", db_default="", help_text="Of a refusal, if they said why")
    renews = models.UUIDField(
        null=True, help_text="The earlier consent that this one takes the place of, if one"
    )
    asked = models.UUIDField(null=True, help_text="The request of a partner that this answers, if one")

    class Meta(SharingAct.Meta):
        constraints = [
            _of_client("sharing_consent"),
            models.UniqueConstraint(fields=["organisation", "client", "id"], name="sharing_consent_key"),
            models.UniqueConstraint(fields=["organisation", "number"], name="sharing_consent_number_once"),
            models.UniqueConstraint(
                fields=["organisation", "client", "form_key"], name="sharing_consent_once_a_form"
            ),
            _one_recipient("sharing_consent_one_recipient"),
            models.CheckConstraint(
                condition=Q(recipient__isnull=True) | ~Q(recipient=F("organisation")),
                name="sharing_consent_to_another",
            ),
            models.CheckConstraint(
                condition=Q(answer="refused")
                | (
                    Q(ends__gt="", way__gt="", told_who_sees=True, told_notice=True, purposes__gt="")
                    & Q(categories__len__gt=0)
                ),
                name="sharing_consent_given_has_evidence",
            ),
            models.CheckConstraint(
                condition=Q(answer="given") | Q(ends="", way="", until__isnull=True),
                name="sharing_refusal_grants_nothing",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("decided_on")),
                name="sharing_consent_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(ends="date", until__isnull=False) | (~Q(ends="date") & Q(until__isnull=True)),
                name="sharing_consent_has_the_end_it_says",
            ),
            models.CheckConstraint(
                condition=~Q(way="witnessed") | Q(witness__isnull=False), name="sharing_consent_has_a_witness"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="sharing_consent_of_record")]

    def __str__(self) -> str:
        return f"CS-{self.number}"


class SharingEnd(SharingAct):
    """A consent counts no longer: withdrawn, recorded in error, or over with the treatment episode. The consent itself stays."""

    consent = _parent("consent.SharingConsent", "endings")
    kind = models.CharField(max_length=12, choices=EndKind)
    on = models.DateField(help_text="The day it was said, or found")
    reason = models.TextField(blank=True, default="", db_default="")

    class Meta(SharingAct.Meta):
        constraints = [
            _below("sharing_end", "consent", "consent.SharingConsent"),
            models.UniqueConstraint(fields=["organisation", "consent", "kind"], name="sharing_end_once"),
            models.CheckConstraint(
                condition=~Q(kind="invalidated") | Q(reason__gt=""), name="sharing_invalidation_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="sharing_end_of_record")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.on:%d/%m/%Y}"


class SharingWitness(SharingAct):
    """The colleague who was named says whether they heard the consent. Until then it gives no access."""

    consent = _parent("consent.SharingConsent", "witnesses")
    answer = models.CharField(max_length=10, choices=WitnessAnswer)
    note = models.TextField(blank=True, default="", db_default="")

    class Meta(SharingAct.Meta):
        constraints = [
            _below("sharing_witness", "consent", "consent.SharingConsent"),
            models.UniqueConstraint(fields=["organisation", "consent"], name="sharing_witness_once"),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="sharing_witness_of_record")]

    def __str__(self) -> str:
        return self.get_answer_display()


class SharingSignature(SharingAct):
    """The signature drawn on screen, or the scan of the signed paper: sealed to its consent; size and SHA-256 in clear. Never changed."""

    consent = _parent("consent.SharingConsent", "signatures")
    kind = models.CharField(max_length=4, choices=FileKind)
    size = models.PositiveIntegerField(help_text="Bytes of the file as it came")
    sha256 = models.CharField(max_length=64, help_text="Of the file as it came, in hex")
    sealed = models.BinaryField(help_text="Encrypted, bound to the consent (edatrs.core.crypto.seal)")

    class Meta(SharingAct.Meta):
        constraints = [
            _below("sharing_signature", "consent", "consent.SharingConsent"),
            models.UniqueConstraint(fields=["organisation", "consent"], name="sharing_signature_once"),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="sharing_signature_of_record")]

    def __str__(self) -> str:
        return f"Signature, {self.size} bytes"


class LawfulDecision(SharingAct):
    """Sharing without consent, on one of five grounds (O-152): who decided, why, what, and when it is reviewed at the latest.

    It gives access up to and with the day of review; a review carries it on or ends it.
    """

    number = _number("consent_decision_number")
    recipient = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    ground = models.CharField(max_length=20, choices=LawfulGround)
    categories = ArrayField(models.CharField(max_length=20, choices=Category))
    decided_by = models.TextField(help_text="Name of whoever decided")
    decided_as = models.TextField(help_text="Their role: Caldicott Guardian, team manager …")
    decided_on = models.DateField()
    reason = models.TextField()
    review_on = models.DateField()

    class Meta(SharingAct.Meta):
        constraints = [
            _of_client("lawful_decision"),
            models.UniqueConstraint(fields=["organisation", "client", "id"], name="lawful_decision_key"),
            models.UniqueConstraint(fields=["organisation", "number"], name="lawful_decision_number_once"),
            models.UniqueConstraint(
                fields=["organisation", "client", "form_key"], name="lawful_decision_once_a_form"
            ),
            models.CheckConstraint(
                condition=~Q(recipient=F("organisation")), name="lawful_decision_to_another"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__gt="", decided_as__gt="", reason__gt="", categories__len__gt=0),
                name="lawful_decision_says_who_why_what",
            ),
            models.CheckConstraint(
                condition=Q(review_on__gte=F("decided_on")), name="lawful_decision_reviewed_after"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="lawful_decision_of_record")]

    def __str__(self) -> str:
        return f"LD-{self.number}"


class LawfulReview(SharingAct):
    """A decision without consent was looked at again: it goes on until another day of review, or ends."""

    decision = _parent("consent.LawfulDecision", "reviews")
    outcome = models.CharField(max_length=8, choices=ReviewOutcome)
    reason = models.TextField()
    review_on = models.DateField(null=True)

    class Meta(SharingAct.Meta):
        constraints = [
            _below("lawful_review", "decision", "consent.LawfulDecision"),
            models.UniqueConstraint(
                fields=["organisation", "client", "form_key"], name="lawful_review_once_a_form"
            ),
            models.CheckConstraint(
                condition=Q(reason__gt="")
                & (Q(outcome="ends", review_on__isnull=True) | Q(outcome="goes_on", review_on__isnull=False)),
                name="lawful_review_says_what",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="lawful_review_of_record")]

    def __str__(self) -> str:
        return self.get_outcome_display()


class Disclosure(SharingAct):
    """Something about the client was given to others outside the system: to whom, what, how, what for, and on which ground."""

    way = models.CharField(max_length=10, choices=DisclosureWay)
    recipient = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    recipient_name = models.TextField(blank=True, default="", db_default="")
    what = models.TextField(help_text="In a few words: prescription summary")
    categories = ArrayField(models.CharField(max_length=20, choices=Category))
    purpose = models.TextField()
    ground = models.CharField(max_length=10, choices=DisclosureGround)
    consent = models.ForeignKey(
        SharingConsent,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="disclosures",
    )
    standing = models.CharField(max_length=12, choices=Standing, blank=True, default="", db_default="")
    condition = models.CharField(max_length=14, choices=Condition, blank=True, default="", db_default="")
    lawful_ground = models.CharField(
        max_length=20, choices=LawfulGround, blank=True, default="", db_default=""
    )
    given_on = models.DateField()

    class Meta(SharingAct.Meta):
        constraints = [
            _of_client("disclosure"),
            _below("disclosure", "consent", "consent.SharingConsent"),
            models.UniqueConstraint(
                fields=["organisation", "client", "form_key"], name="disclosure_once_a_form"
            ),
            _one_recipient("disclosure_one_recipient"),
            models.CheckConstraint(
                condition=Q(what__gt="", purpose__gt="")
                & (
                    Q(ground="consent", consent__isnull=False, standing="", lawful_ground="")
                    | Q(
                        ground="standing",
                        consent__isnull=True,
                        standing__gt="",
                        condition__gt="",
                        lawful_ground="",
                    )
                    | Q(ground="lawful", consent__isnull=True, standing="", lawful_ground__gt="")
                ),
                name="disclosure_says_its_ground",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client", "given_on"], name="disclosure_of_record")]

    def __str__(self) -> str:
        return f"{self.get_way_display()}, {self.given_on:%d/%m/%Y}"
