"""The data sets as the contract's section 1 has them: columns, code lists and what each bundle file may hold."""

import csv
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
DATASETS = ("adult", "yp", "cjit")
EPISODE_KEY = ("agency_code", "client_id", "episode_id")

CLIENT_COLUMNS = [
    "client_key",
    "nhs_number",
    "title",
    "forename",
    "surname",
    "date_of_birth",
    "sex",
    "ethnicity",
    "nationality",
    "religion",
    "sexual_orientation",
    "disability_1",
    "disability_2",
    "disability_3",
    "veteran",
    "address_line_1",
    "address_line_2",
    "town",
    "postcode",
    "phone",
    "email",
]

# Which column of clients.csv gives which item of the extract.
CLIENT_ITEMS = {
    "DOB": "date_of_birth",
    "SEX": "sex",
    "ETHNIC": "ethnicity",
    "NATION": "nationality",
    "RELIGION": "religion",
    "SEXUALO": "sexual_orientation",
    "DISABLE1": "disability_1",
    "DISABLE2": "disability_2",
    "DISABLE3": "disability_3",
    "VETERAN": "veteran",
}

# Child files: entity of the dictionary, identifier and the date that orders the list (contract section 5).
CHILD_FILES = {
    "interventions.csv": ("intervention", "MODID", "MODST"),
    "reviews.csv": ("sub_intervention_review", "SUBMID", "SUBMODDT"),
    "time_in_treatment.csv": ("time_in_treatment", "TITID", "TITDATE"),
    "tops.csv": ("top", "TOPID", "TOPDATE"),
    "client_information_reviews.csv": ("client_information_review", "CIRID", "CIRDATE"),
}
REQUIRED_FILES = ("services.csv", "clients.csv", "registrations.csv", "episodes.csv", "consents.csv")
FILES = REQUIRED_FILES + tuple(CHILD_FILES)

KEYS = {
    "services.csv": ("agency_code",),
    "clients.csv": ("client_key",),
    "registrations.csv": ("agency_code", "client_id"),
    "episodes.csv": EPISODE_KEY,
    "consents.csv": EPISODE_KEY,  # what a line points to; several lines may share it
    **{file: (*EPISODE_KEY, identifier) for file, (_, identifier, _) in CHILD_FILES.items()},
}

# Items of the episode that the software, the key or another file gives.
NOT_IN_EPISODES = {"AGNCY", "CLIENTID", "EPISODID", "CONSENT", "CMSID"}


def _read(name):
    with open(DATA / "ndtms" / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ITEMS = {row["name"]: row for row in _read("fields.csv")}
CODES = [row for row in _read("reference.csv") if row["code"]]


def _since(letter):
    """Comparable form of a data set letter; `<=H` means from before anything that the dictionary knows."""
    return "" if letter.startswith("<=") else letter


@cache
def columns(dataset, letter):
    """Headers of a data set in file order."""
    return [
        name
        for name, item in ITEMS.items()
        if item[f"in_{dataset}"] == "1"
        and _since(item["introduced"]) <= letter
        and not (item["retired"] and item["retired"] <= letter)
    ]


@cache
def codes(list_name, letter):
    """Codes of a list valid for a letter."""
    return {
        row["code"]
        for row in CODES
        if row["list"] == list_name
        and _since(row["valid_from_dataset"]) <= letter
        and (not row["valid_to_dataset"] or letter <= row["valid_to_dataset"])
    }


@cache
def entity_items(*entities):
    """Names of all items of some entities, retired ones too: a bundle may bring them all."""
    return [name for name, item in ITEMS.items() if item["entity"] in entities]


@cache
def file_columns(file):
    """Every column that a bundle file may have, keys first."""
    if file == "services.csv":
        return ["agency_code", "name", "organisation", "dataset"]
    if file == "clients.csv":
        return list(CLIENT_COLUMNS)
    if file == "registrations.csv":
        return ["client_key", "agency_code", "client_id", "reference"]
    if file == "consents.csv":
        return [*EPISODE_KEY, "decision", "decided_on", "method"]
    if file == "episodes.csv":
        items = [name for name in entity_items("episode", "yp_outcomes") if name not in NOT_IN_EPISODES]
        return [*EPISODE_KEY, *items]
    entity, identifier, _ = CHILD_FILES[file]
    return [*EPISODE_KEY, identifier, *(name for name in entity_items(entity) if name != identifier)]


@cache
def required_columns(file):
    """Columns without which no line of the file can be understood."""
    if file in ("services.csv", "registrations.csv", "consents.csv"):
        optional = {"name", "reference"}
        return [name for name in file_columns(file) if name not in optional]
    return list(KEYS[file])


@cache
def value_type(file, column):
    """`date`, `int`, `topint` (an int or NA) or `text`: what must be understood for a cell to be loaded."""
    if column in ("date_of_birth", "decided_on"):
        return "date"
    item = ITEMS.get(column)
    if item is None or item["type"] not in ("date", "int"):
        return "text"
    return "topint" if item["type"] == "int" and file == "tops.csv" else item["type"]
