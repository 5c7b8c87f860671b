"""What a file looks like as bytes, and what it never holds."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edatrs.core import clock
from tests.ndtms import support
from tests.ndtms.support import TODAY, World, done
from tests.oracle.bad_bundles import good_bundle
from tests.oracle.generate import AGENCIES, random_bundle, read_tables, write_bundle
from tests.oracle.spoil import append

pytestmark = pytest.mark.django_db(transaction=True)
# Told apart from everything else that a bundle holds, in every column that says who or where somebody is.
CANARIES = {
    "nhs_number": "9434765919",
    "title": "Prebendary",
    "forename": "Quillonanary",
    "surname": "Zwxcanary",
    "address_line_1": "77 Canaryaddress Row",
    "address_line_2": "Canaryflat 9",
    "town": "Canarytown",
    "phone": "07700900987",
    "email": "canary.box@mail.example",
}
POSTCODES = [
    "CM1 9ZQ",
    "CM19ZQ",
    "cm1\u00a09zq",
    " CM1  9ZQ ",
    "CM1\t9ZQ",
    "cm1 9zq Chelmsford",
    "CM19ZQ Chelmsford",
]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        support.partnership()
        yield


def problems_of_bytes(raw: bytes) -> list[str]:
    """What in the bytes of a file is not RFC 4180, read byte by byte and by no CSV library."""
    found, quoted, at_start, place = [], False, True, 0
    if raw.startswith(b"\xef\xbb\xbf"):
        found.append("a byte order mark")
    if not raw.endswith(b"\r\n"):
        found.append("no line end at the end")
    while place < len(raw):
        byte = raw[place : place + 1]
        if quoted:
            if byte == b'"' and raw[place + 1 : place + 2] == b'"':
                place += 1
            elif byte == b'"':
                quoted = False
                if raw[place + 1 : place + 2] not in (b",", b"\r"):
                    found.append(f"{place}: text after a closing quote")
        elif byte == b'"':
            if not at_start:
                found.append(f"{place}: a quote inside an unquoted cell")
            quoted = True
        elif byte == b"\r":
            if raw[place + 1 : place + 2] != b"\n":
                found.append(f"{place}: a carriage return alone")
            place += 1
        elif byte == b"\n":
            found.append(f"{place}: a line feed alone")
        at_start = not quoted and byte in (b",", b"\r")
        place += 1
    return found + (["a quote that is never closed"] if quoted else [])


def test_the_reader_of_bytes_finds_what_is_wrong() -> None:
    assert problems_of_bytes(b'a,"b\r\n""c"\r\n') == []
    for wrong in (
        b"\xef\xbb\xbfa\r\n",
        b"a\n",
        b"a\rb\r\n",
        b'a"b\r\n',
        b'"a"b\r\n',
        b'"a\r\n',
        b"a\nb\r\n",
        b'a,"b"\n',
    ):
        assert problems_of_bytes(wrong)


def built(agency: str, dataset: str, tmp_path: Path, kind: str = "full") -> tuple[dict[str, Any], bytes]:
    """An extract, as the operator gets it."""
    target = tmp_path / f"{agency}-{kind}.csv"
    wish = ["--agency", agency, "--dataset", dataset, "--kind", kind, "--as-of", "2026-10-31"]
    return done("build_extract", *wish, "--output", str(target)), target.read_bytes()


def test_bytes_quotes_line_ends_hash_and_name(tmp_path: Path) -> None:
    World().load(random_bundle(tmp_path / "bundle", 8, people=80, quirks=True))
    quoted = 0
    for agency, _, dataset in AGENCIES:
        manifest, raw = built(agency, dataset, tmp_path)
        assert problems_of_bytes(raw) == []
        assert manifest["sha256"] == hashlib.sha256(raw).hexdigest()
        assert manifest["file"] == f"{agency}-00000000-20261031-TREAT-IN-Q.csv"
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) == manifest["rows"] + 1
        quoted += raw.count(b'""')
    assert quoted > 5, "cells that need quotes were there"


def test_a_withdrawal_row_has_three_cells(tmp_path: Path) -> None:
    folder = good_bundle(tmp_path / "bundle")
    for key in ("E1001,102,3", "E2001,102,1", "E3001,A7,1"):
        append("consents.csv", f"{key},N,2026-06-06,oral\n")(folder)
    done("import_caseload", str(folder))
    found = []
    for agency, dataset in (("E1001", "adult"), ("E2001", "yp"), ("E3001", "cjit")):
        _, raw = built(agency, dataset, tmp_path)
        for row in csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")):
            if row["CONSENT"] == "N":
                found.append({name: value for name, value in row.items() if value})
    assert found == [
        {"AGNCY": agency, "CLIENTID": client, "CONSENT": "N"}
        for agency, client in (("E1001", "101"), ("E1001", "102"), ("E2001", "102"), ("E3001", "A7"))
    ]


def test_nothing_that_says_who_somebody_is_ever_leaves(tmp_path: Path) -> None:
    """Canaries in the identity and contact of everybody, at all services, in every letter, sent and withdrawn."""
    folder = random_bundle(tmp_path / "random", 9, people=60, pc_column=True, plain=True)
    tables, columns = read_tables(folder)
    for number, row in enumerate(tables["clients.csv"]):
        row.update(CANARIES)
        row["postcode"] = POSTCODES[number % len(POSTCODES)]
    for number, row in enumerate(tables["episodes.csv"]):
        row["PC"] = ["", *POSTCODES][number % 8]
    write_bundle(tmp_path / "canaries", tables, columns)
    done("import_caseload", str(tmp_path / "canaries"))
    sent = withdrawn = 0
    for agency, _, dataset in AGENCIES:
        for letter in "KQR":
            target = tmp_path / "extract.csv"
            wish = [
                "--agency",
                agency,
                "--dataset",
                dataset,
                "--letter",
                letter,
                "--kind",
                "full",
                "--as-of",
                "2026-10-31",
            ]
            manifest = done("build_extract", *wish, "--output", str(target))
            sent, withdrawn = sent + manifest["episodes_sent"], withdrawn + manifest["withdrawn_clients"]
            text = target.read_text(encoding="utf-8")
            low = re.sub(r"[^a-z0-9@.]", "", text.lower())
            for value in CANARIES.values():
                for part in value.lower().split():
                    if len(part) > 3:
                        assert part not in text.lower()
            assert "9434765919" not in low and "canary" not in low
            assert "9zq" not in text.lower() and "chelmsford" not in text.lower()
            header, *rows = csv.reader(io.StringIO(text, newline=""))
            for name, allowed in (("FINITIAL", {"Q", ""}), ("SINITIAL", {"Z", ""}), ("PC", {"CM1", ""})):
                assert {row[header.index(name)] for row in rows} <= allowed
    assert sent > 100 and withdrawn > 20
