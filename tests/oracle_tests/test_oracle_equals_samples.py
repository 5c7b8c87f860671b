"""The oracle equals every file of sample/expected, cell by cell; CMSID is empty there and is not compared."""

import json
from datetime import date

import pytest

from tests.oracle import compare, dictionary
from tests.oracle.contract import Oracle

SAMPLE = dictionary.DATA / "sample"
MANIFESTS = json.loads((SAMPLE / "expected" / "manifests.json").read_text(encoding="utf-8"))
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 15)

# Name in manifests.json, bundles in order, agency, kind, as-of date, expected file, bundle name is part of its name.
CASES = [
    ("E1001 2026-10-31 reporting", ["bundle-1"], "E1001", "reporting", OCTOBER, None),
    ("E1002 2026-10-31 reporting", ["bundle-1"], "E1002", "reporting", OCTOBER, None),
    (
        "E1001 2026-11-15 reporting, later bundle",
        ["bundle-1", "bundle-1-later"],
        "E1001",
        "reporting",
        NOVEMBER,
        None,
    ),
    (
        "bundle-2 E1001 2026-10-31 reporting",
        ["bundle-2"],
        "E1001",
        "reporting",
        OCTOBER,
        "bundle-2-E1001-reporting.csv",
    ),
    ("bundle-2 E1003 2026-10-31 full", ["bundle-2"], "E1003", "full", OCTOBER, "bundle-2-E1003-full.csv"),
]


def test_every_expected_file_is_compared():
    assert set(MANIFESTS) == {case[0] for case in CASES}
    assert len(list((SAMPLE / "expected").glob("*.csv"))) == len(CASES)


@pytest.mark.parametrize(("name", "bundles", "agency", "kind", "as_of", "file"), CASES)
def test_extract_manifest_and_preview(name, bundles, agency, kind, as_of, file):
    oracle = Oracle()
    for bundle in bundles:
        oracle.load(SAMPLE / bundle)
    submission = oracle.build(agency, "adult", "Q", kind, as_of)
    expected = (SAMPLE / "expected" / (file or submission.file)).read_bytes()
    assert compare.extract_differences(expected, submission) == []
    assert submission.csv_bytes() == expected, "CMSID is empty in both"
    wanted = MANIFESTS[name]
    # The expected previews have no "new" and "replaced", and the manifests no file name: those follow below.
    manifest = {key: submission.manifest[key] for key in ("file",)} | wanted["manifest"]
    preview = {key: submission.preview[key] for key in ("new", "replaced")} | wanted["preview"]
    assert compare.manifest_differences(manifest, preview, submission) == []
    assert submission.preview["new"] == []
    assert submission.preview["replaced"] == submission.manifest["episodes_sent"]
    assert submission.file.startswith(agency + ("-00000000-" if kind == "full" else "-20250101-"))


def test_column_counts_are_those_of_the_contract():
    assert [len(dictionary.columns(dataset, "Q")) for dataset in ("adult", "yp", "cjit")] == [120, 98, 28]


def test_a_difference_is_found():
    oracle = Oracle()
    counts = oracle.load(SAMPLE / "bundle-2")
    submission = oracle.build("E1001", "adult", "Q", "reporting", OCTOBER)
    raw = submission.csv_bytes()
    assert compare.extract_differences(raw, submission) == []
    assert len(compare.extract_differences(raw.replace(b",Y,", b",N,", 1), submission)) == 1
    assert compare.extract_differences(raw[: raw.rindex(b"E1001")] + b"\r\n", submission)
    changed = {**submission.manifest, "rows": 0}
    assert len(compare.manifest_differences(changed, submission.preview, submission)) == 1
    again = oracle.load(SAMPLE / "bundle-2")
    assert len(compare.count_differences(again, counts)) == 18
    assert compare.count_differences(again, oracle.load(SAMPLE / "bundle-2")) == []
