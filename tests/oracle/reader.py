"""Reads a caseload bundle and finds every line that cannot be understood (contract section 2), naively."""

import contextlib
import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

from . import dictionary

SLUGS = (
    "eput-essex-stars",
    "forward-trust",
    "open-road",
    "phoenix-futures",
    "the-childrens-society",
    "peabody",
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
INT = re.compile(r"-?[0-9]+\Z")


class Problem(NamedTuple):
    """One line that stops the load; an empty column means the line or the file as a whole."""

    file: str
    line: int
    column: str
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.column}: {self.text}"


class BundleRefused(Exception):
    """A bundle with problems; nothing of it was loaded."""

    def __init__(self, problems):
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@contextlib.contextmanager
def _long_fields():
    """Lifts the csv module's field limit only here: it is global, and would hide the same limit in the product."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def read_records(path):
    """Records of one file as `(line, cells)`, where line is the physical line a record starts on, and problems."""
    name, raw = path.name, path.read_bytes()
    problems = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        if b"\0" in line:
            problems.append(Problem(name, number, "", "NUL byte"))
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(name, number, "", "not UTF-8"))
    if problems:
        return [], problems
    records, start = [], 1
    reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
    with _long_fields():
        try:
            for cells in reader:
                if cells:
                    records.append((start, cells))
                start = reader.line_num + 1
        except csv.Error as error:
            problems.append(Problem(name, start, "", str(error)))
    if not records and not problems:
        problems.append(Problem(name, 1, "", "the file is empty"))
    return records, problems


def _header_problems(name, header):
    allowed = dictionary.file_columns(name)
    for column in header:
        if column not in allowed:
            yield Problem(name, 1, column, "unknown column")
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield Problem(name, 1, column, "column given twice")
    for column in dictionary.required_columns(name):
        if column not in header:
            yield Problem(name, 1, column, "missing column")


def value_problem(name, column, value):
    """Why a cell that is not empty cannot be understood, or None."""
    kind = dictionary.value_type(name, column)
    if kind == "date":
        try:
            fine = bool(DATE.match(value)) and date.fromisoformat(value) is not None
        except ValueError:
            fine = False
        return None if fine else "not a date (yyyy-mm-dd)"
    if kind == "int" or (kind == "topint" and value != "NA"):
        return None if INT.match(value) else "not a whole number"
    choices = {
        "decision": ("Y", "N"),
        "method": ("oral", "written"),
        "dataset": dictionary.DATASETS,
        "organisation": SLUGS,
    }.get(column)
    return f"not one of {', '.join(choices)}" if choices and value not in choices else None


def read_file(path):
    """Rows of one file as `(line, dict)`, and its own problems (not those between files)."""
    name = path.name
    records, problems = read_records(path)
    if not records:
        return [], problems
    header = records[0][1]
    bad_header = list(_header_problems(name, header))
    problems += bad_header
    if any(problem.text != "unknown column" for problem in bad_header):
        return [], problems
    required = dictionary.required_columns(name)
    key, seen, rows = dictionary.KEYS[name], set(), []
    for line, cells in records[1:]:
        if len(cells) != len(header):
            problems.append(Problem(name, line, "", f"{len(cells)} cells for {len(header)} columns"))
            continue
        row = {
            column: value
            for column, value in zip(header, cells, strict=True)
            if column in dictionary.file_columns(name)
        }
        for column, value in row.items():
            if value == "":
                text = "missing" if column in required else None
            else:
                text = value_problem(name, column, value)
            if text:
                problems.append(Problem(name, line, column, text))
        identity = tuple(row[column] for column in key)
        if identity in seen and name != "consents.csv":
            problems.append(Problem(name, line, key[-1], "duplicate key"))
        seen.add(identity)
        rows.append((line, row))
    return rows, problems


def read_bundle(folder, held=None):
    """All rows by file and all problems of a bundle, given what is held already (an Oracle, or None)."""
    tables, problems = {}, []
    for name in dictionary.FILES:
        path = Path(folder) / name
        if path.exists():
            tables[name], found = read_file(path)
            problems += found
        elif name in dictionary.REQUIRED_FILES:
            problems.append(Problem(name, 1, "", "the file is missing"))
    problems += _between_files(tables, held)
    return tables, sorted(set(problems))


def _between_files(tables, held):
    """References, and lines that would move what is held already."""
    agencies = {row["agency_code"]: row["organisation"] for _, row in tables.get("services.csv", [])}
    people = {row["client_key"] for _, row in tables.get("clients.csv", [])}
    registrations = {(row["agency_code"], row["client_id"]) for _, row in tables.get("registrations.csv", [])}
    episodes = {tuple(row[k] for k in dictionary.EPISODE_KEY) for _, row in tables.get("episodes.csv", [])}
    owner = {}
    if held is not None:
        people |= set(held.clients)
        registrations |= set(held.registrations)
        episodes |= set(held.episodes)
        owner = {(agency, episode): client for agency, client, episode in held.episodes}
        for line, row in tables.get("services.csv", []):
            before = held.services.get(row["agency_code"])
            if before and before["organisation"] != row["organisation"]:
                yield Problem(
                    "services.csv", line, "organisation", "the service belongs to another organisation"
                )
        for line, row in tables.get("registrations.csv", []):
            before = held.registrations.get((row["agency_code"], row["client_id"]))
            if before and before["client_key"] != row["client_key"]:
                yield Problem("registrations.csv", line, "client_key", "the registration is another person's")
    known = set(agencies) | (set(held.services) if held is not None else set())
    for line, row in tables.get("registrations.csv", []):
        if row["agency_code"] not in known:
            yield Problem("registrations.csv", line, "agency_code", "unknown agency")
        if row["client_key"] not in people:
            yield Problem("registrations.csv", line, "client_key", "unknown person")
    for line, row in tables.get("episodes.csv", []):
        agency, client, episode = (row[k] for k in dictionary.EPISODE_KEY)
        if agency not in known:
            yield Problem("episodes.csv", line, "agency_code", "unknown agency")
        elif (agency, client) not in registrations:
            yield Problem("episodes.csv", line, "client_id", "unknown registration")
        if owner.setdefault((agency, episode), client) != client:
            yield Problem("episodes.csv", line, "episode_id", "the identifier is another client's episode")
    for name in ("consents.csv", *dictionary.CHILD_FILES):
        for line, row in tables.get(name, []):
            if tuple(row[k] for k in dictionary.EPISODE_KEY) not in episodes:
                yield Problem(name, line, "episode_id", "unknown episode")
