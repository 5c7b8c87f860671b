"""A form filled in here leaves in an extract with totals and NA, without the weeks; an import changes totals and leaves the weeks alone."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser

from caseload import outcomes
from caseload.dataset.reader import load_dictionary
from caseload.models import Episode, Outcome
from caseload.sections import list_items
from caseload.services import tops
from edatrs.core import clock
from edatrs.organisations.models import Organisation
from tests.factories.organisations import make_person, sign_in
from tests.ndtms import support

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(autouse=True)
def _frozen() -> Any:
    with clock.frozen(support.TODAY):
        yield


def a_form() -> tuple[Any, Outcome]:
    """A form of an agreed, open episode of the sample."""
    with support.acting_for("E1001"):
        form = Outcome.objects.filter(
            episode__consent="Y",
            episode__discharged_on__isnull=True,
            episode__service__agency_code="E1001",
            completed_on__gte=dt.date(2026, 1, 1),
            episode__drug_1__gt="",
            episode__quality__errors=[],
        ).order_by("identifier")[0]
        return Episode.objects.get(pk=form.episode_id), form


def extract(folder: Path) -> tuple[list[str], list[dict[str, str]]]:
    out = folder / "extract.csv"
    support.done("build_extract", "--agency", "E1001", "--as-of", "2026-10-31", "--output", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or []), list(reader)


def test_what_was_typed_by_week_leaves_as_a_total_and_na_as_na(tmp_path: Path) -> None:
    call_command("load_partnership", stdout=(tmp_path / "out").open("w"))
    support.done("import_caseload", str(SAMPLE / "bundle-1"))
    episode, form = a_form()
    organisation = Organisation.objects.get(pk=episode.organisation_id)
    browser = sign_in(Browser(), make_person(organisation))
    address = f"/o/{organisation.slug}/clients/{episode.client_id}/episodes/{episode.pk}/tops/{form.pk}/"
    shown = browser.get(address)
    assert shown.status_code == 200
    asked = [
        i for i in list_items("tops", "adult", load_dictionary().default_letter) if outcomes.is_question(i)
    ]
    data = {"client": str(episode.client_id), "version": str(form.version), "TRSTAGE": form.stage}
    data |= {f"TOPDATE_{part}": str(getattr(form.completed_on, part)) for part in ("day", "month", "year")}
    for item in asked:
        data[f"{item.name}_na"] = "1"
        if outcomes.kind_of(item) == outcomes.YES_NO:
            data[item.name] = "NA"
    del data["ALCUSE_na"]
    data |= {"ALCUSE_w4": "3", "ALCUSE_w3": "4", "ALCUSE_w2": "3", "ALCUSE_w1": "4"}
    answer = browser.post(address, data)
    assert answer.status_code == 302, answer.context["form"].errors

    headers, rows = extract(tmp_path)
    assert not any("WEEKS" in name for name in headers)
    [row] = [r for r in rows if r["TOPID"] == form.identifier and r["EPISODID"] == episode.episode_id]
    assert row["ALCUSE"] == "14"
    in_file = [i.name for i in asked if i.name in headers and i.name != "ALCUSE"]
    assert len(in_file) > 15 and {row[name] for name in in_file} == {"NA"}

    support.done("import_caseload", str(SAMPLE / "bundle-1"))
    with support.acting_for("E1001"):
        again = Outcome.objects.get(pk=form.pk)
        assert again.items["ALCUSE"] == form.items["ALCUSE"] and again.items["ALCUSE_WEEKS"] == "3 4 3 4"
        assert tops.kept_weeks(again) == {}, "weeks that do not add up to what was imported are not shown"
