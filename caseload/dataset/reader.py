"""The dictionary of the NDTMS data sets, read once from the files in `data/` (contract section 1).

A new letter needs no change here: add `letters-S.csv`, `fields-S.csv`, `reference-S.csv` or `settings-S.csv` beside
the files they extend, and their checksums. A row with the key of an earlier row replaces it in its place; other rows
are appended. Keys: `letter`; `name`; `list`, `code`, `label` and `valid_from_dataset`; `name`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

DATA_FOLDER = Path(__file__).resolve().parent / "data"
CHECKSUM_FILE = "CHECKSUMS"
DATASETS = ("adult", "yp", "cjit")
ITEM_TYPES = frozenset({"text", "date", "code", "flag", "int"})
_KEYS = {
    "letters": ("letter",),
    "fields": ("name",),
    "reference": ("list", "code", "label", "valid_from_dataset"),
    "settings": ("name",),
    "validation": ("rule",),
}


class DatasetError(ValueError):
    """What was asked of the dictionary is not in it, or a data file cannot be read; the message says which."""


class UnknownLetter(DatasetError):
    """The data set letter is not in the dictionary."""


class UnknownDataset(DatasetError):
    """The data set is not one of `DATASETS`."""


class UnknownItem(DatasetError):
    """No item of the dictionary has this CSV header."""


class UnknownList(DatasetError):
    """No code list of the dictionary has this name."""


class DataFileError(DatasetError):
    """A data file is absent, malformed or not the one its checksum names."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of fields.csv. `max_length` counts characters, None when not established; texts are '' when silent."""

    name: str
    entity: str
    category: str
    label: str
    type: str
    max_length: int | None
    format: str
    code_list: str
    in_adult: bool
    in_yp: bool
    in_cjit: bool
    introduced: str
    retired: str
    required_when: str
    source: str
    confidence: str

    def is_in(self, dataset: str) -> bool:
        """Whether the data set has the item in any letter. Raises UnknownDataset."""
        return {"adult": self.in_adult, "yp": self.in_yp, "cjit": self.in_cjit}[check_dataset(dataset)]


@dataclass(frozen=True, slots=True)
class Letter:
    """A data set letter. `in_force_from` is None when no source gives a date; `note` says how sure the date is."""

    letter: str
    in_force_from: date | None
    note: str


@dataclass(frozen=True, slots=True)
class ChildList:
    """A list that hangs from the episode: its name in a record, its entity, and the items that order it (section 5)."""

    name: str
    entity: str
    date_item: str
    id_item: str


# The names are those of the bundle's files (contract section 2); the order is that of the extract's columns.
CHILD_LISTS = (
    ChildList("interventions", "intervention", "MODST", "MODID"),
    ChildList("reviews", "sub_intervention_review", "SUBMODDT", "SUBMID"),
    ChildList("time_in_treatment", "time_in_treatment", "TITDATE", "TITID"),
    ChildList("tops", "top", "TOPDATE", "TOPID"),
    ChildList("client_information_reviews", "client_information_review", "CIRDATE", "CIRID"),
)
LIST_OF_ENTITY: Mapping[str, str] = MappingProxyType({child.entity: child.name for child in CHILD_LISTS})


@dataclass(frozen=True, slots=True)
class Code:
    """One row of reference.csv. Without a code it is a gap: something is known to be there that no source gives."""

    code: str
    label: str
    valid_from: str
    valid_to: str
    source: str
    confidence: str


def check_dataset(dataset: str) -> str:
    """The data set name itself, or UnknownDataset."""
    if dataset not in DATASETS:
        raise UnknownDataset(f"unknown data set {dataset!r}: use {', '.join(DATASETS)}")
    return dataset


class Dictionary:
    """Items, letters, code lists and settings. Immutable; make one with `load_dictionary`."""

    def __init__(
        self,
        items: tuple[Item, ...],
        letters: tuple[Letter, ...],
        codes: Mapping[str, tuple[Code, ...]],
        settings: Mapping[str, str],
    ) -> None:
        self.items = items
        self.letters = tuple(letter.letter for letter in letters)
        self._letters = {letter.letter: letter for letter in letters}
        self._order = {letter: place for place, letter in enumerate(self.letters)}
        self._items = {item.name: item for item in items}
        self._codes = dict(codes)
        self._settings = dict(settings)
        self._columns: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._valid: dict[tuple[str, str], Mapping[str, str]] = {}
        self._check()

    def item(self, name: str) -> Item:
        """The item with this CSV header. Raises UnknownItem."""
        try:
            return self._items[name]
        except KeyError:
            raise UnknownItem(f"unknown item {name!r}") from None

    def letter(self, letter: str) -> Letter:
        """When a letter came into force and how sure that is. Raises UnknownLetter."""
        self.letter_position(letter)
        return self._letters[letter]

    def letter_position(self, letter: str) -> int:
        """Place of the letter in the order of the data sets, from 0; there is no letter I. Raises UnknownLetter."""
        try:
            return self._order[letter]
        except KeyError:
            raise UnknownLetter(
                f"unknown data set letter {letter!r}: use {', '.join(self.letters)}"
            ) from None

    @property
    def default_letter(self) -> str:
        """The letter of a service that has none set."""
        return self.setting("default_letter")

    def setting(self, name: str) -> str:
        """A decision of the contract that is data (settings.csv), as text. Raises DatasetError."""
        try:
            return self._settings[name]
        except KeyError:
            raise DatasetError(f"unknown setting {name!r}") from None

    def setting_number(self, name: str) -> int:
        """The same as a whole number. Raises DatasetError."""
        text = self.setting(name)
        if not (text.isascii() and text.isdigit()):
            raise DatasetError(f"setting {name!r} is not a whole number: {text!r}")
        return int(text)

    def columns(self, dataset: str, letter: str) -> tuple[Item, ...]:
        """The columns of a data set in file order (contract section 1). Raises UnknownDataset, UnknownLetter.

        An item is in when its data set flag is 1, it was introduced in or before the letter (`<=H` counts as always:
        no source says when), and it is not retired in or before the letter.
        """
        check_dataset(dataset)
        place = self.letter_position(letter)
        key = (dataset, letter)
        if key not in self._columns:
            self._columns[key] = tuple(
                item
                for item in self.items
                if item.is_in(dataset)
                and self._first_place(item.introduced) <= place
                and not (item.retired and self._first_place(item.retired) <= place)
            )
        return self._columns[key]

    @property
    def code_lists(self) -> tuple[str, ...]:
        """Names of all code lists, in file order."""
        return tuple(self._codes)

    def codes(self, list_name: str, letter: str) -> Mapping[str, str]:
        """Code to label, for the codes valid in the letter, in file order. Raises UnknownList, UnknownLetter.

        Empty when no code is known: see `list_is_established` before a value is called wrong.
        """
        place = self.letter_position(letter)
        rows = self._rows_of(list_name)
        key = (list_name, letter)
        if key not in self._valid:
            self._valid[key] = MappingProxyType(
                {row.code: row.label for row in rows if row.code and self._is_valid(row, place)}
            )
        return self._valid[key]

    def code_rows(self, list_name: str) -> tuple[Code, ...]:
        """Every row of a code list in any letter, in file order, gaps too. Raises UnknownList."""
        return self._rows_of(list_name)

    def list_is_established(self, list_name: str) -> bool:
        """Whether any code of the list is known, in any letter. An unknown list never condemns a value."""
        return any(row.code for row in self._rows_of(list_name))

    def list_has_gaps(self, list_name: str, letter: str) -> bool:
        """Whether the list is known to hold further codes in the letter that no source gives (rows without a code)."""
        place = self.letter_position(letter)
        return any(not row.code and self._is_valid(row, place) for row in self._rows_of(list_name))

    def _rows_of(self, list_name: str) -> tuple[Code, ...]:
        try:
            return self._codes[list_name]
        except KeyError:
            raise UnknownList(f"unknown code list {list_name!r}") from None

    def _is_valid(self, row: Code, place: int) -> bool:
        starts = not row.valid_from or self._first_place(row.valid_from) <= place
        return starts and (not row.valid_to or place <= self._first_place(row.valid_to))

    def _first_place(self, letter: str) -> int:
        """Position of a letter as written in a data file; `<=H` stands before all of them."""
        return -1 if letter.startswith("<=") else self.letter_position(letter)

    def _check(self) -> None:
        """Refuse a dictionary that contradicts itself, naming the row. Raises DataFileError."""
        where = "settings"
        try:
            self.letter_position(self.default_letter)
            for item in self.items:
                where = f"item {item.name}"
                if item.type not in ITEM_TYPES:
                    raise DatasetError(f"unknown type {item.type!r}")
                for letter in filter(None, (item.introduced, item.retired)):
                    self._first_place(letter)
                if item.code_list:
                    self._rows_of(item.code_list)
            for list_name, rows in self._codes.items():
                where = f"code list {list_name}"
                for row in rows:
                    for letter in filter(None, (row.valid_from, row.valid_to)):
                        self._first_place(letter)
        except DatasetError as problem:
            raise DataFileError(f"{where}: {problem}") from problem


@lru_cache(maxsize=4)
def load_dictionary(folder: Path = DATA_FOLDER) -> Dictionary:
    """The dictionary of a data folder, read once per process. Raises DataFileError."""
    fields = read_rows(folder, "fields")
    reference = read_rows(folder, "reference")
    codes: dict[str, list[Code]] = {}
    for row in reference:
        code = Code(
            row["code"],
            row["label"],
            row["valid_from_dataset"],
            row["valid_to_dataset"],
            row["source"],
            row["confidence"],
        )
        codes.setdefault(row["list"], []).append(code)
    try:
        return Dictionary(
            items=tuple(_item(row) for row in fields),
            letters=tuple(_letter(row) for row in read_rows(folder, "letters")),
            codes={name: tuple(rows) for name, rows in codes.items()},
            settings={row["name"]: row["value"] for row in read_rows(folder, "settings")},
        )
    except DataFileError:
        raise
    except (KeyError, ValueError) as problem:
        raise DataFileError(f"data set files in {folder}: {problem}") from problem


def checksum_problems(folder: Path = DATA_FOLDER) -> tuple[str, ...]:
    """One line for every data file that is missing, changed or not listed in CHECKSUMS; empty when all is well.

    CHECKSUMS has the form of `sha256sum *.csv`, so that the operator can check and renew it with that command.
    """
    listed: dict[str, str] = {}
    try:
        lines = (folder / CHECKSUM_FILE).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        return (f"{CHECKSUM_FILE}: cannot be read: {problem}",)
    for line in lines:
        digest, _, name = line.partition("  ")
        listed[name] = digest
    problems = []
    for name in sorted(listed.keys() | {path.name for path in folder.glob("*.csv")}):
        if name not in listed:
            problems.append(f"{name}: not listed in {CHECKSUM_FILE}")
        elif not (folder / name).is_file():
            problems.append(f"{name}: missing")
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != listed[name]:
            problems.append(f"{name}: changed since its checksum was written")
    return tuple(problems)


def _letter(row: Mapping[str, str]) -> Letter:
    starts = row["in_force_from"]
    return Letter(row["letter"], date.fromisoformat(starts) if starts else None, row["note"])


def _item(row: Mapping[str, str]) -> Item:
    flags = {name: row[name] for name in ("in_adult", "in_yp", "in_cjit")}
    if not set(flags.values()) <= {"0", "1"}:
        raise DataFileError(f"fields: item {row['name']}: in_adult, in_yp and in_cjit must be 0 or 1")
    return Item(
        name=row["name"],
        entity=row["entity"],
        category=row["category"],
        label=row["label"],
        type=row["type"],
        max_length=int(row["max_length"]) if row["max_length"] else None,
        format=row["format"],
        code_list=row["reference_list"],
        in_adult=flags["in_adult"] == "1",
        in_yp=flags["in_yp"] == "1",
        in_cjit=flags["in_cjit"] == "1",
        introduced=row["introduced"],
        retired=row["retired"],
        required_when=row["required_when"],
        source=row["source"],
        confidence=row["confidence"],
    )


def read_rows(folder: Path, stem: str) -> list[dict[str, str]]:
    """Rows of `stem.csv` and of the files that extend it, `stem-*.csv`, in file name order. Raises DataFileError."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for path in [folder / f"{stem}.csv", *sorted(folder.glob(f"{stem}-*.csv"))]:
        seen: set[tuple[str, ...]] = set()
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file, strict=True):
                    if None in row or None in row.values():
                        raise DataFileError(
                            f"{path.name}: a row has more or fewer fields than the header: {row}"
                        )
                    key = tuple(row[column] for column in _KEYS[stem])
                    if key in seen:
                        raise DataFileError(f"{path.name}: {', '.join(key)} is there twice")
                    seen.add(key)
                    rows[key] = row
        except (OSError, UnicodeDecodeError, csv.Error, KeyError) as problem:
            raise DataFileError(f"{path.name}: cannot be read: {problem}") from problem
    return list(rows.values())
