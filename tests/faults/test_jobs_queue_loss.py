"""The queue is a hint: messages that are lost, doubled or late, and a broker that is away, lose no work and double no effect (T6)."""

from __future__ import annotations

import datetime as dt
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.services import jobs
from tests.factories.organisations import make_organisation

from .test_jobs_leases import finished, sweeping
from .turning import FIRST_DAY, Turning, ask
from .worker import Crew, Plays, crew, eventually

pytestmark = pytest.mark.django_db(transaction=True)
# Kombu's options for giving a message to another worker when it was not acknowledged in time, at their quickest.
IMPATIENT = {"visibility_timeout": 1, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}


@pytest.fixture
def people() -> Iterator[Crew]:
    """A broker and no workers yet."""
    with crew(lease=1.0) as found:
        yield found


@pytest.fixture
def plays(people: Crew) -> Plays:
    """Jobs that do as they are told."""
    return Plays(people.scripts, make_organisation().pk)


def all_done_once(plays: Plays, subjects: list[UUID]) -> None:
    """Nothing lost, nothing doubled."""
    states = Counter(Job.objects.filter(subject__in=subjects).values_list("state", flat=True))
    assert states == {JobState.DONE: len(subjects)}
    assert plays.effects() == Counter(str(subject) for subject in subjects)


def received(people: Crew) -> Counter[str]:
    """How often each message reached a worker, by its id."""
    found: Counter[str] = Counter()
    for worker in people.workers:
        for line in worker.log.read_text(errors="replace").splitlines():
            if line.endswith(" received") and "run_job[" in line:
                found[line.split("run_job[")[1].split("]")[0]] += 1
    return found


# ---- a broker that is away


def quick(act: Callable[[], Any]) -> float:
    """How long it takes; it must be less than what a request may take."""
    began = time.monotonic()
    act()
    took = time.monotonic() - began
    assert took < 2
    return took


@pytest.mark.parametrize("trouble", ["never there", "killed", "stands still", "full"])
def test_asking_does_not_fail_and_does_not_wait_for_the_broker(
    people: Crew, turning: list[Turning], trouble: str
) -> None:
    one = turning[0]
    if trouble == "never there":
        people.broker.stop()
    elif trouble == "killed":
        jobs.sweep()
        people.broker.send(signal.SIGKILL)
    elif trouble == "stands still":
        people.broker.send(signal.SIGSTOP)
    else:
        people.broker.client().config_set("maxmemory", "1")
    asked = []
    quick(lambda: asked.append(ask(one.service, FIRST_DAY)))
    submission, job = asked[0]
    assert Job.objects.get(pk=job).state == JobState.QUEUED

    # Many at once wait for it once, not each of them.
    def many() -> None:
        with transaction.atomic():
            for number in range(20):
                asked.append(ask(one.service, FIRST_DAY + dt.timedelta(days=number + 1)))

    quick(many)
    quick(jobs.sweep)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 21
    # The broker is back: the sweeper finds all of it.
    if trouble == "stands still":
        people.broker.send(signal.SIGCONT)
    elif trouble == "full":
        people.broker.client().config_set("maxmemory", "0")
    else:
        people.broker.start()
    jobs._broker_away_until = 0.0
    assert jobs.sweep() == 21
    # What was told of is not told again at the next sweep.
    assert jobs.sweep() == 0
    assert submission


def test_what_was_rolled_back_was_never_asked_for(people: Crew, plays: Plays) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        plays.ask()
        raise ZeroDivisionError
    plays.ask()
    assert people.broker.client().llen("celery") == 1
    assert Job.objects.count() == 1


# ---- lost messages


def lose(
    people: Crew, plays: Plays, *, number: int, seconds: float, flushes: int, restarts: int, away: float
) -> None:
    """Jobs while the broker forgets everything again and again, and is killed and comes back empty."""
    dice = random.Random(number)
    people.start(concurrency=2)
    subjects = [plays.ask(seconds=seconds) for _ in range(number // 2)]
    sweep = sweeping(0.5)
    for turn in range(flushes + restarts):
        until = time.monotonic() + dice.uniform(0.1, 0.8)
        while time.monotonic() < until:
            sweep()
            time.sleep(0.05)
        subjects += [plays.ask(seconds=seconds) for _ in range(number // 2 // (flushes + restarts))]
        people.broker.flush()
        if turn % (flushes // max(restarts, 1) + 1) == 0 and restarts:
            restarts -= 1
            people.broker.send(signal.SIGKILL)
            back = time.monotonic() + away
            while time.monotonic() < back:
                sweep()
                time.sleep(0.05)
            people.broker.start()
    subjects.append(plays.ask(seconds=seconds))
    people.broker.flush()
    eventually(finished(*subjects), "all due work is done", meanwhile=sweep)
    all_done_once(plays, subjects)


def test_everything_lost_from_the_queue_is_found_again(people: Crew, plays: Plays) -> None:
    lose(people, plays, number=40, seconds=0.1, flushes=6, restarts=1, away=1)


@pytest.mark.long
def test_everything_lost_from_the_queue_is_found_again_for_long(people: Crew, plays: Plays) -> None:
    lose(people, plays, number=300, seconds=0.3, flushes=20, restarts=4, away=30)


def stand_still(people: Crew, plays: Plays, seconds: float) -> None:
    """The broker hangs with its connections open, while work is asked for."""
    people.start(concurrency=2)
    subjects = [plays.ask(seconds=0.2) for _ in range(6)]
    people.broker.send(signal.SIGSTOP)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        quick(lambda: subjects.append(plays.ask(seconds=0.1)))
        quick(jobs.sweep)
        time.sleep(seconds / 10)
    people.broker.send(signal.SIGCONT)
    eventually(finished(*subjects), "all due work is done", meanwhile=sweeping(0.5))
    all_done_once(plays, subjects)


def test_a_broker_that_stands_still(people: Crew, plays: Plays) -> None:
    stand_still(people, plays, 3)


@pytest.mark.long
def test_a_broker_that_stands_still_for_long(people: Crew, plays: Plays) -> None:
    stand_still(people, plays, 40)


# ---- doubled messages


def doubled(people: Crew, plays: Plays, *, number: int, seconds: float, concurrency: int) -> int:
    """Jobs that take longer than the broker waits for them; how many messages came more than once."""
    for _ in range(2):
        people.start(concurrency=concurrency, transport=IMPATIENT)
    subjects = [plays.ask(seconds=seconds) for _ in range(number)]
    eventually(finished(*subjects), "all are done", within=60 + number * seconds, meanwhile=sweeping(0.5))
    all_done_once(plays, subjects)
    assert all(plays.times_begun(subject) == 1 for subject in subjects)
    return sum(1 for times in received(people).values() if times > 1)


def test_a_message_that_comes_twice_has_its_effect_once(people: Crew, plays: Plays) -> None:
    assert doubled(people, plays, number=6, seconds=3, concurrency=2) >= 3, "no message was doubled"


@pytest.mark.long
def test_many_messages_that_come_twice(people: Crew, plays: Plays, capfd: Any) -> None:
    times = doubled(people, plays, number=200, seconds=6, concurrency=8)
    with capfd.disabled():
        print(f"\n{times} of 200 messages came more than once; each effect was there once")
    assert times >= 100


def test_twenty_messages_of_one_job() -> None:
    with crew(
        lease=60.0
    ) as people:  # longer than the machine stands still: who begins a second time did so for a message
        plays = Plays(people.scripts, make_organisation().pk)
        people.start(concurrency=4)
        subjects = [plays.ask(seconds=0.5) for _ in range(3)]
        for subject in subjects * 20:
            jobs.wake(plays.job(subject).pk)
        eventually(finished(*subjects), "all are done", meanwhile=sweeping())
        eventually(lambda: people.broker.client().llen("celery") == 0, "every message is read")
        all_done_once(plays, subjects)
        assert [plays.times_begun(subject) for subject in subjects] == [1, 1, 1]


# ---- the sweeper


def test_two_sweepers_at_once_tell_once(people: Crew, plays: Plays) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    for _ in range(30):
        plays.ask()
    people.broker.flush()
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: (jobs.sweep(), connection.close())[0], range(4)))
    assert sum(told) == 30
    assert people.broker.client().llen("celery") == 30


def test_a_clean_up_that_fails_does_not_stop_the_sweeper(people: Crew, plays: Plays, caplog: Any) -> None:
    from unittest.mock import patch

    from ndtms import extract

    plays.ask()
    with patch.object(extract, "folder", side_effect=OSError(28, "No space left on device")):
        assert jobs.sweep() == 1
    assert "could not be removed" in caplog.text


def test_a_worker_that_starts_finds_what_is_due(people: Crew, plays: Plays) -> None:
    subject = plays.ask()
    people.broker.flush()
    people.start(concurrency=1)
    eventually(finished(subject), "it is done without any sweeper")
    all_done_once(plays, [subject])


def test_the_limits_stand_in_the_right_order(settings: Any) -> None:
    """Every attempt ends before its process is killed for hanging, and that before the broker gives its message to another."""
    from edatrs.core import registry
    from edatrs.core.tasks import HARD_LIMIT, job_kind
    from edatrs.organisations.tasks import run_job

    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert all(kind.timeout < HARD_LIMIT for _, kind in registry.jobs)
    assert run_job.time_limit == HARD_LIMIT.total_seconds() < visibility
    with pytest.raises(ValueError, match="must end within"):
        job_kind("tests.endless", timeout=HARD_LIMIT)
