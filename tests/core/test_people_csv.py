"""CSV for people: nothing in it runs as a formula, whatever stood in the field (T17)."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest

from edatrs.core import people_csv

HEADS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹣")
BODIES = ("1+1", 'cmd|"/c calc"!A1', 'HYPERLINK("http://x.example","y")', "SUM(A1:A9)")
BEFORE = ("", " ", "\t", "\r", "\n", "\r\n", '"', "'\t", "\u00a0", "\u200b", "\ufeff", "\x00")
PAYLOADS = [before + head + body for before in BEFORE for head in HEADS for body in BODIES]


def read(content: bytes) -> list[list[str]]:
    """As a spreadsheet reads it."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def runs(cell: str) -> bool:
    """Whether a spreadsheet, or who pastes the cell, could take it for a formula; written anew here, not the writer's own rule."""
    return cell.strip(' \t\r\n"\u00a0\u200b\ufeff\x00')[:1] in set(HEADS)


def test_no_cell_begins_as_a_formula() -> None:
    written = people_csv.write(["=Heading", "Plain"], [[payload, "x"] for payload in PAYLOADS])
    rows = read(written.content)
    assert len(rows) == written.lines + 1 == len(PAYLOADS) + 1, "no cell ended its line"
    assert [cell for row in rows for cell in row if runs(cell)] == []
    assert written.sha256 == hashlib.sha256(written.content).hexdigest()
    print(f"{len(PAYLOADS)} payloads, 0 begin as a formula")


def test_the_check_finds_a_formula_where_the_writer_lets_one_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_csv, "neutral", lambda value: str(value))
    rows = read(people_csv.write(["a"], [["=1+1"], ["＝1"]]).content)
    assert [row[0] for row in rows if runs(row[0])] == ["=1+1", "＝1"]


@pytest.mark.parametrize(
    "text", ["Leanne", "O'Brien", "14", "", "N/A", "a=b", "10-12", "Æsa", "李", "07700 900001"]
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert read(people_csv.write(["a"], [[text, "x"]]).content)[1][0] == text


def test_nothing_is_an_empty_cell_and_numbers_are_written_in_digits() -> None:
    assert read(people_csv.write(["a", "b"], [[None, 14]]).content)[1] == ["", "14"]
