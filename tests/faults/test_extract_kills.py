"""Workers killed while they build extracts lose nothing and double nothing (T5)."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from edatrs.organisations.models import Job
from edatrs.organisations.services import jobs
from ndtms import extract
from tests.faults.turning import FIRST_DAY, Turning, ask, left_over, wrongs

from .worker import Crew, crew

pytestmark = pytest.mark.django_db(transaction=True)


# In the order in which an attempt comes by.
POINTS = (
    "delivered",
    "claimed",
    "snapshot",
    "judged",
    "before-copy",
    "copying",
    "copied",
    "fsynced",
    "renamed",
    "recorded",
    "committed",
    "published",
)


# Two of them lie next to others with nothing between: only the long run stops there.
FEWER = tuple(point for point in POINTS if point not in {"snapshot", "before-copy"})


@dataclass
class Run:
    """A run of kills: builds are asked for as long as there are kills to come, and the record turns meanwhile."""

    people: Crew
    turning: list[Turning]
    in_flight: int = 14
    parents: int = 0
    asked: list[tuple[Turning, UUID, UUID]] = field(default_factory=list)
    seconds: float = 0.0
    seen: set[str] = field(default_factory=set)

    def unfinished(self) -> int:
        """How many builds are not closed."""
        return Job.objects.filter(pk__in=[job for _, _, job in self.asked], finished_at=None).count()

    def open_jobs(self) -> list[Any]:
        """What is not closed, for the message of a failure."""
        fields = ("id", "state", "attempts", "problem", "run_after", "lease_until", "deadline")
        return list(Job.objects.filter(finished_at=None).values(*fields))

    def ask_some(self, free: int) -> None:
        """Ask for more builds."""
        for _ in range(free):
            number = len(self.asked)
            one = self.turning[number % len(self.turning)]
            day = FIRST_DAY + dt.timedelta(days=number // len(self.turning) + 1)
            self.asked.append((one, *ask(one.service, day)))

    def go(self, plan: list[str], *, within: float) -> None:
        """Until every kill has happened and every build is closed. The sweeper is this loop: twice a second."""
        began = time.monotonic()
        self.people.set_plan(plan)
        worker_now = self.people.start()
        parents_at = [len(plan) * (n + 1) // (self.parents + 1) for n in range(self.parents)]
        standby = None
        swept = turned = 0.0
        turns = 0
        while True:
            now = time.monotonic()
            left = self.people.planned()
            open_now = self.unfinished()
            if not left and not open_now and not parents_at:
                break
            assert now - began < within, f"{left} kills to come, open: {self.open_jobs()}"
            if left:
                self.ask_some(self.in_flight - open_now)
            if parents_at and len(plan) - left >= parents_at[0]:
                standby = standby or self.people.start(wait=False)
                if standby.ready:
                    worker_now.kill_parent()
                    worker_now, standby = standby, None
                    parents_at.pop(0)
            if now - swept > 0.5:
                self.seen |= {path.name for path in extract.folder().iterdir()}
                jobs.sweep()
                swept = now
            if now - turned > 0.1:
                turns += 1
                self.turning[turns % len(self.turning)].turn(bear=turns % 40 == 0)
                turned = now
            time.sleep(0.1)
        worker_now.finish()
        self.seconds = time.monotonic() - began

    def wrongs(self) -> list[str]:
        """What is wrong after the run and one more clean-up."""
        jobs.clean()
        found = [
            f"{one.service}: {words}"
            for one, submission, _ in self.asked
            for words in wrongs(one, submission)
        ]
        found += [f"left over: {name}" for name in left_over()]
        return found

    def table(self) -> str:
        """How often each point killed."""
        counts = Counter(point for point, _ in self.people.hits())
        lines = [f"  {point:<12} {counts[point]:>5}" for point in POINTS if counts[point]]
        gone = self.seen - {path.name for path in extract.folder().iterdir()}
        attempts = sum(
            Job.objects.filter(pk__in=[j for _, _, j in self.asked]).values_list("attempts", flat=True)
        )
        turns = sum(one.generation for one in self.turning)
        return "\n".join(
            [
                f"{sum(counts.values())} kills of the worker in {self.seconds:.0f} s, and {self.parents} of its parent:",
                *lines,
                f"  {len(self.asked)} extracts in {attempts} attempts, while the record changed {turns} times;"
                f" {len(gone)} files of attempts that were not published are gone",
            ]
        )


def plan_of(points: tuple[str, ...], each: int) -> list[str]:
    """Every point so many times, in no order."""
    plan = [point for point in points for _ in range(each)]
    random.Random(each).shuffle(plan)
    return plan


def kill(
    turning: list[Turning], capfd: Any, *, points: tuple[str, ...], each: int, parents: int, within: float
) -> None:
    """One run; prints the count per point and checks all that must hold."""
    with crew(lease=1.0) as people:
        run = Run(people, turning, parents=parents)
        run.go(plan_of(points, each), within=within)
        found = run.wrongs()
        with capfd.disabled():
            print(f"\n{run.table()}", file=sys.stderr)
        assert Counter(point for point, _ in people.hits()) == dict.fromkeys(points, each)
        assert found == []
        assert len(run.seen) > len(run.asked), "no attempt left a file: the clean-up was not put to the test"
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert json.loads(out.getvalue())["ok"]


@pytest.mark.first
def test_two_hundred_kills_lose_nothing_and_double_nothing(turning: list[Turning], capfd: Any) -> None:
    kill(turning, capfd, points=FEWER, each=20, parents=3, within=400)


@pytest.mark.long
def test_a_thousand_kills(turning: list[Turning], capfd: Any) -> None:
    kill(turning, capfd, points=POINTS, each=84, parents=10, within=1500)
