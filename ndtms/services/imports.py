"""Imports through the browser: sent, read by a worker into a preview, confirmed or cancelled, written by a worker, emptied afterwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid5

from edatrs.core import access, clock, trail
from edatrs.core.crypto import seal, unseal
from edatrs.core.faults import kill_point
from edatrs.core.scope import Actor, current_organisation, current_scope, open_scope
from edatrs.core.tasks import JobRefused, job_kind
from edatrs.organisations.models import Job, Organisation, User
from edatrs.organisations.selectors import memberships_on
from edatrs.organisations.services import jobs
from ndtms import organisation_import, zipped
from ndtms.choices import ImportState
from ndtms.load_lines import Line
from ndtms.models import ImportFile, ImportLine, ImportRun
from ndtms.organisation_import import Outcome
from ndtms.services.submissions import Refused

READ_IMPORT, WRITE_IMPORT, EXPIRE_IMPORT = "ndtms.read_import", "ndtms.write_import", "ndtms.expire_import"
ACT = "import.caseload"
KEPT = dt.timedelta(days=7)
# Uploads that wait for an answer, of one organisation: each keeps a sealed file.
MOST_OPEN = 5
OPEN = (ImportState.READING, ImportState.READY, ImportState.REFUSED, ImportState.LOADING)
# Refused lines beyond these are counted, and not shown.
MOST_REFUSED = 5_000
MOST_PLACES = 1_000
_AT_ONCE = 2_000
_STEPS = 16
NO_LONGER = "Whoever confirmed it may not import for this organisation any more. Nothing was written."


class _Undo(Exception):
    """Leaves a scope so that it rolls back."""


class _Changed(_Undo):
    """The load came to something else than the preview that was confirmed."""


class _Over(_Undo):
    """Somebody cancelled, or another worker has done it."""


def send(*, form_id: UUID, raw: bytes, file_name: str, acting_user: User) -> ImportRun:
    """Keep an upload, sealed, and have it read. The same form sent twice is one upload.

    Raises BadZip for what cannot be a bundle, Refused while too many wait for an answer.
    """
    pk = uuid5(current_organisation(), str(form_id))
    there = ImportRun.objects.filter(pk=pk).first()
    if there is not None:
        return there
    zipped.files_of(raw)
    if ImportRun.objects.filter(state__in=OPEN).count() >= MOST_OPEN:
        raise Refused(
            "too_many_open",
            f"{MOST_OPEN} imports wait for an answer. Confirm or cancel one of them, then send this file again.",
        )
    scope = current_scope()
    run = ImportRun(
        pk=pk,
        asked_at=scope.now,
        asked_by=scope.person_id,
        asked_by_label=scope.person_label,
        file_name="".join(c for c in file_name if c.isprintable())[:120],
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
    )
    run.save(force_insert=True)
    ImportFile(run=run, sealed=seal(raw, str(run.pk))).save(force_insert=True)
    _enqueue(READ_IMPORT, run, acting_user)
    expiry = _enqueue(EXPIRE_IMPORT, run, None, held=True)
    Job.objects.filter(pk=expiry.pk).update(run_after=clock.now() + KEPT)
    trail.record("ndtms.import_started", subject=str(run.pk), details={"sha256": run.sha256, "dry_run": True})
    return run


def _enqueue(kind: str, run: ImportRun, acting_user: User | None, *, held: bool = False) -> Job:
    return jobs.enqueue(
        kind=kind,
        organisation_id=run.organisation_id,
        subject=run.pk,
        unique_key=f"{kind}:{run.pk}",
        requested_by=acting_user.pk if acting_user else None,
        held=held,
    )


def confirm(*, run: ImportRun, preview: int, digest: str, acting_user: User) -> ImportRun:
    """Have a worker write what a preview showed. Confirmed again, by whomever: nothing more.

    Raises Refused when another preview stands now, or when there is nothing to confirm.
    """
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if (run.preview, run.digest) != (preview, digest):
        raise Refused(
            "newer_preview", "A newer preview was made since you looked. Look at this one, then confirm."
        )
    if run.state in (ImportState.LOADING, ImportState.LOADED):
        return run
    if run.state != ImportState.READY:
        raise Refused(
            f"import_{run.state}", f"This import is '{run.get_state_display()}': there is nothing to confirm."
        )
    scope = current_scope()
    run.state = ImportState.LOADING
    run.confirmed_at, run.confirmed_by, run.confirmed_by_label = (
        scope.now,
        scope.person_id,
        scope.person_label,
    )
    run.changed_meanwhile = False
    run.save(
        update_fields=["state", "confirmed_at", "confirmed_by", "confirmed_by_label", "changed_meanwhile"]
    )
    _enqueue(WRITE_IMPORT, run, acting_user)
    trail.record("ndtms.import_confirmed", subject=str(run.pk), details={"sha256": run.sha256})
    return run


def cancel(*, run: ImportRun, acting_user: User) -> ImportRun:
    """Let go of an upload: its file and its preview are deleted. Again: nothing. Raises Refused once it is being written or was."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state == ImportState.CANCELLED:
        return run
    if run.state not in (ImportState.READING, ImportState.READY, ImportState.REFUSED):
        raise Refused(
            f"import_{run.state}",
            f"This import is '{run.get_state_display()}': it can no longer be cancelled.",
        )
    _finish(run, ImportState.CANCELLED)
    trail.record("ndtms.import_cancelled", subject=str(run.pk), details={"sha256": run.sha256})
    return run


def _finish(run: ImportRun, state: ImportState, problem: str = "") -> None:
    """The end of an import: nothing of a client is left of it."""
    scope = current_scope()
    ImportLine.objects.filter(run=run).delete()
    ImportFile.objects.filter(run=run).delete()
    run.state, run.finished_at, run.finished_by_label, run.problem = (
        state,
        scope.now,
        scope.person_label,
        problem[:300],
    )
    run.save(update_fields=["state", "finished_at", "finished_by_label", "problem"])


# ---- in a worker


def _scope(lease: Any) -> Any:
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    person = User.objects.filter(pk=lease.requested_by).first() if lease.requested_by else None
    return open_scope(
        actor=Actor.WORKER,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk if person else None,
        person_label=person.full_name if person else "worker",
    )


def _give_up(lease: Any, words: str) -> None:
    """Say on the import that it came to nothing; called in the transaction that closes its job as failed."""
    with _scope(lease):
        run = ImportRun.objects.select_for_update().filter(pk=lease.subject).first()
        if run is not None and run.state in (ImportState.READING, ImportState.LOADING):
            _finish(run, ImportState.FAILED, words)
            trail.record(
                "ndtms.import_refused", subject=str(run.pk), details={"sha256": run.sha256, "why": "failed"}
            )


class _Kept:
    """The lines of a preview, packed: they must outlive the transaction that is rolled back."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._open: list[Line] = []
        self._refused = 0

    def add(self, line: Line) -> None:
        """Keep a line; of very many refused ones the first."""
        if line.words:
            self._refused += 1
            if self._refused > MOST_REFUSED:
                return
        self._open.append(line)
        if len(self._open) >= _AT_ONCE:
            self._pack()

    def _pack(self) -> None:
        rows = [
            [line.file, line.line, line.kind, line.key, line.changes, line.column, line.words]
            for line in self._open
        ]
        self._packed.append(zlib.compress(json.dumps(rows).encode(), 1))
        self._open = []

    def batches(self, run: ImportRun) -> Iterator[list[ImportLine]]:
        """The rows of the preview, some at a time."""
        self._pack()
        place = 0
        for packed in self._packed:
            made = []
            for file, line, kind, key, changes, column, words in json.loads(zlib.decompress(packed)):
                place += 1
                made.append(
                    ImportLine(
                        organisation_id=run.organisation_id,
                        run_id=run.pk,
                        place=place,
                        file=file,
                        line=line,
                        kind=kind,
                        key=key,
                        changes=changes,
                        column=column,
                        words=words,
                    )
                )
            yield made


def _say(lease: Any) -> Callable[[str], None]:
    """Show each step; raises LeaseLost when another worker has the job."""
    done = 0

    def say(words: str) -> None:
        nonlocal done
        done += 1
        lease.progress(min(done, _STEPS), _STEPS, words)

    return say


def _files(run: ImportRun) -> Any:
    file = ImportFile.objects.get(run=run)
    return zipped.files_of(unseal(file.sealed, str(run.pk)))


@job_kind(READ_IMPORT, timeout=dt.timedelta(hours=1), errors=3, failed=_give_up)
def read(lease: Any) -> None:
    """Rehearse the load and keep what it would do to each line."""
    kill_point("import-claimed")
    _preview(lease, from_state=ImportState.READING, changed=False)


def _preview(lease: Any, *, from_state: ImportState, changed: bool) -> None:
    kept, outcome, at = _Kept(), Outcome(), clock.now()
    say = _say(lease)
    try:
        with _scope(lease) as scope:
            run = ImportRun.objects.get(pk=lease.subject)
            if run.state != from_state:
                return
            at = scope.now
            outcome = organisation_import.load(_files(run), rehearsal=True, say=say, keep=kept.add)
            raise _Undo
    except _Undo:
        kill_point("import-rehearsed")
    say("Keeping the preview")
    try:
        with _scope(lease):
            ImportLine.objects.filter(run_id=lease.subject).delete()
            for rows in kept.batches(run):
                ImportLine.objects.bulk_create(rows)
            lease.publish()
            _keep_preview(lease, outcome, at, from_state=from_state, changed=changed)
            kill_point("import-recorded")
    except _Over:
        return
    kill_point("import-previewed")


def _keep_preview(
    lease: Any, outcome: Outcome, at: dt.datetime, *, from_state: ImportState, changed: bool
) -> None:
    run = ImportRun.objects.select_for_update().get(pk=lease.subject)
    if run.state != from_state:
        raise _Over
    run.state = ImportState.REFUSED if outcome.problems else ImportState.READY
    run.preview += 1
    run.digest, run.counts, run.read_at = outcome.digest, outcome.counts, at
    run.refused = outcome.refused[:MOST_PLACES]
    run.changed_meanwhile = changed
    run.confirmed_at = run.confirmed_by = None
    run.confirmed_by_label = ""
    run.save()
    details: dict[str, Any] = {"sha256": run.sha256, "dry_run": True}
    about = str(run.pk)
    if outcome.problems:
        trail.record("ndtms.import_refused", subject=about, details={**details, "problems": outcome.problems})
    else:
        trail.record(
            "ndtms.import_finished", subject=about, details={**details, "counts": _lines_of(outcome)}
        )


def _lines_of(outcome: Outcome) -> dict[str, int]:
    return {file.removesuffix(".csv"): sum(kinds.values()) for file, kinds in outcome.counts.items()}


@job_kind(WRITE_IMPORT, timeout=dt.timedelta(hours=1), errors=3, failed=_give_up)
def write(lease: Any) -> None:
    """Load the bundle, and commit only what the confirmed preview showed. Anything else: a new preview, and nothing written."""
    kill_point("import-claimed")
    say = _say(lease)
    try:
        with _scope(lease):
            run = ImportRun.objects.get(pk=lease.subject)
            if run.state != ImportState.LOADING:
                return
            _still_may(lease, run)
            details: dict[str, Any] = {"sha256": run.sha256, "dry_run": False}
            about = str(run.pk)
            trail.record("ndtms.import_started", subject=about, details=details)
            outcome = organisation_import.load(_files(run), rehearsal=False, say=say)
            if outcome.digest != run.digest:
                raise _Changed
            say("Tidying up")
            lease.publish()
            run = ImportRun.objects.select_for_update().get(pk=lease.subject)
            if run.state != ImportState.LOADING:
                raise _Over
            _finish(run, ImportState.LOADED)
            trail.record(
                "ndtms.import_finished", subject=about, details={**details, "counts": _lines_of(outcome)}
            )
            kill_point("import-recorded")
    except _Changed:
        _preview(lease, from_state=ImportState.LOADING, changed=True)
        return
    except _Over:
        return
    kill_point("import-committed")


def _still_may(lease: Any, run: ImportRun) -> None:
    """Who confirmed must still be allowed to, at the moment it is done. Raises JobRefused."""
    person = User.objects.filter(pk=lease.requested_by).first() if lease.requested_by else None
    roles = (
        frozenset(
            memberships_on(person, clock.today())
            .filter(organisation_id=run.organisation_id)
            .values_list("role", flat=True)
        )
        if person
        else frozenset()
    )
    if not access.letters(ACT, roles=roles):
        raise JobRefused(NO_LONGER)


@job_kind(EXPIRE_IMPORT, timeout=dt.timedelta(minutes=10))
def expire(lease: Any) -> None:
    """Seven days after it was sent, an import without an answer is let go."""
    with _scope(lease):
        run = ImportRun.objects.select_for_update().filter(pk=lease.subject).first()
        if run is None or run.state not in (ImportState.READING, ImportState.READY, ImportState.REFUSED):
            return
        _finish(run, ImportState.EXPIRED)
        trail.record("ndtms.import_expired", subject=str(run.pk), details={"sha256": run.sha256})
