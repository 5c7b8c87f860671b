"""The error rules hold back exactly the episodes that the samples say (contract section 7)."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from caseload.dataset.reader import load_dictionary
from caseload.dataset.rules import ALL_RULES, ERROR_RULES, Context, failing
from caseload.dataset.rules.scope import BESIDE
from caseload.dataset.window import window_start

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
CLIENT_ITEMS = {
    "FINITIAL": "forename",
    "SINITIAL": "surname",
    "DOB": "date_of_birth",
    "SEX": "sex",
    "ETHNIC": "ethnicity",
    "NATION": "nationality",
    "DISABLE1": "disability_1",
    "PC": "postcode",
}
CHILD_FILES = ("interventions", "reviews", "time_in_treatment", "tops")
KEY = ("agency_code", "client_id", "episode_id")


def _rows(bundle: str, stem: str) -> list[dict[str, str]]:
    with (SAMPLE / bundle / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _typed(row: dict[str, str]) -> dict[str, Any]:
    data = load_dictionary()
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name.isupper():
            is_date = data.item(name).type == "date"
            found[name] = (date.fromisoformat(value) if value else None) if is_date else value
    return found


def _records(bundle: str) -> dict[tuple[str, ...], dict[str, Any]]:
    clients = {row["client_key"]: row for row in _rows(bundle, "clients")}
    people = {
        (r["agency_code"], r["client_id"]): clients[r["client_key"]] for r in _rows(bundle, "registrations")
    }
    records = {}
    for row in _rows(bundle, "episodes"):
        person = people[row["agency_code"], row["client_id"]]
        client = {item: person[column] for item, column in CLIENT_ITEMS.items()}
        records[tuple(row[part] for part in KEY)] = {
            **_typed(client),
            **_typed(row),
            **{n: [] for n in CHILD_FILES},
        }
    for stem in CHILD_FILES:
        for row in _rows(bundle, stem):
            records[tuple(row[part] for part in KEY)][stem].append(_typed(row))
    at_service = defaultdict(list)
    for key in records:
        at_service[key[0], people[key[:2]]["client_key"]].append(key)
    for keys in at_service.values():
        for key in keys:
            records[key][BESIDE] = [{"DISD": records[other]["DISD"]} for other in keys if other != key]
    return records


@pytest.mark.parametrize(
    ("bundle", "agency", "kind", "manifest"),
    [
        ("bundle-1", "E1001", "reporting", "E1001 2026-10-31 reporting"),
        ("bundle-1", "E1002", "reporting", "E1002 2026-10-31 reporting"),
        ("bundle-2", "E1001", "reporting", "bundle-2 E1001 2026-10-31 reporting"),
        ("bundle-2", "E1003", "full", "bundle-2 E1003 2026-10-31 full"),
    ],
)
def test_error_rules_hold_back_what_the_manifest_says(
    bundle: str, agency: str, kind: str, manifest: str
) -> None:
    expected = json.loads((SAMPLE / "expected" / "manifests.json").read_text(encoding="utf-8"))[manifest][
        "manifest"
    ]
    as_of = date(2026, 10, 31)
    context = Context("adult", "Q", as_of)
    latest: dict[tuple[str, ...], list[tuple[str, int, str]]] = defaultdict(list)
    for place, row in enumerate(_rows(bundle, "consents")):
        latest[tuple(row[part] for part in KEY)].append((row["decided_on"], place, row["decision"]))
    held_back = {}
    for key, record in _records(bundle).items():
        agreed = key in latest and max(latest[key])[2] == "Y"
        old = kind == "reporting" and record["DISD"] is not None and record["DISD"] < window_start(as_of)
        if key[0] == agency and agreed and not old:
            ids = failing(ERROR_RULES, record, context)
            if ids:
                held_back[key[2]] = list(ids)
    assert held_back == expected["held_back"]


def test_warnings_of_the_samples_are_few_enough_to_read() -> None:
    """Every rule that fires on nearly all episodes of a sound bundle would be noise, not a warning."""
    context = Context("adult", "Q", date(2026, 10, 31))
    records = _records("bundle-1")
    counts: dict[str, int] = defaultdict(int)
    for record in records.values():
        for rule_id in failing(ALL_RULES, record, context):
            counts[rule_id] += 1
    assert len(records) > 900
    noisy = {rule_id: number for rule_id, number in counts.items() if number > 0.9 * len(records)}
    assert noisy == {}, dict(counts)
