"""The episode of treatment at a service."""

from __future__ import annotations

from django.db import models

from caseload.choices import NdtmsConsent
from caseload.models.base import KeyedRecord, Voidable
from edatrs.core.database import TenantForeignKey
from edatrs.core.history import frozen, stamp, tracked


@tracked()
class Episode(Voidable, KeyedRecord):
    """Category treatment: the core of an episode, its substances, and in `items` the other treatment items by CSV header.

    `consent` is the latest NDTMS decision, pushed down by the consent app; empty means not asked. Values wrong by NDTMS rules are kept
    as they are: no constraint enforces such a rule.
    """

    registration = models.ForeignKey(
        "caseload.Registration", on_delete=models.PROTECT, db_constraint=False, related_name="episodes"
    )
    service = models.ForeignKey(
        "organisations.Service",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    episode_id = models.TextField("EPISODID")
    referred_on = models.DateField("REFLD", null=True, blank=True)
    triaged_on = models.DateField("TRIAGED", null=True, blank=True)
    discharged_on = models.DateField("DISD", null=True, blank=True)
    discharge_reason = models.TextField("DISRSN", blank=True, default="", db_default="")
    referral_source = models.TextField("RFLS", blank=True, default="", db_default="")
    drug_1 = models.TextField("DRUG1", blank=True, default="", db_default="")
    drug_2 = models.TextField("DRUG2", blank=True, default="", db_default="")
    drug_3 = models.TextField("DRUG3", blank=True, default="", db_default="")
    route = models.TextField("ROUTE", blank=True, default="", db_default="")
    injecting_status = models.TextField("INJSTAT", blank=True, default="", db_default="")
    items = models.JSONField(default=dict, db_default={})
    consent = models.CharField(
        "CONSENT", max_length=1, choices=NdtmsConsent, blank=True, default="", db_default="", editable=False
    )
    consent_on = models.DateField(null=True, blank=True, editable=False)

    class Meta(KeyedRecord.Meta):
        triggers = [stamp(), frozen("episode_id", "service")]
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "service", "registration"),
                to="caseload.Registration",
                to_fields=("organisation", "client", "service", "id"),
                name="episode_of_registration",
            ),
            models.UniqueConstraint(fields=["service", "episode_id"], name="episodid_once_an_agency"),
            models.UniqueConstraint(fields=["organisation", "client", "id"], name="episode_with_client"),
            models.CheckConstraint(
                condition=models.Q(consent__in=["", "Y", "N"]), name="episode_consent_is_a_decision"
            ),
        ]

    def __str__(self) -> str:
        return self.episode_id


class EpisodePart(KeyedRecord):
    """A row that belongs to an episode."""

    episode = models.ForeignKey(
        Episode, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="%(class)ss"
    )

    class Meta(KeyedRecord.Meta):
        abstract = True


def of_episode(name: str) -> TenantForeignKey:
    """The constraint that ties a part to its episode, with the client and the organisation in it."""
    return TenantForeignKey(
        fields=("organisation", "client", "episode"),
        to="caseload.Episode",
        to_fields=("organisation", "client", "id"),
        name=f"{name}_of_episode",
    )


@tracked()
class EpisodeItems(EpisodePart):
    """Data-set items of an episode that are not treatment, one row a category: JSON keyed by CSV header, only what is recorded."""

    episode = models.ForeignKey(
        Episode, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="item_rows"
    )
    category = models.CharField(max_length=20)
    items = models.JSONField(default=dict, db_default={})

    class Meta(EpisodePart.Meta):
        constraints = [
            of_episode("items"),
            models.UniqueConstraint(fields=["episode", "category"], name="episode_items_once_a_category"),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.episode_id}"
