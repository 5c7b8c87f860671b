"""Scenarios W0a to W8 of Appendix 1 (obligations section 3.3): the file, and the national collection before and after its load."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from consent import services as consent
from consent.models import ConsentAct
from consent.services import DecisionRefused
from edatrs.core import clock
from ndtms.models import Submission
from ndtms.services import submissions
from tests.ndtms import support
from tests.ndtms.scenarios.worked import DAY, Worked, at

pytestmark = pytest.mark.django_db(transaction=True)
ALL = {"E1", "E2", "E3"}
WITHDRAWN = ("C-100", "", "N")
REASON = "They want this one kept"


@pytest.fixture
def worked(tmp_path: Path) -> Worked:
    made = Worked(tmp_path)
    assert made.collection.of("E1001") == ALL and made.collection.of("E4001") == {"F1"}
    return made


def test_before_anybody_withdraws_the_file_carries_what_lies_in_the_window(worked: Worked) -> None:
    """E1 ended before 1 January 2016: not in a reporting extract, and not removed by it."""
    file = worked.build()
    assert file.name.startswith("E1001-20160101-20180515-")
    assert file.lines == [("C-100", "E2", "Y"), ("C-100", "E3", "Y")]
    worked.load(file)
    assert worked.collection.of("E1001") == ALL


def test_W0a_declines_at_start(tmp_path: Path) -> None:
    """A no from the start is recorded and nothing leaves: contract section 4, rule 2 goes before the table's N row."""
    worked = Worked(tmp_path, held=False)
    worked.decide("E1001", "C-100", "E3", "N")
    file = worked.build()
    assert file.lines == []
    worked.load(file)
    assert worked.collection.of("E1001") == set()


def test_W0b_not_asked_yet(tmp_path: Path) -> None:
    """Not asked is not sent, and is not the same as no (O-133)."""
    worked = Worked(tmp_path, held=False)
    file = worked.build()
    assert file.lines == []
    worked.decide("E1001", "C-100", "E3", "Y")
    agreed = worked.build()
    assert agreed.lines == [("C-100", "E3", "Y")]
    worked.load(agreed)
    assert worked.collection.of("E1001") == {"E3"}


def test_W1_this_episode_only_by_a_reporting_extract_takes_the_older_one_too(worked: Worked) -> None:
    """[A1], O-143: the N row removes by client id what the file does not carry; the preview names it before it is sent."""
    worked.withdraw("E3", reason=REASON)
    file = worked.build()
    assert file.lines == [("C-100", "E2", "Y"), WITHDRAWN]
    assert file.agreed_but_removed == {"E1": "out_of_window"}
    worked.load(file)
    assert worked.collection.of("E1001") == {"E2"}


def test_W1_this_episode_only_by_a_full_extract_keeps_the_others(worked: Worked) -> None:
    worked.withdraw("E3", reason=REASON)
    file = worked.build(kind="full")
    assert file.lines == [("C-100", "E1", "Y"), ("C-100", "E2", "Y"), WITHDRAWN]
    assert file.agreed_but_removed == {}
    worked.load(file)
    assert worked.collection.of("E1001") == {"E1", "E2"}


@pytest.mark.parametrize("kind", ["reporting", "full"])
def test_W2_W3_W3f_all_episodes_here(worked: Worked, kind: str) -> None:
    """By the reporting and by the full extract alike; closed episodes keep their discharge data and are not opened (O-136)."""
    before = [worked.discharge(name) for name in sorted(ALL)]
    worked.withdraw(*ALL)
    assert [worked.discharge(name) for name in sorted(ALL)] == before
    file = worked.build(kind=kind)
    assert file.lines == [WITHDRAWN]
    worked.load(file)
    assert worked.collection.of("E1001") == set() and worked.collection.of("E4001") == {"F1"}


def test_an_N_row_is_sent_in_every_file_until_a_load_is_confirmed(worked: Worked) -> None:
    """O-137: refused or never sent, it comes again; after the load it does not."""
    worked.withdraw(*ALL)
    for _ in range(2):
        assert worked.build().lines == [WITHDRAWN]
    worked.load(worked.build())
    assert worked.build().lines == []


@pytest.mark.parametrize("kind", ["reporting", "full"])
def test_W2m_W3m_an_episode_inside_the_window_left_at_yes_stays(worked: Worked, kind: str) -> None:
    worked.withdraw("E1", "E3", reason=REASON)
    file = worked.build(kind=kind)
    assert file.lines == [("C-100", "E2", "Y"), WITHDRAWN]
    worked.load(file)
    assert worked.collection.of("E1001") == {"E2"}


def test_W2n_W3n_an_episode_before_the_window_left_at_yes_goes_by_client_id(worked: Worked) -> None:
    worked.withdraw("E2", "E3", reason=REASON)
    file = worked.build()
    assert file.lines == [WITHDRAWN] and file.agreed_but_removed == {"E1": "out_of_window"}
    worked.load(file)
    assert worked.collection.of("E1001") == set()


def test_W3nf_an_episode_before_the_window_left_at_yes_stays_by_a_full_extract(worked: Worked) -> None:
    """Left at yes on purpose, with a reason. Left by oversight, the full extract is refused: see the tests of O-140."""
    worked.withdraw("E2", "E3", reason=REASON)
    file = worked.build(kind="full")
    assert file.lines == [("C-100", "E1", "Y"), WITHDRAWN]
    worked.load(file)
    assert worked.collection.of("E1001") == {"E1"}


@pytest.mark.parametrize("scenario", ["W4", "W5", "W6"])
def test_W4_W5_W6_nothing_here_touches_another_agency(worked: Worked, scenario: str) -> None:
    """O-142: the person asks the other agency; until it acts, its episode stays. W6: where the agency sends no file any more, it stays."""
    before = worked.untouched("E4001")
    worked.withdraw(*ALL)
    worked.load(worked.build())
    assert worked.untouched("E4001") == before and worked.collection.of("E4001") == {"F1"}
    if scenario == "W6":
        return
    other = worked.build("E4001")
    assert other.lines == [("C-9", "F1", "Y")]
    worked.load(other, "E4001")
    assert worked.collection.of("E4001") == {"F1"}
    worked.decide("E4001", "C-9", "F1", "N", day=dt.date(2018, 5, 16))
    again = worked.build("E4001", day=dt.date(2018, 5, 16))
    assert again.lines == [("C-9", "", "N")]
    worked.load(again, "E4001", day=dt.date(2018, 5, 16))
    assert worked.collection.of("E4001") == set()


def test_W7_a_first_time_submitter_sends_only_what_was_agreed(tmp_path: Path) -> None:
    """O-114: earlier episodes of an agency that never sent leave once their client agreed, and not before."""
    worked = Worked(tmp_path, held=False)
    assert worked.build().lines == [] and worked.build(kind="full").lines == []
    worked.decide("E1001", "C-100", "E2", "Y")
    assert worked.build(kind="full").lines == [("C-100", "E2", "Y")]
    worked.load(worked.build())
    assert worked.collection.of("E1001") == {"E2"}


def test_W8_a_young_person_s_yes_needs_competence_first(tmp_path: Path) -> None:
    """O-106: without it no yes is recorded and nothing is sent."""
    worked = Worked(tmp_path)
    with pytest.raises(DecisionRefused):
        worked.decide("E2001", "Y-1", "G1", "Y")
    assert worked.build("E2001").lines == []
    worked.decide(
        "E2001", "Y-1", "G1", "Y", competence="competent", competence_note="Explained it back to me"
    )
    file = worked.build("E2001")
    assert file.lines == [("Y-1", "G1", "Y")]
    worked.load(file, "E2001")
    assert worked.collection.of("E2001") == {"G1"}


@pytest.mark.parametrize(("loaded", "left"), [(dt.date(2019, 8, 31), {"E2"}), (dt.date(2019, 9, 1), set())])
def test_O139_a_withdrawal_of_31_August_loaded_on_1_September_is_judged_by_the_new_window(
    worked: Worked, loaded: dt.date, left: set[str]
) -> None:
    """The window of 31 August 2019 begins on 1 January 2017 and still holds E2; that of 1 September begins a year later."""
    worked.withdraw("E3", day=dt.date(2019, 8, 31), reason=REASON)
    file = worked.build(day=loaded)
    assert file.lines == [*[("C-100", name, "Y") for name in sorted(left)], WITHDRAWN]
    assert set(file.agreed_but_removed) == {"E1", "E2"} - left
    worked.load(file, day=loaded)
    assert worked.collection.of("E1001") == left


def test_O140_a_full_extract_is_refused_while_a_wish_for_all_leaves_a_yes(worked: Worked) -> None:
    """An episode that comes later with a yes from before the wish: the full file would tell NDTMS to keep it."""
    worked.withdraw(*ALL)
    _earlier_yes(worked)
    with clock.frozen(at(DAY, 12)):
        asked = support.run(*worked.order("full", DAY))
    assert (asked.code, asked.answer["error"]) == (1, "still_at_yes")
    assert "client C-100, episode E0" in asked.answer["problem"]
    assert worked.build().lines == [WITHDRAWN], "a reporting extract goes: by client id it removes E0 too"
    worked.decide("E1001", "C-100", "E0", "N", day=DAY)
    assert worked.build(kind="full").lines == [WITHDRAWN]


def test_O140_O144_consent_given_again_is_no_obstacle(worked: Worked) -> None:
    """A yes after the wish is a new act: a full extract carries it, and what was removed is not sent again."""
    worked.withdraw(*ALL)
    worked.load(worked.build())
    later = dt.date(2018, 5, 20)
    worked.decide("E1001", "C-100", "E3", "Y", day=later)
    file = worked.build(kind="full", day=later)
    assert file.lines == [("C-100", "E3", "Y")]
    worked.load(file, day=later)
    assert worked.collection.of("E1001") == {"E3"}


def _earlier_yes(worked: Worked) -> None:
    """E0 comes by a load with a yes from before any wish."""
    with (worked.folder / "episodes.csv").open("a", encoding="utf-8") as file:
        file.write("E1001,C-100,E0,2012-01-01,2012-01-05,2012-06-01,80,7000\n")
    with (worked.folder / "consents.csv").open("a", encoding="utf-8") as file:
        file.write("E1001,C-100,E0,Y,2012-01-05,written\n")
    worked.bring(DAY)


def test_O140_a_wish_recorded_after_the_extract_was_asked_for_stops_the_build(
    worked: Worked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for in time, built too late: the snapshot decides, nothing is written, and the reason names nobody."""
    worked.withdraw(*ALL)
    _earlier_yes(worked)
    monkeypatch.setattr(submissions, "_refuse_still_at_yes", lambda order: None)
    with clock.frozen(at(DAY, 12)):
        answer = support.run(*worked.order("full", DAY))
    assert answer.code == 1
    with support.acting_for("E1001"):
        [failed] = Submission.objects.all()
    assert failed.state == "failed" and failed.stored_as == ""
    assert "1 episode is still at yes" in failed.problem and "C-100" not in failed.problem


def test_O140_a_wish_recorded_in_error_stands_no_longer(worked: Worked) -> None:
    """Only what was recorded in error goes; the wish with it."""
    worked.withdraw(*ALL)
    _earlier_yes(worked)
    with clock.frozen(at(DAY, 11)), support.acting_for("E1001"):
        for act in ConsentAct.objects.filter(wish="all-here"):
            consent.invalidate(consent_act=act, reason="Another person", acting_user=worked.worker)
    assert worked.build(kind="full").lines == [("C-100", name, "Y") for name in ("E0", "E1", "E2", "E3")]
