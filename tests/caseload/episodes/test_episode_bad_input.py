"""What cannot be: every field of every form answers with words that say what to do, and nothing typed is lost."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from caseload.dataset.reader import load_dictionary
from caseload.models import ConfidentialityExplained, Episode, EpisodeItems, Intervention
from caseload.sections import SECTIONS, items_of, list_items
from tests.caseload.episodes.support import Home, fields_of, make_home, problems_of, text_of

pytestmark = pytest.mark.django_db
LETTER = "Q"
LONG = "ñ" * 10_000
RIGHT_TO_LEFT = "مريم 🦉 \u202eevil"
ACCESS = Path(__file__).parents[2] / "access" / "access.csv"


def forms(dataset: str) -> list[tuple[str, str]]:
    """(address, what it is) of every form with items."""
    found = [(f"{key}/", key) for key in SECTIONS if items_of(key, dataset, LETTER)]
    lists = {
        "interventions": "interventions",
        "reviews": "reviews",
        "time_in_treatment": "time-in-treatment",
        "client_information_reviews": "client-information-reviews",
    }
    return found + [(f"{key}/new/", name) for name, key in lists.items() if list_items(name, dataset, LETTER)]


def items(name: str, dataset: str) -> tuple:
    return items_of(name, dataset, LETTER) if name in SECTIONS else list_items(name, dataset, LETTER)


@pytest.mark.parametrize("dataset", ["adult", "yp", "cjit"])
def test_every_field_refuses_what_cannot_be_with_words_and_loses_nothing(dataset: str) -> None:
    home = make_home(dataset=dataset, role="clinician")
    asked = 0
    for rest, name in forms(dataset):
        base = fields_of(home.get(rest))
        for bad in ("date", "text", "number"):
            typed: dict[str, str] = {}
            wrong: list[str] = []
            for item in items(name, dataset):
                if item.type == "date" and bad == "date":
                    typed |= {
                        f"{item.name}_day": "31",
                        f"{item.name}_month": "2",
                        f"{item.name}_year": "2026",
                    }
                    wrong.append(item.name)
                elif item.type == "int" and bad == "number":
                    typed[item.name] = "-7"
                    wrong.append(item.name)
                elif item.type not in ("date", "int") and bad == "text":
                    typed[item.name] = LONG
                    wrong.append(item.name)
            if not wrong:
                continue
            answer = home.browser.post(home.at(rest), base | typed)
            page = text_of(answer)
            assert answer.status_code == 422, (rest, bad)
            assert len(problems_of(page)) >= len(wrong), (rest, bad, problems_of(page))
            assert all(len(words) > 15 for words in problems_of(page))
            shown = fields_of(page)
            for key, value in typed.items():
                if (
                    load_dictionary().item(key.rsplit("_", 1)[0] if bad == "date" else key).code_list
                    and bad == "text"
                ):
                    continue  # a choice: what no browser can send
                assert shown[key] == value, (rest, key)
            asked += len(wrong)
    assert asked > 10
    assert not home.rows(Intervention) and not home.rows(EpisodeItems)


def test_a_code_outside_its_list_and_a_year_of_two_digits() -> None:
    home = make_home()
    answer = home.post("substances/", DRUG1="0000")
    assert answer.status_code == 422 and problems_of(text_of(answer))
    answer = home.post("referral/", REFLD_day="1", REFLD_month="4", REFLD_year="26")
    assert answer.status_code == 422 and "4 digits" in problems_of(text_of(answer))[0]
    assert home.fresh().version == home.episode.version


def test_any_script_is_kept_as_it_was_typed() -> None:
    home = make_home()
    answer = home.post("confidentiality/", done="not", reason=RIGHT_TO_LEFT)
    assert answer.status_code == 302
    assert RIGHT_TO_LEFT in [row.reason for row in home.rows(ConfidentialityExplained)]
    assert home.post("void/", reason=RIGHT_TO_LEFT).status_code == 302
    assert home.rows(Episode)[0].voided_reason == RIGHT_TO_LEFT


def test_10_000_characters_in_a_reason_are_refused_and_stay() -> None:
    home = make_home()
    for rest in ("void/", "confidentiality/"):
        answer = home.post(rest, reason=LONG, done="not")
        assert answer.status_code == 422 and LONG in text_of(answer)
        assert "10000" in problems_of(text_of(answer))[0]


def letters() -> dict[tuple[str, str], dict[str, str]]:
    with ACCESS.open(encoding="utf-8", newline="") as file:
        return {(row["act"], row["needs_category"]): row for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    "role", ["keyworker", "clinician", "team_manager", "ndtms_administrator", "information_governance"]
)
def test_a_section_opens_for_the_roles_that_the_table_lets_edit_its_category(role: str) -> None:
    """The oracle is access.csv, not the code."""
    for dataset in ("adult", "yp"):
        home: Home = make_home(dataset=dataset, role=role)
        for key, section in SECTIONS.items():
            if not items_of(key, dataset, LETTER):
                continue
            may = "O" in letters()["client.edit", section.category][role]
            sees = "O" in letters()["client.view", section.category][role]
            assert home.browser.get(home.at(f"{key}/")).status_code == (200 if may else 404), (role, key)
            if role != "information_governance":
                assert (f"s-{key}-h" in home.get()) == sees, (role, key)
