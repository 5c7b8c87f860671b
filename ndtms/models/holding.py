"""What the national collection may hold (contract section 4, rule 1)."""

from __future__ import annotations

from django.db import models

from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel


class NationalHolding(TenantModel):
    """Whether an episode may be held nationally: imported with a yes, or carried with yes by a file that was downloaded or confirmed, and
    not taken out by a confirmed load since. No row: never.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    episode = models.OneToOneField(
        "caseload.Episode",
        primary_key=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        related_name="national_holding",
    )
    client = models.ForeignKey(
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    held = models.BooleanField()
    since = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="holding_of_episode",
            )
        ]

    def __str__(self) -> str:
        return f"{self.episode_id}: {'may be held' if self.held else 'not held'}"
