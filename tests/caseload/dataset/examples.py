"""For every rule, records that fail it and records that nearly do (contract section 4, rules section 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from caseload.dataset.rules import Context
from tests.caseload.dataset.support import AS_OF, CONTEXT, changed, entry

CJIT = Context("cjit", "Q", AS_OF)


@dataclass(frozen=True)
class Examples:
    """`wrong` and `right` change the clean record; `at_fault` are the items named for the first of `wrong`."""

    wrong: list[dict[str, Any]]
    right: list[dict[str, Any]]
    at_fault: set[str]
    context: Context = field(default=CONTEXT)

    @property
    def failing(self) -> list[dict[str, Any]]:
        return [changed(**changes) for changes in self.wrong]

    @property
    def passing(self) -> list[dict[str, Any]]:
        return [changed(**changes) for changes in self.right]


def _before(days: int) -> date:
    return AS_OF - timedelta(days=days)


def _intervention(**changes: Any) -> dict[str, Any]:
    return {"interventions": entry("interventions", **changes)}


def _top(place: int = 0, **changes: Any) -> dict[str, Any]:
    return {"tops": entry("tops", place, **changes)}


DISCHARGED = {"DISD": date(2026, 9, 2), "DISRSN": "80"}
ENDED = _intervention(MODEND=date(2026, 9, 2), MODEXIT="A")
AFTER = AS_OF + timedelta(days=1)

EXAMPLES: dict[str, Examples] = {
    "E01": Examples(
        [
            {"SEX": ""},
            {"SEX": None},
            {"SEX": " "},
            {"DOB": None},
            {"FINITIAL": ""},
            {"SINITIAL": "\u00a0"},
            {"SINITIAL": "?"},
        ],
        [{"FINITIAL": "Ł"}, {"SINITIAL": "'d"}, {"SEX": "X"}],
        {"SEX"},
    ),
    "E02": Examples(
        [{"DOB": date(1902, 12, 31)}, {"DOB": date.min}], [{"DOB": date(1903, 1, 1)}, {"DOB": None}], {"DOB"}
    ),
    "E03": Examples([{"REFLD": None}], [{"REFLD": date.min}], {"REFLD"}),
    "E04": Examples(
        [{"DOB": date(2026, 3, 1)}, {"DOB": date(2026, 3, 2)}],
        [{"DOB": date(2026, 2, 28)}, {"REFLD": None}, {"DOB": None}],
        {"DOB", "REFLD"},
    ),
    "E05": Examples([{"TRIAGED": None}], [{"TRIAGED": date.max}], {"TRIAGED"}),
    "E06": Examples(
        [{"TRIAGED": date(2026, 2, 28)}],
        [{"TRIAGED": date(2026, 3, 1)}, {"TRIAGED": None}, {"REFLD": None}],
        {"TRIAGED", "REFLD"},
    ),
    "E07": Examples([{"DRUG1": ""}, {"DRUG1": None}, {"DRUG1": "\t"}], [{"DRUG1": "0"}], {"DRUG1"}),
    "E08": Examples(
        [{"TRIAGED": AFTER}, {"REFLD": AFTER}, {"DISD": AFTER}],
        [{"REFLD": AS_OF, "TRIAGED": AS_OF, "DISD": AS_OF}, {"REFLD": None, "TRIAGED": None}],
        {"TRIAGED"},
    ),
    "E09": Examples(
        [{"DISD": date(2026, 9, 1)}, {"DISRSN": "80"}, {"DISD": date(2026, 9, 1), "DISRSN": " "}],
        [DISCHARGED, {"DISD": None, "DISRSN": ""}],
        {"DISD", "DISRSN"},
    ),
    "E10": Examples(
        [{"DISD": date(2026, 3, 1)}],
        [{"DISD": date(2026, 3, 2)}, {"TRIAGED": None, "DISD": date.min}],
        {"DISD", "TRIAGED"},
    ),
    "E11": Examples(
        [
            {"ROUTE": "77"},
            {"RFLS": "5"},  # valid to M
            {"RFLS": "04"},
            {"DRUG1": "1011 "},
            {"DRUG2": "x"},
            {"DRUG3": "\u0663"},
            {"INJSTAT": "c"},
            {"DISRSN": "13"},  # valid to F
            {"DISRSN": " "},
        ],
        [{"ROUTE": "", "RFLS": None, "DRUG2": "", "INJSTAT": ""}, {"DISRSN": "90"}],
        {"ROUTE"},
    ),
    "W01": Examples(
        [_intervention(REFMODDT=date(2026, 2, 28))],
        [_intervention(REFMODDT=date(2026, 3, 1)), _intervention(REFMODDT=None), {"interventions": []}],
        {"REFMODDT", "REFLD"},
    ),
    "W02": Examples(
        [_intervention(FAOMODDT=date(2026, 3, 1))],
        [_intervention(FAOMODDT=date(2026, 3, 2)), _intervention(FAOMODDT=None)],
        {"FAOMODDT", "REFMODDT"},
    ),
    "W03": Examples(
        [_intervention(MODST=date(2026, 3, 9))],
        [_intervention(MODST=None), _intervention(FAOMODDT=None)],
        {"MODST", "FAOMODDT"},
    ),
    "W04": Examples(
        [_intervention(MODEND=date(2026, 3, 9), MODEXIT="A")],
        [_intervention(MODEND=date(2026, 3, 10), MODEXIT="A")],
        {"MODEND", "MODST"},
    ),
    "W05": Examples(
        [_intervention(MODEND=date(2026, 4, 1)), _intervention(MODEXIT="A")], [ENDED], {"MODEND", "MODEXIT"}
    ),
    "W06": Examples(
        [{**DISCHARGED, **_intervention(MODEND=date(2026, 9, 3), MODEXIT="A")}],
        [{**DISCHARGED, **ENDED}, ENDED],
        {"MODEND", "DISD"},
    ),
    "W07": Examples(
        [DISCHARGED],
        [{**DISCHARGED, **ENDED}, {**DISCHARGED, **_intervention(MODST=None)}],
        {"DISD", "MODST", "MODEND"},
    ),
    "W08": Examples(
        [{"DRUG2": "1011"}, {"DRUG3": "1011"}, {"DRUG3": "7000"}],
        [{"DRUG2": "9996", "DRUG3": "9996"}, {"DRUG1": "", "DRUG2": "", "DRUG3": ""}],
        {"DRUG1", "DRUG2"},
    ),
    "W09": Examples(
        [{"DRUG3": "5000", "DRUG2": ""}, {"DRUG3": "5000", "DRUG2": "9996"}],
        [{"DRUG3": "5000"}, {"DRUG3": "9997", "DRUG2": "9996"}],
        {"DRUG2", "DRUG3"},
    ),
    "W10": Examples(
        [{"DRUG1AGE": "47"}, {"DRUG1AGE": "4"}, {"DRUG1AGE": "NA"}, {"DRUG1AGE": "-9"}],
        [{"DRUG1AGE": "46"}, {"DRUG1AGE": "5"}, {"DRUG1AGE": ""}, {"DRUG1AGE": "90", "DOB": None}],
        {"DRUG1AGE", "DOB"},
    ),
    "W11": Examples(
        [{"PREGNANT": "N"}, {"PREGNANT": "Y"}],
        [{"PREGNANT": "Y", "SEX": "F"}, {"PREGNANT": "N", "SEX": ""}],
        {"PREGNANT", "SEX"},
    ),
    "W12": Examples(
        [
            {"ALCDDAYS": "29"},
            {"ALCDDAYS": "-1"},
            {"ALCDDAYS": "NA"},
            {"ALCDDAYS": "٣"},
            {"ALCDDAYS": "9" * 40},
        ],
        [{"ALCDDAYS": "28"}, {"ALCDDAYS": "0"}, {"ALCDDAYS": None}],
        {"ALCDDAYS"},
    ),
    "W13": Examples(
        [{"ALCDDAYS": "0"}, {"ALCUNITS": "0"}],
        [
            {"ALCDDAYS": "0", "ALCUNITS": "0"},
            {"ALCDDAYS": "0", "ALCUNITS": ""},
            {"ALCDDAYS": "", "ALCUNITS": "0"},
        ],
        {"ALCDDAYS", "ALCUNITS"},
    ),
    "W14": Examples(
        [_top(ALCUSE="29"), _top(TOBUSE="na"), _top(1, EDUCAT="1.0")],
        [_top(ALCUSE="0"), _top(OPIUSE="")],
        {"ALCUSE"},
    ),
    "W15": Examples(
        [_top(PHSTAT="21"), _top(1, QUALLIFE="-1")], [_top(PSYHSTAT="0"), {"tops": []}], {"PHSTAT"}
    ),
    "W16": Examples(
        [_top(SHARING="Y", IVDRGUSE="0"), _top(SHARING="Y"), _top(SHARING="Y", IVDRGUSE="NA")],
        [_top(SHARING="Y", IVDRGUSE="1"), _top(SHARING="N", IVDRGUSE="0"), _top(SHARING="NA", IVDRGUSE="0")],
        {"SHARING", "IVDRGUSE"},
    ),
    "W17": Examples([_top(1, TRSTAGE="S")], [_top(1, TRSTAGE="s")], {"TRSTAGE"}),
    "W18": Examples(
        [_top(TOPDATE=date(2026, 3, 25)), _top(TOPDATE=date(2026, 2, 23)), _top(TRSTAGE="R"), {"tops": []}],
        [
            _top(TOPDATE=date(2026, 2, 24)),
            {"interventions": []},
            {**_intervention(MODST=_before(14)), "tops": []},
        ],
        {"MODST", "TOPDATE", "TRSTAGE"},
    ),
    "W19": Examples(
        [_top(1, TOPDATE=_before(183)), {"tops": []}],
        [
            _top(1, TOPDATE=_before(182)),
            {**DISCHARGED, "tops": []},
            {"tops": [], **_intervention(MODST=_before(182))},
        ],
        {"MODST", "DISD", "TOPDATE"},
    ),
    "W20": Examples(
        [
            {**DISCHARGED, **ENDED},
            {**DISCHARGED, **ENDED, **_top(1, TRSTAGE="E", TOPDATE=date(2026, 9, 17))},
            {**DISCHARGED, **ENDED, **_top(1, TRSTAGE="P")},
        ],
        [
            {**DISCHARGED, **ENDED, **_top(1, TRSTAGE="E", TOPDATE=date(2026, 9, 16))},
            {"DISD": _before(14), "DISRSN": "80", **ENDED},
            {**DISCHARGED, "interventions": []},
        ],
        {"MODST", "DISD", "TRSTAGE", "TOPDATE"},
    ),
    "W21": Examples(
        [{"reviews": [{"SUBMODDT": _before(184)}]}, {"reviews": []}],
        [
            {"reviews": [{"SUBMODDT": _before(183)}]},
            {**DISCHARGED, "reviews": []},
            {"reviews": [], "interventions": []},
        ],
        {"MODST", "DISD", "SUBMODDT"},
    ),
    "W22": Examples(
        [{**DISCHARGED, "reviews": [{"SUBMODDT": date(2026, 8, 18)}]}, {**DISCHARGED, "reviews": []}],
        [{**DISCHARGED, "reviews": [{"SUBMODDT": date(2026, 8, 19)}]}, {"reviews": []}],
        {"MODST", "DISD", "SUBMODDT"},
    ),
    "W23": Examples(
        [{"DOB": date(2008, 3, 3)}, {"DOB": date(2026, 2, 1)}],
        [{"DOB": date(2008, 3, 2)}, {"DOB": None}, {"TRIAGED": None}],
        {"DOB", "TRIAGED"},
    ),
    "W24": Examples(
        [{"ETHNIC": "Q"}, {"PREVTR": "y"}, _top(TRSTAGE="X"), _intervention(MODAL="2"), {"RELIGION": "Z"}],
        # Lists without a known code, or with codes that no source gives, condemn nothing.
        [
            {"NATION": "XXX", "SEX": "X", "DAT": "J01B", "ACCMNEED": "9", "VETERAN": "1", "SEXUALO": "1"},
            {"ETHNIC": ""},
        ],
        {"ETHNIC"},
    ),
    "W25": Examples([{"LA": "22UB"}], [{"LA": "22UB", "DAT": "A09B"}, {"LA": " "}], {"DAT", "LA"}),
    "W26": Examples(
        [
            {"SEX": "FF"},
            {"PC": "CM1  1QH Essex"},
            {"NATION": "POLE"},
            _intervention(MODSET="123"),
            _top(ASSAULT="NAA"),
        ],
        [{"SEX": "X"}, {"PC": "ZZ99 3VZ"}, {"ETHNIC": "AAA"}, {"EMPSTAT": "😀😀"}],
        {"SEX"},
    ),
    "W27": Examples(
        [
            {"CPLANDT": AFTER},
            {"DOB": AFTER},
            _top(TOPDATE=AFTER),
            {"time_in_treatment": [{"TITDATE": AFTER}]},
        ],
        [{"CPLANDT": AS_OF}, _intervention(FAOMODDT=AFTER), {"REFLD": AFTER}],
        {"CPLANDT"},
    ),
    "W28": Examples(
        [{"CHILDWTH": "two"}, {"CHILDWTH": "100"}, {"ALCUNITS": "1000"}, {"ALCUNITS": "4.5"}],
        [{"CHILDWTH": "99", "ALCUNITS": "999"}, {"CHILDWTH": "", "ALCUNITS": " "}],
        {"CHILDWTH"},
    ),
    "W29": Examples(
        [{"DRUG1": "77"}, {"DISRSN": "13"}], [{"DRUG1": "1011"}, {"RFLS": "777"}], {"DRUG1"}, CJIT
    ),
    "W30": Examples(
        [{"beside": [{"DISD": None}]}, {"beside": [{"DISD": date(2026, 1, 1)}, {}]}],
        [
            {"beside": []},
            {"beside": [{"DISD": date(2026, 1, 1)}]},
            {**DISCHARGED, **ENDED, "beside": [{"DISD": None}]},
        ],
        {"DISD"},
    ),
}
