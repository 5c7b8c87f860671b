"""Where each item of the national data sets lives in the record: the one mapping that import, extract, rules and forms share.

An item is a typed column, or a key in the JSON of its own row or of the row of its category (design section 4). A new letter adds items to
the dictionary and needs no change here: what is not named below goes to the JSON of its entity and category.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from caseload.dataset.reader import Dictionary, Item, load_dictionary
from caseload.models import (
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientInformationReview,
    ClientItems,
    Episode,
    EpisodeItems,
    Intervention,
    Outcome,
    Registration,
    SubInterventionReview,
    TimeInTreatment,
)

# Items that the record does not hold as such: made from others when an extract is built.
DERIVED = frozenset({"AGNCY", "CONSENT", "CMSID"})
# The record holds the whole; the extract shortens it (contract section 5).
SHORTENED = frozenset({"FINITIAL", "SINITIAL", "PC"})
EPISODE_ENTITIES = frozenset({"episode", "yp_outcomes"})
TREATMENT = "treatment"


@dataclass(frozen=True)
class Place:
    """Where an item lives: a field of a model, or a key in the field `items` of it (of the row of `category`, where rows have one)."""

    item: Item
    model: type[models.Model]
    field: str
    key: str = ""
    category: str = ""


_CLIENT: Mapping[str, tuple[type[models.Model], str]] = {
    "FINITIAL": (ClientIdentity, "forename"),
    "SINITIAL": (ClientIdentity, "surname"),
    "DOB": (ClientIdentity, "date_of_birth"),
    "SEX": (ClientIdentity, "sex"),
    "ETHNIC": (ClientEquality, "ethnicity"),
    "NATION": (ClientEquality, "nationality"),
    "RELIGION": (ClientEquality, "religion"),
    "SEXUALO": (ClientEquality, "sexual_orientation"),
    "DISABLE1": (ClientDisability, "disability_1"),
    "DISABLE2": (ClientDisability, "disability_2"),
    "DISABLE3": (ClientDisability, "disability_3"),
    "CLIENTID": (Registration, "client_id_text"),
    "CLIENT": (Registration, "reference"),
}
_EPISODE: Mapping[str, str] = {
    "EPISODID": "episode_id",
    "REFLD": "referred_on",
    "TRIAGED": "triaged_on",
    "DISD": "discharged_on",
    "DISRSN": "discharge_reason",
    "RFLS": "referral_source",
    "DRUG1": "drug_1",
    "DRUG2": "drug_2",
    "DRUG3": "drug_3",
    "ROUTE": "route",
    "INJSTAT": "injecting_status",
}


@dataclass(frozen=True)
class ListPlace:
    """A list of an episode: its model, the items that are columns, and the field that orders it."""

    name: str
    entity: str
    model: type[models.Model]
    columns: Mapping[str, str]
    date_field: str


LISTS: Mapping[str, ListPlace] = {
    place.name: place
    for place in (
        ListPlace(
            "interventions",
            "intervention",
            Intervention,
            {
                "MODID": "identifier",
                "MODAL": "modality",
                "REFMODDT": "referred_on",
                "FAOMODDT": "first_appointment_on",
                "MODST": "started_on",
                "MODEND": "ended_on",
                "MODEXIT": "exit_status",
            },
            "started_on",
        ),
        ListPlace(
            "reviews",
            "sub_intervention_review",
            SubInterventionReview,
            {"SUBMID": "identifier", "SUBMODDT": "reviewed_on"},
            "reviewed_on",
        ),
        ListPlace(
            "time_in_treatment",
            "time_in_treatment",
            TimeInTreatment,
            {"TITID": "identifier", "TITDATE": "assessed_on", "TITREAT": "intensity"},
            "assessed_on",
        ),
        ListPlace(
            "tops",
            "top",
            Outcome,
            {"TOPID": "identifier", "TOPDATE": "completed_on", "TRSTAGE": "stage"},
            "completed_on",
        ),
        ListPlace(
            "client_information_reviews",
            "client_information_review",
            ClientInformationReview,
            {"CIRID": "identifier", "CIRDATE": "reviewed_on"},
            "reviewed_on",
        ),
    )
}
_LIST_OF_ENTITY = {place.entity: place for place in LISTS.values()}


def place_of(item: Item) -> Place:
    """Where an item lives. Raises LookupError for an item that is derived, or of an entity the record does not know."""
    if item.name in DERIVED:
        raise LookupError(f"{item.name} is not recorded: it is made when an extract is built")
    if item.entity == "client":
        if item.name in _CLIENT:
            model, field = _CLIENT[item.name]
            return Place(item, model, field)
        return Place(item, ClientItems, "items", item.name, item.category)
    if item.entity in EPISODE_ENTITIES:
        return _episode_place(item)
    if item.entity in _LIST_OF_ENTITY:
        listed = _LIST_OF_ENTITY[item.entity]
        column = listed.columns.get(item.name)
        return Place(item, listed.model, column) if column else Place(item, listed.model, "items", item.name)
    raise LookupError(f"{item.name}: the record has no place for the entity '{item.entity}'")


def _episode_place(item: Item) -> Place:
    # CLIENT and CLIENTID are listed under the client, EPISODID and the dates under the episode itself.
    if item.name in _CLIENT:
        model, field = _CLIENT[item.name]
        return Place(item, model, field)
    if item.name in _EPISODE:
        return Place(item, Episode, _EPISODE[item.name])
    if item.category == TREATMENT:
        return Place(item, Episode, "items", item.name)
    return Place(item, EpisodeItems, "items", item.name, item.category)


def list_of(item: Item) -> ListPlace | None:
    """The list an item belongs to, or None for an item of the client or the episode."""
    return _LIST_OF_ENTITY.get(item.entity)


def recorded_items(dictionary: Dictionary | None = None) -> tuple[Item, ...]:
    """Every item of the dictionary that the record holds."""
    return tuple(item for item in (dictionary or load_dictionary()).items if item.name not in DERIVED)


# The record's postcode of the client stands behind PC where the episode has none of its own.
CLIENT_POSTCODE = (ClientContact, "postcode")
