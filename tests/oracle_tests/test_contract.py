"""The oracle against sentences of the contract that the samples do not reach."""

from datetime import date

import pytest

from tests.oracle import spoil
from tests.oracle.contract import Oracle, Refused, initial, natural, outcode, window_start

AS_OF = date(2026, 10, 31)


@pytest.fixture
def world(tmp_path):
    oracle = Oracle()
    oracle.load(spoil.good_bundle(tmp_path / "good"))
    return oracle


def build(oracle, kind="reporting", agency="E1001", dataset="adult"):
    return oracle.build(agency, dataset, "Q", kind, AS_OF)


def act(oracle, episode, decision, day, path):
    """Imports one more consent act."""
    folder = spoil.good_bundle(path)
    spoil.append("consents.csv", f"{','.join(episode)},{decision},{day},oral\n")(folder)
    return oracle.load(folder)


def test_window():
    days = {date(2026, 8, 31): 2024, date(2026, 9, 1): 2025, date(2018, 5, 15): 2016, date(2018, 9, 1): 2017}
    assert {day: window_start(day) for day in days} == {day: date(year, 1, 1) for day, year in days.items()}


def test_initial_and_postcode():
    assert [initial(name) for name in ("łukasz", "Óscar", "o'Brien", "", "E\u0301va")] == [
        "Ł",
        "Ó",
        "O",
        "",
        "E",
    ]
    postcodes = ["CM1 1QH", "CM11QH", "cm1 1qh", "SS14", "M11AE", "", "E1"]
    assert [outcode(value) for value in postcodes] == ["CM1", "CM1", "CM1", "SS14", "M1", "", "E1"]


def test_identifiers_of_digits_come_first_as_numbers():
    mixed = ["b", "10", "9", "A", "010", "1" * 30, "9a", "٣"]
    assert sorted(mixed, key=natural) == ["9", "010", "10", "1" * 30, "9a", "A", "b", "٣"]


def test_a_withdrawal_is_sent_until_a_load_is_confirmed(world):
    for _ in range(2):
        submission = build(world)
        assert [row["CONSENT"] for row in submission.rows] == ["N", "Y"]
        assert {key: value for key, value in submission.rows[0].items() if value} == {
            "AGNCY": "E1001",
            "CLIENTID": "101",
            "CONSENT": "N",
        }
        world.download(submission)
    world.refuse(submission)
    assert build(world).manifest["withdrawn_clients"] == 1
    world.confirm(build(world))
    after = build(world)
    assert after.manifest["withdrawn_clients"] == 0
    assert after.manifest["declined_omitted"] == 1
    assert after.preview["removed_by_consent"] == []


def test_a_confirmed_withdrawal_takes_agreed_episodes_outside_the_window_too(world, tmp_path):
    act(world, ("E1001", "101", "2"), "Y", "2026-02-09", tmp_path / "more")
    folder = spoil.good_bundle(tmp_path / "old")
    spoil.replace(
        "episodes.csv",
        "E1001,101,2,2026-02-05,2026-02-09,,",
        "E1001,101,2,2020-02-05,2020-02-09,2020-05-05,80",
    )(folder)
    world.load(folder)
    reporting = build(world)
    assert reporting.manifest["out_of_window"] == 1
    assert reporting.preview["removed_by_consent"] == [["E1001", "101", "1"], ["E1001", "101", "2"]]
    full = build(world, "full")
    assert full.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    assert [row["CONSENT"] for row in full.rows] == ["Y", "N", "Y"], (
        "the withdrawal follows the client's episodes"
    )
    world.confirm(reporting)
    assert build(world, "full").preview["new"] == [["E1001", "101", "2"]]


def test_a_new_yes_makes_an_episode_held_again(world, tmp_path):
    world.confirm(build(world))
    assert (
        act(world, ("E1001", "101", "1"), "Y", "2026-01-01", tmp_path / "1")["created"]["consents.csv"] == 1
    )
    assert build(world).preview["replaced"] == 2
    world.record_consent("E1001", "101", "1", "N", "2026-01-01", "oral")  # the same day, recorded later
    assert build(world).manifest["withdrawn_clients"] == 1


def test_what_was_never_agreed_leaves_no_trace(world):
    world.record_consent("E1001", "101", "2", "Y", "2026-03-01", "oral")
    world.record_consent("E1001", "101", "2", "N", "2026-04-01", "oral")
    assert build(world).manifest["declined_omitted"] == 1, "a local yes that was never downloaded"


def test_a_download_makes_a_local_yes_held_and_a_refusal_leaves_it_so(world):
    world.record_consent("E1001", "101", "2", "Y", "2026-03-01", "oral")
    submission = build(world)
    assert submission.preview["new"] == [["E1001", "101", "2"]]
    world.download(submission)
    world.refuse(submission)
    world.record_consent("E1001", "101", "2", "N", "2026-04-01", "oral")
    after = build(world)
    assert after.manifest["declined_omitted"] == 0
    assert after.preview["removed_by_consent"] == [["E1001", "101", "1"], ["E1001", "101", "2"]]


def test_equal_acts_are_counted_not_collapsed(world, tmp_path):
    episode = ("E1001", "102", "3")
    assert act(world, episode, "Y", "2026-05-05", tmp_path / "1")["created"]["consents.csv"] == 1
    folder = spoil.good_bundle(tmp_path / "2")
    line = ",".join(episode) + ",Y,2026-05-05,oral\n"
    spoil.append("consents.csv", line * 2)(folder)
    assert world.load(folder)["created"]["consents.csv"] == 1
    assert world.load(folder)["created"]["consents.csv"] == 0


def test_cjit_has_no_children_and_no_referral_rules(world):
    submission = build(world, agency="E3001", dataset="cjit")
    assert submission.manifest["episodes_sent"] == 1
    assert len(submission.header) == 28


def test_what_may_not_be_built(world):
    world.today = AS_OF
    for arguments in (
        ("E1001", "yp", "Q", "full", AS_OF),
        ("E9999", "adult", "Q", "full", AS_OF),
        ("E1001", "adult", "I", "full", AS_OF),
        ("E1001", "adult", "Q", "monthly", AS_OF),
        ("E1001", "adult", "Q", "full", date(2026, 11, 1)),
    ):
        with pytest.raises(Refused):
            world.build(*arguments)
    assert build(world, "full").file == "E1001-00000000-20261031-TREAT-IN-Q.csv"


def test_a_file_is_utf8_with_crlf_and_quotes_where_needed(world):
    raw = build(world).csv_bytes()
    assert raw.startswith(b"FINITIAL,SINITIAL,") and raw.endswith(b"\r\n")
    world.registrations["E1001", "102"]["reference"] = 'a,"b"\r\nŁ'
    assert '"a,""b""\r\nŁ"'.encode() in build(world).csv_bytes()
