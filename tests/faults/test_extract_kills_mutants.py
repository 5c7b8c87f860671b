"""The same invariants with a control taken away: they must find it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from edatrs.core.tasks import JobRefused, LeaseLost
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.services import jobs
from ndtms import extract, extract_query
from ndtms.models import Submission
from ndtms.services import submissions
from ndtms.services.submissions import Refused
from tests.faults.turning import FIRST_DAY, Turning, acting_for, ask, left_over, wrongs

pytestmark = pytest.mark.django_db(transaction=True)


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
