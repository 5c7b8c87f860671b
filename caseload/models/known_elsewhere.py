"""Is this person known to a partner: what a client is compared by, and what was asked and answered."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models

from caseload.models.clients import Client, of_client
from edatrs.core.managers import TenantModel


def _words() -> ArrayField[list[str], list[str]]:
    return ArrayField(models.TextField(), default=list, db_default=[])


def _text() -> models.TextField[str, str]:
    return models.TextField(blank=True, default="", db_default="")


class MatchKey(TenantModel):
    """What a client is recognised by, as `caseload.match_keys` makes it: the one table of clients that the role `matcher` reads.

    `of_person`, `voided` and `sensitive` repeat what is said elsewhere; triggers of the database keep them (migration 0010), so that nobody
    who may not find a client has to. Written again whenever names, numbers or dates change; no history.
    """

    stays_at_merge = True

    client = models.OneToOneField(
        Client, primary_key=True, on_delete=models.PROTECT, db_constraint=False, related_name="match_key"
    )
    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    of_person = models.UUIDField(editable=False)
    voided = models.BooleanField(default=False, db_default=False, editable=False)
    sensitive = models.BooleanField(default=False, db_default=False, editable=False)
    fore = _words()
    fore_spelt = _words()
    fore_sounds = _words()
    sur = _words()
    sur_spelt = _words()
    sur_sounds = _words()
    earlier = _words()
    first = _text()
    full_name = _text()
    born = models.DateField(null=True, blank=True)
    sex = _text()
    nhs = _text()
    postcode = _text()
    district = _text()

    class Meta(TenantModel.Meta):
        constraints = [of_client("match_key")]
        indexes = [
            models.Index(fields=["organisation", "born"], name="match_key_born"),
            models.Index(fields=["organisation", "full_name"], name="match_key_full_name"),
            models.Index(fields=["organisation", "first"], name="match_key_first"),
            models.Index(fields=["organisation", "nhs"], name="match_key_nhs", condition=~models.Q(nhs="")),
        ]

    def __str__(self) -> str:
        return str(self.client_id)


class PartnerCheck(TenantModel):
    """Somebody asked whether a partner knows a client of theirs, and what the database said: yes or no, and nothing else. Only grows."""

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
        Client, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="partner_checks"
    )
    asked_by = models.UUIDField(help_text="The person; an id, no foreign key, so that it outlives them")
    asked_by_label = models.TextField()
    asked_at = models.DateTimeField()
    known = models.BooleanField()

    class Meta(TenantModel.Meta):
        constraints = [of_client("partner_check")]
        indexes = [
            models.Index(fields=["organisation", "client", "-asked_at"], name="partner_check_latest"),
            models.Index(fields=["organisation", "asked_by", "asked_at"], name="partner_check_of_person"),
        ]

    def __str__(self) -> str:
        return str(self.id)
