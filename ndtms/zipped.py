"""A bundle in a zip, as it comes through the browser: what may be in it, checked by what it really unpacks to, never by what it says.

Pure: bytes in, files or words out. Nothing is unpacked to a disk, so no name in it can lead anywhere.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ndtms.bundle import file_specs

_MEGABYTE = 1024 * 1024
# A whole partnership of 600,000 episodes is the operator's to load; one organisation's bundle is far below this.
MOST_UNPACKED = 100 * _MEGABYTE
MOST_ENTRIES = 50
# Lists of dates and codes shrink to a tenth or so. What shrinks to less than a hundredth was made to.
MOST_RATIO = 100
_RATIO_FROM = _MEGABYTE
_PIECE = 64 * 1024
_HEAD, _EMPTY = b"PK\x03\x04", b"PK\x05\x06"
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class BadZip(ValueError):
    """The upload cannot be read as a bundle; nothing of it was kept. `why` is a word for programs, `lines` say place and remedy."""

    def __init__(self, why: str, *lines: str) -> None:
        super().__init__(lines[0])
        self.why = why
        self.lines = list(lines)


@dataclass(frozen=True)
class ZippedFile:
    """One file of the zip, opened as often as it is asked for. Stands where a loader otherwise has a path."""

    raw: bytes
    name: str

    def open(self, mode: str = "rb") -> Any:
        """The unpacked bytes as a stream."""
        return io.BufferedReader(zipfile.ZipFile(io.BytesIO(self.raw)).open(self.name), _PIECE)


def files_of(raw: bytes) -> Mapping[str, ZippedFile]:
    """The files of a bundle by name. Raises BadZip with everything that is wrong with the entries."""
    archive = _opened(raw)
    entries = archive.infolist()
    if not entries:
        raise BadZip(
            "empty", "The zip holds no files. Put the CSV files of the bundle into it and send it again."
        )
    if len(entries) > MOST_ENTRIES:
        raise BadZip(
            "too_many",
            f"The zip holds {len(entries):,} files, and a bundle has at most {len(file_specs())}. "
            "Make a zip of the CSV files alone.",
        )
    problems = [found for entry in entries if (found := _problem(entry))]
    names = [entry.filename for entry in entries]
    problems += [
        ("twice", f"{_shown(name)} is in the zip twice. Leave one of them in it.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if problems:
        raise BadZip(problems[0][0], *(words for _, words in problems))
    _unpack(archive, entries, len(raw))
    return {entry.filename: ZippedFile(raw, entry.filename) for entry in entries}


def _opened(raw: bytes) -> zipfile.ZipFile:
    if raw.startswith(_EMPTY):
        raise BadZip(
            "empty", "The zip holds no files. Put the CSV files of the bundle into it and send it again."
        )
    if not raw.startswith(_HEAD):
        raise BadZip(
            "no_zip", "This is not a zip. Put the CSV files of the bundle into one zip and send that."
        )
    try:
        return zipfile.ZipFile(io.BytesIO(raw))
    except _DAMAGED:
        raise BadZip("damaged", "The zip is damaged or cut off. Make it again and send it again.") from None


def _shown(name: str) -> str:
    """A name from the zip as it can stand in a sentence."""
    text = "".join(c if c.isprintable() else "?" for c in name[:60])
    return f"{text}…" if len(name) > 60 else text or "A file without a name"


def _problem(entry: zipfile.ZipInfo) -> tuple[str, str] | None:
    """What is wrong with an entry by its name and its kind, or None."""
    name = entry.orig_filename
    shown = _shown(name)
    known = {spec.name for spec in file_specs()}
    if entry.flag_bits & _ENCRYPTED:
        return (
            "encrypted",
            f"{shown} is protected by a password. Make the zip without one; it is encrypted on its way and here.",
        )
    if (
        "\0" in name
        or "\\" in name
        or name.startswith("/")
        or ":" in name
        or ".." in PurePosixPath(name).parts
    ):
        return "name", f"{shown} has a name that leads out of the zip. Make a zip of the CSV files alone."
    mode = entry.external_attr >> 16
    if entry.create_system == 3 and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "no_file", f"{shown} is a link or a device, not a file. Put the file itself into the zip."
    if "/" in name:
        return (
            "folder",
            f"{shown} is in a folder. Mark the CSV files themselves, not their folder, and make a zip of them.",
        )
    if name not in known:
        return "unknown", (
            f"{shown} is not a file of a bundle. Take it out, or give it one of these names: {', '.join(sorted(known))}."
        )
    if entry.compress_type not in _METHODS:
        return "method", f"{shown} is packed in a way that is not read here. Make an ordinary zip."
    return None


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], size: int) -> None:
    """Read every entry to its end and count what comes out. Raises BadZip."""
    total = 0
    if sum(entry.compress_size for entry in entries) > size:
        raise BadZip("damaged", "The files in the zip overlap. Make it again with an ordinary program.")
    for entry in entries:
        come = 0
        try:
            with archive.open(entry) as stream:
                while piece := stream.read(_PIECE):
                    if come == 0 and piece.startswith((_HEAD, _EMPTY)):
                        raise BadZip(
                            "nested", f"{entry.filename} is itself a zip. Put the CSV file into the zip."
                        )
                    come += len(piece)
                    total += len(piece)
                    if total > MOST_UNPACKED:
                        raise BadZip(
                            "too_large",
                            f"The files are more than {MOST_UNPACKED // _MEGABYTE} MB together when unpacked ({entry.filename} passes it). "
                            "Split the bundle by service, or ask the operator to load it.",
                        )
                    if come > _RATIO_FROM and come > MOST_RATIO * max(entry.compress_size, 1):
                        raise BadZip(
                            "bomb",
                            f"{entry.filename} unpacks to far more than lists of people do. Export it again and make a new zip.",
                        )
        except BadZip:
            raise
        except _DAMAGED:
            raise BadZip(
                "damaged", f"{entry.filename} in the zip is damaged. Make the zip again and send it again."
            ) from None
