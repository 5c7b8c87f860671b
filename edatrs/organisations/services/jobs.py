"""Jobs: the row is the truth, a lease says who works on it, and only the holder may publish."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from edatrs.core import clock, registry
from edatrs.core.tasks import JobKind, JobRefused, LeaseLost
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.models.work import UNFINISHED

log = logging.getLogger(__name__)
RUN_JOB = "edatrs.organisations.run_job"


@dataclass
class HeldLease:
    """The lease of a running attempt; `progress` is kept in memory and written by the heartbeat."""

    job_id: UUID
    organisation_id: UUID
    requested_by: UUID | None
    subject: UUID
    token: UUID
    attempt: int
    _shown: tuple[int, int, str] = field(default=(0, 0, ""))

    def progress(self, done: int, of: int, words: str = "") -> None:
        """Show how far the work is; the heartbeat writes it."""
        self._shown = (done, of, words)

    def publish(self) -> Job:
        """Lock the job row, in the open transaction, and check that the lease is still ours. Raises LeaseLost."""
        job = (
            Job.objects.select_for_update()
            .filter(pk=self.job_id, lease_token=self.token, state=JobState.RUNNING)
            .first()
        )
        if job is None:
            raise LeaseLost(f"job {self.job_id} is held by another worker")
        return job


def enqueue(
    *,
    kind: str,
    organisation_id: UUID,
    subject: UUID,
    unique_key: str,
    requested_by: UUID | None,
    held: bool = False,
) -> Job:
    """Write a job in the open transaction and wake a worker when it commits.

    `held`: the caller works on it at once (a command); no worker is woken. Raises IntegrityError while the same work is unfinished.
    """
    now = clock.now()
    registry.jobs.get(kind)
    job = Job.objects.create(
        kind=kind,
        organisation_id=organisation_id,
        subject=subject,
        unique_key=unique_key,
        requested_by_id=requested_by,
        run_after=now + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS if held else 0),
        created_at=now,
    )
    if not held:
        transaction.on_commit(lambda: wake(job.pk))
    return job


def wake(job_id: UUID) -> None:
    """Tell the workers about a job. The broker may be away: the sweeper will tell them again."""
    try:
        current_app.send_task(RUN_JOB, args=[str(job_id)], retry=False)
    except Exception as problem:  # noqa: BLE001  # whatever the broker raises, the row is the truth and the request must not fail
        log.warning("the queue could not be told of job %s: %s", job_id, type(problem).__name__)


def _due() -> Q:
    """Unfinished, and nobody works on it."""
    return Q(state=JobState.QUEUED, run_after__lte=Now()) | Q(state=JobState.RUNNING, lease_until__lt=Now())


def claim(job_id: UUID, *, at_once: bool = False) -> HeldLease | None:
    """Take the lease of a job that is due, or None when somebody else has it. One statement; the database's clock decides."""
    token = uuid.uuid4()
    lease = dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)
    job = Job.objects.filter(pk=job_id).only("kind").first()
    if job is None:
        return None
    kind: JobKind = registry.jobs.get(job.kind)
    due = Q(state=JobState.QUEUED) | _due() if at_once else _due()
    taken = Job.objects.filter(due, pk=job_id).update(
        state=JobState.RUNNING,
        lease_token=token,
        lease_until=Now() + lease,
        deadline=Now() + kind.timeout,
        attempts=F("attempts") + 1,
        progress=0,
        progress_of=0,
        progress_words="",
    )
    if not taken:
        return None
    row = Job.objects.get(pk=job_id)
    return HeldLease(row.pk, row.organisation_id, row.requested_by_id, row.subject, token, row.attempts)


@contextmanager
def _heartbeat(lease: HeldLease) -> Iterator[None]:
    """Extend the lease and write the progress from a thread with a connection of its own, until the deadline."""
    stop = threading.Event()
    beat = max(settings.JOB_LEASE_SECONDS / 4, 0.1)

    def run() -> None:
        try:
            while not stop.wait(min(beat, 1.0)):
                done, of, words = lease._shown
                Job.objects.filter(
                    pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING, deadline__gt=Now()
                ).update(
                    lease_until=Now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS),
                    progress=done,
                    progress_of=of,
                    progress_words=words[:120],
                )
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=f"heartbeat-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def work(lease: HeldLease) -> None:
    """Work on a claimed job to its end, in this process. Raises JobRefused and whatever the handler raises, after writing it down."""
    job = Job.objects.get(pk=lease.job_id)
    kind: JobKind = registry.jobs.get(job.kind)
    try:
        with _heartbeat(lease):
            kind.handler(lease)
    except LeaseLost:
        log.warning("job %s: the lease was lost; nothing was published", lease.job_id)
        raise
    except JobRefused as refusal:
        _close(lease, JobState.FAILED, str(refusal))
        raise
    except Exception as problem:
        words = f"{type(problem).__name__}: tried {lease.attempt} times"
        if lease.attempt >= kind.attempts:
            _close(lease, JobState.FAILED, words)
        else:
            wait = min(2**lease.attempt, 300)
            Job.objects.filter(pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING).update(
                state=JobState.QUEUED,
                lease_token=None,
                lease_until=None,
                run_after=Now() + dt.timedelta(seconds=wait),
                problem=words[:300],
            )
        raise
    _close(lease, JobState.DONE, "")


def _close(lease: HeldLease, state: JobState, problem: str) -> None:
    Job.objects.filter(pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING).update(
        state=state, problem=problem[:300], finished_at=Now(), lease_until=None, lease_token=None
    )


def run(job_id: UUID) -> bool:
    """Claim a job and work on it. False when it was not due."""
    lease = claim(job_id)
    if lease is None:
        return False
    try:
        work(lease)
    except (JobRefused, LeaseLost):
        return True
    return True


def sweep() -> int:
    """Wake the workers for everything that is due and clean up after dead attempts. Returns how many were woken."""
    due = list(Job.objects.filter(_due(), state__in=UNFINISHED).values_list("pk", flat=True)[:1000])
    for job_id in due:
        wake(job_id)
    clean()
    return len(due)


def clean() -> None:
    """Let every kind of job remove what dead attempts left."""
    kind: Any
    for _, kind in registry.jobs:
        if kind.clean is not None:
            kind.clean()
