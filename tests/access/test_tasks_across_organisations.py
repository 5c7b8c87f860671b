"""A worker has no person's rights to lean on: a job that names another organisation's row finds nothing, by either wall alone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from edatrs.core import clock
from edatrs.core.managers import TenantManager, TenantQuerySet
from edatrs.core.scope import scope_or_none
from edatrs.organisations import tasks
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Organisation
from ndtms import extract
from ndtms.choices import SubmissionState
from ndtms.models import Submission, SubmissionContent
from tests.core.world import acting_for, row_security_off
from tests.factories.ndtms import make_submission
from tests.factories.organisations import make_organisation

BUILDING = {"state": SubmissionState.BUILDING, "sha256": "", "built_at": None, "size": 0, "stored_as": ""}


def job_for(organisation: Organisation, subject: Any) -> Job:
    """A job that is due now."""
    return Job.objects.create(
        kind="ndtms.build_extract",
        organisation=organisation,
        subject=subject,
        unique_key=str(uuid4()),
        run_after=clock.now(),
        created_at=clock.now(),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("down", ["", "managers", "row security"])
def test_a_job_of_one_organisation_builds_nothing_of_another(
    down: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as walls:
        if down == "row security":
            walls.enter_context(row_security_off())
        mine, other = make_organisation(), make_organisation()
        with acting_for(other):
            wanted = make_submission(**BUILDING)
        job = job_for(mine, wanted.pk)
        if down == "managers":
            monkeypatch.setattr(
                TenantManager, "get_queryset", lambda self: TenantQuerySet(self.model, using=self._db)
            )
        with pytest.raises(Submission.DoesNotExist):
            tasks.run_job(str(job.pk))
        monkeypatch.undo()
        job.refresh_from_db()
        assert (job.state, job.lease_token) == (JobState.QUEUED, None), "tried again later, and never done"
        assert "DoesNotExist" in job.problem and str(wanted.pk) not in job.problem
        with acting_for(other):
            assert Submission.objects.get().state == SubmissionState.BUILDING
            assert not SubmissionContent.objects.exists()
        assert list(extract.folder().iterdir()) == []
        assert scope_or_none() is None


@pytest.mark.django_db(transaction=True)
def test_the_same_job_of_its_own_organisation_is_built() -> None:
    """The control: nothing but the organisation was wrong."""
    mine = make_organisation()
    with acting_for(mine):
        wanted = make_submission(**BUILDING)
    job = job_for(mine, wanted.pk)
    tasks.run_job(str(job.pk))
    with acting_for(mine):
        assert Submission.objects.get().state == SubmissionState.BUILT


@pytest.mark.django_db(transaction=True)
def test_tasks_need_no_scope_and_leave_none() -> None:
    make_organisation()
    for run in (lambda: tasks.run_job(str(uuid4())), tasks.sweep_jobs, tasks.send_mail, tasks.clear_sessions):
        run()
        assert scope_or_none() is None
