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
from caseload.models.export import ListExport, ListExportDownload
from caseload.models.known_elsewhere import MatchKey, PartnerCheck
from caseload.models.linking import LinkSide
from caseload.models.lists import (
    ClientInformationReview,
    Intervention,
    Outcome,
    SubInterventionReview,
    TimeInTreatment,
)
from caseload.models.merge import ClientMerge
from caseload.models.sharing import (
    ConflictOfInterest,
    EmergencyAccess,
    NamedTeamMember,
    SensitiveRecord,
    SharingGrant,
)
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
    "ConflictOfInterest",
    "EmergencyAccess",
    "Episode",
    "EpisodeClosing",
    "EpisodeItems",
    "EpisodeQuality",
    "Intervention",
    "LinkSide",
    "ListExport",
    "ListExportDownload",
    "MatchKey",
    "NamedTeamMember",
    "Opening",
    "Outcome",
    "PartnerCheck",
    "Person",
    "PersonKey",
    "Record",
    "Registration",
    "SavedView",
    "SearchToken",
    "SensitiveRecord",
    "SharingGrant",
    "SubInterventionReview",
    "TimeInTreatment",
    "Understanding",
]
