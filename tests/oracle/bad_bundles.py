"""A table of spoilt bundles and the problems that must be reported for each.

    for case in CASES:
        folder = case.make(folder)              # a small good bundle, spoilt
        complaints = case.complaints(problems)  # problems: (file, line, column) or "file:line: column: text"

Line numbers are physical lines of the file, the header is line 1, and a record counts from the line it starts on.
The good bundle holds cells with line breaks, so that counting records instead of lines is found out.
"""

from . import dictionary
from .spoil import (
    GOOD,
    Case,
    Expected,
    add_column,
    append,
    as_problem,
    both,
    cell,
    every_file,
    garbage,
    good_bundle,
    header,
    many_bad_lines,
    replace,
    whole,
    whole_file,
    wide_line,
    with_line,
)

__all__ = [
    "CASES",
    "GOOD",
    "Case",
    "Expected",
    "as_problem",
    "garbage",
    "good_bundle",
    "many_bad_lines",
    "wide_line",
]

NOT_DATES = [
    "2026-02-30",
    "2025-02-29",
    "31/12/2020",
    "12/31/2020",
    "2020-1-5",
    "2020-00-10",
    "0000-01-01",
    "10000-01-01",
    "2020-12-31 00:00",
    "2020-12-31T00:00:00",
    "2020-12-31 BC",
    "yesterday",
    "today",
    "infinity",
    "epoch",
    "now",
    "-",
    "NA",
    "２０２０-12-31",
    "44196",
]
NOT_NUMBERS = ["abc", "1.5", "1e3", "1_000", "0x10", "٣", "NaN", "seven", "--1", "1 2"]


def _wrong_types():
    cases = [cell("episodes.csv", 4, "REFLD", value) for value in NOT_DATES]
    cases += [cell("episodes.csv", 4, "DRUG1AGE", value) for value in [*NOT_NUMBERS, "NA"]]
    cases += [cell("tops.csv", 3, "ALCUSE", value) for value in [*NOT_NUMBERS, "na", "N/A"]]
    for file, line, column in (
        ("clients.csv", 4, "date_of_birth"),
        ("consents.csv", 4, "decided_on"),
        ("interventions.csv", 3, "MODST"),
        ("reviews.csv", 3, "SUBMODDT"),
        ("time_in_treatment.csv", 3, "TITDATE"),
        ("tops.csv", 3, "TOPDATE"),
        ("client_information_reviews.csv", 3, "CIRDATE"),
    ):
        cases += [cell(file, line, column, value) for value in ("2026-02-30", "31/12/2020")]
    cases += [cell("consents.csv", 3, "decision", value) for value in ("X", "", "y", "Yes", "NA")]
    cases += [cell("consents.csv", 3, "method", value) for value in ("phone", "", "Oral")]
    cases += [cell("consents.csv", 3, "decided_on", "")]
    cases += [cell("services.csv", 3, "dataset", value) for value in ("secure", "", "ADULT")]
    cases += [
        cell("services.csv", 3, "organisation", value)
        for value in ("nobody-here", "", "The Childrens Society")
    ]
    return cases


def _headers():
    cases = []
    for file in dictionary.FILES:
        names = header(file)
        key = dictionary.KEYS[file]
        cases.append(
            Case(
                f"{file} unknown column",
                add_column(file, "SHOESIZE", "42"),
                (Expected(file, 1, ("SHOESIZE",)),),
                False,
            )
        )
        cases.append(
            Case(
                f"{file} the same column twice",
                replace(file, ",".join(names), ",".join([*names[:-1], names[0]])),
                (Expected(file, 1, (names[0],)),),
                False,
            )
        )
        cases += [
            Case(
                f"{file} without the column {column}",
                replace(
                    file, ",".join(names), ",".join("SHOESIZE" if name == column else name for name in names)
                ),
                (Expected(file, 1, (column,)), Expected(file, 1, ("SHOESIZE",))),
                False,
            )
            for column in key
        ]
    strange = [
        ("episodes.csv", name)
        for name in ("AGNCY", "CLIENTID", "EPISODID", "CONSENT", "CMSID", "MODAL", "SEX")
    ]
    strange += [
        ("episodes.csv", "refld"),
        ("episodes.csv", "id"),
        ("clients.csv", "FINITIAL"),
        ("tops.csv", "MODAL"),
    ]
    strange += [("clients.csv", "organisation_id"), ("consents.csv", "imported"), ("interventions.csv", "pk")]
    cases += [
        Case(f"{file} with the column {name}", add_column(file, name), (Expected(file, 1, (name,)),), False)
        for file, name in strange
    ]
    cases.append(whole_file("header with an empty name", "tops.csv", add_column("tops.csv", ""), 1))
    cases.append(
        whole_file(
            "semicolons", "tops.csv", whole("tops.csv", GOOD["tops.csv"].replace(",", ";").encode()), 1
        )
    )
    return cases


def _references():
    anywhere = dictionary.EPISODE_KEY
    cases = [
        cell("registrations.csv", 4, "agency_code", "E9999", exact=False),
        cell("registrations.csv", 4, "client_key", "K9"),
        cell("episodes.csv", 3, "agency_code", "E9999", columns=anywhere),
        cell("episodes.csv", 3, "client_id", "999", columns=anywhere),
        cell("episodes.csv", 3, "client_id", "0101", columns=anywhere),  # an identifier is text: not 101
        cell(
            "episodes.csv", 5, "client_id", "101", exact=False, columns=anywhere
        ),  # registered, but elsewhere
    ]
    for file in ("consents.csv", *dictionary.CHILD_FILES):
        cases += [
            cell(file, 3, "agency_code", "E9999", columns=anywhere),
            cell(file, 3, "client_id", "A7", columns=anywhere),
            cell(file, 3, "episode_id", "77", columns=anywhere),
            cell(file, 3, "episode_id", "01", columns=anywhere),
        ]
    return cases


def _duplicates():
    cases = []
    for file, text in GOOD.items():
        if file == "consents.csv":
            continue
        last = text.count("\n")
        line = text.split("\n")[last - 1]
        cases.append(
            Case(
                f"{file} duplicate key, equal lines",
                append(file, f"{line}\n"),
                (Expected(file, last + 1, None),),
            )
        )
        cases.append(
            Case(
                f"{file} the same key three times",
                append(file, f"{line}\n{line}\n"),
                (Expected(file, last + 1, None), Expected(file, last + 2, None)),
            )
        )
    for name, file, line, added in (
        ("clients.csv duplicate key, another name", "clients.csv", 6, "K3,,Mr,Pauline" + "," * 17),
        ("registrations.csv duplicate key, another person", "registrations.csv", 7, "K1,E3001,A7,r4"),
        ("interventions.csv duplicate key, another type", "interventions.csv", 4, "E1001,101,1,m1,96,,,"),
        (
            "one episode identifier, two clients",
            "episodes.csv",
            7,
            "E1001,102,1,2026-03-05,2026-03-09,,,5000,15,3",
        ),
    ):
        cases.append(Case(name, append(file, added + "\n"), (Expected(file, line, None),)))
    again = "E1001,102,3,Y,2026-03-09,written\n"
    cases.append(Case("the same consent act twice", append("consents.csv", again), outcome="loaded"))
    return cases


def _bytes():
    cases = []
    for name, raw in (
        ("Latin-1", b"r\xe9"),
        ("a cut UTF-8 sequence", b"r\xc3"),
        ("an overlong NUL", b"r\xc0\x80"),
        ("a surrogate", b"r\xed\xa0\x80"),
        ("NUL", b"r\x002"),
    ):
        spoil = replace("registrations.csv", b"r2", raw)
        cases.append(whole_file(f"{name} in registrations.csv", "registrations.csv", spoil, 4))
    cases += [
        whole_file("Latin-1 in the header", "tops.csv", replace("tops.csv", "ALCUSE", b"ALC\xdcSE"), 1),
        whole_file("NUL as a line", "tops.csv", append("tops.csv", "\0\n"), 4),
        whole_file("UTF-16", "tops.csv", whole("tops.csv", GOOD["tops.csv"].encode("utf-16"))),
        whole_file("a byte order mark only", "tops.csv", whole("tops.csv", b"\xef\xbb\xbf")),
        whole_file("line ends only", "tops.csv", whole("tops.csv", b"\r\n\n")),
        whole_file(
            "a ZIP archive", "clients.csv", whole("clients.csv", b"PK\x03\x04\x14\x00\x00\x00\x08\x00" * 9)
        ),
    ]
    for file in dictionary.FILES:
        cases.append(whole_file(f"{file} empty", file, whole(file, b"")))
        if file in dictionary.REQUIRED_FILES:
            cases.append(whole_file(f"{file} missing", file, whole(file, None)))
        else:
            cases.append(Case(f"{file} missing", whole(file, None), outcome="loaded"))
            only_header = GOOD[file].split("\n")[0].encode()
            cases.append(
                Case(f"{file} with a header only", whole(file, only_header + b"\n"), outcome="loaded")
            )
            cases.append(
                Case(f"{file} with a header and no line end", whole(file, only_header), outcome="loaded")
            )
    return cases


def _lines():
    cases = []
    for file in dictionary.FILES:
        last = GOOD[file].count("\n")
        for name, change in (
            ("too many", lambda text: text + ",more"),
            ("too few", lambda text: text.rpartition(",")[0]),
        ):
            spoil = with_line(file, last, change)
            cases.append(Case(f"{file} {name} cells", spoil, (Expected(file, last, None),), exact=False))
        for column in dictionary.KEYS[file]:
            cases.append(cell(file, last, column, "", exact=False))
    cases += [
        cell("registrations.csv", 4, "client_key", ""),
        whole_file(
            "a quote never closed on the last line", "tops.csv", append("tops.csv", 'E1001,101,1,"o9,,,\n'), 4
        ),
        whole_file(
            "a quote never closed", "episodes.csv", replace("episodes.csv", "E1001,101,2", 'E1001,101,"2'), 3
        ),
    ]
    return cases


def _moves():
    return [
        cell("registrations.csv", 4, "client_key", "K1", first=True),
        cell("services.csv", 2, "organisation", "open-road", first=True),
        Case(
            "an episode that moves to another client after a first load",
            both(
                replace("episodes.csv", "E1001,102,3", "E1001,101,3"),
                *(
                    replace(file, "E1001,102,3", "E1001,101,3")
                    for file in ("consents.csv", *dictionary.CHILD_FILES)
                ),
            ),
            (Expected("episodes.csv", 4, None),),
            exact=False,
            first=True,
        ),
    ]


def _fine():
    merely_wrong = [
        cell("episodes.csv", 4, "REFLD", value, outcome="loaded")
        for value in ("2099-12-31", "0001-01-01", "9999-12-31", "1899-01-01", "")
    ]
    merely_wrong += [
        cell("episodes.csv", 4, "DRUG1", "not a drug at all", outcome="loaded"),
        cell("episodes.csv", 4, "DRUG1AGE", "150", outcome="loaded"),
        cell("tops.csv", 3, "ALCUSE", "29", outcome="loaded"),
        cell("tops.csv", 3, "TRSTAGE", "ZZZ", outcome="loaded"),
        cell("clients.csv", 4, "forename", "", outcome="loaded"),
        cell("clients.csv", 4, "sex", "unknown", outcome="loaded"),
        cell("consents.csv", 4, "decided_on", "2099-12-31", outcome="loaded"),
        cell("episodes.csv", 6, "RFLS", "x" * 40, outcome="loaded"),
    ]
    header_only = every_file(lambda raw: raw.split(b"\n")[0] + b"\n")
    forms = [
        ("as it is", every_file(lambda raw: raw)),
        ("a byte order mark", every_file(lambda raw: b"\xef\xbb\xbf" + raw)),
        ("CRLF", every_file(lambda raw: raw.replace(b"\n", b"\r\n"))),
        ("both", every_file(lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"))),
        ("no line end at the end", every_file(lambda raw: raw.rstrip(b"\n"))),
        ("headers only", header_only),
        ("no child files", both(*(whole(file, None) for file in dictionary.CHILD_FILES))),
        (
            "no optional column",
            whole("tops.csv", b"agency_code,client_id,episode_id,TOPID\nE1001,101,1,o1\n"),
        ),
        ("the same again", both()),
    ]
    cases = [Case(name, spoil, outcome="loaded", first=name == "the same again") for name, spoil in forms]
    # The contract does not say how long a text may be: loaded, or refused by name, but never a traceback.
    cases.append(cell("clients.csv", 4, "address_line_1", "x" * 200_000, outcome="either"))
    cases.append(cell("registrations.csv", 4, "reference", "x" * 200_000, outcome="either"))
    cases.append(cell("tops.csv", 3, "ALCUSE", "9" * 30, outcome="either"))
    return cases + merely_wrong


def _at_once():
    """Problems of every kind in every file must be reported together."""
    parts = [
        cell("clients.csv", 5, "date_of_birth", "31/12/2020"),
        cell("episodes.csv", 3, "TRIAGED", "2026-02-30"),
        cell("episodes.csv", 4, "DRUG1AGE", "abc"),
        cell("consents.csv", 6, "decision", "X"),
        cell("interventions.csv", 3, "REFMODDT", "soon"),
        cell("reviews.csv", 3, "episode_id", "77", columns=dictionary.EPISODE_KEY),
        cell("tops.csv", 2, "ALCUSE", "many"),
    ]
    expected = tuple(part.expected[0] for part in parts)
    spoil = both(
        *(part.spoil for part in parts), append("time_in_treatment.csv", "E1001,101,1,t1,2025-01-20,1\n")
    )
    return [Case("many problems at once", spoil, (*expected, Expected("time_in_treatment.csv", 4, None)))]


CASES = [
    *_wrong_types(),
    *_headers(),
    *_references(),
    *_duplicates(),
    *_bytes(),
    *_lines(),
    *_moves(),
    *_fine(),
    *_at_once(),
    garbage(100_000),
    garbage(100_000, head=(GOOD["episodes.csv"].split("\n")[0] + "\n").encode()),
    wide_line(300_000),
    many_bad_lines(300),
]
