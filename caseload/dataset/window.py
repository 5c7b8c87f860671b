"""The reporting window and the name of an extract file (contract sections 4 and 5). The as-of date is passed in."""

from __future__ import annotations

from datetime import date

from caseload.dataset.reader import DatasetError, Dictionary, load_dictionary

# A month's file is due by this day of the next month.
DUE_DAY = 15
KINDS = ("reporting", "full")


class UnknownKind(DatasetError):
    """The kind of extract is not one of `KINDS`."""


class BadAgencyCode(DatasetError):
    """The agency code cannot stand in a file name."""


def window_start(as_of: date, dictionary: Dictionary | None = None) -> date:
    """First day of the reporting window: 1 January, two years back, or one year back from 1 September on.

    An episode discharged before this day is not in a reporting extract. In the first years of the calendar the window
    starts with the calendar.
    """
    data = dictionary or load_dictionary()
    turned = as_of.month >= data.setting_number("window_turn_month")
    years = data.setting_number("window_years_from_turn" if turned else "window_years_before_turn")
    return date(max(as_of.year - years, date.min.year), 1, 1)


def extract_file_name(
    *, agency_code: str, kind: str, as_of: date, letter: str, dictionary: Dictionary | None = None
) -> str:
    """`AGNCY-<window start>-<as-of>-TREAT-IN-<letter>.csv`, dates as yyyymmdd, `00000000` as the start when full.

    Raises UnknownKind, UnknownLetter, and BadAgencyCode: an agency code comes from outside and must not name a folder.
    """
    data = dictionary or load_dictionary()
    data.letter_position(letter)
    if kind not in KINDS:
        raise UnknownKind(f"unknown kind of extract {kind!r}: use {', '.join(KINDS)}")
    if (
        not agency_code
        or not agency_code.isprintable()
        or agency_code.startswith(".")
        or set(agency_code) & set("/\\")
    ):
        raise BadAgencyCode(f"agency code {agency_code!r} cannot be part of a file name")
    start = (
        _compact(window_start(as_of, data)) if kind == "reporting" else data.setting("file_name_full_start")
    )
    return f"{agency_code}-{start}-{_compact(as_of)}-{data.setting('file_name_text')}-{letter}.csv"


def next_due(today: date) -> date:
    """The day by which the next file is due that can still carry what is recorded today: the fifteenth to come, today included."""
    if today.day <= DUE_DAY:
        return today.replace(day=DUE_DAY)
    months = today.year * 12 + today.month
    return date(months // 12, months % 12 + 1, DUE_DAY)


def _compact(day: date) -> str:
    """The date as yyyymmdd. Not strftime: it does not pad years before 1000."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
