"""Every item of every data set in force is typed in a form, recorded, and goes out in its column: dictionary × data sets × letters."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from caseload.dataset.reader import Item, load_dictionary
from caseload.record import DERIVED
from caseload.sections import LIST_KEYS, items_of, list_items, sections_for
from edatrs.core import clock
from edatrs.organisations.models import ServiceLetter
from tests.caseload.episodes.support import Home, date_of, fields_of, make_home, problems_of, text_of
from tests.ndtms.support import TODAY, done

DATASETS = ("adult", "yp", "cjit")
GIVEN = {"CLIENTID", "CLIENT", "EPISODID", "MODID", "SUBMID", "TITID", "TOPID", "CIRID"}
# What NDTMS would refuse otherwise. The rest is different for each item.
RIGHT: dict[str, Any] = {
    "DOB": dt.date(1981, 2, 3),
    "REFLD": dt.date(2026, 1, 5),
    "TRIAGED": dt.date(2026, 1, 6),
    "DISD": dt.date(2026, 9, 30),
    "SEX": "F",
    "DRUG1": "1011",
    "DRUG2": "7000",
    "DRUG3": "5000",
    "PC": "CM1 1QH",
    "ASSAULT": "Y",
}
CLIENT_FIELD = {
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
    "VETERAN": "VETERAN",
}


def kinds() -> list[tuple[str, str]]:
    """Every data set with every letter in which its columns are others than in the letter before."""
    data = load_dictionary()
    found = []
    for dataset in DATASETS:
        before: tuple[Item, ...] = ()
        for letter in data.letters:
            if data.columns(dataset, letter) != before:
                before = data.columns(dataset, letter)
                found.append((dataset, letter))
    return found


def sound(item: Item, letter: str) -> Any:
    """A value that the item may have; dates and texts are different for every item."""
    number = [i.name for i in load_dictionary().items].index(item.name)
    if item.name in RIGHT:
        return RIGHT[item.name]
    if item.type == "date":
        return dt.date(2026, 2, 1) + dt.timedelta(days=number)
    if item.code_list and load_dictionary().codes(item.code_list, letter):
        return list(load_dictionary().codes(item.code_list, letter))[-1]
    if item.type == "int":
        return str(number % 20)
    return f"{item.name}{number}"[: item.max_length or 40]


def typed(items: tuple[Item, ...], letter: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        value = sound(item, letter)
        found |= date_of(item.name, value) if isinstance(value, dt.date) else {item.name: value}
    return found


def shown(item: Item, letter: str) -> str:
    """How the extract writes it."""
    value = {"FINITIAL": "A", "SINITIAL": "F", "PC": "CM1"}.get(item.name) or sound(item, letter)
    return f"{value:%d/%m/%Y}" if isinstance(value, dt.date) else str(value)


def saved(home: Home, rest: str, values: dict[str, str], *, client: bool = False) -> None:
    """The form at an address is filled in and takes it; every value has a field on the page."""
    path = home.of_client(rest) if client else home.at(rest)
    page = text_of(home.browser.get(path))
    for name in values:
        assert f'name="{name}"' in page, f"{rest}: no field for {name}"
    answer = home.browser.post(path, fields_of(page) | values)
    assert answer.status_code == 302, (rest, problems_of(text_of(answer)))


@pytest.fixture
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        yield


def fill(home: Home, dataset: str, letter: str) -> None:
    """Type everything."""
    client_items = [i for i in load_dictionary().columns(dataset, letter) if i.entity == "client"]
    for category in ("identity", "equality", "disability", "circumstances"):
        values: dict[str, str] = {}
        for item in client_items:
            if item.category == category and item.name in CLIENT_FIELD and item.name[1:] != "INITIAL":
                name, value = CLIENT_FIELD[item.name], sound(item, letter)
                values |= date_of(name, value) if isinstance(value, dt.date) else {name: value}
        if values:
            saved(home, f"details/{category}/", values, client=True)
    for section in sections_for(dataset, letter):
        if section.key != "discharge":
            saved(home, f"{section.key}/", typed(items_of(section.key, dataset, letter), letter))
    for name, key in LIST_KEYS.items():
        if items := list_items(name, dataset, letter):
            saved(home, f"{key}/new/", typed(items, letter))
    values = typed(items_of("discharge", dataset, letter), letter)
    if dataset != "cjit":  # no outcome forms, so nothing is missing at the end
        values["anyway"] = "A test"
    saved(home, "discharge/", values)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("dataset", "letter"), kinds())
def test_every_item_is_typed_recorded_and_sent(
    today: None, tmp_path: Path, dataset: str, letter: str
) -> None:
    home = make_home(dataset=dataset, role="clinician", referred_on=None, triaged_on=None, drug_1="")
    ServiceLetter.objects.create(service=home.service, letter=letter, in_force_from=dt.date(2020, 1, 1))
    fill(home, dataset, letter)
    target = tmp_path / "extract.csv"
    wish = ["--agency", home.service.agency_code, "--dataset", dataset, "--letter", letter]
    manifest = done(
        "build_extract", *wish, "--kind", "full", "--as-of", "2026-10-31", "--output", str(target)
    )
    assert manifest["episodes_sent"] == 1, manifest
    header, *lines = csv.reader(io.StringIO(target.read_bytes().decode(), newline=""))
    row = dict(zip(header, lines[0], strict=True))
    items = [i for i in load_dictionary().columns(dataset, letter) if i.name not in DERIVED | GIVEN]
    assert {i.name: row[i.name] for i in items} == {i.name: shown(i, letter) for i in items}
    assert len(items) > (10 if dataset == "cjit" else 70) and row["CMSID" if letter >= "M" else "AGNCY"] in (
        settings.CMSID,
        home.service.agency_code,
    )
