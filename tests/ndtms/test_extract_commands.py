"""What the commands refuse, with exit 1 and JSON that says why, and what a load that was refused or confirmed twice leaves as it was."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit.models import AuditEvent
from edatrs.core import clock
from edatrs.organisations.models import ServiceLetter
from ndtms import selectors
from ndtms.models import SubmissionDownload
from ndtms.services import submissions
from tests.ndtms import support
from tests.ndtms.support import TODAY, TRAIL, Ran, acting_for, done, on_disk, refused, service
from tests.oracle.bad_bundles import good_bundle

pytestmark = pytest.mark.django_db(transaction=True)
WISH = {"agency": "E1001", "dataset": "adult", "letter": "Q", "kind": "reporting", "as-of": "2026-10-31"}


@pytest.fixture(autouse=True)
def world(tmp_path: Path) -> Iterator[None]:
    with clock.frozen(TODAY):
        support.partnership()
        done("import_caseload", str(good_bundle(tmp_path / "bundle")))
        yield


def wish(**other: str) -> list[str]:
    """A command line; what is empty is left out."""
    words = WISH | {name.replace("_", "-"): value for name, value in other.items()}
    return [
        "build_extract",
        *(word for name, value in words.items() if value for word in (f"--{name}", value)),
    ]


NOT_GRANTED: list[tuple[dict[str, str], str]] = [
    ({"agency": "E9999"}, "unknown_agency"),
    ({"agency": "e1001"}, "unknown_agency"),
    ({"agency": "E1001; DROP TABLE x"}, "unknown_agency"),
    ({"kind": "monthly"}, "unknown_kind"),
    ({"kind": "Full"}, "unknown_kind"),
    ({"letter": "I"}, "unknown_letter"),
    ({"letter": "S"}, "unknown_letter"),
    ({"letter": "q"}, "unknown_letter"),
    ({"letter": "QR"}, "unknown_letter"),
    ({"dataset": "yp"}, "wrong_dataset"),
    ({"dataset": "cjit"}, "wrong_dataset"),
    ({"dataset": "secure"}, "unknown_dataset"),
    ({"agency": "E2001"}, "wrong_dataset"),
    ({"as_of": "2026-11-21"}, "as_of_in_future"),
    ({"as_of": "9999-12-31"}, "as_of_in_future"),
    ({"as_of": "31/10/2026"}, "bad_as_of"),
    ({"as_of": "2026-02-30"}, "bad_as_of"),
    ({"as_of": "20261031"}, "bad_as_of"),
    ({"as_of": "2026-W44-6"}, "bad_as_of"),
    ({"organisation": "open-road"}, "agency_of_another_organisation"),
    ({"organisation": "nobody"}, "unknown_organisation"),
]


def test_a_wish_that_cannot_be_granted(owner_connection: psycopg.Connection[Any]) -> None:
    before = on_disk(owner_connection)
    assert [(other, refused(*wish(**other))) for other, _ in NOT_GRANTED] == NOT_GRANTED
    assert on_disk(owner_connection) == before, "no submission, no job, nothing on the trail"


def test_an_output_that_is_no_place_for_a_file(
    tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    before = on_disk(owner_connection)
    for output, error in (
        ("no/such/folder/file.csv", "output_folder_missing"),
        (".", "output_is_a_folder"),
        ("x" * 300, "output_not_written"),
    ):
        assert refused(*wish(), "--output", str(tmp_path / output)) == error
    assert on_disk(owner_connection) == before, "found out before anything is built"


def test_an_output_that_cannot_be_written_is_no_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfileobj", full)
        assert refused(*wish(), "--output", str(tmp_path / "extract.csv")) == "output_not_written"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
    with acting_for("E1001"):
        assert SubmissionDownload.objects.count() == 0


def test_a_folder_for_extracts_that_cannot_be_made(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    settings.EXTRACT_DIR = tmp_path / "in-the-way" / "extracts"
    assert refused(*wish()) == "not_built"
    with acting_for("E1001"):
        assert [one.state for one in selectors.submissions_for()] == ["failed"]
        pk = str(selectors.submissions_for()[0].pk)
    assert refused("preview_load", pk) == "not_built"
    assert refused("confirm_load", pk) == "submission_failed"


def test_what_is_granted_with_less_or_more(tmp_path: Path) -> None:
    target = tmp_path / "extract.csv"
    target.write_text("what was there before")
    answer = done(*wish(organisation="eput-essex-stars"), "--output", str(target))
    assert set(answer) == {
        "submission",
        "file",
        "sha256",
        "rows",
        "episodes_sent",
        "withdrawn_clients",
        "declined_omitted",
        "not_asked",
        "out_of_window",
        "held_back",
    }
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().startswith(b"FINITIAL,")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["extract.csv"]
    with acting_for("E1001"):
        assert SubmissionDownload.objects.count() == 1
        assert AuditEvent.objects.order_by("-sequence")[0].name == "ndtms.extract_downloaded"
    least = done(*wish(dataset="", letter="", kind="", as_of=""))
    assert least["file"] == "E1001-20250101-20261120-TREAT-IN-Q.csv", "reporting, today, the letter in force"
    with acting_for("E1001"):
        assert SubmissionDownload.objects.count() == 1, "without an output nobody took it"


def test_the_letter_in_force_and_the_one_that_overrides_it() -> None:
    for day, letter in (("2026-04-01", "R"), ("2030-01-01", "K")):
        ServiceLetter.objects.create(
            service=service("E1001"), letter=letter, in_force_from=dt.date.fromisoformat(day)
        )
    assert done(*wish(letter=""))["file"].endswith("-R.csv")
    assert done(*wish(letter="", as_of="2026-03-31"))["file"].endswith("-Q.csv")
    assert "letter_overridden" not in done(*wish(letter="R"))
    overridden = done(*wish(letter="P"))
    assert (overridden["letter"], overridden["letter_overridden"]) == ("P", True), "the manifest says so"
    assert overridden["file"].endswith("-P.csv")


def test_a_submission_that_is_not_there(owner_connection: psycopg.Connection[Any]) -> None:
    before = on_disk(owner_connection)
    for which in (str(uuid.UUID(int=7)), "7", "x", ""):
        for command in ("confirm_load", "preview_load"):
            assert refused(command, which) == "unknown_submission"
    assert on_disk(owner_connection) == before


def test_confirmed_twice_is_confirmed_once(owner_connection: psycopg.Connection[Any]) -> None:
    pk = done(*wish())["submission"]
    first = done("confirm_load", pk)
    before = on_disk(owner_connection)
    assert done("confirm_load", pk) == first
    assert on_disk(owner_connection) == before, "the trail too"
    with acting_for("E1001"), pytest.raises(submissions.Refused):
        submissions.refuse_load(submission=selectors.get_submission(pk), reason="too late", acting_user=None)


def test_a_refused_load_is_recorded_and_changes_nothing_else(
    owner_connection: psycopg.Connection[Any],
) -> None:
    pk = done(*wish())["submission"]
    before = on_disk(owner_connection)
    with acting_for("E1001"):
        submissions.refuse_load(
            submission=selectors.get_submission(pk), reason="Schema error in row 2", acting_user=None
        )
    after = on_disk(owner_connection)
    assert {name for name in after if after[name] != before[name]} == {"ndtms_submission", *TRAIL}
    assert len(before["ndtms_submission"]) == len(after["ndtms_submission"]) == 1
    with acting_for("E1001"):
        found = selectors.get_submission(pk)
        assert (found.state, found.refused_reason) == ("refused", "Schema error in row 2")
    assert refused("confirm_load", pk) == "submission_refused"
    assert done("preview_load", pk)["replaced"] == 1, "what it would have done can still be read"
    for reason in ("", "  \n"):
        again = done(*wish())["submission"]
        with acting_for("E1001"), pytest.raises(submissions.Refused):
            submissions.refuse_load(
                submission=selectors.get_submission(again), reason=reason, acting_user=None
            )


def test_the_preview_is_of_the_time_of_building(tmp_path: Path) -> None:
    pk = done(*wish())["submission"]
    first = done("preview_load", pk)
    assert first == {"new": [], "replaced": 1, "removed_by_consent": [["E1001", "101", "1"]], "missing": []}
    with (tmp_path / "bundle" / "consents.csv").open("a") as file:
        file.write("E1001,102,3,N,2026-09-09,oral\n")
    done("import_caseload", str(tmp_path / "bundle"))
    assert done("preview_load", pk) == first
    assert done("preview_load", done(*wish())["submission"])["removed_by_consent"] == [
        ["E1001", "101", "1"],
        ["E1001", "102", "3"],
    ]


def test_wrong_usage_is_exit_2_and_refused_is_exit_1() -> None:
    ran = {
        name: subprocess.run(
            [sys.executable, "manage.py", *command],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "edatrs.settings.test",
                "DATABASE_APP_URL": support.address(),
            },
            capture_output=True,
            text=True,
        )
        for name, command in {
            "no agency": ["build_extract"],
            "no folder": ["import_caseload"],
            "no such folder": ["import_caseload", "/no/such/folder"],
            "unknown agency": ["build_extract", "--agency", "E9999"],
        }.items()
    }
    assert {name: one.returncode for name, one in ran.items()} == {
        "no agency": 2,
        "no folder": 2,
        "no such folder": 1,
        "unknown agency": 1,
    }
    assert not any("Traceback" in one.stderr for one in ran.values())
    assert Ran(1, json.loads(ran["unknown agency"].stdout), "").answer["error"] == "unknown_agency"
    assert len(json.loads(ran["no such folder"].stdout)["errors"]) == 5
