"""The window and the file name, by the vectors of contract sections 4 and 5."""

from __future__ import annotations

from datetime import date

import pytest

from caseload.dataset.reader import UnknownLetter
from caseload.dataset.window import BadAgencyCode, UnknownKind, extract_file_name, window_start


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        (date(2026, 8, 31), date(2024, 1, 1)),
        (date(2026, 9, 1), date(2025, 1, 1)),
        (date(2018, 5, 15), date(2016, 1, 1)),
        (date(2018, 9, 1), date(2017, 1, 1)),
        (date(2026, 1, 1), date(2024, 1, 1)),
        (date(2026, 12, 31), date(2025, 1, 1)),
        (date(2028, 2, 29), date(2026, 1, 1)),
        (date.min, date.min),
        (date.max, date(9998, 1, 1)),
    ],
)
def test_window_starts_on_the_first_of_january_one_or_two_years_back(as_of: date, start: date) -> None:
    assert window_start(as_of) == start


def test_file_names_are_those_of_the_samples() -> None:
    def name(**changes: object) -> str:
        known = {"agency_code": "E1001", "kind": "reporting", "as_of": date(2026, 10, 31), "letter": "Q"}
        return extract_file_name(**{**known, **changes})  # type: ignore[arg-type]

    assert name() == "E1001-20250101-20261031-TREAT-IN-Q.csv"
    assert name(as_of=date(2026, 8, 31), letter="R") == "E1001-20240101-20260831-TREAT-IN-R.csv"
    assert name(kind="full") == "E1001-00000000-20261031-TREAT-IN-Q.csv"
    assert name(as_of=date(903, 2, 1)) == "E1001-09010101-09030201-TREAT-IN-Q.csv"


def test_file_name_refuses_what_it_does_not_know() -> None:
    day = date(2026, 10, 31)
    with pytest.raises(UnknownKind, match="'Full': use reporting, full"):
        extract_file_name(agency_code="E1001", kind="Full", as_of=day, letter="Q")
    with pytest.raises(UnknownLetter):
        extract_file_name(agency_code="E1001", kind="full", as_of=day, letter="I")


@pytest.mark.parametrize("code", ["", ".", "../E1001", "E1/001", "E1\\001", "E1\n001", "E1\x00", ".E1001"])
def test_agency_code_can_not_lead_to_another_folder(code: str) -> None:
    with pytest.raises(BadAgencyCode):
        extract_file_name(agency_code=code, kind="full", as_of=date(2026, 10, 31), letter="Q")
