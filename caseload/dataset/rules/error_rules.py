"""The error rules E01 to E11 (contract section 4). An episode that fails one is held back from the extract."""

from __future__ import annotations

from datetime import date

from caseload.dataset.reader import load_dictionary
from caseload.dataset.rules.conditions import (
    Compare,
    Condition,
    HasInitial,
    Not,
    Or,
    OutsideCodeList,
    after,
    before,
    missing,
    only_one,
)
from caseload.dataset.rules.rule import ERROR, Rule
from caseload.dataset.rules.values import AsOf, Date, Day, Text

DOB = Date("DOB")
REFLD = Date("REFLD")
TRIAGED = Date("TRIAGED")
DISD = Date("DISD")
DISRSN = Text("DISRSN")
DRUG1 = Text("DRUG1")
LISTED_ITEMS = ("RFLS", "DISRSN", "DRUG1", "DRUG2", "DRUG3", "INJSTAT", "ROUTE")

_FIRST_BIRTHDAY = Day(date(load_dictionary().setting_number("first_birth_year"), 1, 1))


def _error(number: int, words: str, remedy: str, condition: Condition) -> Rule:
    identifier = f"E{number:02d}"
    return Rule(identifier, ERROR, words, remedy, f"Contract section 4, {identifier}", condition)


ERROR_RULES = (
    _error(
        1,
        "Forename, surname, date of birth or sex is missing",
        "Ask the client and enter what is missing. NDTMS matches people by their initials, date of birth and sex.",
        Or(Not(HasInitial("FINITIAL")), Not(HasInitial("SINITIAL")), missing(DOB), missing(Text("SEX"))),
    ),
    _error(
        2,
        f"Year of birth is before {_FIRST_BIRTHDAY.day.year}",
        "Check the date of birth with the client and correct it.",
        before(DOB, _FIRST_BIRTHDAY),
    ),
    _error(
        3,
        "Referral date is missing",
        "Enter the day the referral came in.",
        missing(REFLD),
    ),
    _error(
        4,
        "Date of birth is not before the referral",
        "Check both dates and correct the one that is wrong.",
        Compare(DOB, ">=", REFLD),
    ),
    _error(
        5,
        "Triage date is missing",
        "Enter the day of the first assessment, once it has taken place.",
        missing(TRIAGED),
    ),
    _error(
        6,
        "Triage is before the referral",
        "Check both dates and correct the one that is wrong.",
        before(TRIAGED, REFLD),
    ),
    _error(
        7,
        "Main problem substance is missing",
        "Ask the client which substance is the main problem and enter it.",
        missing(DRUG1),
    ),
    _error(
        8,
        "Referral, triage or discharge is after the date of the extract",
        "Correct the date if it is wrong. If it is right, build the extract as of that day or later.",
        Or(after(REFLD, AsOf()), after(TRIAGED, AsOf()), after(DISD, AsOf())),
    ),
    _error(
        9,
        "Discharge date without a reason, or a reason without a date",
        "Enter the one that is missing, or take both out if the episode is still open.",
        only_one(DISD, DISRSN),
    ),
    _error(
        10,
        "Discharge is before triage",
        "Check both dates and correct the one that is wrong.",
        before(DISD, TRIAGED),
    ),
    _error(
        11,
        "A code is not in the list for this data set",
        "Choose a code that is valid for the data set letter of the service.",
        Or(*(OutsideCodeList(name, despite_gaps=True) for name in LISTED_ITEMS)),
    ),
)
