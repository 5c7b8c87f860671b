"""Jobs: the row is the truth, a lease says who works on it, and only the holder may publish.

A message to the workers is a hint: it may come twice, late, or never. Whoever takes a job writes a lease token into its row; the heartbeat
extends the lease while the process lives and the attempt is within its time; the sweeper wakes somebody for every row whose lease ran out.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from edatrs.core import clock, registry
from edatrs.core.tasks import JobKind, JobRefused, LeaseLost
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.models.work import UNFINISHED

log = logging.getLogger(__name__)
RUN_JOB = "edatrs.organisations.run_job"
# A request must not wait for the broker: it gets this long, and after a failure it is left alone for a while.
_QUICK = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "retry_on_timeout": False,
    "max_retries": 0,
}
_LEFT_ALONE_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 300
_AT_ONCE = 1000
_broker_away_until = 0.0


@dataclass
class HeldLease:
    """The lease of a running attempt; `progress` is kept in memory and written by the heartbeat.

    `lost` is set by the heartbeat when the lease could not be extended: another worker has it, or the attempt took too long.
    """

    job_id: UUID
    organisation_id: UUID
    requested_by: UUID | None
    subject: UUID
    token: UUID
    attempt: int
    lost: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    _shown: tuple[int, int, str] = field(default=(0, 0, ""))

    def progress(self, done: int, of: int, words: str = "") -> None:
        """Show how far the work is; the heartbeat writes it. Raises LeaseLost when going on would be for nothing."""
        if self.lost.is_set():
            raise LeaseLost(f"job {self.job_id}: the lease could not be extended")
        self._shown = (done, of, words)

    def publish(self) -> Job:
        """Lock the job row, in the open transaction, and check that the lease is still ours. Raises LeaseLost.

        What the transaction has locked (this row, the heads of the trail) must not stay locked when this process stands still: after two
        lease times without a statement the server ends it.
        """
        patience = max(2 * settings.JOB_LEASE_SECONDS, 5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [f"{patience:.0f}s"]
            )
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


def is_waiting(unique_key: str) -> bool:
    """Whether the same work is asked for already and has not begun. A running one may have passed by what is new."""
    return Job.objects.filter(unique_key=unique_key, state=JobState.QUEUED).exists()


def wake(job_id: UUID) -> bool:
    """Tell the workers about a job; False when the broker is away. Never fails and never waits long: the sweeper will tell them again."""
    return _tell([job_id]) == 1


def _tell(job_ids: Iterable[UUID]) -> int:
    """Tell the workers about jobs, up to the first that the broker does not take; how many it took.

    The connection is of this call alone: it is shared with no thread or child, and has limits of its own, because Kombu's defaults try for
    ever when the broker hangs.
    """
    global _broker_away_until
    told = 0
    if time.monotonic() < _broker_away_until:
        return told
    try:
        with (
            current_app.connection_for_write(transport_options=_QUICK) as broker,
            current_app.amqp.Producer(broker, auto_declare=False) as producer,
        ):
            for job_id in job_ids:
                current_app.send_task(RUN_JOB, args=[str(job_id)], producer=producer, retry=False)
                told += 1
    except Exception as problem:  # noqa: BLE001  # whatever the broker raises, the row is the truth and the request must not fail
        _broker_away_until = time.monotonic() + _LEFT_ALONE_SECONDS
        log.warning("the queue could not be told of work: %s", type(problem).__name__)
    return told


def _due() -> Q:
    """Unfinished, nobody works on it, and it is time to tell the workers."""
    return Q(state=JobState.QUEUED, run_after__lte=Now()) | Q(state=JobState.RUNNING, lease_until__lt=Now())


def claim(job_id: UUID, *, at_once: bool = False) -> HeldLease | None:
    """Take the lease of a job that nobody works on, or None. The database's clock decides.

    One that waits for longer than a lease time is left (`at_once`: is not); up to that it may be one that the sweeper has told of. A row
    that is locked is being published or taken: it is passed over, so that one that stands still there holds up no other worker.
    """
    token = uuid.uuid4()
    lease = dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)
    waiting = Q(state=JobState.QUEUED) if at_once else Q(state=JobState.QUEUED, run_after__lte=Now() + lease)
    free = waiting | Q(state=JobState.RUNNING, lease_until__lt=Now())
    with transaction.atomic():
        job = Job.objects.select_for_update(skip_locked=True).filter(free, pk=job_id).first()
        if job is None:
            return None
        kind: JobKind = registry.jobs.get(job.kind)
        Job.objects.filter(pk=job_id).update(
            state=JobState.RUNNING,
            lease_token=token,
            lease_until=Now() + lease,
            deadline=Now() + kind.timeout,
            attempts=F("attempts") + 1,
            progress=0,
            progress_of=0,
            progress_words="",
        )
    return HeldLease(job.pk, job.organisation_id, job.requested_by_id, job.subject, token, job.attempts + 1)


@contextmanager
def _heartbeat(lease: HeldLease) -> Iterator[None]:
    """Extend the lease and write the progress from a thread with a connection of its own, until the deadline.

    When that is over, whatever statement the work is waiting for is cancelled: the attempt can publish nothing any more.
    """
    stop = threading.Event()
    beat = min(max(settings.JOB_LEASE_SECONDS / 4, 0.1), 1.0)
    working = connections[DEFAULT_DB_ALIAS]  # the work's own; `connection` means the thread's in the thread

    def run() -> None:
        try:
            while not stop.wait(beat):
                try:
                    extended = _extend(lease)
                except (DatabaseError, InterfaceError) as problem:
                    # The server may be back for the next beat; if it is not, the lease runs out, as it should.
                    log.warning("job %s: no heartbeat: %s", lease.job_id, type(problem).__name__)
                    connection.close()
                    continue
                if not extended:
                    lease.lost.set()
                    _cancel(working.connection)
                    return
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=f"heartbeat-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _extend(lease: HeldLease) -> bool:
    done, of, words = lease._shown
    return bool(
        Job.objects.filter(
            pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING, deadline__gt=Now()
        ).update(
            lease_until=Now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS),
            progress=done,
            progress_of=of,
            progress_words=words[:120],
        )
    )


def _cancel(working: Any) -> None:
    if working is None or working.closed:
        return
    try:
        working.cancel_safe(timeout=5)
    except Exception as problem:  # noqa: BLE001  # a courtesy to the server: without it the work ends later
        log.warning("a statement could not be cancelled: %s", type(problem).__name__)


def work(lease: HeldLease) -> None:
    """Work on a claimed job to its end, in this process.

    Raises JobRefused, LeaseLost and whatever the handler raises, after writing it down.
    """
    kind: JobKind = registry.jobs.get(Job.objects.values_list("kind", flat=True).get(pk=lease.job_id))
    if lease.attempt > kind.attempts:
        words = (
            f"It was tried {kind.attempts} times and never came to an end. Ask the operator to look into it."
        )
        _fail(lease, kind, words)
        raise JobRefused(words)
    try:
        with _heartbeat(lease):
            kind.handler(lease)
    except JobRefused as refusal:
        _fail(lease, kind, str(refusal))
        raise
    except Exception as problem:
        if lease.lost.is_set() or isinstance(problem, LeaseLost):
            log.warning("job %s: the lease was lost; nothing was published", lease.job_id)
            _try_again(lease, kind, f"Stopped after {kind.timeout}")
            if not isinstance(problem, LeaseLost):
                raise LeaseLost(f"job {lease.job_id}: stopped by the heartbeat") from problem
        else:
            _try_again(lease, kind, type(problem).__name__)
        raise
    _close(lease, JobState.DONE, "")


def _try_again(lease: HeldLease, kind: JobKind, problem: str) -> None:
    """Put a failed attempt back into the queue with a growing wait, or close the job as failed. Nothing where the lease is another's."""
    if lease.attempt >= kind.errors:
        words = f"It was tried {lease.attempt} times and failed each time ({problem}). Ask for it again; if that fails, tell the operator."
        _fail(lease, kind, words)
        return
    wait = min(2 ** min(lease.attempt, 30), _LONGEST_WAIT_SECONDS)
    Job.objects.filter(pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING).update(
        state=JobState.QUEUED,
        lease_token=None,
        lease_until=None,
        run_after=Now() + dt.timedelta(seconds=wait),
        problem=f"{problem}: tried {lease.attempt} times"[:300],
    )


def _fail(lease: HeldLease, kind: JobKind, words: str) -> None:
    """Close the job as failed and say so on what it is about, in one transaction. Nothing where the lease is another's."""
    with transaction.atomic():
        if _close(lease, JobState.FAILED, words) and kind.failed is not None:
            kind.failed(lease, words)


def _close(lease: HeldLease, state: JobState, problem: str) -> bool:
    return bool(
        Job.objects.filter(pk=lease.job_id, lease_token=lease.token, state=JobState.RUNNING).update(
            state=state, problem=problem[:300], finished_at=Now(), lease_until=None, lease_token=None
        )
    )


def run(job_id: UUID) -> bool:
    """Claim a job and work on it. False when it was not to be had."""
    lease = claim(job_id)
    if lease is None:
        return False
    try:
        work(lease)
    except (JobRefused, LeaseLost):
        return True
    return True


def sweep() -> int:
    """Wake the workers for everything that is due and clean up after dead attempts. Returns how many were woken.

    A lease that ran out is taken away. What the workers were told of is due again a lease time later, not at the next sweep: workers that
    are busy would find the same job many times in the queue, before those that became due meanwhile.
    """
    again = Now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)
    with transaction.atomic():
        found = Job.objects.select_for_update(skip_locked=True).filter(_due(), state__in=UNFINISHED)
        due = list(found.values_list("pk", flat=True)[:_AT_ONCE])
        Job.objects.filter(pk__in=due).update(
            state=JobState.QUEUED, lease_token=None, lease_until=None, run_after=again
        )
    told = _tell(due) if due else 0
    if told < len(due):
        Job.objects.filter(pk__in=due[told:], state=JobState.QUEUED).update(run_after=Now())
    clean()
    return told


def clean() -> None:
    """Let every kind of job remove what dead attempts left. One that cannot does not keep the others from it."""
    kind: Any
    for name, kind in registry.jobs:
        if kind.clean is None:
            continue
        try:
            kind.clean()
        except Exception:
            log.exception("what dead attempts of %s left could not be removed", name)
