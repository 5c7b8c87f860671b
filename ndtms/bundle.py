"""The caseload bundle: a folder of CSV files that a provider brings from another system (contract section 2).

Reads and checks the shape, line by line, with all problems found at once; it knows no database. What is merely wrong by NDTMS rules is no
problem here: migration must not lose it.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from caseload.dataset.reader import DATASETS, LIST_OF_ENTITY, Item, load_dictionary
from caseload.models import ClientItems
from caseload.record import DERIVED, EPISODE_ENTITIES, place_of

EPISODE_KEY = ("agency_code", "client_id", "episode_id")
LONGEST_LINE = 4_000_000
# Of a cell, in characters: what is longer is a quote that was never closed. The csv module's own limit would lose long notes.
LONGEST_CELL = 1_000_000
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
# Identifiers stand in indexes, which hold no more than some 2,700 bytes.
LONGEST_IDENTIFIER = 500
LONGEST_NAME = 200
# An agency code stands in file names and on the trail.
AGENCY_CODE = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,19}$"
MOST_PROBLEMS = 1_000_000
CLIENT_COLUMNS = (
    "client_key",
    "nhs_number",
    "title",
    "forename",
    "surname",
    "date_of_birth",
    "sex",
    "ethnicity",
    "nationality",
    "religion",
    "sexual_orientation",
    "disability_1",
    "disability_2",
    "disability_3",
    "veteran",
    "address_line_1",
    "address_line_2",
    "town",
    "postcode",
    "phone",
    "email",
)
_CLIENT_COLUMN = {"VETERAN": "veteran"}
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Check = Callable[[str], str]


@dataclass(frozen=True)
class FileSpec:
    """A file of the bundle: its columns in our order, which must be there and filled, and what is checked of the others."""

    name: str
    columns: tuple[str, ...]
    filled: tuple[str, ...]
    checks: Mapping[str, Check]
    needed: bool = True

    @property
    def table(self) -> str:
        """The temporary table that its lines are copied to."""
        return "load_" + self.name.removesuffix(".csv")


@dataclass
class Problems:
    """Everything that stops a load, as `file:line: column: problem`, in the order found."""

    found: list[tuple[str, int, str, str]] = field(default_factory=list)
    more: int = 0

    def add(self, file: str, line: int, column: str, words: str) -> None:
        """Note one problem, on one line; past a million only counted."""
        if len(self.found) < MOST_PROBLEMS:
            self.found.append((file, line, column, words if words.isprintable() else _on_one_line(words)))
        else:
            self.more += 1

    def by_place(self) -> list[tuple[str, int, str, str]]:
        """(file, line, column, words) in the order of the files and lines."""
        order = {spec.name: place for place, spec in enumerate(file_specs())}
        return sorted(self.found, key=lambda p: (order.get(p[0], -1), p[1]))

    def lines(self) -> list[str]:
        """As they are printed, by file and line."""
        printed = [f"{file}:{line}: {column}: {words}" for file, line, column, words in self.by_place()]
        return printed + ([f"and {self.more} more problems, not listed"] if self.more else [])

    def __bool__(self) -> bool:
        return bool(self.found)


def _on_one_line(text: str) -> str:
    """A text from a file as it can stand in a line of output."""
    return "".join(c if c.isprintable() else "?" for c in text)


def check_date(value: str) -> str:
    """'' or what is wrong with an ISO date."""
    if _ISO_DATE.fullmatch(value):
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            return f"'{value[:40]}' is not a date of the calendar"
        return ""
    return f"'{value[:40]}' is not a date: write it as yyyy-mm-dd"


def check_number(value: str) -> str:
    """'' or what is wrong with a whole number."""
    return "" if _WHOLE_NUMBER.fullmatch(value) else f"'{value[:40]}' is not a whole number"


def check_answer(value: str) -> str:
    """'' or what is wrong with a number of an outcome form, where NA is asked and not answered."""
    return (
        ""
        if value == "NA" or _WHOLE_NUMBER.fullmatch(value)
        else f"'{value[:40]}' is not a whole number or NA"
    )


def check_length(most: int) -> Check:
    """A check for a text that has an end."""
    return lambda value: "" if len(value) <= most else f"is longer than {most} characters"


def check_one_of(*allowed: str) -> Check:
    """A check for a closed list."""
    return lambda value: "" if value in allowed else f"'{value[:40]}' is not one of {', '.join(allowed)}"


@lru_cache(maxsize=1)
def file_specs() -> tuple[FileSpec, ...]:
    """The files of a bundle, parents first; the item columns come from the dictionary."""
    dictionary = load_dictionary()
    whole = {"date": check_date, "int": check_number}
    of_client = {column: item for column, item in client_items().items() if column not in CLIENT_COLUMNS}
    episode_items = [
        i for i in dictionary.items if i.entity in EPISODE_ENTITIES and i.name not in {*DERIVED, "EPISODID"}
    ]
    specs = [
        FileSpec(
            "services.csv",
            ("agency_code", "name", "organisation", "dataset"),
            ("agency_code", "organisation", "dataset"),
            {"dataset": check_one_of(*DATASETS), "name": check_length(LONGEST_NAME)},
        ),
        FileSpec(
            "clients.csv",
            (*CLIENT_COLUMNS, *of_client),
            ("client_key",),
            {"date_of_birth": check_date}
            | {column: whole[item.type] for column, item in of_client.items() if item.type in whole},
        ),
        FileSpec(
            "registrations.csv",
            ("client_key", "agency_code", "client_id", "reference"),
            ("client_key", "agency_code", "client_id"),
            {},
        ),
        FileSpec(
            "episodes.csv",
            (*EPISODE_KEY, *(i.name for i in episode_items)),
            EPISODE_KEY,
            {i.name: whole[i.type] for i in episode_items if i.type in whole},
        ),
        FileSpec(
            "consents.csv",
            (*EPISODE_KEY, "decision", "decided_on", "method"),
            (*EPISODE_KEY, "decision", "decided_on", "method"),
            {
                "decision": check_one_of("Y", "N"),
                "decided_on": check_date,
                "method": check_one_of("oral", "written"),
            },
        ),
    ]
    for entity, list_name in LIST_OF_ENTITY.items():
        items = [i for i in dictionary.items if i.entity == entity]
        number = check_answer if entity == "top" else check_number
        specs.append(
            FileSpec(
                f"{list_name}.csv",
                (*EPISODE_KEY, *(i.name for i in items)),
                (*EPISODE_KEY, _identifier(entity)),
                {i.name: check_date if i.type == "date" else number for i in items if i.type in whole},
                needed=False,
            )
        )
    return tuple(specs)


@lru_cache(maxsize=1)
def client_items() -> Mapping[str, Item]:
    """The items of the client that are no columns of the record, by column of clients.csv: a new one comes under its own header."""
    items = [i for i in load_dictionary().items if i.entity == "client" and place_of(i).model is ClientItems]
    return {_CLIENT_COLUMN.get(item.name, item.name): item for item in items}


def _identifier(entity: str) -> str:
    from caseload.dataset.reader import CHILD_LISTS

    return next(child.id_item for child in CHILD_LISTS if child.entity == entity)


def read_file(
    spec: FileSpec,
    path: Path,
    problems: Problems,
    start: Callable[[Sequence[str]], Callable[[int, list[str]], None]],
) -> str:
    """Read one file. `start(headers)` gets the known columns that are there and gives what takes each line: (line number, values).

    A line with a wrong type is reported and still handed on, the wrong values emptied, so that what else is wrong with it is found too.
    Returns the SHA-256 of the file.
    """
    digest = hashlib.sha256()
    try:
        opened = path.open("rb")
    except OSError as problem:
        problems.add(spec.name, 1, "", f"the file cannot be read: {problem.strerror}")
        return digest.hexdigest()
    with opened as file:
        lines = _Lines(spec.name, file, problems, digest)
        reader = csv.reader(lines, strict=True)
        header = _next_record(spec, reader, problems)
        if header is None:
            problems.add(
                spec.name,
                1,
                "",
                "the file is empty: it needs a header row, or leave the file out if it may be absent",
            )
            return digest.hexdigest()
        places = _places(spec, header[1], problems)
        take = start([name for name, _ in places])
        _read_rows(spec, reader, lines, len(header[1]), places, problems, take)
    return digest.hexdigest()


class _Lines:
    """The lines of a file as text; what is not UTF-8 is reported and replaced, so that reading goes on."""

    def __init__(self, name: str, file: object, problems: Problems, digest: object) -> None:
        self._name = name
        self._file = file
        self._problems = problems
        self._digest = digest
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        update = self._digest.update  # type: ignore[attr-defined]  # a hashlib object
        read = self._file.readline  # type: ignore[attr-defined]  # a binary file
        while raw := read(LONGEST_LINE):
            self.number += 1
            update(raw)
            if self.number == 1 and raw.startswith(codecs.BOM_UTF8):
                raw = raw[3:]
            if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                self._problems.add(
                    self._name, self.number, "", f"the line is longer than {LONGEST_LINE:,} bytes"
                )
                while len(rest := read(LONGEST_LINE)) == LONGEST_LINE and not rest.endswith(b"\n"):
                    update(rest)
                update(rest)
                raw = b"\n"
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as bad:
                text = raw.decode("utf-8", errors="replace")
                where = f"byte {bad.start + 1} of the line"
                self._problems.add(
                    self._name, self.number, "", f"not UTF-8 ({where}): save the file as UTF-8"
                )
            yield text


def _next_record(spec: FileSpec, reader: object, problems: Problems) -> tuple[int, list[str]] | None:
    """The next record that is not blank, with the line it starts on; a record that cannot be read is reported and passed over."""
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]  # a csv reader
        try:
            record = next(reader)  # type: ignore[call-overload]  # a csv reader
        except StopIteration:
            return None
        except csv.Error as bad:
            problems.add(spec.name, line, "", f"the line cannot be read as CSV: {bad}")
            continue
        if record:
            return line, record


def _places(spec: FileSpec, header: list[str], problems: Problems) -> list[tuple[str, int]]:
    """The known columns and where they stand."""
    places: dict[str, int] = {}
    known = set(spec.columns)
    for place, name in enumerate(header):
        shown = _on_one_line(name[:60]).replace(":", "?")
        if name in places:
            problems.add(spec.name, 1, shown, "the column stands twice in the header")
        elif name not in known:
            problems.add(spec.name, 1, shown, "unknown column: use the headers of the data dictionary")
        else:
            places[name] = place
    for name in spec.filled:
        if name not in places:
            problems.add(spec.name, 1, name, "the column is missing from the header")
    return list(places.items())


def _read_rows(
    spec: FileSpec,
    reader: object,
    lines: _Lines,
    width: int,
    places: list[tuple[str, int]],
    problems: Problems,
    take: Callable[[int, list[str]], None],
) -> None:
    columns = [place for _, place in places]
    in_order = columns == list(range(width))
    filled = [(name, place) for name, place in places if name in spec.filled]
    # What was found right once is not checked again: dates and numbers repeat.
    checks = [(name, place, spec.checks[name], {""}) for name, place in places if name in spec.checks]
    while (found := _next_record(spec, reader, problems)) is not None:
        line, record = found
        if len(record) != width:
            problems.add(spec.name, line, "", f"{len(record)} values where the header has {width}")
            continue
        for name, place in filled:
            if not record[place]:
                problems.add(spec.name, line, name, "is empty")
        for name, place, check, right in checks:
            value = record[place]
            if value not in right:
                wrong = check(value)
                if wrong:
                    problems.add(spec.name, line, name, wrong)
                    record[place] = ""
                elif len(right) < 100_000:
                    right.add(value)
        if "\0" in "".join(record):
            for name, place in places:
                if "\0" in record[place]:
                    problems.add(spec.name, line, name, "holds a NUL character")
                    record[place] = record[place].replace("\0", "")
        take(line, record if in_order else [record[place] for place in columns])
