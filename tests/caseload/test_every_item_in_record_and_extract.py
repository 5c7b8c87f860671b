"""Every item of fields.csv has a place in the record, comes in by its own bundle file, and goes out in every extract that has it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import models

from caseload.dataset.reader import load_dictionary
from caseload.models import (
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientInformationReview,
    Episode,
    Intervention,
    Outcome,
    SubInterventionReview,
    TimeInTreatment,
)
from caseload.record import DERIVED, SHORTENED, place_of, recorded_items
from edatrs.core import clock
from ndtms.bundle import file_specs
from tests.ndtms import support
from tests.ndtms.support import TODAY, done

FIELDS = Path(__file__).parents[1] / "data" / "ndtms" / "fields.csv"
LETTERS = "KLMNOPQR"
AGENCIES = {
    "adult": ("E1001", "eput-essex-stars"),
    "yp": ("E2001", "the-childrens-society"),
    "cjit": ("E3001", "peabody"),
}
KEY = {"agency_code", "client_id", "episode_id"}
# Contract section 2, written out once more: the file that brings an item, by its entity, and the columns of clients.csv.
FILE_OF_ENTITY = {
    "episode": "episodes.csv",
    "yp_outcomes": "episodes.csv",
    "intervention": "interventions.csv",
    "sub_intervention_review": "reviews.csv",
    "time_in_treatment": "time_in_treatment.csv",
    "top": "tops.csv",
    "client_information_review": "client_information_reviews.csv",
}
CLIENT_COLUMN = {
    "FINITIAL": "forename",
    "SINITIAL": "surname",
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
MADE = {"AGNCY", "CONSENT", "CMSID"}
# What the rules look at must be right, or nothing would be sent; these codes are in their lists in all letters.
RIGHT = {
    "SEX": "F",
    "DOB": "1981-02-03",
    "REFLD": "2026-01-05",
    "TRIAGED": "2026-01-06",
    "DISD": "2026-09-30",
    "DISRSN": "80",
    "DRUG1": "1011",
    "DRUG2": "7000",
    "DRUG3": "5000",
    "ROUTE": "1",
    "RFLS": "4",
    "INJSTAT": "C",
}


@cache
def fields() -> dict[str, dict[str, str]]:
    with FIELDS.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def in_force(dataset: str, letter: str) -> list[str]:
    """The columns by the contract's section 1: in or before the letter, and not retired in or before it."""
    return [
        name
        for name, row in fields().items()
        if row[f"in_{dataset}"] == "1"
        and (row["introduced"].startswith("<=") or row["introduced"] <= letter)
        and not (row["retired"] and row["retired"] <= letter)
    ]


def sent_value(name: str) -> str:
    """What a cell of the bundle holds: different for every item, so that a value in the wrong column is found out."""
    number = list(fields()).index(name)
    if name in RIGHT:
        return RIGHT[name]
    if fields()[name]["type"] == "date":
        return (dt.date(2026, 2, 1) + dt.timedelta(days=number)).isoformat()
    return str(1000 + number) if fields()[name]["type"] == "int" else f"{name.lower()} {number}"


def extract_value(name: str) -> str:
    """What the extract must hold for it."""
    value = {"FINITIAL": "Ł", "SINITIAL": "Ó", "PC": "CM1"}.get(name) or sent_value(name)
    day = fields()[name]["type"] == "date"
    return "/".join(reversed(value.split("-"))) if day else value


def bundle(folder: Path) -> Path:
    """One person with one episode at a service of each data set; every column of every file is filled."""
    folder.mkdir()
    agencies = [agency for agency, _ in AGENCIES.values()]
    key = {"client_id": sent_value("CLIENTID"), "episode_id": sent_value("EPISODID")}
    tables: dict[str, list[dict[str, str]]] = {
        "services.csv": [
            {"agency_code": a, "name": a, "organisation": slug, "dataset": d}
            for d, (a, slug) in AGENCIES.items()
        ],
        "registrations.csv": [
            {
                "client_key": "K",
                "agency_code": a,
                "client_id": key["client_id"],
                "reference": sent_value("CLIENT"),
            }
            for a in agencies
        ],
        "clients.csv": [
            {column: sent_value(name) for name, column in CLIENT_COLUMN.items()}
            | {"client_key": "K", "forename": "łucja", "surname": "óbrien", "postcode": "SS1 2ZZ"}
        ],
        "consents.csv": [
            {"agency_code": a, **key, "decision": "Y", "decided_on": "2026-01-07", "method": "oral"}
            for a in agencies
        ],
    }
    for entity, file in FILE_OF_ENTITY.items():
        row = {name: sent_value(name) for name, item in fields().items() if item["entity"] == entity}
        row = {name: value for name, value in row.items() if name not in MADE | {"EPISODID"}}
        row |= {"PC": "CM11QH"} if "PC" in row else {}
        for place, agency in enumerate(agencies):
            held = tables.setdefault(file, [])
            if len(held) <= place:
                held.append({"agency_code": agency, **key})
            held[place].update(row)
    for file, rows in tables.items():
        with (folder / file).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        yield


def test_the_dictionary_of_the_product_is_the_one_walked_here() -> None:
    assert [item.name for item in load_dictionary().items] == list(fields())
    for dataset in AGENCIES:
        for letter in LETTERS:
            assert [item.name for item in load_dictionary().columns(dataset, letter)] == in_force(
                dataset, letter
            )


@pytest.mark.parametrize("name", list(fields()))
def test_an_item_has_one_place(name: str) -> None:
    item = load_dictionary().item(name)
    if name in MADE:
        assert name in DERIVED
        with pytest.raises(LookupError):
            place_of(item)
        return
    place = place_of(item)
    column = place.model._meta.get_field(place.field)
    assert isinstance(column, models.JSONField) == bool(place.key)
    assert place.key in ("", name)
    same = [
        other.name for other in recorded_items() if dataclasses.replace(place_of(other), item=item) == place
    ]
    assert same == [name], "no two items share a place"


@pytest.mark.parametrize("name", [name for name in fields() if name not in MADE])
def test_an_item_comes_in_by_one_file(name: str) -> None:
    entity = fields()[name]["entity"]
    if entity == "client":
        wanted = {"CLIENTID": "client_id", "CLIENT": "reference"}.get(name) or CLIENT_COLUMN[name]
        file = "registrations.csv" if name in ("CLIENTID", "CLIENT") else "clients.csv"
    else:
        wanted, file = ("episode_id" if name == "EPISODID" else name), FILE_OF_ENTITY[entity]
    specs = {spec.name: spec for spec in file_specs()}
    assert wanted in specs[file].columns
    others = [spec.name for spec in file_specs() if wanted in spec.columns and spec.name != file]
    assert not others or wanted in KEY


def compare(dataset: str, letter: str, raw: bytes) -> int:
    """The one row of an extract holds what was sent, in every column. Returns how many columns were compared."""
    header, *lines = csv.reader(io.StringIO(raw.decode(), newline=""))
    assert header == in_force(dataset, letter)
    [row] = [dict(zip(header, line, strict=True)) for line in lines]
    made = {"AGNCY": AGENCIES[dataset][0], "CONSENT": "Y", "CMSID": settings.CMSID}
    assert row == {name: made.get(name) or extract_value(name) for name in header}
    return len(header)


# Two items that changed places would come back right all the same; pages and rules would show one for the other.
COLUMNS: dict[type[models.Model], dict[str, str]] = {
    Episode: {
        "referred_on": "REFLD",
        "triaged_on": "TRIAGED",
        "discharged_on": "DISD",
        "discharge_reason": "DISRSN",
        "referral_source": "RFLS",
        "drug_1": "DRUG1",
        "drug_2": "DRUG2",
        "drug_3": "DRUG3",
        "route": "ROUTE",
        "injecting_status": "INJSTAT",
    },
    Intervention: {
        "identifier": "MODID",
        "modality": "MODAL",
        "referred_on": "REFMODDT",
        "first_appointment_on": "FAOMODDT",
        "started_on": "MODST",
        "ended_on": "MODEND",
        "exit_status": "MODEXIT",
    },
    SubInterventionReview: {"identifier": "SUBMID", "reviewed_on": "SUBMODDT"},
    TimeInTreatment: {"identifier": "TITID", "assessed_on": "TITDATE", "intensity": "TITREAT"},
    Outcome: {"identifier": "TOPID", "completed_on": "TOPDATE", "stage": "TRSTAGE"},
    ClientInformationReview: {"identifier": "CIRID", "reviewed_on": "CIRDATE"},
    ClientIdentity: {"date_of_birth": "DOB", "sex": "SEX"},
    ClientEquality: {
        "ethnicity": "ETHNIC",
        "nationality": "NATION",
        "religion": "RELIGION",
        "sexual_orientation": "SEXUALO",
    },
    ClientDisability: {"disability_1": "DISABLE1", "disability_2": "DISABLE2", "disability_3": "DISABLE3"},
}


def in_their_columns() -> None:
    """The columns of the record that pages and rules read hold the items they are named for."""
    with support.acting_for("E1001"):
        for model, columns in COLUMNS.items():
            [row] = model._default_manager.values(*columns)
            assert {field: str(value) for field, value in row.items()} == {
                field: sent_value(name) for field, name in columns.items()
            }


@pytest.mark.django_db(transaction=True)
def test_every_item_of_every_letter_comes_back(today: None, tmp_path: Path) -> None:
    support.partnership()
    answer = done("import_caseload", str(bundle(tmp_path / "bundle")))
    assert answer["created"]["episodes.csv"] == 3
    in_their_columns()
    seen: dict[str, set[str]] = {}
    widths = {}
    for dataset, (agency, _) in AGENCIES.items():
        for letter in LETTERS:
            target = tmp_path / f"{dataset}-{letter}.csv"
            wish = [
                "--agency",
                agency,
                "--dataset",
                dataset,
                "--letter",
                letter,
                "--kind",
                "full",
                "--as-of",
                "2026-10-31",
            ]
            manifest = done("build_extract", *wish, "--output", str(target))
            assert manifest["episodes_sent"] == manifest["rows"] == 1, manifest
            widths[dataset, letter] = compare(dataset, letter, target.read_bytes())
            for name in in_force(dataset, letter):
                seen.setdefault(name, set()).add(letter)
    assert [widths[dataset, "Q"] for dataset in AGENCIES] == [120, 98, 28]
    assert seen["LTLA"] == {"R"}
    assert (
        seen["SEXUAL"] == {"K", "L"}
        and seen["PCT"] == seen["INJECT"] == set("KLM")
        and seen["PHMAIN"] == set("KLMNO")
    )
    assert set(seen) == set(fields()), "no item of the dictionary is in no letter"
    assert set(seen) >= SHORTENED


@pytest.mark.django_db(transaction=True)
def test_a_new_letter_is_a_new_data_file_and_nothing_else(tmp_path: Path) -> None:
    """In a copy of the program that differs by data files alone, on a database that was migrated before."""
    support.partnership()
    tree = tmp_path / "program"
    root = Path(settings.BASE_DIR)
    for name in ("edatrs", "audit", "caseload", "consent", "ndtms", "templates", "manage.py"):
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, tree / name) if tree.exists() or tree.mkdir() is None else None
    data = tree / "caseload" / "dataset" / "data"
    header = FIELDS.read_text(encoding="utf-8").splitlines()[0]
    new = {
        "GAMBLING": ("episode", "risk", "text"),
        "HOMEVIS": ("episode", "treatment", "date"),
        "MODCOST": ("intervention", "treatment", "int"),
        "CHEMSEX": ("top", "treatment", "int"),
        "MAINLANG": ("client", "equality", "text"),
    }
    lines = [header]
    for name, (entity, category, kind) in new.items():
        values = {
            "name": name,
            "entity": entity,
            "category": category,
            "label": name,
            "type": kind,
            "introduced": "S",
        }
        values |= {"in_adult": "1", "in_yp": "0", "in_cjit": "0"}
        lines.append(",".join(values.get(column, "") for column in header.split(",")))
    (data / "fields-S.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (data / "letters-S.csv").write_text("letter,in_force_from,note\nS,2026-04-01,made up\n", encoding="utf-8")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in sorted(data.glob("*.csv"))
    ]
    (data / "CHECKSUMS").write_text("\n".join(sums) + "\n")
    folder = bundle(tmp_path / "bundle")
    files = {
        "episode": "episodes.csv",
        "intervention": "interventions.csv",
        "top": "tops.csv",
        "client": "clients.csv",
    }
    value = {"text": "new value", "date": "2026-03-04", "int": "77"}
    for name, (entity, _, kind) in new.items():
        path = folder / files[entity]
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        path.write_text(
            "\n".join([f"{first},{name}", *(f"{line},{value[kind]}" for line in rest)]) + "\n",
            encoding="utf-8",
        )
    manage(tree, "import_caseload", str(folder))
    target = tmp_path / "extract.csv"
    wish = ["--agency", "E1001", "--dataset", "adult", "--letter", "S", "--kind", "full"]
    assert manage(tree, "build_extract", *wish, "--output", str(target))["rows"] == 1
    [row] = csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"), newline=""))
    assert {name: row[name] for name in new} == {
        "GAMBLING": "new value",
        "HOMEVIS": "04/03/2026",
        "MODCOST": "77",
        "CHEMSEX": "77",
        "MAINLANG": "new value",
    }
    assert len(row) == len(in_force("adult", "R")) + len(new)


def manage(tree: Path, *command: str) -> dict[str, Any]:
    """Run a command of the copy on the test's database."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=tree,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "edatrs.settings.test",
            "DATABASE_APP_URL": support.address(),
            "EDATRS_EXTRACT_DIR": str(tree / "extracts"),
        },
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer
