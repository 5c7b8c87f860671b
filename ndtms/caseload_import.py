"""Loading a caseload bundle: COPY to temporary tables, all problems found at once, then one set-based upsert in one transaction.

All or nothing (contract section 2). The operator may load a whole partnership: the rows of each organisation are written in a scope of that
organisation, so that both walls and the trail hold for a load as for a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from edatrs.core import trail
from edatrs.core.faults import kill_point
from edatrs.core.scope import Actor, open_scope, scope_for_organisation
from edatrs.organisations.models import Organisation
from ndtms import load_checks, load_clients, load_steps, quality
from ndtms.bundle import FileSpec, Problems, file_specs, read_file
from ndtms.load_sql import one_at_a_time

_CHUNK = 1 << 20
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Say = Callable[[str], None]


class BundleRefused(ValueError):
    """The bundle has problems; nothing was written. `lines` holds every one as `file:line: column: problem`."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(f"{len(lines)} problems")
        self.lines = lines


class _DryRun(Exception):
    """Rolls a dry run back."""


@dataclass
class Loaded:
    """How many lines of each file created, updated or left unchanged what is held."""

    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)

    def answer(self) -> dict[str, Any]:
        """As `import_caseload` prints it."""
        return {"created": self.created, "updated": self.updated, "unchanged": self.unchanged, "errors": []}


class Staging:
    """The temporary tables of one load: which columns each file brought, and the SQL to fill them."""

    def __init__(self, say: Say) -> None:
        self.columns: dict[str, tuple[str, ...]] = {}
        self.lines: dict[str, int] = {}
        self.sha256 = hashlib.sha256()
        # Whether the bundle registers people at an organisation that holds no record of them while another does.
        self.people_held = False
        self._say = say

    def has(self, file: str) -> bool:
        """Whether the bundle holds a file."""
        return file in self.columns

    def read(self, spec: FileSpec, path: Path, problems: Problems) -> None:
        """Copy a file to its temporary table; every column is text, `line` is where the record starts."""
        buffer: list[str] = []
        held = 0
        count = 0
        stream: Any = None

        def start(headers: Sequence[str]) -> Callable[[int, list[str]], None]:
            nonlocal stream
            self.columns[spec.name] = tuple(headers)
            stream = opened.enter_context(_copy_into(spec.table, headers))
            width = len(headers)

            def take(line: int, values: list[str]) -> None:
                nonlocal held, count
                text = "\t".join(values)
                if "\\" in text or "\n" in text or "\r" in text or text.count("\t") != width - 1:
                    text = "\t".join([value.translate(_SPECIAL) for value in values])
                count += 1
                buffer.append(f"{line}\t{text}\n" if width else f"{line}\n")
                held += len(text)
                if held > _CHUNK:
                    stream.write("".join(buffer))
                    buffer.clear()
                    held = 0

            return take

        with ExitStack() as opened:
            digest = read_file(spec, path, problems, start)
            if buffer:
                stream.write("".join(buffer))
        self.lines[spec.name] = count
        self.sha256.update(f"{spec.name}:{digest}\n".encode())
        self._say(f"{spec.name}: {count:,} lines read")

    def ready(self) -> None:
        """Make what a file lacks as empty columns, and tell the planner what there is."""
        with connection.cursor() as cursor:
            for spec in file_specs():
                if not self.has(spec.name):
                    continue
                missing = [name for name in spec.filled if name not in self.columns[spec.name]]
                for name in missing:
                    cursor.execute(
                        f'ALTER TABLE "{spec.table}" ADD COLUMN "{name}" text NOT NULL DEFAULT \'\''
                    )
                cursor.execute(f'ANALYZE "{spec.table}"')
            # Of the tables that the load itself fills it knows nothing yet and expects one row: it must not choose to compare each line
            # with each of a materialised list.
            cursor.execute("SELECT set_config('enable_material', 'off', true)")


@contextmanager
def _copy_into(table: str, headers: Sequence[str]) -> Iterator[Any]:
    """A new temporary table of texts, open for COPY."""
    named = "".join(f', "{name}" text NOT NULL' for name in headers)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMPORARY TABLE "{table}" (line integer NOT NULL{named}) ON COMMIT DROP')
        with cursor.connection.cursor() as raw, raw.copy(f'COPY "{table}" FROM STDIN') as stream:
            yield stream


def import_caseload(folder: Path, *, dry_run: bool = False, say: Say = lambda words: None) -> Loaded:
    """Load a bundle as the operator. Raises BundleRefused; a dry run does everything and then undoes it."""
    loaded = Loaded()
    # Committed at once, on the partnership's chain: a load that dies leaves its beginning.
    _note("ndtms.import_started", {"dry_run": dry_run})
    try:
        files = _files(folder)
        for name in sorted(path.name for path in folder.glob("*.csv") if path.name not in files):
            say(f"{name}: not a file of a bundle, left out")
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            staging = _stage(folder, files, say)
            organisations = _organisations()
            sha256 = staging.sha256.hexdigest()
            for organisation in organisations:
                trail.record(
                    "ndtms.import_started", organisation_id=organisation.pk, details={"sha256": sha256}
                )
            _write(staging, organisations, say)
            kill_point("import-written")
            _count(loaded, staging)
            lines = {name.removesuffix(".csv"): count for name, count in staging.lines.items()}
            details = {"sha256": sha256, "counts": lines, "dry_run": dry_run}
            for organisation in organisations:
                trail.record("ndtms.import_finished", organisation_id=organisation.pk, details=details)
            if dry_run:
                raise _DryRun
    except _DryRun:
        _note("ndtms.import_finished", details)
    except BundleRefused as refused:
        _note("ndtms.import_refused", {"problems": len(refused.lines)})
        raise
    return loaded


def _note(event: str, details: dict[str, Any]) -> None:
    """Put the operator's act on the partnership's chain, whatever becomes of the load."""
    trail.record_now(event, actor_id=None, actor_label="operator", actor=Actor.OPERATOR, details=details)


def _files(folder: Path) -> dict[str, Path]:
    """The files that are there. Raises BundleRefused when one that must be is not."""
    problems = Problems()
    found = {}
    for spec in file_specs():
        path = folder / spec.name
        try:
            there = path.is_file()
        except OSError as problem:
            problems.add(spec.name, 1, "", f"the file cannot be read: {problem.strerror}")
            continue
        if there:
            found[spec.name] = path
        elif path.exists():
            problems.add(spec.name, 1, "", "this is not a file")
        elif spec.needed:
            problems.add(
                spec.name,
                1,
                "",
                "the file is missing from the bundle" if folder.is_dir() else "there is no such folder",
            )
    if problems:
        _add_what_can_be_read(folder, found, problems)
    return found


def _add_what_can_be_read(folder: Path, found: dict[str, Path], problems: Problems) -> None:
    """With a file missing the rest is still checked line by line, so that all is told at once; then refuse."""
    for spec in file_specs():
        if spec.name in found:
            read_file(spec, found[spec.name], problems, lambda headers: lambda line, values: None)
    raise BundleRefused(problems.lines())


def _stage(folder: Path, files: dict[str, Path], say: Say) -> Staging:
    """Copy and check everything. Raises BundleRefused with all problems of the shape and of the references."""
    staging = Staging(say)
    problems = Problems()
    for spec in file_specs():
        if spec.name in files:
            staging.read(spec, files[spec.name], problems)
    staging.ready()
    # One load at a time, from the checks to the end: two that bring the same would both find it new.
    one_at_a_time()
    say("checking references")
    load_checks.alone(staging, problems)
    load_steps.services(staging)
    load_checks.agencies(staging, problems)
    organisations = _organisations()
    for organisation in organisations:
        with scope_for_organisation(organisation):
            load_checks.references(staging, problems)
            load_clients.want_people(staging)
    if staging.people_held:
        for organisation in organisations:
            with scope_for_organisation(organisation):
                load_clients.hold_people()
    load_checks.nowhere_held(staging, problems)
    if problems:
        raise BundleRefused(problems.lines())
    return staging


def _organisations() -> list[Organisation]:
    """The partners with services: each is asked in a scope of its own."""
    return list(Organisation.objects.filter(services__isnull=False).distinct().order_by("slug"))


def _write(staging: Staging, organisations: list[Organisation], say: Say) -> None:
    homeless = load_clients.people(staging)
    if homeless:
        say(
            f"clients.csv: {homeless:,} people have no registration; their details are kept once one names them"
        )
    for organisation in organisations:
        with scope_for_organisation(organisation) as scope:
            say(f"writing {organisation.name}")
            load_steps.write_organisation(staging, scope)
            quality.after_load()


def _count(loaded: Loaded, staging: Staging) -> None:
    """Created, updated and unchanged lines per file, from what the steps noted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT file, count(*) FILTER (WHERE created), count(*) FILTER (WHERE changed AND NOT created), "
            "count(*) FILTER (WHERE NOT created AND NOT changed) FROM ("
            "  SELECT file, line, bool_or(created) AS created, bool_or(changed) AS changed FROM load_result GROUP BY file, line"
            ") lines GROUP BY file"
        )
        rows = {file: counts for file, *counts in cursor.fetchall()}
    for spec in file_specs():
        if staging.has(spec.name):
            created, updated, unchanged = rows.get(spec.name, (0, 0, 0))
            loaded.created[spec.name], loaded.updated[spec.name] = created, updated
            loaded.unchanged[spec.name] = unchanged
