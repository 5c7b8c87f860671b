"""The lists of an episode that stand beside each other in an extract: interventions, reviews, time in treatment, outcomes."""

from __future__ import annotations

from django.db import models

from caseload.models.base import Voidable
from caseload.models.episodes import EpisodePart, of_episode
from edatrs.core.history import tracked


def _once(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=["episode", "identifier"], name=f"{name}_identifier_once")


class ListRecord(Voidable, EpisodePart):
    """One entry of a list: its identifier exactly as it came, and in `items` the items without a column of their own."""

    identifier = models.TextField()
    items = models.JSONField(default=dict, db_default={})

    class Meta(EpisodePart.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.identifier


@tracked()
class Intervention(ListRecord):
    """An intervention (modality). MODID, MODAL, REFMODDT, FAOMODDT, MODST, MODEND, MODEXIT; MODSET and OPRAGNCY in `items`."""

    modality = models.TextField("MODAL", blank=True, default="", db_default="")
    referred_on = models.DateField("REFMODDT", null=True, blank=True)
    first_appointment_on = models.DateField("FAOMODDT", null=True, blank=True)
    started_on = models.DateField("MODST", null=True, blank=True)
    ended_on = models.DateField("MODEND", null=True, blank=True)
    exit_status = models.TextField("MODEXIT", blank=True, default="", db_default="")

    class Meta(ListRecord.Meta):
        constraints = [of_episode("intervention"), _once("intervention")]


@tracked()
class SubInterventionReview(ListRecord):
    """A sub-intervention review. SUBMID, SUBMODDT; the flags in `items`."""

    reviewed_on = models.DateField("SUBMODDT", null=True, blank=True)

    class Meta(ListRecord.Meta):
        constraints = [of_episode("review"), _once("review")]


@tracked()
class TimeInTreatment(ListRecord):
    """A time-in-treatment assessment. TITID, TITDATE, TITREAT."""

    assessed_on = models.DateField("TITDATE", null=True, blank=True)
    intensity = models.TextField("TITREAT", blank=True, default="", db_default="")

    class Meta(ListRecord.Meta):
        constraints = [of_episode("time_in_treatment"), _once("time_in_treatment")]


@tracked()
class Outcome(ListRecord):
    """A treatment outcomes profile (TOP). TOPID, TOPDATE, TRSTAGE; the answers in `items`, NA where asked and not answered."""

    completed_on = models.DateField("TOPDATE", null=True, blank=True)
    stage = models.TextField("TRSTAGE", blank=True, default="", db_default="")

    class Meta(ListRecord.Meta):
        constraints = [of_episode("outcome"), _once("outcome")]


@tracked()
class ClientInformationReview(ListRecord):
    """A client information review. CIRID, CIRDATE."""

    reviewed_on = models.DateField("CIRDATE", null=True, blank=True)

    class Meta(ListRecord.Meta):
        constraints = [of_episode("information_review"), _once("information_review")]
