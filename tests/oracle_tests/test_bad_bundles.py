"""The table of bad bundles is right: the oracle reports just the problems that the table has."""

import shutil

import pytest

from tests.oracle.bad_bundles import CASES, as_problem, good_bundle
from tests.oracle.contract import BundleRefused, Oracle


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_a_problem_is_read_from_its_text():
    assert as_problem("folder/tops.csv:12: TOPDATE: not a date: 31/12") == ("tops.csv", 12, "TOPDATE")
    assert as_problem("tops.csv:1: : the file is empty") == ("tops.csv", 1, "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    oracle = Oracle()
    if case.first:
        oracle.load(good_bundle(tmp_path / "good"))
    before = repr(vars(oracle))
    folder = case.make(tmp_path / "bad")
    try:
        oracle.load(folder)
        problems = []
    except BundleRefused as refused:
        problems = refused.problems
        assert repr(vars(oracle)) == before, "nothing is written"
        assert [as_problem(str(problem)) for problem in problems] == [
            as_problem(problem) for problem in problems
        ]
    assert case.complaints(problems) == []
    if case.outcome == "refused":
        assert problems
        assert case.complaints([]), "a load that reports nothing must be complained of"
    shutil.rmtree(tmp_path)
