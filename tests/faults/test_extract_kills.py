"""Extracts built by real workers that are killed at every named point, while consent and record change under them (issue 2, T5).

The record of a service is a pure function of a generation: which of its episodes agree, which exist, and a mark that every agreed one
carries. A change moves all of it to the next generation in one transaction. So a file is right if and only if all its marks are the same
and its rows are exactly those of that generation; a file of two moments shows.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from audit.models import AuditEvent
from caseload.models import Episode
from edatrs.core import trail
from edatrs.core.scope import Actor, open_scope
from edatrs.core.tasks import JobRefused, LeaseLost
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Service
from edatrs.organisations.services import jobs
from ndtms import extract, extract_query
from ndtms.choices import SubmissionState
from ndtms.models import Submission, SubmissionContent
from ndtms.services import submissions
from ndtms.services.submissions import ExtractOrder, Refused

from .worker import Crew, crew

SAMPLE = Path(__file__).parent.parent / "data" / "sample" / "bundle-2"
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
FIRST_DAY = dt.date(2026, 11, 1)
MARK = "ALCUNITS"
pytestmark = pytest.mark.django_db(transaction=True)


def agrees(episode_id: str, generation: int) -> bool:
    """Whether an episode agrees in a generation; the database says the same by the same hash."""
    return hashlib.md5(f"{episode_id}:{generation}".encode(), usedforsecurity=False).digest()[0] % 2 == 0


_TURN = f"""
UPDATE caseload_episode SET
    consent = CASE WHEN get_byte(decode(md5(episode_id || ':' || %(generation)s), 'hex'), 0) %% 2 = 0 THEN 'Y' ELSE 'N' END,
    items = jsonb_set(items, '{{{MARK}}}', to_jsonb(%(generation)s::text))
WHERE service_id = %(service)s AND episode_id = ANY(%(episodes)s)
"""
_BEAR = """
INSERT INTO caseload_episode (organisation_id, client_id, registration_id, service_id, id, episode_id, referred_on, triaged_on,
    referral_source, drug_1, items)
SELECT organisation_id, client_id, registration_id, service_id, gen_random_uuid(), %(new)s, referred_on, triaged_on,
    referral_source, drug_1, items
FROM caseload_episode WHERE service_id = %(service)s AND episode_id = %(like)s
"""


@dataclass
class Turning:
    """A service whose record turns from one generation to the next."""

    service: Service
    known: dict[str, str]  # the client of each episode that the collection holds and that turns
    always_withdrawn: set[str]
    born: dict[str, int] = field(default_factory=dict)
    client_of_born: dict[str, str] = field(default_factory=dict)
    generation: int = 0

    def turn(self, *, bear: bool) -> None:
        """Move the record on by one generation, in one transaction."""
        number = self.generation + 1
        with acting_for(self.service), connection.cursor() as cursor:
            if bear:
                like = min(self.known)
                new = f"9{number:06d}"
                cursor.execute(_BEAR, {"new": new, "service": self.service.pk, "like": like})
                self.born[new] = number
                self.client_of_born[new] = self.known[like]
            cursor.execute(
                _TURN,
                {
                    "generation": str(number),
                    "service": self.service.pk,
                    "episodes": [*self.known, *self.born],
                },
            )
            # Rows and trail are compared afterwards: what is written here is an act as any other.
            trail.record("caseload.client.changed", details={"what": ["episode"]})
        self.generation = number

    def rows(self, generation: int) -> tuple[set[str], set[str]]:
        """What the file of a generation holds: episodes, and clients that withdraw."""
        born = {e for e, since in self.born.items() if since <= generation}
        carried = {e for e in {*self.known, *born} if agrees(e, generation)}
        withdrawn = {c for e, c in self.known.items() if not agrees(e, generation)} | self.always_withdrawn
        return carried, withdrawn


def acting_for(service: Service) -> Any:
    """A scope of the operator for the organisation of a service."""
    return open_scope(
        actor=Actor.OPERATOR,
        organisation_id=service.organisation_id,
        organisation_label=service.organisation.slug,
        person_label="operator",
    )


@pytest.fixture
def turning() -> list[Turning]:
    """The services of the sample, each with the episodes that would be sent if they agree."""
    call_command("load_partnership", stdout=io.StringIO(), stderr=io.StringIO())
    call_command("import_caseload", str(SAMPLE), stdout=io.StringIO(), stderr=io.StringIO())
    found = []
    for service in Service.objects.select_related("organisation").order_by("agency_code"):
        submission, _ = ask(service, FIRST_DAY)
        job = Job.objects.get(subject=submission)
        lease = jobs.claim(job.pk, at_once=True)
        if lease is None:
            continue
        jobs.work(lease)
        with acting_for(service):
            built = Submission.objects.select_related("content").get(pk=submission)
            if not built.content.carried:
                continue
            known = dict(
                Episode.objects.filter(pk__in=built.content.carried).values_list(
                    "episode_id", "registration__client_id_text"
                )
            )
            always = {row["CLIENTID"] for row in rows_of(built) if row["CONSENT"] == "N"}
        found.append(Turning(service, known, always))
    assert len(found) >= 3
    for one in found:
        one.turn(bear=False)
    return found


def ask(service: Service, as_of: dt.date) -> tuple[UUID, UUID]:
    """Ask for a full extract, as the desk does; the ids of submission and job."""
    order = ExtractOrder(service, service.dataset, "Q", False, "full", as_of)
    with acting_for(service):
        submission, job = submissions.ask_for_extract(order=order, acting_user=None)
    return submission.pk, job.pk


def rows_of(submission: Submission) -> list[dict[str, str]]:
    """The rows of a published file."""
    raw = submissions.file_of(submission).read_bytes()
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


# ---- what must hold whatever happened


def wrongs(one: Turning, submission_id: UUID) -> Iterator[str]:
    """What is wrong with a submission and its file; nothing when all is well."""
    with acting_for(one.service):
        submission = Submission.objects.filter(pk=submission_id).first()
        if submission is None or submission.state != SubmissionState.BUILT:
            yield f"lost: {submission.state if submission else 'gone'}"
            return
        contents = SubmissionContent.objects.filter(pk=submission_id).count()
        events = AuditEvent.objects.filter(name="ndtms.extract_built", subject=str(submission_id)).count()
        if (contents, events) != (1, 1):
            yield f"built {events} times, {contents} contents"
        path = extract.folder() / submission.stored_as
        raw = path.read_bytes() if path.exists() else b""
        if (hashlib.sha256(raw).hexdigest(), len(raw)) != (submission.sha256, submission.size):
            yield "the file is not the one of the row"
            return
        carried = set(
            Episode.objects.filter(pk__in=submission.content.carried).values_list("episode_id", flat=True)
        )
        removed = set(
            Episode.objects.filter(pk__in=submission.content.removed).values_list(
                "registration__client_id_text", flat=True
            )
        )
        yield from wrongs_of_rows(one, rows_of(submission), carried, removed)
        state = Job.objects.get(subject=submission_id)
        if state.state != JobState.DONE:
            yield f"its job is {state.state}: {state.problem}"


def wrongs_of_rows(
    one: Turning, rows: list[dict[str, str]], carried: set[str], removed: set[str]
) -> Iterator[str]:
    """What is wrong with the rows of a file, beside what the row of the submission says of them."""
    sent = {row["EPISODID"] for row in rows if row["CONSENT"] == "Y"}
    withdrawn = [row for row in rows if row["CONSENT"] != "Y"]
    marks = Counter(row[MARK] for row in rows if row["CONSENT"] == "Y")
    if len(marks) > 1:
        yield f"of {len(marks)} moments: {sorted(marks)}"
    nobody_agreed = [g for g in range(1, one.generation + 1) if not one.rows(g)[0]] if not marks else []
    if not marks and not nobody_agreed:
        yield "nobody is sent"
        return
    generation = int(marks.most_common(1)[0][0]) if marks else nobody_agreed[0]
    may_be_sent, must_withdraw = one.rows(generation)
    if sent - may_be_sent:
        yield f"{len(sent - may_be_sent)} episodes without consent at generation {generation}"
    if may_be_sent - sent:
        yield f"{len(may_be_sent - sent)} agreed episodes missing at generation {generation}"
    if {row["CLIENTID"] for row in withdrawn} != must_withdraw or len(withdrawn) != len(must_withdraw):
        yield f"withdrawals of generation {generation} are not those of the file"
    if any(
        {name for name, value in row.items() if value} != {"AGNCY", "CLIENTID", "CONSENT"}
        for row in withdrawn
    ):
        yield "a withdrawal says more than three things"
    if sent != carried:
        yield "the rows are not those that the submission names"
    if not removed <= must_withdraw:
        yield "somebody is taken out who did not withdraw"


def left_over() -> set[str]:
    """Files in the extract folder that no published submission owns."""
    owned: set[str] = set()
    for service in Service.objects.select_related("organisation"):
        with acting_for(service):
            owned |= set(Submission.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    return {path.name for path in extract.folder().iterdir()} - owned


# ---- the kills


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


# ---- the same invariants with a control taken away: they must find it


def build(one: Turning, day: int, *, between: Callable[[], None] | None = None) -> UUID:
    """Build an extract in this process; `between` is called after the judging, before the file is written."""
    submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=day))
    lease = jobs.claim(job)
    assert lease is not None
    write = extract.write

    def later(*args: Any, **kwargs: Any) -> Any:
        if between is not None:
            between()
        return write(*args, **kwargs)

    with patch.object(extract, "write", later):
        jobs.work(lease)
    return submission


def elsewhere(act: Callable[[], Any]) -> None:
    """Do it in a thread, which has a connection of its own. Raises what it raised."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (act(), connection.close())).result()


def changed(statement: Callable[..., Any], *changes: tuple[str, str]) -> Any:
    """A function that makes a statement, with some of its SQL replaced."""

    def other(*args: Any, **kwargs: Any) -> Any:
        made = statement(*args, **kwargs)
        sql = made.sql
        for old, new in changes:
            assert old in sql, f"the mutant has nothing to change: {old}"
            sql = sql.replace(old, new)
        return made._replace(sql=sql)

    return other


class TestMutants:
    """Each control taken away in this process: what finds nothing with it finds something without it."""

    def test_nothing_is_wrong_with_all_controls(self, turning: list[Turning]) -> None:
        one = turning[0]
        built = build(one, 1, between=lambda: elsewhere(lambda: one.turn(bear=True)))
        assert list(wrongs(one, built)) == []
        jobs.clean()
        assert left_over() == set()

    def test_without_the_snapshot(self, turning: list[Turning]) -> None:
        one = turning[0]
        scope = submissions._worker_scope
        with patch.object(submissions, "_worker_scope", lambda lease, one_snapshot=False: scope(lease)):
            built = build(one, 1, between=lambda: elsewhere(lambda: one.turn(bear=True)))
        assert list(wrongs(one, built))

    def test_without_the_question_of_consent(self, turning: list[Turning]) -> None:
        one = turning[0]
        mutant = changed(extract_query.judge, ("e.consent = 'N'", "FALSE"), ("e.consent <> 'Y'", "FALSE"))
        with patch.object(extract_query, "judge", mutant):
            built = build(one, 1)
        assert any("without consent" in words for words in wrongs(one, built))

    def test_without_the_withdrawals(self, turning: list[Turning]) -> None:
        one = turning[0]
        mutant = changed(extract_query.line_up, ("WHERE verdict = 'withdrawn'", "WHERE FALSE"))
        with patch.object(extract_query, "line_up", mutant):
            built = build(one, 1)
        assert any("withdrawals" in words for words in wrongs(one, built))

    @pytest.mark.parametrize(("lease", "key"), [(True, True), (False, True), (True, False), (False, False)])
    def test_without_the_lease_check_and_the_key(
        self, turning: list[Turning], lease: bool, key: bool
    ) -> None:
        """An attempt that lost its lease publishes after another has published: either wall holds it off, without both it is seen."""
        one = turning[0]
        submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
        publish, check, content = submissions._publish, jobs.HeldLease.publish, extract_query.publish_content

        def overtaken(mine: Any, *args: Any) -> None:
            Job.objects.filter(pk=job).update(lease_until=Now() - dt.timedelta(seconds=1))
            with (
                patch.object(submissions, "_publish", publish),
                patch.object(jobs.HeldLease, "publish", check),
            ):
                elsewhere(lambda: jobs.run(job))
            assert Job.objects.get(pk=job).state == JobState.DONE
            publish(mine, *args)

        def anyhow(*args: Any) -> Any:
            made = content(*args)
            return made._replace(sql=f"{made.sql} ON CONFLICT DO NOTHING")

        first = jobs.claim(job)
        assert first is not None
        with ExitStack() as mutant:
            mutant.enter_context(patch.object(submissions, "_publish", overtaken))
            if not lease:
                mutant.enter_context(patch.object(jobs.HeldLease, "publish", lambda mine: None))
            if not key:
                mutant.enter_context(patch.object(extract_query, "publish_content", anyhow))
            try:
                jobs.work(first)
            except (LeaseLost, IntegrityError):
                assert lease or key
            else:
                assert not (lease or key)
        jobs.clean()
        assert left_over() == set()
        assert bool(list(wrongs(one, submission))) is not (lease or key)

    def test_without_the_unique_key_of_a_job(self, turning: list[Turning]) -> None:
        one = turning[0]
        ask(one.service, FIRST_DAY)
        with pytest.raises(Refused):
            ask(one.service, FIRST_DAY)
        with patch.object(submissions, "_key", lambda order: str(uuid4())):
            ask(one.service, FIRST_DAY)
            ask(one.service, FIRST_DAY)
        assert Job.objects.filter(finished_at=None).count() == 3

    def test_without_the_clean_up(self, turning: list[Turning]) -> None:
        one = turning[0]
        submission, job = ask(one.service, FIRST_DAY + dt.timedelta(days=1))
        lease = jobs.claim(job)
        assert lease is not None
        for name in (
            extract.stored_name(submission, lease.token),
            extract.stored_name(submission, uuid4()) + ".part",
        ):
            (extract.folder() / name).write_text("half")
        Job.objects.filter(pk=job).update(lease_until=Now() - dt.timedelta(seconds=1))
        assert jobs.run(job)
        with patch.object(extract, "remove_leftovers", lambda owned: 0):
            jobs.clean()
        assert len(left_over()) == 2
        jobs.clean()
        assert left_over() == set()
        assert list(wrongs(one, submission)) == []

    def test_a_clean_up_that_is_too_eager(self, turning: list[Turning]) -> None:
        """The files of an attempt that holds its lease are not left over; a clean-up that took them would keep it from ending."""
        one = turning[0]
        stream = extract._stream

        def cleaned_meanwhile(*args: Any) -> Any:
            written = stream(*args)
            elsewhere(jobs.clean)
            return written

        with patch.object(extract, "_stream", cleaned_meanwhile):
            assert list(wrongs(one, build(one, 1))) == []
            with patch.object(submissions, "_owned", lambda files: set()), pytest.raises(JobRefused):
                build(one, 2)

    def test_a_published_file_outlives_its_job(self, turning: list[Turning], owner_connection: Any) -> None:
        one = turning[0]
        built = build(one, 1)
        owner_connection.execute("DELETE FROM organisations_job")
        jobs.clean()
        with acting_for(one.service):
            assert submissions.file_of(Submission.objects.get(pk=built)).exists()
