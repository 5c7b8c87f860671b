"""Asking a partner to share, and referring a client to one: what each side wrote, in rows of its own (issue 4, build 4).

An ask is a row of who asks. What a holder gets of it, the delivery, is a row of the holder, written by the database alone (migration 0008):
who asks never reads it, so a refusal, silence and nobody found are one thing to them. A referral is read by both sides; each writes only
its own steps. Nothing here is ever edited.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from caseload.choices import Category
from consent.choices import AnswerKind, HowKnown, ReferralKind, StepKind, Urgency
from consent.models.sharing import SharingAct, _below, _number, _of_client, _parent
from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantManager


def _categories() -> Any:
    return ArrayField(models.CharField(max_length=20, choices=Category))


def _organisation() -> Any:
    return models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")


class AskContent(SharingAct):
    """What is asked, in the asker's words: it stands with who asks and with who is asked."""

    purpose = models.TextField()
    categories = _categories()
    message = models.TextField(blank=True, default="", db_default="", help_text="No clinical content")
    how = models.CharField(max_length=10, choices=HowKnown)
    told = models.BooleanField(help_text="The person knows that this is asked")
    answer_by = models.DateField()

    class Meta(SharingAct.Meta):
        abstract = True


class Ask(AskContent):
    """A partner is asked to share: whoever knows a client of one's own, or, directed, the holder of a record that is shared already."""

    number = _number("consent_ask_number")
    client = models.ForeignKey(  # type: ignore[assignment]  # an ask of a shared record has none
        "caseload.Client",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    holder = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    held_client = models.UUIDField(null=True, help_text="Of the holder; an id, no foreign key")

    class Meta(AskContent.Meta):
        constraints = [
            _of_client("ask"),
            models.UniqueConstraint(fields=["organisation", "id"], name="ask_key"),
            models.UniqueConstraint(fields=["organisation", "number"], name="ask_number_once"),
            models.UniqueConstraint(fields=["organisation", "form_key"], name="ask_once_a_form"),
            models.CheckConstraint(
                condition=Q(client__isnull=False, holder__isnull=True, held_client__isnull=True)
                | Q(client__isnull=True, holder__isnull=False, held_client__isnull=False),
                name="ask_of_somebody_or_of_a_shared_record",
            ),
            models.CheckConstraint(
                condition=Q(purpose__gt="", categories__len__gt=0), name="ask_says_what_and_why"
            ),
            models.CheckConstraint(
                condition=Q(holder__isnull=True) | ~Q(holder=F("organisation")), name="ask_of_another"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="ask_of_record")]

    def __str__(self) -> str:
        return f"AS-{self.number}"


class AskEnd(SharingAct):
    """Who asked takes it back."""

    client = None  # type: ignore[assignment]  # of its ask
    ask = _parent("consent.Ask", "endings")

    class Meta(SharingAct.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "ask"),
                to="consent.Ask",
                to_fields=("organisation", "id"),
                name="ask_end_of_ask",
            ),
            models.UniqueConstraint(fields=["organisation", "ask"], name="ask_end_once"),
        ]

    def __str__(self) -> str:
        return f"Taken back, {self.recorded_at:%d/%m/%Y}"


class AskDelivery(AskContent):
    """An ask as it reached an organisation that holds the person: a row of the holder about its own client. Made by the database alone."""

    ask = models.UUIDField(
        help_text="The row of who asks; an id, no foreign key: neither side reads the other's"
    )
    number = models.BigIntegerField()
    asker = _organisation()
    directed = models.BooleanField(help_text="About a record that the asker sees a part of already")

    class Meta(AskContent.Meta):
        constraints = [
            _of_client("ask_delivery"),
            models.UniqueConstraint(fields=["organisation", "client", "id"], name="ask_delivery_key"),
            models.UniqueConstraint(fields=["organisation", "client", "ask"], name="ask_delivered_once"),
            models.CheckConstraint(condition=~Q(asker=F("organisation")), name="ask_delivery_of_another"),
        ]
        indexes = [models.Index(fields=["ask"], name="ask_delivery_of_ask")]

    def __str__(self) -> str:
        return f"AS-{self.number}"


class AskAnswer(SharingAct):
    """What became of a delivery: each is a row of its own, the newest counts. Who asked learns of an agreement alone."""

    delivery = _parent("consent.AskDelivery", "answers")
    kind = models.CharField(max_length=10, choices=AnswerKind)
    reason = models.TextField(blank=True, default="", db_default="", help_text="Stays with the holder")
    source = models.UUIDField(null=True, help_text="The consent or the decision that answers; an id")
    opened = models.UUIDField(
        null=True, help_text="The record that it opened: after a merge the one that lives"
    )

    class Meta(SharingAct.Meta):
        constraints = [
            _below("ask_answer", "delivery", "consent.AskDelivery"),
            models.CheckConstraint(
                condition=~Q(kind="refused") | Q(reason__gt=""), name="ask_refusal_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="ask_answer_of_record")]

    def __str__(self) -> str:
        return self.get_kind_display()


class ReferralManager(TenantManager):
    """The referrals that the organisation acted for sent, and those that were sent to it; it writes only its own rows."""

    def rows_of(self, asked: Any) -> Q:
        """Rows of both sides."""
        return Q(organisation_id=asked) | Q(receiver_id=asked)


class StepManager(TenantManager):
    """The steps of both sides of the referrals of the organisation acted for; it writes only its own."""

    def rows_of(self, asked: Any) -> Q:
        """Rows of both sides."""
        return Q(sender_id=asked) | Q(receiver_id=asked)


class PartnerReferral(SharingAct):
    """A client is referred or transferred to a partner. Of the client the receiver sees what a consent or a decision opens, and no more."""

    number = _number("consent_partner_referral_number")
    receiver = _organisation()
    service = models.ForeignKey(
        "organisations.Service",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=8, choices=ReferralKind)
    urgency = models.CharField(max_length=8, choices=Urgency)
    reason = models.TextField()
    message = models.TextField(blank=True, default="", db_default="", help_text="No clinical content")
    categories = _categories()

    objects: ClassVar[TenantManager] = ReferralManager()

    class Meta(SharingAct.Meta):
        constraints = [
            _of_client("partner_referral"),
            TenantForeignKey(
                fields=("receiver", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="partner_referral_at_its_service",
            ),
            models.UniqueConstraint(fields=["organisation", "receiver", "id"], name="partner_referral_key"),
            models.UniqueConstraint(
                fields=["organisation", "client", "form_key"], name="partner_referral_once_a_form"
            ),
            models.CheckConstraint(
                condition=Q(reason__gt="", categories__len__gt=0), name="partner_referral_says_why_and_what"
            ),
            models.CheckConstraint(
                condition=~Q(receiver=F("organisation")), name="partner_referral_to_another"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "client"], name="partner_referral_of_record"),
            models.Index(fields=["receiver"], name="partner_referral_received"),
        ]

    def __str__(self) -> str:
        return f"RF-{self.number}"


class PartnerReferralStep(SharingAct):
    """Accepted or rejected by the receiver, taken back or done by the sender: a row of whoever did it, read by both."""

    client = None  # type: ignore[assignment]  # of its referral
    sender = _organisation()
    receiver = _organisation()
    referral = _parent("consent.PartnerReferral", "steps")
    kind = models.CharField(max_length=10, choices=StepKind)
    reason = models.TextField(blank=True, default="", db_default="")

    objects: ClassVar[TenantManager] = StepManager()

    class Meta(SharingAct.Meta):
        constraints = [
            TenantForeignKey(
                fields=("sender", "receiver", "referral"),
                to="consent.PartnerReferral",
                to_fields=("organisation", "receiver", "id"),
                name="partner_referral_step_of_referral",
            ),
            models.UniqueConstraint(
                fields=["referral"],
                condition=Q(kind__in=["accepted", "rejected", "taken_back"]),
                name="partner_referral_decided_once",
            ),
            models.UniqueConstraint(
                fields=["referral"], condition=Q(kind="done"), name="partner_referral_done_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["accepted", "rejected"], organisation=F("receiver"))
                | Q(kind__in=["taken_back", "done"], organisation=F("sender")),
                name="partner_referral_step_of_its_side",
            ),
            models.CheckConstraint(
                condition=~Q(kind="rejected") | Q(reason__gt=""), name="partner_referral_rejection_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["sender"], name="partner_referral_step_sender")]

    def __str__(self) -> str:
        return self.get_kind_display()


class ReferralHandOver(SharingAct):
    """What the receiver made of a referral that it accepted: its own client, new or known before, and what was copied into it."""

    referral = models.UUIDField(help_text="The row of the sender; an id, no foreign key")
    is_new = models.BooleanField()
    categories = ArrayField(models.CharField(max_length=20, choices=Category), default=list)

    class Meta(SharingAct.Meta):
        constraints = [
            _of_client("referral_hand_over"),
            models.UniqueConstraint(fields=["organisation", "referral"], name="referral_hand_over_once"),
        ]
        indexes = [models.Index(fields=["organisation", "client"], name="referral_hand_over_of_record")]

    def __str__(self) -> str:
        return str(self.referral)


__all__ = [
    "Ask",
    "AskAnswer",
    "AskDelivery",
    "AskEnd",
    "PartnerReferral",
    "PartnerReferralStep",
    "ReferralHandOver",
    "ReferralManager",
    "StepManager",
]
