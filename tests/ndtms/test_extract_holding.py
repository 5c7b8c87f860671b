"""What the national collection may hold, where the random caseloads do not reach: one person under two CLIENTIDs, files out of turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from caseload.services import episodes
from edatrs.core import clock
from tests.ndtms import support
from tests.ndtms.support import TODAY, World
from tests.oracle.bad_bundles import good_bundle
from tests.oracle.spoil import append, replace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        support.partnership()
        yield


def test_one_person_with_two_client_ids_at_a_service_is_two_clients_to_the_collection(tmp_path: Path) -> None:
    """A withdrawal under one CLIENTID does not touch what the other holds: the national match knows no more than the CLIENTID."""
    folder = good_bundle(tmp_path / "bundle")
    replace("registrations.csv", "K2,E1001,102", "K1,E1001,102")(folder)
    world = World()
    world.load(folder)
    first = world.build("E1001", "adult")
    assert first.manifest["withdrawn_clients"] == 1 and first.manifest["episodes_sent"] == 1
    assert first.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    append("consents.csv", "E1001,102,3,N,2026-06-06,oral\n")(folder)
    world.load(folder)
    second = world.build("E1001", "adult")
    assert second.manifest["withdrawn_clients"] == second.manifest["rows"] == 2


def test_what_is_held_back_under_the_other_client_id_is_missing_not_removed(tmp_path: Path) -> None:
    folder = good_bundle(tmp_path / "bundle")
    replace("registrations.csv", "K2,E1001,102", "K1,E1001,102")(folder)
    replace("episodes.csv", "2026-03-05,2026-03-09,,,5000", "2026-03-05,2026-03-09,,,")(folder)
    world = World()
    world.load(folder)
    preview = world.build("E1001", "adult").preview
    assert preview["removed_by_consent"] == [["E1001", "101", "1"]]
    assert preview["missing"] == [["E1001", "102", "3"]]


def test_a_confirmed_withdrawal_leaves_what_is_held_under_the_other_client_id(tmp_path: Path) -> None:
    folder = good_bundle(tmp_path / "bundle")
    replace("registrations.csv", "K2,E1001,102", "K1,E1001,102")(folder)
    replace("episodes.csv", "2026-03-05,2026-03-09,,,5000", "2026-03-05,2026-03-09,,,")(folder)
    world = World()
    world.load(folder)
    first = world.build("E1001", "adult")
    assert first.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    assert first.preview["missing"] == [["E1001", "102", "3"]]
    world.confirm(first)
    assert world.build("E1001", "adult").preview["missing"] == [["E1001", "102", "3"]]


def test_what_a_later_file_has_carried_may_still_be_held_when_an_earlier_one_is_confirmed(
    tmp_path: Path,
) -> None:
    folder = good_bundle(tmp_path / "bundle")
    world = World()
    world.load(folder)
    earlier = world.build("E1001", "adult")
    assert earlier.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    world.decide("E1001", "101", "1", "Y", "2026-06-06", "oral")
    later = world.build("E1001", "adult")
    assert later.manifest["withdrawn_clients"] == 0 and later.preview["replaced"] == 2
    world.download(later)
    world.confirm(earlier)
    assert world.build("E1001", "adult").preview["replaced"] == 2
    world.decide("E1001", "101", "1", "N", "2026-07-07", "oral")
    assert world.build("E1001", "adult").manifest["withdrawn_clients"] == 1, (
        "it may be held, so it is withdrawn"
    )


def test_a_file_that_a_later_loaded_one_supersedes_is_not_recorded_as_loaded(tmp_path: Path) -> None:
    """Out of turn it would change what NDTMS holds into what it no longer holds: refused, with words, and nothing changes."""
    folder = good_bundle(tmp_path / "bundle")
    world = World()
    world.load(folder)
    earlier, other = world.build("E1001", "adult"), world.build("E2001", "yp")
    world.decide("E1001", "101", "1", "Y", "2026-06-06", "oral")
    later = world.build("E1001", "adult")
    world.confirm(later)
    assert support.refused("confirm_load", earlier.id) == "superseded"
    assert world.build("E1001", "adult").preview["replaced"] == 2
    world.confirm(other)  # of another agency code: its own turn
    assert support.done("confirm_load", later.id)["state"] == "loaded"


def test_without_a_later_file_the_confirmed_withdrawal_stands(tmp_path: Path) -> None:
    folder = good_bundle(tmp_path / "bundle")
    world = World()
    world.load(folder)
    first = world.build("E1001", "adult")
    world.decide("E1001", "101", "1", "Y", "2026-06-06", "oral")
    world.build("E1001", "adult")  # never taken
    world.confirm(first)
    assert world.build("E1001", "adult").preview["new"] == [["E1001", "101", "1"]]
    world.decide("E1001", "101", "1", "N", "2026-07-07", "oral")
    built = world.build("E1001", "adult")
    assert built.manifest["withdrawn_clients"] == 0 and built.manifest["declined_omitted"] == 1


def void(agency: str, client_id: str, episode_id: str) -> None:
    """An episode that was entered in error."""
    with support.acting_for(agency):
        episodes.void_episode(
            episode=support.held(agency, client_id, episode_id),
            reason="Another person's",
            acting_user=None,  # type: ignore[arg-type]  # not read: the scope says who acts
        )


def test_an_episode_entered_in_error_is_not_sent_and_shows_as_missing_while_it_may_be_held(
    tmp_path: Path,
) -> None:
    """It leaves the file, and the preview names it: the national collection keeps it until somebody there takes it out."""
    folder = good_bundle(tmp_path / "bundle")
    world = World()
    world.load(folder)
    before = world.build("E1001", "adult", oracle_knows=False)
    void("E1001", "102", "3")
    after = world.build("E1001", "adult", oracle_knows=False)
    assert after.manifest["episodes_sent"] == before.manifest["episodes_sent"] - 1
    assert after.preview["missing"] == [*before.preview["missing"], ["E1001", "102", "3"]]


def test_a_withdrawal_of_an_episode_entered_in_error_still_goes(tmp_path: Path) -> None:
    """The no of a person is sent, whatever became of the episode here."""
    folder = good_bundle(tmp_path / "bundle")
    world = World()
    world.load(folder)
    before = world.build("E1001", "adult", oracle_knows=False)
    assert before.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    void("E1001", "101", "1")
    after = world.build("E1001", "adult", oracle_knows=False)
    assert after.preview["removed_by_consent"] == [["E1001", "101", "1"]]
    assert after.manifest["withdrawn_clients"] == before.manifest["withdrawn_clients"]
