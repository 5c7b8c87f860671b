"""CSV for people to open in a spreadsheet: UTF-8 with a byte order mark, CRLF, every cell quoted, and no cell that a spreadsheet would run
as a formula (threat 17). Files for NDTMS are not written here: their bytes are the collection's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
# What makes a spreadsheet calculate, in any width: full-width forms are folded first.
_STARTS = ("=", "+", "-", "@")
# In front of it a spreadsheet passes over these; so does who pastes a cell.
_PASSED_OVER = re.compile(r"^[\s\"'`\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x1f]+")
_BREAKS = re.compile(r"[\r\n\t\v\f\x1c-\x1f\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


@dataclass(frozen=True)
class Written:
    """A file as it leaves: its bytes, how many lines without the heading, and its SHA-256 in hex."""

    content: bytes
    lines: int
    sha256: str


def neutral(value: Any) -> str:
    """A cell as text. One that would begin as a formula gets an apostrophe in front, which a spreadsheet takes for "this is text".

    Line breaks and tabs become a blank and other control characters go, so that a cell cannot end its line and begin another one.
    """
    text = _CONTROLS.sub("", _BREAKS.sub(" ", "" if value is None else str(value)))
    begins = unicodedata.normalize("NFKC", _PASSED_OVER.sub("", text)[:1])
    return f"'{text}" if begins.startswith(_STARTS) else text


def write(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Written:
    """Heading and rows as one file, in memory: nothing of it is ever on a disk."""
    file = io.StringIO(newline="")
    file.write(BYTE_ORDER_MARK)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([neutral(cell) for cell in heading])
    lines = 0
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
        lines += 1
    content = file.getvalue().encode("utf-8", "replace")
    return Written(content, lines, hashlib.sha256(content).hexdigest())
