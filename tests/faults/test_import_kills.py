"""Imports worked on by real workers that are killed at every named point: nothing is ever half written, and in the end all of it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.db.models.functions import Now

from audit.models import AuditEvent
from caseload.models import Client, Episode
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Organisation
from edatrs.organisations.services import jobs
from ndtms.choices import ImportState
from ndtms.models import ImportFile, ImportLine, ImportRun
from tests.ndtms.importing import bring
from tests.ndtms.importing.test_refused_lines import SLUG, own_bundle
from tests.oracle.bad_bundles import good_bundle

from .worker import crew

READING = (
    "delivered",
    "import-claimed",
    "import-written",
    "import-rehearsed",
    "import-recorded",
    "import-previewed",
)
WRITING = ("delivered", "import-claimed", "import-written", "import-recorded", "import-committed")
WHOLE = {"people": 3, "episodes": 5}
NOTHING = {"people": 0, "episodes": 0}
pytestmark = pytest.mark.django_db(transaction=True)


def held(organisation: Organisation) -> dict[str, int]:
    """Of one moment: two looks could have the commit between them."""
    with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk, one_snapshot=True):
        return {"people": Client.objects.count(), "episodes": Episode.objects.count()}


def finished(organisation: Organisation, *, within: float, allowed: list[dict[str, int]]) -> None:
    """Sweep until every job is closed; at every look the record is one of those that are allowed."""
    until = time.monotonic() + within
    waiting = Job.objects.filter(organisation=organisation, finished_at=None).exclude(
        kind="ndtms.expire_import"
    )
    while waiting.exists():
        assert time.monotonic() < until, list(waiting.values("kind", "state", "attempts", "problem"))
        assert held(organisation) in allowed
        Job.objects.filter(organisation=organisation, state=JobState.QUEUED).exclude(
            kind="ndtms.expire_import"
        ).update(run_after=Now())
        jobs.sweep()
        time.sleep(0.3)


def test_killed_at_every_point_an_import_is_never_half_written(tmp_path: Path) -> None:
    own = bring.provider(("E1001", "adult"), ("E2001", "yp"), ("E3001", "cjit"), slug=SLUG)
    browser = bring.browser_of(own)
    bring.send(browser, own, bring.zipped(own_bundle(good_bundle(tmp_path / "b"))))
    with crew() as people:
        people.set_plan(READING)
        people.start()
        finished(own, within=240, allowed=[NOTHING])
        run = bring.run_of(own)
        assert people.planned() == 0 and [point for point, _ in people.hits()] == list(READING)
        assert run.state == ImportState.READY and run.preview == 1 and held(own) == NOTHING
        people.set_plan(WRITING)
        assert bring.confirm(browser, own, run).status_code == 302
        finished(own, within=240, allowed=[NOTHING, WHOLE])
        assert people.planned() == 0
    run = bring.run_of(own)
    assert run.state == ImportState.LOADED and held(own) == WHOLE
    with bring.acting_for(own):
        assert not ImportFile.objects.exists() and not ImportLine.objects.exists()
        ends = AuditEvent.objects.filter(name="ndtms.import_finished")
        assert sorted(row.details["dry_run"] for row in ends) == [False, True], (
            "each of the two once, whoever was killed"
        )
        assert ImportRun.objects.count() == 1
