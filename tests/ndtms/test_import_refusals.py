"""Every spoilt bundle is refused with all of its problems, at their lines, and writes nothing; what merely looks odd loads."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit.models import AuditEvent
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from tests.ndtms import support
from tests.ndtms.support import TODAY, counts, done, problem_at, problems_of, run
from tests.oracle import dictionary
from tests.oracle.bad_bundles import CASES, GOOD, garbage, good_bundle
from tests.oracle.spoil import Case, Expected, both, cell, replace

pytestmark = pytest.mark.django_db(transaction=True)
# A load and its refusal are on the trail of the partnership, in transactions of their own. Nothing else may be there.
LEFT_BY_REFUSAL = {"audit_auditevent": 2}
REFUSED = [case for case in CASES if case.outcome == "refused" and not case.first]
AFTER_A_LOAD = [case for case in CASES if case.first]
LOADED = [case for case in CASES if case.outcome != "refused" and not case.first]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        yield


def complaints(case: Case, folder: Path, owner: psycopg.Connection[Any], before: dict[str, int]) -> list[str]:
    """What is wrong with how a case was treated. `before` is kept up to date with what a refusal leaves on the trail."""
    problems = problems_of(case.make(folder))
    found = case.complaints(problems)
    for line in problems:
        problem_at(line)
    for table, more in LEFT_BY_REFUSAL.items():
        before[table] += more
    after = counts(owner)
    found += [
        f"{case.name}: {name} had {before[name]} rows, now {after[name]}"
        for name in after
        if after[name] != before[name]
    ]
    shutil.rmtree(folder)
    return found


def treat(cases: Sequence[Case], tmp_path: Path, owner: psycopg.Connection[Any]) -> None:
    """One database for many cases: none of them may change it."""
    before = counts(owner)
    found = [line for case in cases for line in complaints(case, tmp_path / "bundle", owner, before)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", range(4))
def test_a_spoilt_bundle_is_refused_with_every_problem_and_writes_nothing(
    part: int, tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    support.partnership()
    # The chain of the partnership has its head from the first refusal on.
    problems_of(tmp_path)
    treat(REFUSED[part::4], tmp_path, owner_connection)


def test_what_would_move_something_is_refused_after_a_load(
    tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    support.partnership()
    problems_of(tmp_path)
    assert problems_of(good_bundle(tmp_path / "good")) == []
    treat([case for case in AFTER_A_LOAD if case.outcome == "refused"], tmp_path, owner_connection)


def test_an_odd_bundle_loads(tmp_path: Path, owner_connection: psycopg.Connection[Any]) -> None:
    """Rehearsed, so that each starts from nothing: a dry run does everything and leaves nothing."""
    support.partnership()
    before = counts(owner_connection)
    found = []
    for case in LOADED:
        found += case.complaints(problems_of(case.make(tmp_path / "bundle"), dry_run=True))
        shutil.rmtree(tmp_path / "bundle")
    after = counts(owner_connection)
    assert not found, "\n".join(found)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= set(support.TRAIL)


def test_the_command_answers_with_all_problems_and_exit_1(tmp_path: Path) -> None:
    support.partnership()
    case = next(case for case in CASES if case.name == "many problems at once")
    ran = run("import_caseload", str(case.make(tmp_path / "bad")))
    assert ran.code == 1
    assert set(ran.answer) == {"created", "updated", "unchanged", "errors"}
    assert ran.answer["created"] == ran.answer["updated"] == ran.answer["unchanged"] == {}
    assert case.complaints(ran.answer["errors"]) == []
    files = [line.split(":")[0] for line in ran.answer["errors"]]
    assert len(set(files)) == 7
    good = done("import_caseload", str(good_bundle(tmp_path / "good")))
    assert good["errors"] == [] and good["created"]["episodes.csv"] == 5


@pytest.mark.parametrize("name", ["no such folder", "a file", "an empty folder"])
def test_a_folder_that_is_none(name: str, tmp_path: Path) -> None:
    support.partnership()
    place = tmp_path / "bundle"
    if name == "a file":
        place.write_text("no folder")
    elif name == "an empty folder":
        place.mkdir()
    ran = run("import_caseload", str(place))
    assert ran.code == 1
    assert {problem_at(line) for line in ran.answer["errors"]} == {
        (f"{file}.csv", 1, "") for file in ("services", "clients", "registrations", "episodes", "consents")
    }


def test_a_folder_for_a_file_is_a_problem_and_a_stranger_is_named(tmp_path: Path) -> None:
    support.partnership()
    folder = good_bundle(tmp_path / "good")
    (folder / "tops.csv").rename(folder / "top.csv")
    (folder / "README.txt").write_text("read me")
    ran = run("import_caseload", str(folder), "--dry-run")
    assert ran.code == 0
    assert "top.csv: not a file of a bundle, left out" in ran.said and "README" not in ran.said
    (folder / "tops.csv").mkdir()
    assert problems_of(folder) == ["tops.csv:1: : this is not a file"]


def test_garbage_of_five_megabytes(tmp_path: Path, owner_connection: psycopg.Connection[Any]) -> None:
    support.partnership()
    problems_of(tmp_path)
    treat([garbage(5_000_000, "clients.csv"), garbage(5_000_000, "tops.csv")], tmp_path, owner_connection)


def spoilt(name: str, *steps: Callable[[Path], None], at: tuple[str, int, str]) -> Case:
    """A case of our own: exactly this problem."""
    file, line, column = at
    return Case(name, both(*steps), (Expected(file, line, (column,)),))


LONG = "ż" * 501
WITH_E3001 = ("services.csv", "registrations.csv", "episodes.csv", "consents.csv")
OURS = [
    spoilt("a client key too long", replace("clients.csv", "K3,,", f"{LONG},,"), replace("registrations.csv", "K3,", f"{LONG},"),
           at=("clients.csv", 5, "client_key")),
    spoilt("a service with a name too long", replace("services.csv", "Custody", "x" * 201), at=("services.csv", 4, "name")),
    spoilt("an agency code too long", *(replace(file, "E3001", "E" * 21) for file in WITH_E3001),
           at=("services.csv", 4, "agency_code")),
    spoilt("an agency code that names a folder", *(replace(file, "E3001", "../E3001") for file in WITH_E3001),
           at=("services.csv", 4, "agency_code")),
    spoilt("a line break in a header", replace("tops.csv", ",ALCUSE", ',"ALC\nUSE"'), at=("tops.csv", 1, "ALC?USE")),
    spoilt("a colon in a header", replace("tops.csv", ",ALCUSE", ",ALC:USE"), at=("tops.csv", 1, "ALC?USE")),
    spoilt("a line break in a value", replace("tops.csv", "o1,2025-01-20", 'o1,"2025\n01-20"'), at=("tops.csv", 2, "TOPDATE")),
]  # fmt: skip


def test_what_the_database_could_not_hold_is_a_problem_of_its_line(
    tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    support.partnership()
    problems_of(tmp_path)
    # One mistake is one problem, at one line: the lines that hang on it are not blamed.
    cases = [replace_case(case, exact=not case.name.startswith("a client key")) for case in OURS]
    treat(cases, tmp_path, owner_connection)


def replace_case(case: Case, **changes: Any) -> Case:
    """The case with something else about it."""
    return dataclasses.replace(case, **changes)


@pytest.mark.parametrize("file", ["registrations.csv", "episodes.csv", *dictionary.CHILD_FILES])
def test_an_identifier_too_long_is_refused_by_name(
    file: str, tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    support.partnership()
    problems_of(tmp_path)
    names = [name for name in dictionary.KEYS[file] if name != "agency_code"]
    last = GOOD[file].count("\n")
    treat([cell(file, last, name, LONG, exact=False) for name in names], tmp_path, owner_connection)


def test_the_longest_identifiers_and_long_texts_load(tmp_path: Path) -> None:
    support.partnership()
    folder = good_bundle(tmp_path / "good")
    rng = random.Random(1)
    longest = {
        name: "".join(rng.choice("🙂żÓ漢") for _ in range(500))
        for name in ("client_id", "episode_id", "identifier", "client_key")
    }
    for file in dictionary.FILES:
        columns = dictionary.file_columns(file)
        row = {name: "x" * 20_000 if dictionary.value_type(file, name) == "text" else "" for name in columns}
        row |= {name: longest[name] for name in columns if name in longest}
        row |= {"agency_code": "E1001", "decision": "Y", "decided_on": "2026-01-01", "method": "oral"}
        row |= {"organisation": "eput-essex-stars", "dataset": "adult", "name": "x" * 200}
        if file in dictionary.CHILD_FILES:
            row[dictionary.CHILD_FILES[file][1]] = longest["identifier"]
        text = ",".join(columns) + "\n" + ",".join(row[name] for name in columns) + "\n"
        (folder / file).write_text(text, encoding="utf-8")
    assert problems_of(folder) == []
    assert not any(done("import_caseload", str(folder))["updated"].values())


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    support.partnership()
    folder = good_bundle(tmp_path / "good")
    real = Path.open

    def denied(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "tops.csv":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "open", denied)
    assert problems_of(folder) == ["tops.csv:1: : the file cannot be read: Permission denied"]
    assert {problem_at(line)[:2] for line in problems_of(tmp_path / ("x" * 300))} == {
        (f, 1) for f in dictionary.REQUIRED_FILES
    } | {(f, 1) for f in dictionary.CHILD_FILES}


def test_a_refusal_is_on_the_trail(tmp_path: Path) -> None:
    support.partnership()
    cases = {case.name: case for case in CASES}
    for name in ("clients.csv missing", "many problems at once"):
        count = len(problems_of(cases[name].make(tmp_path / name)))
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            last = AuditEvent.objects.order_by("-sequence").first()
            assert (last.name, last.details) == ("ndtms.import_refused", {"problems": count})


@pytest.mark.long
@pytest.mark.parametrize("file", ["episodes.csv", "clients.csv"])
def test_two_hundred_megabytes_of_garbage(file: str, tmp_path: Path) -> None:
    """In a process of its own, whose greatest resident size is measured."""
    support.partnership()
    folder = garbage(200_000_000, file).make(tmp_path / "bundle")
    said = measured_load(folder)
    assert said["code"] == 1
    assert any(line.startswith(f"{file}:1: ") for line in said["errors"]["first"])
    assert said["kilobytes"] < 1_500_000, said["kilobytes"]


MEASURE = """
import json, os, resource, subprocess, sys
out = open(sys.argv[2], "wb")
err = open(sys.argv[2] + ".err", "wb")
code = subprocess.run([sys.executable, "manage.py", "import_caseload", sys.argv[1]], stdout=out, stderr=err).returncode
print(json.dumps({"code": code, "kilobytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}))
"""


def measured_load(folder: Path) -> dict[str, Any]:
    """Load by the command in a process of its own, into the test's database."""
    out = folder.parent / "answer.json"
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), str(out)],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "edatrs.settings.test",
            "DATABASE_APP_URL": support.address(),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    said: dict[str, Any] = json.loads(ran.stdout)
    assert "Traceback" not in Path(f"{out}.err").read_text()
    answer = json.loads(out.read_text())
    return said | {"errors": {"count": len(answer["errors"]), "first": answer["errors"][:100]}}
