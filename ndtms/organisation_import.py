"""Loading a bundle for one organisation, as its NDTMS administrator brings it: rehearsed for the preview, then done.

Both run the same steps as the operator's load, in the scope of the organisation alone and in the caller's transaction; the rehearsal is
rolled back by the caller. What each makes of every line is summed into one digest, so that they can be told to be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edatrs.core.faults import kill_point
from edatrs.core.scope import current_scope
from ndtms import load_checks, load_lines, load_own, load_steps, quality
from ndtms.bundle import Problems, file_specs, read_file
from ndtms.caseload_import import Say, Staging
from ndtms.choices import LineKind
from ndtms.load_lines import Digest, Line
from ndtms.load_sql import one_at_a_time

BEFORE, AFTER = "load_before", "load_after"
Keep = Callable[[Line], None]


@dataclass
class Outcome:
    """What became of the lines. `counts`: per file, how many of each kind; `refused`: their places, as `file:line`."""

    digest: str = ""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def problems(self) -> int:
        """How many lines stop the load."""
        return sum(of_file[LineKind.REFUSED] for of_file in self.counts.values())


class _Sum:
    """Adds lines to an outcome, and hands each on."""

    def __init__(self, keep: Keep) -> None:
        self.outcome = Outcome()
        self._digest = Digest()
        self._keep = keep

    def add(self, line: Line) -> None:
        counts = self.outcome.counts.setdefault(line.file, {kind.value: 0 for kind in LineKind})
        counts[line.kind] += 1
        if line.kind == LineKind.REFUSED:
            self.outcome.refused.append(f"{line.file}:{line.line}")
        self._digest.add(line)
        self._keep(line)

    def done(self) -> Outcome:
        self.outcome.digest = self._digest.hexdigest()
        return self.outcome


def load(
    files: Mapping[str, Any],
    *,
    rehearsal: bool,
    say: Say = lambda words: None,
    keep: Keep = lambda line: None,
) -> Outcome:
    """Load a bundle (things with `open`, by name) for the organisation acted for, in the open transaction.

    `keep` gets every line with what the load makes of it; with problems, those alone, and nothing was written. A rehearsal leaves out what
    does not show in the lines, and must be rolled back.
    """
    scope = current_scope()
    if scope.organisation_id is None:
        raise ValueError("a load of one organisation needs a scope of it")
    summed = _Sum(keep)
    staging = Staging(say)
    problems = Problems()
    _stage(files, staging, problems, say)
    if problems:
        for file, number, column, words in problems.by_place():
            summed.add(Line(file, number, LineKind.REFUSED.value, "", [], column, words))
        return summed.done()
    load_lines.look(staging, BEFORE, "load_key")
    load_own.people(staging)
    say("Writing the record")
    load_steps.write_organisation(staging, scope)
    say("Comparing with what was held")
    load_lines.look(staging, AFTER, "(SELECT client_key, id AS client_id FROM load_client)")
    if not rehearsal:
        quality.after_load()
    kill_point("import-written")
    for line in load_lines.lines(staging, BEFORE, AFTER):
        summed.add(line)
    return summed.done()


def _stage(files: Mapping[str, Any], staging: Staging, problems: Problems, say: Say) -> None:
    """Copy and check everything; what is wrong is in `problems`."""
    scope = current_scope()
    assert scope.organisation_id is not None  # noqa: S101  # asked for above
    missing = [spec for spec in file_specs() if spec.needed and spec.name not in files]
    for spec in missing:
        problems.add(spec.name, 1, "", "the file is missing from the zip: put it in")
    for spec in file_specs():
        if spec.name not in files:
            continue
        say(f"Reading {spec.name}")
        if missing:
            read_file(spec, files[spec.name], problems, lambda headers: lambda line, values: None)
        else:
            staging.read(spec, files[spec.name], problems)
    if missing:
        return
    staging.ready()
    say("Waiting for other imports to end")
    one_at_a_time(scope.organisation_id)
    say("Checking every line")
    load_checks.keys(staging, problems)
    load_own.services(staging, scope.organisation_id, scope.organisation_label, problems)
    load_checks.agencies(staging, problems, own=True)
    load_own.people_of_keys(staging, problems)
    load_checks.references(staging, problems, own=True)
