"""The warnings: what rules section 10 asks to have checked and the contract does not make an error.

Which rule answers for which line of section 10, and what holds where none does, is data: `data/validation.csv`.
"""

from __future__ import annotations

from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import item_checks as check
from caseload.dataset.rules.conditions import (
    And,
    AnyAvailable,
    AnyChild,
    Compare,
    Condition,
    Not,
    OneOf,
    OpenBeside,
    Or,
    Present,
    after,
    before,
    missing,
    only_one,
)
from caseload.dataset.rules.error_rules import DISD, DOB, LISTED_ITEMS, REFLD, TRIAGED
from caseload.dataset.rules.rule import WARNING, Rule
from caseload.dataset.rules.sources import confidence_of
from caseload.dataset.rules.values import (
    Age,
    AsOf,
    CountOf,
    Date,
    Days,
    Earliest,
    FirstKnown,
    Latest,
    Number,
    Text,
    Whole,
)

_DATA = load_dictionary()
_NUMBER = _DATA.setting_number

REFMODDT, FAOMODDT, MODST, MODEND = Date("REFMODDT"), Date("FAOMODDT"), Date("MODST"), Date("MODEND")
TOPDATE, TRSTAGE = Date("TOPDATE"), Text("TRSTAGE")
DRUG1, DRUG2, DRUG3 = Text("DRUG1"), Text("DRUG2"), Text("DRUG3")
FIRST_START = Earliest("interventions", MODST)
LATEST_TOP = Latest("tops", TOPDATE)
LATEST_SIR = Latest("reviews", Date("SUBMODDT"))
START_TOP, EXIT_TOP = OneOf(TRSTAGE, ("S",)), OneOf(TRSTAGE, ("E",))

_WINDOW = Number(_NUMBER("top_window_days"))
_LONGEST_TOP_GAP = Number(_NUMBER("top_review_days"))
_LONGEST_SIR_GAP = Number(_NUMBER("sir_review_days"))
_DAYS_COUNTED, _RATING_TOP = _NUMBER("days_counted"), _NUMBER("rating_top")
_ADULT_AGE, _FIRST_USE_AGE = _NUMBER("adult_age"), _NUMBER("first_use_age")
# Started and, on the as-of date, not discharged.
IN_TREATMENT = And(Present(FIRST_START), Not(Compare(DISD, "<=", AsOf())))
# Started, and discharged long enough ago that what belongs to the exit should be recorded.
EXIT_PAST = And(Present(FIRST_START), Compare(Days(DISD, AsOf()), ">", _WINDOW))

# The key, the consent act or an error rule answers for these.
_NOT_CHECKED = {*LISTED_ITEMS, "AGNCY", "CONSENT", "FINITIAL", "SINITIAL"}
# E08 asks about the first three; an appointment may be offered for a day to come.
_MAY_BE_LATER = {"REFLD", "TRIAGED", "DISD", "FAOMODDT"}


def _is_outcome(item: Item, highest: int) -> bool:
    return item.entity == "top" and item.type == "int" and item.format.startswith(f"0-{highest}")


def _warning(
    number: int,
    words: str,
    remedy: str,
    condition: Condition,
    *,
    only: str | None = None,
    source: str = "section 10",
) -> Rule:
    identifier = f"W{number:02d}"
    return Rule(
        identifier,
        WARNING,
        words,
        remedy,
        f"NDTMS rules {source}",
        condition,
        (only,) if only else None,
        confidence_of(identifier),
    )


_INTERVENTIONS = (
    _warning(
        1,
        "An intervention was asked for before the referral",
        "Check the referral date of the intervention against that of the episode.",
        AnyChild("interventions", before(REFMODDT, REFLD)),
    ),
    _warning(
        2,
        "A first appointment is before its intervention was asked for",
        "Check the two dates of the intervention.",
        AnyChild("interventions", before(FAOMODDT, REFMODDT)),
    ),
    _warning(
        3,
        "An intervention starts before its first appointment",
        "Check the start date and the date of the first appointment offered.",
        AnyChild("interventions", before(MODST, FAOMODDT)),
    ),
    _warning(
        4,
        "An intervention ends before it starts",
        "Check the start and end dates of the intervention.",
        AnyChild("interventions", before(MODEND, MODST)),
    ),
    _warning(
        5,
        "An intervention has an end date without an exit status, or the reverse",
        "Enter the one that is missing, or take both out if the intervention goes on.",
        AnyChild("interventions", only_one(MODEND, Text("MODEXIT"))),
    ),
    _warning(
        6,
        "An intervention ends after the discharge",
        "Check the end of the intervention and the discharge date.",
        AnyChild("interventions", after(MODEND, DISD)),
    ),
    _warning(
        7,
        "An intervention is still open after the discharge",
        "End the intervention, or take the discharge out if treatment goes on.",
        And(Present(DISD), AnyChild("interventions", And(Present(MODST), missing(MODEND)))),
    ),
)

_SUBSTANCES = (
    _warning(
        8,
        "The same problem substance is entered twice",
        "Keep it once, and move the others up.",
        Or(
            check.same_substance(DRUG1, DRUG2),
            check.same_substance(DRUG1, DRUG3),
            check.same_substance(DRUG2, DRUG3),
        ),
    ),
    _warning(
        9,
        "There is a third problem substance but no second",
        "Enter the second substance, or make the third the second.",
        And(check.is_substance(DRUG3), Not(check.is_substance(DRUG2))),
    ),
    _warning(
        10,
        f"Age at first use is under {_FIRST_USE_AGE}, above the client's age, or not a number",
        "Ask the client, and enter the age in whole years.",
        And(
            Present(Text("DRUG1AGE")),
            Or(
                Not(Compare(Whole("DRUG1AGE"), ">=", Number(_FIRST_USE_AGE))),
                Compare(Whole("DRUG1AGE"), ">", Age(DOB, AsOf())),
            ),
        ),
    ),
    _warning(
        11,
        "Pregnancy is recorded and the sex is not female",
        "Check both answers with the client. Leave pregnancy empty unless the sex is female.",
        And(Present(Text("PREGNANT")), Present(Text("SEX")), Not(OneOf(Text("SEX"), ("F",)))),
    ),
    _warning(
        12,
        f"Drinking days are not a number from 0 to {_DAYS_COUNTED}",
        "Enter the number of drinking days in the 28 days before assessment.",
        check.odd_number("ALCDDAYS", 0, _DAYS_COUNTED),
    ),
    _warning(
        13,
        "Drinking days and units do not fit: one is 0 and the other is not",
        "Ask again about both. No drinking days means no units.",
        Or(
            And(Compare(Whole("ALCDDAYS"), "=", Number(0)), Compare(Whole("ALCUNITS"), ">", Number(0))),
            And(Compare(Whole("ALCDDAYS"), ">", Number(0)), Compare(Whole("ALCUNITS"), "=", Number(0))),
        ),
    ),
)

_OUTCOMES = (
    _warning(
        14,
        f"A day count on a TOP is neither 0 to {_DAYS_COUNTED} nor NA",
        "Enter the days in the last 28, or NA if the client did not answer.",
        check.for_items(
            lambda item: _is_outcome(item, _DAYS_COUNTED),
            lambda name: check.odd_answer(name, 0, _DAYS_COUNTED),
        ),
    ),
    _warning(
        15,
        f"A rating on a TOP is neither 0 to {_RATING_TOP} nor NA",
        "Enter the client's rating, or NA if the client did not answer.",
        check.for_items(
            lambda item: _is_outcome(item, _RATING_TOP), lambda name: check.odd_answer(name, 0, _RATING_TOP)
        ),
    ),
    _warning(
        16,
        "A TOP says equipment was shared but no days of injecting",
        "Ask again about injecting and sharing, and correct the answer that is wrong.",
        AnyChild(
            "tops", And(OneOf(Text("SHARING"), ("Y",)), Not(Compare(Whole("IVDRGUSE"), ">", Number(0))))
        ),
    ),
    _warning(
        17,
        "There is more than one start TOP",
        "Keep one as the start. Make the others review TOPs, or void what was entered in error.",
        Compare(CountOf("tops", START_TOP), ">", Number(1)),
    ),
    _warning(
        18,
        "No start TOP within two weeks of the first intervention",
        "Check the dates. If no TOP was done then, do one at the next appointment.",
        And(
            Compare(Days(FIRST_START, AsOf()), ">", _WINDOW),
            Not(
                AnyChild(
                    "tops",
                    And(START_TOP, Compare(Days(FIRST_START, TOPDATE, either_way=True), "<=", _WINDOW)),
                )
            ),
        ),
    ),
    _warning(
        19,
        "No TOP in the last 26 weeks",
        "Do a review TOP at the next appointment.",
        And(IN_TREATMENT, Compare(Days(FirstKnown(LATEST_TOP, FIRST_START), AsOf()), ">", _LONGEST_TOP_GAP)),
    ),
    _warning(
        20,
        "No exit TOP within two weeks of the discharge",
        "Enter the exit TOP if one was done. If not, note why.",
        And(
            EXIT_PAST,
            Not(
                AnyChild("tops", And(EXIT_TOP, Compare(Days(DISD, TOPDATE, either_way=True), "<=", _WINDOW)))
            ),
        ),
    ),
    _warning(
        21,
        "No sub-intervention review in the last six months",
        "Record a review of what the client receives.",
        And(IN_TREATMENT, Compare(Days(FirstKnown(LATEST_SIR, FIRST_START), AsOf()), ">", _LONGEST_SIR_GAP)),
    ),
    _warning(
        22,
        "No sub-intervention review at the discharge",
        "Record a review of what the client received up to the discharge.",
        And(EXIT_PAST, Not(Compare(Days(LATEST_SIR, DISD), "<=", _WINDOW))),
    ),
)

_ITEMS = (
    _warning(
        23,
        f"The client was under {_ADULT_AGE} at triage",
        "Check the date of birth, and whether this is the right service. The row is sent all the same.",
        Compare(Age(DOB, TRIAGED), "<", Number(_ADULT_AGE)),
        only="adult",
    ),
    _warning(
        24,
        "A code is not in the list we hold for this data set",
        "Choose a code from the list, or check the code against the NDTMS reference data.",
        check.for_items(
            lambda item: bool(item.code_list) and item.name not in _NOT_CHECKED, check.wrong_code
        ),
    ),
    _warning(
        25,
        "A local authority is recorded for a client who lives out of England",
        "Leave the local authority empty, or correct the area.",
        And(
            OneOf(Text("DAT"), (_DATA.setting("out_of_england_dat"),)),
            AnyAvailable(Present(Text("LA")), Present(Text("LTLA"))),
        ),
        source="sections 9 and 10",
    ),
    _warning(
        26,
        "An entry is longer than the data set allows",
        "Shorten it, or choose a code from the list.",
        check.for_items(
            lambda item: (
                item.max_length is not None
                and item.type in {"text", "code", "flag"}
                and item.name not in _NOT_CHECKED
            ),
            check.too_long,
        ),
        source="and fields.csv, max_length",
    ),
    _warning(
        27,
        "A date is after the date of the extract",
        "Correct the date if it is wrong.",
        check.for_items(
            lambda item: item.type == "date" and item.name not in _MAY_BE_LATER, check.later_than_file
        ),
    ),
    _warning(
        28,
        "Children living with the client or units of alcohol is not a whole number",
        "Enter digits only.",
        check.for_items(lambda item: item.name in {"CHILDWTH", "ALCUNITS"}, check.too_many_digits),
        source="and fields.csv, type",
    ),
    _warning(
        29,
        "A treatment code is not in the list for this data set",
        "Choose a code that is valid for the data set letter of the service.",
        # E11 does not apply: the data set has no referral source. The codes it does have are asked about all the same.
        check.for_items(lambda item: item.name in LISTED_ITEMS, check.wrong_code),
        only="cjit",
    ),
)

_EPISODES = (
    _warning(
        30,
        "The client has another open episode at this service",
        "Close the one that has ended, or take the one entered in error out of use.",
        And(missing(DISD), OpenBeside()),
    ),
)

WARNING_RULES = _INTERVENTIONS + _SUBSTANCES + _OUTCOMES + _ITEMS + _EPISODES
