"""The data sets side by side: the counts of the contract, what came and went, and that what is unknown says so."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from django.urls import reverse

from caseload.dataset.reader import DATA_FOLDER, DATASETS, load_dictionary
from caseload.dataset.rules import ALL_RULES
from ndtms import catalogue
from tests.access.tables import ROLES
from tests.access.world import World, make_world

DICTIONARY = load_dictionary()


def fields() -> list[dict[str, str]]:
    """The rows of fields.csv, read past the dictionary."""
    with (DATA_FOLDER / "fields.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_side_by_side_are_the_columns_of_the_contract() -> None:
    """120 for adult, 98 for young people, 28 for CJIT in letter Q (contract section 1)."""
    rows = catalogue.side_by_side(DICTIONARY, "Q")
    assert [sum(row.held_in[n] for row in rows) for n in range(3)] == [120, 98, 28]
    assert [row.item.name for row in rows] == [
        line["name"] for line in fields() if line["name"] in {row.item.name for row in rows}
    ]


def test_words_and_part_narrow_it() -> None:
    found = catalogue.side_by_side(DICTIONARY, "Q", part="top", words="alcohol")
    assert found and all(row.item.entity == "top" and "alcohol" in row.item.label.lower() for row in found)
    assert catalogue.side_by_side(DICTIONARY, "Q", words="no such words") == []


@pytest.mark.parametrize(("first", "second"), [("H", "J"), ("M", "N"), ("O", "P"), ("Q", "R"), ("R", "H")])
def test_what_came_and_went_is_what_the_file_of_items_says(first: str, second: str) -> None:
    place = DICTIONARY.letter_position
    later, earlier = max(first, second, key=place), min(first, second, key=place)
    for change in catalogue.compare(DICTIONARY, first, second):
        came, went = set(), set()
        for line in fields():
            if line[f"in_{change.dataset}"] != "1":
                continue
            between = [
                name
                for name in ("introduced", "retired")
                if line[name]
                and not line[name].startswith("<=")
                and place(earlier) < place(line[name]) <= place(later)
            ]
            if between == ["introduced"]:
                came.add(line["name"])
            elif between == ["retired"]:
                went.add(line["name"])
        if place(first) > place(second):
            came, went = went, came
        assert ({i.name for i in change.added}, {i.name for i in change.gone}) == (came, went)


def test_a_code_that_ended_is_told_and_a_list_with_gaps_too() -> None:
    lists = {change.name: change for change in catalogue.compare_codes(DICTIONARY, "L", "M")}
    assert "R" in dict(lists["sexual_orientation_local"].gone)
    assert all(change.gap or change.any for change in lists.values())
    assert lists["sex"].gap and not catalogue.compare_codes(DICTIONARY, "Q", "Q")[0].any


def test_every_item_says_all_of_itself_and_what_is_unknown() -> None:
    for item in DICTIONARY.items:
        said = dict(catalogue.facts(item))
        assert all(said.values()) and said["What it is"] == item.label
        if item.max_length is None:
            assert said["Longest"] == catalogue.NOT_ESTABLISHED
        rules = {rule.id for rule in catalogue.rules_of(item)}
        assert rules == {rule.id for rule in ALL_RULES if item.name in rule.items}
        if item.code_list and not DICTIONARY.list_is_established(item.code_list):
            assert not catalogue.is_established(DICTIONARY, item, "Q")
    assert {"E07", "E11"} <= {rule.id for rule in catalogue.rules_of(DICTIONARY.item("DRUG1"))}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def page(world: World, name: str, query: str = "", who: str = "keyworker") -> Any:
    return world.browser(who).get(reverse(f"ndtms:{name}", args=[world.own.organisation.slug]) + query)


@pytest.mark.django_db
def test_everybody_who_is_signed_in_may_read_it(world: World) -> None:
    for who in ROLES:
        for name in ("data-sets", "data-sets-compare", "data-item"):
            assert page(world, name, who=who).status_code == 200, (who, name)


@pytest.mark.django_db
def test_the_list_shows_its_rows_and_leads_to_each_item(world: World) -> None:
    body = page(world, "data-sets", "?letter=Q").content.decode()
    assert [int(n) for n in re.findall(r"(?:Adult|Young people|CJIT) <strong>(\d+)", body)] == [120, 98, 28]
    links = re.findall(r'href="([^"]*data-sets/item/[^"]*)"', body)
    assert len(links) == len(catalogue.side_by_side(DICTIONARY, "Q"))
    item = world.browser("keyworker").get(links[0].replace("&amp;", "&")).content.decode()
    assert "FINITIAL" in item and "Rules that touch it" in item
    assert "No item matches" in page(world, "data-sets", "?words=zzzz").content.decode()


@pytest.mark.django_db
def test_a_letter_that_the_dictionary_lacks_is_said_and_an_unknown_item_is_not_there(world: World) -> None:
    body = page(world, "data-sets", "?letter=%3Cb%3E").content.decode()
    assert "has no letter “&lt;b&gt;”" in body and "<b>" not in body
    assert page(world, "data-item", "?name=NOSUCH").status_code == 404


@pytest.mark.django_db
def test_what_is_not_established_says_so_on_its_page(world: World) -> None:
    for name, sure in (("NATION", False), ("REFLD", True)):
        item = DICTIONARY.item(name)
        assert catalogue.is_established(DICTIONARY, item, "Q") is sure
        body = page(world, "data-item", f"?name={name}").content.decode()
        assert (f"{catalogue.NOT_ESTABLISHED}. What is unknown is never exported" in body) is not sure
    assert len(DATASETS) == 3
