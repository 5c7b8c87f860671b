"""Models of the caseload app: the record."""

from caseload.models.acts import ConfidentialityExplained, EpisodeClosing, Understanding
from caseload.models.base import Record
from caseload.models.clients import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    Opening,
    Person,
    PersonKey,
    Registration,
    SearchToken,
)
from caseload.models.episodes import Episode, EpisodeItems
from caseload.models.lists import (
    ClientInformationReview,
    Intervention,
    Outcome,
    SubInterventionReview,
    TimeInTreatment,
)
from caseload.models.merge import ClientMerge
from caseload.models.work import Allocation, AllocationKind, AllocationRun, EpisodeQuality, SavedView

__all__ = [
    "Allocation",
    "AllocationKind",
    "AllocationRun",
    "Client",
    "ClientContact",
    "ClientDisability",
    "ClientEquality",
    "ClientIdentity",
    "ClientInformationReview",
    "ClientItems",
    "ClientMerge",
    "ConfidentialityExplained",
    "Episode",
    "EpisodeClosing",
    "EpisodeItems",
    "EpisodeQuality",
    "Intervention",
    "Opening",
    "Outcome",
    "Person",
    "PersonKey",
    "Record",
    "Registration",
    "SavedView",
    "SearchToken",
    "SubInterventionReview",
    "TimeInTreatment",
    "Understanding",
]
