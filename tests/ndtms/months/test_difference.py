"""What changed from one file to the next: against a second way of comparing, and as the page says it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from typing import Any

import pytest

from caseload.dataset.transforms import identifier_sort_key
from edatrs.core import clock
from ndtms import difference
from ndtms.difference import Change, NotComparable, compare
from tests.factories.ndtms import make_content, make_submission
from tests.factories.sharing import make_sensitive
from tests.ndtms.months.desk import Desk, make_desk

COLUMNS = ["CMSID", "AGNCY", "CLIENTID", "CONSENT", "EPISODID", "REFLD", "DRUG1", "MODAL", "MODST"]
Episode = dict[str, Any]


def text(rows: list[dict[str, str]], columns: list[str] = COLUMNS) -> str:
    held = io.StringIO(newline="")
    writer = csv.DictWriter(held, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


def row(client: str, episode: str, consent: str = "Y", **values: str) -> dict[str, str]:
    return {
        "CMSID": "X",
        "AGNCY": "E1001",
        "CLIENTID": client,
        "EPISODID": episode,
        "CONSENT": consent,
        **values,
    }


def found(
    before: list[dict[str, str]], after: list[dict[str, str]], most: int = 100
) -> difference.Difference:
    return compare(io.StringIO(text(before)), io.StringIO(text(after)), most=most)


def test_each_kind_of_change_is_told_in_the_order_of_the_file() -> None:
    before = [row("2", "1", DRUG1="7000"), row("2", "2"), row("10", "1"), row("10", "", "N"), row("A", "1")]
    after = [row("2", "1", DRUG1="7101"), row("2", "", "N"), row("10", "1"), row("A", "1"), row("A", "2")]
    seen = found(before, after)
    assert seen.changes == [
        Change("changed", "2", "1", (("DRUG1", "7000", "7101"),)),
        Change("gone", "2", "2"),
        Change("withdrawn", "2", ""),
        Change("no_longer_withdrawn", "10", ""),
        Change("new", "A", "2"),
    ]
    assert seen.counts["same"] == 2 and not seen.cut
    assert found(before, after, most=2).cut and len(found(before, after, most=2).changes) == 2


def test_lists_are_compared_as_lists_whatever_row_they_stand_in() -> None:
    one, two = {"MODAL": "80", "MODST": "01/01/2026"}, {"MODAL": "90", "MODST": "02/02/2026"}
    before = [row("1", "1", **one), row("1", "1", **two)]
    assert found(before, before[::-1]).counts == {"same": 1}
    longer = found([row("1", "1", **one)], before).changes
    assert longer == [Change("changed", "1", "1", (), (("interventions", 1, 2, 1),))]
    other = found(before, [before[0], row("1", "1", **{**two, "MODAL": "91"})]).changes
    assert other[0].lists == (("interventions", 2, 2, 1),)
    assert found([row("1", "1", **one)], [row("1", "1")]).changes[0].lists == (("interventions", 1, 0, 0),)


def test_columns_of_another_letter_are_told_and_not_compared() -> None:
    less = [name for name in COLUMNS if name != "DRUG1"]
    seen = compare(
        io.StringIO(text([row("1", "1")], less)), io.StringIO(text([row("1", "1", DRUG1="7000")])), most=9
    )
    assert seen.columns_new == ("DRUG1",) and seen.counts == {"same": 1}
    with pytest.raises(NotComparable, match="The later file has no column AGNCY"):
        compare(io.StringIO(text([])), io.StringIO("a,b\r\n"), most=1)


@pytest.mark.parametrize("seed", range(60))
def test_it_finds_what_a_plain_comparison_of_whole_files_finds(seed: int) -> None:
    """The other way: both files in memory, as sets."""
    chance = random.Random(seed)  # noqa: S311  # of a test

    def drawn() -> dict[tuple[str, str, str], list[dict[str, str]]]:
        rows: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        for client in chance.sample(["1", "2", "10", "007", "7", "A", "a", "B-2"], 6):
            for episode in chance.sample(["1", "2", "11", "x"], chance.randint(0, 3)):
                many = [
                    row(
                        client, episode, REFLD=f"0{client[:1]}/01/2026", MODAL=chance.choice(["80", "90", ""])
                    )
                    for _ in range(chance.randint(1, 2))
                ]
                drug = chance.choice(["7000", "7101"])
                rows[client, "Y", episode] = [{**one, "DRUG1": drug} for one in many]
            if chance.random() < 0.3:
                rows[client, "N", ""] = [row(client, "", "N")]
        return rows

    def written(held: dict[tuple[str, str, str], list[dict[str, str]]]) -> list[dict[str, str]]:
        keys = sorted(held, key=lambda k: (identifier_sort_key(k[0]), k[1] == "N", identifier_sort_key(k[2])))
        return [one for key in keys for one in held[key]]

    before, after = drawn(), drawn()
    wanted = {(key[0], key[2], key[1] == "N", "gone") for key in before.keys() - after.keys()}
    wanted |= {(key[0], key[2], key[1] == "N", "new") for key in after.keys() - before.keys()}

    def facts(rows: list[dict[str, str]]) -> Any:
        return rows[0].get("DRUG1"), sorted(one["MODAL"] for one in rows if one.get("MODAL"))

    wanted |= {
        (key[0], key[2], False, "changed")
        for key in before.keys() & after.keys()
        if key[1] == "Y" and facts(before[key]) != facts(after[key])
    }
    words = {"withdrawn": "new", "no_longer_withdrawn": "gone"}
    seen = found(written(before), written(after))
    assert {
        (c.client_id, c.episode_id, c.kind in words, words.get(c.kind, c.kind)) for c in seen.changes
    } == wanted
    assert seen.counts.total() == len(before.keys() | after.keys())


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def files(desk: Desk, before: list[dict[str, str]] | None, after: list[dict[str, str]], **fields: Any) -> str:
    with desk.acting():
        now = clock.now()
        if before is not None:
            make_submission(
                service=desk.service, content=text(before).encode(), snapshot_at=now - dt.timedelta(days=30)
            )
        made = make_submission(service=desk.service, content=text(after).encode(), snapshot_at=now)
        make_content(made, **fields)
    return desk.at(f"{made.pk}/difference/")


def test_the_page_says_it_in_words(desk: Desk) -> None:
    changed, gone, old = (
        desk.episode("Y"),
        desk.episode("N"),
        desk.episode("Y", discharged_on=dt.date(2019, 1, 2)),
    )
    stopped = desk.episode("Y")
    client = changed.registration.client_id_text
    before = [row(client, e.episode_id, DRUG1="7000") for e in (changed, gone, old, stopped)]
    before.sort(key=lambda r: identifier_sort_key(r["EPISODID"]))
    after = [row(client, changed.episode_id, DRUG1=""), row(client, "", "N")]
    page = files(desk, before, after, held_back={stopped.episode_id: ["E07"]})
    html = desk.browser.get(page).content.decode()
    assert "<ins>nothing</ins>" in html and "(7000)</del>" in html and "MARSH, Keeley" in html
    assert "Its consent was withdrawn" in html and "A rule holds it back (E07)" in html
    assert "It ended before the reporting window" in html and "Withdrawal told to NDTMS" in html


def test_without_an_earlier_file_it_says_so(desk: Desk) -> None:
    html = desk.browser.get(files(desk, None, [row("1", "1")])).content.decode()
    assert "No earlier file of this agency code and kind was built" in html
    with desk.acting():
        bare = make_submission(service=desk.service, snapshot_at=clock.now() + dt.timedelta(minutes=1))
        make_content(bare)
    html = desk.browser.get(desk.at(f"{bare.pk}/difference/")).content.decode()
    assert "The later file has no column AGNCY" in html
    same = files(desk, [row("1", "1")], [row("1", "1")])
    assert "Nothing to compare" in html and desk.browser.get(same).status_code == 200


def test_whom_one_may_not_find_is_not_named(desk: Desk) -> None:
    hidden = desk.episode("Y")
    client = hidden.registration.client_id_text
    page = files(
        desk,
        [row(client, hidden.episode_id, DRUG1="7000")],
        [row(client, hidden.episode_id, DRUG1="7101"), row(client, "", "N")],
    )
    with desk.acting():
        make_sensitive(desk.client, make_desk().worker)
    html = desk.browser.get(page).content.decode()
    assert html.count("A record you cannot open") == 2
    for word in (client, hidden.episode_id, "MARSH", "7101"):
        assert f">{word}<" not in html and f" {word}<" not in html and f"({word})" not in html


def test_another_organisations_files_are_not_there(desk: Desk) -> None:
    other = make_desk()
    page = files(other, [row("1", "1")], [row("2", "1")])
    pk = page.split("/")[-3]
    assert desk.browser.get(desk.at(f"{pk}/difference/")).status_code == 404
    mine = files(desk, None, [row("1", "1")])
    assert "No earlier file" in desk.browser.get(mine).content.decode()
