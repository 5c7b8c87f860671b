"""Building an extract: one REPEATABLE READ snapshot, streamed by COPY to a temporary file, fsynced, renamed, then published by commit.

A file without a published row is never downloadable; what a dead attempt leaves is removed by `remove_leftovers`.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from caseload.dataset.reader import load_dictionary
from edatrs.core.faults import kill_point
from ndtms import extract_query
from ndtms.extract_query import DATE_STYLES, ExtractPlan, Statement

log = logging.getLogger(__name__)
TEMPORARY = ".part"
LINE_ENDS = {"CRLF": b"\r\n", "LF": b"\n"}
# For each sort and hash of the extract: beyond it they go to disk, so that the memory of a build does not grow with its rows.
WORK_MEMORY = "32MB"
_FORGET = "DROP TABLE IF EXISTS pg_temp.extract_content"


class Attempt(NamedTuple):
    """Whose file it is: the submission, and the lease of the attempt that writes it."""

    submission: UUID
    token: UUID


@dataclass(frozen=True)
class Judged:
    """What became of the episodes of the service, in figures: how many there are, how many are held back, and those of the manifest.

    Figures only: which episodes they are stays in the database, so that memory does not grow with them.
    """

    episodes: int
    held_back: int
    counts: dict[str, int]

    @property
    def lines(self) -> int:
        """How many lines the file has, an episode's rows counted as one."""
        return self.counts["episodes_sent"] + self.counts["withdrawn_clients"]


@dataclass(frozen=True)
class BuiltFile:
    """A file on disk that is not published yet."""

    stored_as: str
    sha256: str
    size: int
    rows: int


def folder() -> Path:
    """Where extracts are kept; made when first needed, for this account alone."""
    settings.EXTRACT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(settings.EXTRACT_DIR)


def judge(plan: ExtractPlan) -> Judged:
    """Judge every episode of the service, in the open snapshot, line up what the file holds and make ready what will be published of it.

    Right after a first load PostgreSQL has no statistics, expects one row where there are 100,000, and would compare each with each of a
    materialised list: without that kind of node it must use an index or a hash.

    Call once a transaction; follow with `publish_content` in a later one of the same connection, and in any case with `forget_content`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('work_mem', %s, true), set_config('datestyle', %s, true), set_config('enable_material', 'off', true)",
            [WORK_MEMORY, _date_style()],
        )
        cursor.execute(*extract_query.judge(plan))
        cursor.execute(*extract_query.line_up())
        # The planner must know how many lines there are: the lists are joined to them.
        cursor.execute("ANALYZE extract_line")
        cursor.execute(_FORGET)
        cursor.execute(*extract_query.content(plan.agency_code))
        cursor.execute(*extract_query.counts())
        episodes, held_back, *figures = cursor.fetchone()
    kill_point("judged")
    return Judged(episodes, held_back, dict(zip(extract_query.FIGURES, figures, strict=True)))


def publish_content(*, organisation_id: UUID, submission_id: UUID) -> None:
    """Write what `judge` made ready: which episodes the file carries and removes, what is held back, and the preview."""
    with connection.cursor() as cursor:
        cursor.execute(*extract_query.publish_content(organisation_id, submission_id))


def forget_content() -> None:
    """Remove what `judge` made ready, published or not: a worker's connection lives on, and it names episodes."""
    if connection.connection is None:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET)
    except Error:
        # The connection is broken, and what was kept in it is gone with it.
        log.info("what an extract had made ready went with its connection")


def _date_style() -> str:
    return DATE_STYLES[load_dictionary().setting("date_format")]


def write(plan: ExtractPlan, *, name: str, on_line: Callable[[int], None]) -> BuiltFile:
    """Stream the file of a judged plan to `name` in the extract folder. `on_line` is told now and then which line it is at.

    Raises OSError (disk full, folder not writable) after removing what was half written.
    """
    target = folder() / name
    part = target.with_name(target.name + TEMPORARY)
    try:
        sha256, size, rows = _stream(extract_query.stream(plan), part, on_line)
        kill_point("fsynced")
        os.replace(part, target)
        _fsync_folder(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    kill_point("renamed")
    return BuiltFile(name, sha256, size, rows)


def _stream(statement: Statement, part: Path, on_line: Callable[[int], None]) -> tuple[str, int, int]:
    line_end = LINE_ENDS[load_dictionary().setting("line_end")]
    digest = hashlib.sha256()
    size = 0
    lines = 0
    kill_point("before-copy")
    with open(part, "xb", buffering=1 << 20, opener=private) as file, connection.cursor() as cursor:
        raw: Any = cursor.connection.cursor()
        command = f"COPY ({statement.sql}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')"
        with raw, raw.copy(command, statement.params) as copy:
            for row in copy:
                # The server sends one row a message and ends it with LF; line ends inside a quoted value stay as they are. The first
                # column says which line of the file this is: taken off here.
                place, _, line = bytes(row)[:-1].partition(b",")
                line += line_end
                file.write(line)
                digest.update(line)
                size += len(line)
                lines += 1
                if lines % 5_000 == 2:
                    on_line(int(place))
                    kill_point("copying")
        file.flush()
        kill_point("copied")
        os.fsync(file.fileno())
    return digest.hexdigest(), size, lines - 1


def private(path: str, flags: int) -> int:
    """Opens a file that this account alone may read."""
    return os.open(path, flags, 0o600)


def _fsync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stored_name(submission_id: UUID, token: UUID) -> str:
    """The file's name in the folder: of one attempt alone, so that an attempt that lost its lease cannot replace another's file."""
    return f"{submission_id}.{token}.csv"


def discard(name: str) -> None:
    """Remove a file that was built and will not be published."""
    (folder() / name).unlink(missing_ok=True)


def remove_leftovers(*, owned: Callable[[set[Attempt]], set[Attempt]]) -> int:
    """Remove files that neither a published submission nor a living attempt owns; `owned` says which are. Returns how many.

    A file that is not named as ours is left alone, and one that cannot be removed is left for the next time.
    """
    files: dict[Path, Attempt] = {}
    for path in folder().iterdir():
        try:
            submission, token, *_ = path.name.split(".")
            files[path] = Attempt(UUID(submission), UUID(token))
        except ValueError:
            continue
    kept = owned(set(files.values())) if files else set()
    removed = 0
    for path, attempt in files.items():
        if attempt not in kept:
            try:
                path.unlink(missing_ok=True)
            except OSError as problem:
                log.warning("a left-over file could not be removed: %s", problem.strerror)
                continue
            removed += 1
    return removed
