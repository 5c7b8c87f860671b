"""Models of the caseload app: the record."""

from caseload.models.base import Record
from caseload.models.clients import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    Person,
    PersonKey,
    Registration,
)
from caseload.models.episodes import Episode, EpisodeItems
from caseload.models.lists import (
    ClientInformationReview,
    Intervention,
    Outcome,
    SubInterventionReview,
    TimeInTreatment,
)

__all__ = [
    "Client",
    "ClientContact",
    "ClientDisability",
    "ClientEquality",
    "ClientIdentity",
    "ClientInformationReview",
    "ClientItems",
    "Episode",
    "EpisodeItems",
    "Intervention",
    "Outcome",
    "Person",
    "PersonKey",
    "Record",
    "Registration",
    "SubInterventionReview",
    "TimeInTreatment",
]
