"""Leases and fencing with real workers: whoever lost the job publishes nothing, and what cannot be done ends with words."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now

from audit.models import AuditEvent
from edatrs.core.tasks import JobRefused
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.services import jobs
from ndtms import extract
from ndtms.choices import SubmissionState
from ndtms.models import Submission
from tests.factories.organisations import make_organisation

from .turning import FIRST_DAY, Turning, acting_for, ask, left_over, wrongs
from .worker import SHORT, Crew, Plays, crew, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> Iterator[Crew]:
    """A broker and no workers yet."""
    with crew(lease=1.0) as found:
        yield found


@pytest.fixture
def plays(people: Crew) -> Plays:
    """Jobs that do as they are told."""
    return Plays(people.scripts, make_organisation().pk)


def finished(*subjects: UUID) -> Callable[[], bool]:
    """Whether all of them are closed."""
    return lambda: not Job.objects.filter(subject__in=subjects, finished_at=None).exists()


def sweeping(seconds: float = 0.3) -> Callable[[], None]:
    """A sweeper for the meantime."""
    last = [0.0]

    def sweep() -> None:
        if time.monotonic() - last[0] > seconds:
            jobs.sweep()
            last[0] = time.monotonic()

    return sweep


def builders() -> list[int]:
    """The database's processes that serve the workers of this test, busy with an extract."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND query ILIKE '%extract_%' AND state = 'idle in transaction'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def end_connection(pid: int) -> None:
    """As a restart of the database, or a firewall, would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_one_that_stood_still_longer_than_its_lease_publishes_nothing(
    people: Crew, turning: list[Turning]
) -> None:
    """Stopped at each of several points, also while it holds the job row locked: another builds, the first leaves no trace."""
    for _ in range(2):
        people.start(concurrency=1)
    one = turning[0]
    for number, point in enumerate(["copying", "fsynced", "renamed", "recorded"], start=1):
        people.set_plan([f"{point} STOP"])
        submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=number))
        eventually(lambda: len(people.hits()) == number, f"stopped at {point}")  # noqa: B023  # called at once
        stopped = people.hits()[-1][1]
        one.turn(bear=False)
        # No clean-up here: the stopped one must remove its file itself.
        with patch.object(jobs, "clean", lambda: None):
            eventually(finished(submission), f"another builds it after {point}", meanwhile=sweeping())
        token_of_the_stopped = {path.name for path in extract.folder().iterdir()}
        os.kill(stopped, signal.SIGCONT)
        # While it was publishing the server has cut it off. Then it cannot know whether its commit went through: the clean-up does.
        by_clean_up = jobs.clean if point == "recorded" else None
        eventually(lambda: not left_over(), f"the file of {point} is gone", meanwhile=by_clean_up)
        assert list(wrongs(one, submission)) == []
        assert (
            Job.objects.get(pk=job).attempts >= 2
        )  # on a busy machine the other can lose a lease of a second too
        if point != "recorded":
            assert len(token_of_the_stopped) > number, "the stopped attempt had a file"
    assert [name for name, _ in people.hits()] == ["copying", "fsynced", "renamed", "recorded"]


def test_two_builders_at_once_make_one_file(turning: list[Turning]) -> None:
    with crew(lease=30.0) as unhurried:
        unhurried.start(concurrency=2)
        unhurried.start(concurrency=2)
        built = [ask(one.service, FIRST_DAY + dt.timedelta(days=1)) for one in turning]
        for _ in range(10):
            jobs._tell([job for _, job in built])
        eventually(finished(*(submission for submission, _ in built)), "all are built", meanwhile=sweeping())
    for one, (submission, job) in zip(turning, built, strict=True):
        assert list(wrongs(one, submission)) == []
        assert Job.objects.get(pk=job).attempts == 1
    assert left_over() == set()


def test_what_ends_an_attempt(people: Crew, plays: Plays) -> None:
    """Too long, refused, raising, dying: each with its own end. One crew for all, because starting one takes seconds."""
    too_long = plays.ask(kind=SHORT, seconds=60)
    too_long_in_sql = plays.ask(kind=SHORT, sleep_in_sql=60)
    # Hears nothing of its lease being gone, and comes to publish when another has done so.
    deaf = plays.ask(kind=SHORT, deaf_until=1, deaf_seconds=6)
    refused = plays.ask(refuse="There is nothing to do.")
    raises_once = plays.ask(raise_until=1)
    raises_always = plays.ask(raise_until=99)
    people.start(concurrency=6)
    everything = (too_long, too_long_in_sql, deaf, refused, raises_once, raises_always)
    eventually(finished(*everything), "all are closed", meanwhile=sweeping())

    for slow in (too_long, too_long_in_sql):
        job = plays.job(slow)
        assert (job.state, job.attempts, plays.times_begun(slow)) == (JobState.FAILED, 2, 2)
        assert "Stopped after 0:00:01" in job.problem
        assert plays.said_failed(slow) == [job.problem]
        assert plays.effects()[str(slow)] == 0

    eventually(lambda: plays.times_begun(deaf) == 2, "another took it")
    assert (plays.job(deaf).state, plays.effects()[str(deaf)]) == (JobState.DONE, 1)

    job = plays.job(refused)
    assert (job.state, job.attempts, job.problem) == (JobState.FAILED, 1, "There is nothing to do.")
    assert plays.said_failed(refused) == ["There is nothing to do."]

    assert (plays.job(raises_once).state, plays.job(raises_once).attempts) == (JobState.DONE, 2)
    assert plays.effects()[str(raises_once)] == 1

    job = plays.job(raises_always)
    assert (job.state, job.attempts) == (JobState.FAILED, 3)
    assert "tried 3 times" in job.problem and "RuntimeError" in job.problem
    assert "as the script says" not in job.problem, "what an exception says may hold client data"
    assert plays.said_failed(raises_always) == [job.problem]


def test_a_job_that_kills_every_worker_is_given_up(people: Crew, plays: Plays) -> None:
    subject = plays.ask(kind=SHORT)
    people.set_plan(["playing"] * 2)
    people.start(concurrency=3)
    eventually(finished(subject), "it is closed", meanwhile=sweeping())
    job = plays.job(subject)
    assert (job.state, job.attempts, plays.times_begun(subject)) == (JobState.FAILED, 3, 2)
    assert plays.said_failed(subject) == [job.problem]
    assert "never came to an end" in job.problem


def test_connections_that_break(people: Crew, plays: Plays, turning: list[Turning]) -> None:
    """The heartbeat's: the next beat has a new one and the lease is kept. The work's: it is tried again."""
    subject = plays.ask(seconds=5)
    people.start(concurrency=1)
    beats = 0
    until = time.monotonic() + 3
    eventually(lambda: plays.times_begun(subject) == 1, "it runs")
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state = 'idle' AND query ILIKE '%%SET \"lease_until\"%%\"progress_words\"%%'"
            )
            beats += cursor.fetchone()[0]
        time.sleep(0.6)
        jobs.sweep()
    eventually(finished(subject), "it is done", meanwhile=sweeping())
    assert beats >= 2
    assert (plays.job(subject).state, plays.job(subject).attempts) == (JobState.DONE, 1)

    people.set_plan(["judged STOP"])
    one = turning[0]
    submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
    eventually(lambda: len(people.hits()) == 1, "stopped after judging")
    (builder,) = builders()
    end_connection(builder)
    os.kill(people.hits()[0][1], signal.SIGCONT)
    eventually(finished(submission), "it is built", meanwhile=sweeping())
    assert list(wrongs(one, submission)) == []
    assert Job.objects.get(pk=job).attempts == 2
    assert left_over() == set()


# ---- the submission says what became of its job; in this process


def fail_all(job: UUID) -> int:
    """Try it until it is closed; how often."""
    for tries in range(1, 100):
        lease = jobs.claim(job, at_once=True)
        if lease is None:
            return tries - 1
        try:
            jobs.work(lease)
        except (RuntimeError, OSError, JobRefused):
            continue
    raise AssertionError("never closed")


def failure_of(one: Turning, submission: UUID, job: UUID) -> str:
    """What the submission says; it must be what the job says, and on the trail once."""
    with acting_for(one.service):
        found = Submission.objects.get(pk=submission)
        events = AuditEvent.objects.filter(name="ndtms.extract_failed", subject=str(submission)).count()
    row = Job.objects.get(pk=job)
    assert (found.state, row.state, events) == (SubmissionState.FAILED, JobState.FAILED, 1)
    assert found.problem == row.problem
    return found.problem


def test_a_folder_that_cannot_be_written_fails_the_submission_at_once(
    turning: list[Turning], settings: Any, tmp_path: Path
) -> None:
    one = turning[0]
    submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
    settings.EXTRACT_DIR = tmp_path / "taken"
    settings.EXTRACT_DIR.write_text("a file")
    assert fail_all(job) == 1
    assert "could not be written (File exists)" in failure_of(one, submission, job)
    jobs.clean()  # which cannot look into the folder either, and says so in the log alone


def test_a_fault_of_the_program_fails_the_submission_after_all_tries(turning: list[Turning]) -> None:
    one = turning[0]
    submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
    waits = []

    def faulty(plan: Any) -> Any:
        row = Job.objects.get(pk=job)
        waits.append((row.run_after - row.created_at).total_seconds())
        raise RuntimeError("Smith, 1 High Street")

    with patch.object(extract, "judge", faulty):
        assert fail_all(job) == 20
    words = failure_of(one, submission, job)
    assert "tried 20 times" in words and "RuntimeError" in words and "Smith" not in words
    assert waits[1:5] == pytest.approx([2, 4, 8, 16], abs=3)
    assert waits[-1] == pytest.approx(300, abs=5)
    # The same extract may be asked for again.
    ask(one.service, FIRST_DAY + dt.timedelta(days=1))


def test_a_job_that_waits_after_a_failure_is_not_taken_early(turning: list[Turning]) -> None:
    submission, job = ask(turning[0].service, FIRST_DAY + dt.timedelta(days=1))
    Job.objects.filter(pk=job).update(run_after=Now() + dt.timedelta(seconds=200))
    assert jobs.claim(job) is None
    assert jobs.sweep() == 0
    assert jobs.claim(job, at_once=True) is not None


def test_a_failure_that_cannot_be_written_down_is_not_lost(turning: list[Turning]) -> None:
    """Job and submission are closed in one transaction: if the trail cannot be written, both stay open and it is tried again."""
    one = turning[0]
    submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
    lease = jobs.claim(job)
    assert lease is not None
    with (
        patch.object(extract, "judge", side_effect=OSError(28, "No space left on device")),
        patch("audit.services.audit_key", side_effect=RuntimeError("no key")),
        pytest.raises(RuntimeError, match="no key"),
    ):
        jobs.work(lease)
    with acting_for(one.service):
        assert Submission.objects.get(pk=submission).state == SubmissionState.BUILDING
    assert Job.objects.get(pk=job).state == JobState.RUNNING
    Job.objects.filter(pk=job).update(lease_until=Now() - dt.timedelta(seconds=1))
    assert jobs.run(job)
    assert list(wrongs(one, submission)) == []
