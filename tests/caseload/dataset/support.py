"""Records for the tests of the rules: a clean one, nasty values, and a query that holds records as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from caseload.dataset.reader import CHILD_LISTS, Item, load_dictionary
from caseload.dataset.rules import Context, Rule, sql_failing
from caseload.dataset.rules.scope import BESIDE

# Multiplies the random examples; 1 keeps the whole folder well under half a minute on one core.
FACTOR = int(os.environ.get("EDATRS_EXAMPLES_FACTOR", "1"))
DATA = load_dictionary()
AS_OF = date(2026, 10, 31)
CONTEXT = Context("adult", "Q", AS_OF)
LIST_NAMES = {child.entity: child.name for child in CHILD_LISTS}

# An open episode in treatment that no rule of adult Q finds fault with.
CLEAN: dict[str, Any] = {
    "FINITIAL": "Łukasz",
    "SINITIAL": "van\u00a0Dyk",
    "DOB": date(1980, 2, 29),
    "SEX": "M",
    "ETHNIC": "A",
    "NATION": "POL",
    "PC": "CM1 1QH",
    "DAT": "Z00B",
    "REFLD": date(2026, 3, 1),
    "TRIAGED": date(2026, 3, 2),
    "DRUG1": "1011",
    "DRUG1AGE": "17",
    "DRUG2": "7000",
    "DRUG3": "9997",
    "ROUTE": "1",
    "RFLS": "4",
    "INJSTAT": "C",
    "CHILDWTH": "2",
    "ALCDDAYS": "28",
    "ALCUNITS": "120",
    "interventions": [
        {
            "MODID": "1",
            "MODAL": "94",
            "REFMODDT": date(2026, 3, 2),
            "FAOMODDT": date(2026, 3, 10),
            "MODST": date(2026, 3, 10),
        }
    ],
    "tops": [
        {
            "TOPID": "1",
            "TRSTAGE": "S",
            "TOPDATE": date(2026, 3, 24),
            "ALCUSE": "28",
            "PHSTAT": "NA",
            "SHARING": "N",
        },
        {"TOPID": "2", "TRSTAGE": "R", "TOPDATE": date(2026, 9, 1), "ALCUSE": "NA", "QUALLIFE": "20"},
    ],
    "reviews": [{"SUBMID": "1", "SUBMODDT": date(2026, 9, 1), "PSYMOTI": "Y"}],
    "time_in_treatment": [{"TITID": "1", "TITDATE": date(2026, 3, 10), "TITREAT": "1"}],
}

TEXTS = [
    *(
        None,
        "",
        " ",
        "\t",
        "\n",
        "\u00a0",
        "\u0085",
        "\u200b",
        "\u3000",
        "NA",
        "na",
        "Y",
        "N",
        "S",
        "E",
        "F",
        "M",
    ),
    *(
        "0",
        "1",
        "4",
        "5",
        "19",
        "20",
        "21",
        "27",
        "28",
        "29",
        "60",
        "99",
        "123",
        "05",
        "00",
        "-1",
        "+1",
        "1.0",
        "1e1",
    ),
    *(
        " 5",
        "5 ",
        "5\n",
        "\n5",
        "٣",
        "²",
        "５",
        "999999999",
        "1000000000",
        "9999999999",
        "9" * 40,
        "0" * 12,
        "1" * 5000,
    ),
    *(
        "%",
        "%s",
        "%%",
        "'",
        '"',
        "\\",
        "$1",
        "{}",
        "a\nb",
        "NULL",
        "ß",
        "Ł",
        "óscar",
        "O\u0301",
        "😀",
        "\U000e0001",
    ),
    *("9996", "9997", "9998", "1011", "7000", "Z00B", "00CH", "E07000066", "X" * 9, "X" * 10),
]
NAMES = [
    "Łukasz",
    "óscar",
    " d'Arcy",
    "'Ali",
    "3",
    "-",
    "ǆ",
    "ß",
    "ʼn",
    "李",
    "\u0301A",
    "٣",
    "ⅷ",
    "ﬁ",
    "Ａ",
    "ԥ",
    "\U00010428",
]
DATES = [
    None,
    date.min,
    date.max,
    *(
        date(1902, 12, 31),
        date(1903, 1, 1),
        date(2008, 2, 29),
        date(2008, 10, 31),
        date(2008, 11, 1),
        date(2026, 3, 2),
    ),
    *(AS_OF - timedelta(days=days) for days in (-15, -14, -1, 0, 1, 13, 14, 15, 28, 181, 182, 183, 184, 400)),
]


def pool(item: Item) -> list[Any]:
    """Values to try for an item: its codes of every letter, near misses, and what nobody should record."""
    if item.type == "date":
        return DATES
    if item.name in {"FINITIAL", "SINITIAL"}:
        return NAMES + TEXTS
    codes: list[str] = []
    if item.code_list:
        codes = sorted({code for letter in DATA.letters for code in DATA.codes(item.code_list, letter)})
    return codes + [code.lower() for code in codes] + [f" {code}" for code in codes[:2]] + TEXTS


class JsonResolver:
    """A query whose rows are records in a jsonb column. Fails the test if asked for what is not an item."""

    def __init__(self, source: str) -> None:
        self.source = source

    def column(self, item: str) -> str:
        value = f"{self.source} ->> '{DATA.item(item).name}'"
        return f"({value})::date" if DATA.item(item).type == "date" else value

    def children(self, list_name: str, alias: str) -> tuple[str, JsonResolver]:
        assert list_name in LIST_NAMES.values()
        fragment = f"FROM jsonb_array_elements(r.record -> '{list_name}') AS {alias}(record) WHERE TRUE"
        return fragment, JsonResolver(f"{alias}.record")

    def beside(self, alias: str) -> tuple[str, JsonResolver]:
        fragment = f"FROM jsonb_array_elements(r.record -> '{BESIDE}') AS {alias}(record) WHERE TRUE"
        return fragment, JsonResolver(f"{alias}.record")


RESOLVER = JsonResolver("r.record")


def to_json(records: Iterable[Mapping[str, Any]]) -> str:
    """Records as a JSON array, dates in ISO form."""
    return json.dumps(list(records), default=lambda value: value.isoformat())


def failing_in_sql(
    rules: Iterable[Rule], records: list[Mapping[str, Any]], context: Context
) -> list[list[str]]:
    """For each record, the ids of the rules it fails, by one query over all of them."""
    from django.db import connection

    text, params = sql_failing(rules, RESOLVER, context)
    query = f"SELECT {text} FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS r(record, place) ORDER BY place"
    with connection.cursor() as cursor:
        cursor.execute(query, [*params, to_json(records)])
        return [row[0] for row in cursor.fetchall()]


def changed(**changes: Any) -> dict[str, Any]:
    """The clean record with some items replaced; a child list is replaced as a whole."""
    return {**CLEAN, **changes}


def entry(list_name: str, place: int = 0, **changes: Any) -> list[dict[str, Any]]:
    """A child list of the clean record with one entry changed."""
    entries = [dict(child) for child in CLEAN[list_name]]
    entries[place].update(changes)
    return entries
