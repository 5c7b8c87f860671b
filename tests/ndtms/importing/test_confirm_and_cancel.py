"""Confirming writes what was shown or nothing; once, whoever presses and how often; cancelling and waiting leave nothing of a client."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now

from audit.models import AuditEvent
from caseload.models import ClientIdentity, Episode
from edatrs.core import clock
from edatrs.core.crypto import Undecipherable, unseal
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Membership, Organisation
from edatrs.organisations.services import jobs
from ndtms.choices import ImportState
from ndtms.models import ImportFile, ImportLine, ImportRun
from ndtms.services import imports
from tests.ndtms import support
from tests.ndtms.importing import bring
from tests.ndtms.importing.test_refused_lines import SLUG, own_bundle
from tests.oracle.bad_bundles import good_bundle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own() -> Organisation:
    """The organisation of all services of the bundle."""
    return bring.provider(("E1001", "adult"), ("E2001", "yp"), ("E3001", "cjit"), slug=SLUG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small good bundle."""
    return own_bundle(good_bundle(tmp_path / "bundle"))


def events(organisation: Organisation) -> list[tuple[str, Any]]:
    """The import's events on the organisation's trail, in order."""
    with bring.acting_for(organisation):
        rows = AuditEvent.objects.filter(name__startswith="ndtms.import").order_by("sequence")
        return [(row.name.removeprefix("ndtms.import_"), row.details.get("dry_run")) for row in rows]


def left(organisation: Organisation, run: ImportRun) -> tuple[int, int]:
    """How many files and lines are kept of an import."""
    with bring.acting_for(organisation):
        return ImportFile.objects.filter(run=run).count(), ImportLine.objects.filter(run=run).count()


def count(organisation: Organisation) -> int:
    with bring.acting_for(organisation):
        return int(Episode.objects.count())


def test_what_is_written_stands_on_the_trail_and_nothing_of_a_client_stays(
    own: Organisation, folder: Path
) -> None:
    browser = bring.browser_of(own)
    run = bring.brought(browser, own, bring.zipped(folder))
    assert left(own, run)[0] == 1 and left(own, run)[1] > 20
    run = bring.confirmed(browser, own, run)
    assert run.state == ImportState.LOADED and left(own, run) == (0, 0)
    assert run.counts["episodes.csv"] == {"created": 5, "changed": 0, "unchanged": 0, "refused": 0}
    assert events(own) == [
        ("started", True),
        ("finished", True),
        ("confirmed", None),
        ("started", False),
        ("finished", False),
    ]
    with bring.acting_for(own):
        finished = AuditEvent.objects.filter(name="ndtms.import_finished").order_by("-sequence")[0]
        assert finished.details["counts"]["episodes"] == 5 and finished.details["sha256"] == run.sha256
        assert finished.subject == str(run.pk) and finished.actor_label == run.confirmed_by_label
        # The rows carry the act of the load, as after the command.
        assert set(Episode.objects.values_list("act", flat=True)) == {finished.act}
        assert ClientIdentity.objects.count() == 3


def test_the_file_is_sealed_and_opens_only_as_its_own(own: Organisation, folder: Path) -> None:
    bring.brought(bring.browser_of(own), own, bring.zipped(folder))
    with bring.acting_for(own):
        file = ImportFile.objects.get()
        sealed = bytes(file.sealed)
    assert b"clients.csv" not in sealed and b"PK\x03\x04" not in sealed
    assert unseal(sealed, str(file.run_id)).startswith(b"PK\x03\x04")
    with pytest.raises(Undecipherable):
        unseal(sealed, str(uuid4()))


def test_a_change_in_between_means_nothing_is_written_and_a_new_preview(
    own: Organisation, folder: Path
) -> None:
    browser = bring.browser_of(own)
    bring.confirmed(browser, own, bring.brought(browser, own, bring.zipped(folder)))
    changed = (folder / "episodes.csv").read_bytes().replace(b"2026-02-05", b"2026-02-04")
    run = bring.brought(browser, own, bring.zipped(folder, {"episodes.csv": changed}))
    [line] = [row for row in bring.lines(own, run) if row.kind == "changed"]
    assert line.changes == [["REFLD", "2026-02-05", "2026-02-04"]]
    with bring.acting_for(own):
        episode = Episode.objects.get(episode_id="2")
        Episode.objects.filter(pk=episode.pk).update(referred_on=dt.date(2026, 2, 3))
    before = bring.record(own)
    again = bring.confirmed(browser, own, run)
    assert again.state == ImportState.READY and again.changed_meanwhile and again.preview == 2
    assert again.confirmed_at is None and bring.record(own) == before
    [line] = [row for row in bring.lines(own, again) if row.kind == "changed"]
    assert line.changes == [["REFLD", "2026-02-03", "2026-02-04"]]
    page = browser.get(bring.address(own, run.pk)).content.decode()
    assert "The record changed while this waited, so nothing was written" in page
    # What was seen before cannot be confirmed now; what is seen now can.
    answer = browser.post(
        bring.address(own, run.pk, "confirm"), {"preview": run.preview, "digest": run.digest}, follow=True
    )
    assert "A newer preview was made since you looked" in answer.content.decode()
    assert bring.work() == 0
    assert bring.confirmed(browser, own, again).state == ImportState.LOADED


def test_a_change_elsewhere_in_the_record_does_not_stand_in_the_way(own: Organisation, folder: Path) -> None:
    browser = bring.browser_of(own)
    bring.confirmed(browser, own, bring.brought(browser, own, bring.zipped(folder)))
    changed = (folder / "episodes.csv").read_bytes().replace(b"2026-02-05", b"2026-02-04")
    run = bring.brought(browser, own, bring.zipped(folder, {"episodes.csv": changed}))
    with bring.acting_for(own):
        # An item that the bundle does not bring.
        episode = Episode.objects.get(episode_id="2")
        Episode.objects.filter(pk=episode.pk).update(items={**episode.items, "ALCUNITS": "7"})
    assert bring.confirmed(browser, own, run).state == ImportState.LOADED


def test_that_confirming_equals_the_preview_hangs_on_the_comparison(
    own: Organisation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, what somebody did in between would be overwritten unseen: the test above notices that."""
    monkeypatch.setattr(imports, "_Changed", type("Ignored", (Exception,), {}))
    monkeypatch.setattr("ndtms.load_lines.Line.canonical", lambda self: b"")
    with pytest.raises(AssertionError):
        test_a_change_in_between_means_nothing_is_written_and_a_new_preview(own, folder)


def test_confirmed_twice_and_by_two_at_once_it_is_written_once(own: Organisation, folder: Path) -> None:
    browsers = [bring.browser_of(own) for _ in range(4)]
    run = bring.brought(browsers[0], own, bring.zipped(folder))
    answers: list[int] = []

    def press(browser: Any) -> None:
        try:
            answers.append(bring.confirm(browser, own, run).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(b,)) for b in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    assert Job.objects.filter(kind=imports.WRITE_IMPORT).count() == 1
    bring.work()
    assert bring.confirm(browsers[1], own, run).status_code == 302
    assert bring.work() == 0 and bring.run_of(own).state == ImportState.LOADED
    assert [name for name, _ in events(own)].count("confirmed") == 1


def test_the_same_form_sent_twice_is_one_import(own: Organisation, folder: Path) -> None:
    browser, form = bring.browser_of(own), str(uuid4())
    raw = bring.zipped(folder)
    first, second = (bring.send(browser, own, raw, form_id=form) for _ in range(2))
    assert first["Location"] == second["Location"]
    with bring.acting_for(own):
        assert ImportRun.objects.count() == 1
    assert Job.objects.filter(kind=imports.READ_IMPORT).count() == 1


def test_only_so_many_wait_for_an_answer(own: Organisation, folder: Path) -> None:
    browser, raw = bring.browser_of(own), bring.zipped(folder)
    for _ in range(imports.MOST_OPEN):
        assert bring.send(browser, own, raw).status_code == 302
    answer = bring.send(browser, own, raw)
    assert answer.status_code == 409 and "Confirm or cancel one of them" in answer.content.decode()


@pytest.mark.parametrize("moment", ["before it is read", "while it is read", "when it is ready"])
def test_cancelled_at_any_moment_it_leaves_nothing(
    moment: str, own: Organisation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = bring.browser_of(own)
    bring.send(browser, own, bring.zipped(folder))
    run = bring.run_of(own)

    def cancel() -> None:
        try:
            assert browser.post(bring.address(own, run.pk, "cancel")).status_code == 302
        finally:
            connection.close()

    if moment == "while it is read":
        monkeypatch.setattr(imports, "kill_point", once("import-rehearsed", cancel))
    elif moment == "before it is read":
        cancel()
    bring.work()
    if moment == "when it is ready":
        cancel()
    run = bring.run_of(own)
    assert run.state == ImportState.CANCELLED and left(own, run) == (0, 0) and count(own) == 0
    assert bring.confirm(browser, own, run).status_code == 302 and bring.work() == 0
    assert events(own)[-1][0] == "cancelled"


def once(point: str, act: Callable[[], None]) -> Callable[[str], None]:
    """A kill point that does something at its name, in a thread: the test's connection is in the middle of something."""

    def arrived(name: str) -> None:
        if name == point:
            thread = threading.Thread(target=act)
            thread.start()
            thread.join()

    return arrived


def test_what_is_being_written_can_no_longer_be_cancelled(own: Organisation, folder: Path) -> None:
    browser = bring.browser_of(own)
    run = bring.brought(browser, own, bring.zipped(folder))
    bring.confirm(browser, own, run)
    answer = browser.post(bring.address(own, run.pk, "cancel"), follow=True)
    assert "it can no longer be cancelled" in answer.content.decode()
    bring.work()
    assert bring.run_of(own).state == ImportState.LOADED


def test_whoever_lost_the_role_meanwhile_writes_nothing(own: Organisation, folder: Path) -> None:
    browser = bring.browser_of(own)
    run = bring.brought(browser, own, bring.zipped(folder))
    bring.confirm(browser, own, run)
    Membership.objects.filter(organisation=own, role=bring.ROLE).update(
        valid_until=clock.today() - dt.timedelta(days=1)
    )
    bring.work("refused")
    run = bring.run_of(own)
    assert run.state == ImportState.FAILED and run.problem == imports.NO_LONGER
    assert left(own, run) == (0, 0) and count(own) == 0


def test_after_seven_days_without_an_answer_it_is_let_go(own: Organisation, folder: Path) -> None:
    run = bring.brought(bring.browser_of(own), own, bring.zipped(folder))
    job = Job.objects.get(kind=imports.EXPIRE_IMPORT)
    assert dt.timedelta(days=6, hours=23) < job.run_after - job.created_at <= dt.timedelta(days=7, seconds=9)
    assert jobs.claim(job.pk) is None, "not before its time"
    Job.objects.filter(pk=job.pk).update(run_after=Now())
    assert jobs.run(job.pk)
    run = bring.run_of(own)
    assert (
        run.state == ImportState.EXPIRED
        and left(own, run) == (0, 0)
        and run.counts["clients.csv"]["created"] == 3
    )
    assert events(own)[-1][0] == "expired"


def test_an_import_that_was_answered_does_not_expire(own: Organisation, folder: Path) -> None:
    browser = bring.browser_of(own)
    bring.confirmed(browser, own, bring.brought(browser, own, bring.zipped(folder)))
    job = Job.objects.get(kind=imports.EXPIRE_IMPORT)
    Job.objects.filter(pk=job.pk).update(run_after=Now())
    assert jobs.run(job.pk)
    assert bring.run_of(own).state == ImportState.LOADED


def test_a_preview_writes_nothing_but_itself_and_the_trail(
    own: Organisation, folder: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    browser = bring.browser_of(own)
    bring.send(browser, own, bring.zipped(folder))
    but = (*support.TRAIL, "organisations_job", "ndtms_importrun", "ndtms_importline")
    before = support.on_disk(owner_connection, *but)
    bring.work()
    assert support.on_disk(owner_connection, *but) == before
    assert bring.run_of(own).state == ImportState.READY


@pytest.mark.parametrize("point", ["import-written", "import-recorded"])
def test_a_worker_that_dies_in_the_middle_leaves_nothing_half_written(
    point: str, own: Organisation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction dies with it; the next worker does it whole. (Real kills of real workers: tests/faults.)"""
    browser = bring.browser_of(own)
    run = bring.brought(browser, own, bring.zipped(folder))
    bring.confirm(browser, own, run)
    dead = True

    def die(name: str) -> None:
        nonlocal dead
        if name == point and dead:
            dead = False
            raise KeyboardInterrupt

    monkeypatch.setattr("ndtms.organisation_import.kill_point", die)
    monkeypatch.setattr(imports, "kill_point", die)
    job = Job.objects.get(kind=imports.WRITE_IMPORT)
    lease = jobs.claim(job.pk, at_once=True)
    assert lease is not None
    with pytest.raises(KeyboardInterrupt):
        jobs.work(lease)
    assert count(own) == 0 and bring.run_of(own).state == ImportState.LOADING and left(own, run)[0] == 1
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - dt.timedelta(seconds=1))
    jobs.sweep()
    Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(run_after=Now())
    bring.work()
    assert bring.run_of(own).state == ImportState.LOADED and count(own) == 5
    assert [name for name, dry in events(own) if dry is False] == ["started", "finished"]
