"""The samples of the contract come out exactly: extracts cell by cell (CMSID aside), manifests and previews."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
# A build needs a transaction of its own: one REPEATABLE READ snapshot.
pytestmark = pytest.mark.django_db(transaction=True)


def run(*command: str) -> dict[str, Any]:
    """What a command prints on standard output."""
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=io.StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def partnership() -> None:
    run("load_partnership")


def build(tmp_path: Path, agency: str, kind: str, as_of: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    target = tmp_path / f"{agency}-{kind}-{as_of}.csv"
    manifest = run(
        "build_extract",
        "--agency",
        agency,
        "--dataset",
        "adult",
        "--letter",
        "Q",
        "--kind",
        kind,
        "--as-of",
        as_of,
        "--output",
        str(target),
    )
    return manifest, run("preview_load", manifest["submission"]), target.read_bytes()


def expect(name: str, file: str, built: tuple[dict[str, Any], dict[str, Any], bytes]) -> None:
    manifest, preview, raw = built
    expected = json.loads((SAMPLE / "expected" / "manifests.json").read_text())[name]
    assert {key: manifest[key] for key in expected["manifest"]} == expected["manifest"]
    assert {key: preview[key] for key in expected["preview"]} == expected["preview"]
    assert without_software(raw) == without_software((SAMPLE / "expected" / file).read_bytes())


def without_software(raw: bytes) -> list[list[str]]:
    import csv

    rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline="")))
    place = rows[0].index("CMSID")
    return [rows[0], *([*row[:place], "", *row[place + 1 :]] for row in rows[1:])]


def test_bundle_1_and_its_later_state_give_the_expected_extracts(partnership: None, tmp_path: Path) -> None:
    run("import_caseload", str(SAMPLE / "bundle-1"))
    expect(
        "E1001 2026-10-31 reporting",
        "E1001-20250101-20261031-TREAT-IN-Q.csv",
        build(tmp_path, "E1001", "reporting", "2026-10-31"),
    )
    expect(
        "E1002 2026-10-31 reporting",
        "E1002-20250101-20261031-TREAT-IN-Q.csv",
        build(tmp_path, "E1002", "reporting", "2026-10-31"),
    )
    run("import_caseload", str(SAMPLE / "bundle-1-later"))
    expect(
        "E1001 2026-11-15 reporting, later bundle",
        "E1001-20250101-20261115-TREAT-IN-Q.csv",
        build(tmp_path, "E1001", "reporting", "2026-11-15"),
    )


def test_bundle_2_gives_the_expected_extracts(partnership: None, tmp_path: Path) -> None:
    run("import_caseload", str(SAMPLE / "bundle-2"))
    expect(
        "bundle-2 E1001 2026-10-31 reporting",
        "bundle-2-E1001-reporting.csv",
        build(tmp_path, "E1001", "reporting", "2026-10-31"),
    )
    expect(
        "bundle-2 E1003 2026-10-31 full",
        "bundle-2-E1003-full.csv",
        build(tmp_path, "E1003", "full", "2026-10-31"),
    )
