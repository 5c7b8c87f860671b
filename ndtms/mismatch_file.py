"""The list of mismatches that the receiving system returns, as a CSV (docs/mismatch-file.md): read as a whole or not at all. Pure.

What it looks like at NDTMS is not established: this is the form in which it is brought in; confirm against the technical definition.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass

from ndtms.choices import MismatchKind

COLUMNS = ("agency_code", "client_id", "episode_id", "kind")
MOST_BYTES = 5_000_000
MOST_LINES = 50_000
LONGEST_CELL = 100
# Of so many every one is told; more would help nobody.
MOST_PROBLEMS = 200


class BadMismatchFile(ValueError):
    """It cannot be taken in. `lines` are the problems as `file:line: column: problem`."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class MismatchLine:
    """A line: its number in the file (the heading is 1), and what it names."""

    line: int
    client_id: str
    episode_id: str
    kind: str


def read(raw: bytes, *, name: str, agency_code: str) -> list[MismatchLine]:
    """The lines of a list for one agency code. Raises BadMismatchFile with every problem (the first 200)."""
    if len(raw) > MOST_BYTES:
        raise BadMismatchFile(
            [f"{name}: larger than {MOST_BYTES // 1_000_000} MB. Send one agency code at a time"]
        )
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as bad:
        line = raw[: bad.start].count(b"\n") + 1
        raise BadMismatchFile([f"{name}:{line}: not UTF-8. Save it as CSV UTF-8 and send it again"]) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadMismatchFile([f"{name}:{line}: holds a zero byte, so it is no CSV. Save it as CSV UTF-8"])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[str] = []
    found: list[MismatchLine] = []
    try:
        heading = next(reader, [])
        problems += _heading(name, heading)
        if problems:
            raise BadMismatchFile(problems)
        places = {column: heading.index(column) for column in COLUMNS}
        seen: dict[tuple[str, ...], int] = {}
        for cells in reader:
            at = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(problems) >= MOST_PROBLEMS:
                break
            if len(found) >= MOST_LINES:
                problems.append(
                    f"{name}:{at}: more than {MOST_LINES:,} lines. Send one agency code at a time"
                )
                break
            if len(cells) != len(heading):
                problems.append(
                    f"{name}:{at}: {len(cells)} cells where the heading has {len(heading)}. Quote a cell that holds a comma"
                )
                continue
            values = {column: cells[place].strip() for column, place in places.items()}
            wrong = _cells(name, at, values, agency_code)
            key = tuple(values.values())
            if not wrong and key in seen:
                wrong = [f"{name}:{at}: the same as line {seen[key]}. Take one of them out"]
            problems += wrong
            seen.setdefault(key, at)
            found.append(MismatchLine(at, values["client_id"], values["episode_id"], values["kind"]))
    except csv.Error as bad:
        problems.append(f"{name}:{reader.line_num}: no CSV ({bad}). Close the quotes of the line before")
    if problems:
        raise BadMismatchFile(problems[:MOST_PROBLEMS])
    return found


def _heading(name: str, heading: list[str]) -> list[str]:
    wanted = ", ".join(COLUMNS)
    problems = [
        f"{name}:1: {column}: stands twice in the heading. Take one of the columns out"
        for column in sorted({c for c in heading if heading.count(c) > 1})
    ]
    problems += [
        f"{name}:1: {c}: is missing in the heading. It is {wanted}" for c in COLUMNS if c not in heading
    ]
    problems += [
        f"{name}:1: {column or '(empty)'}: is not known. The heading is {wanted}"
        for column in dict.fromkeys(heading)
        if column not in COLUMNS
    ]
    return problems


def _cells(name: str, at: int, values: dict[str, str], agency_code: str) -> list[str]:
    problems = [
        f"{name}:{at}: {column}: is empty. Fill it in as NDTMS gave it"
        for column, v in values.items()
        if not v
    ]
    problems += [
        f"{name}:{at}: {column}: longer than {LONGEST_CELL} characters. Check that the line is whole"
        for column, v in values.items()
        if len(v) > LONGEST_CELL
    ]
    code, kind = values["agency_code"], values["kind"]
    if code and len(code) <= LONGEST_CELL and code != agency_code:
        problems.append(
            f"{name}:{at}: agency_code: {code} is another agency code than {agency_code}, for which you send the list. "
            "Choose that one, or take the line out"
        )
    if kind and len(kind) <= LONGEST_CELL and kind not in MismatchKind.values:
        problems.append(
            f"{name}:{at}: kind: {kind} is not known. It is one of {', '.join(MismatchKind.values)}"
        )
    return problems
