"""What the database says of every episode is what the rules say in Python; it is written only where it changed."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from caseload.dataset.rules import ERROR_RULES, WARNING_RULES, Context, failing
from caseload.models import ClientIdentity, Episode, EpisodeQuality
from edatrs.core import clock, registry
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Job, Service
from ndtms import quality
from tests.caseload.dataset.test_dataset_samples import _records
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
TODAY = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_day() -> Any:
    with clock.frozen(TODAY):
        yield


def run(*command: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def held() -> dict[tuple[str, str, str], tuple[list[str], list[str]]]:
    """(agency, client id, episode id) -> errors and warnings, over all organisations."""
    found = {}
    for service in Service.objects.select_related("organisation"):
        with open_scope(
            actor=Actor.OPERATOR, organisation_id=service.organisation_id, person_label="operator"
        ):
            for row in EpisodeQuality.objects.filter(episode__service=service).select_related(
                "episode__registration"
            ):
                key = (service.agency_code, row.episode.registration.client_id_text, row.episode.episode_id)
                found[key] = (row.errors, row.warnings)
    return found


def test_after_an_import_every_episode_fails_what_the_rules_say_in_python() -> None:
    run("load_partnership")
    run("import_caseload", str(SAMPLE / "bundle-2"))
    datasets = {s.agency_code: s.dataset for s in Service.objects.all()}
    expected = {}
    for key, record in _records("bundle-2").items():
        context = Context(datasets[key[0]], "Q", TODAY.date())
        expected[key] = (
            list(failing(ERROR_RULES, record, context)),
            list(failing(WARNING_RULES, record, context)),
        )
    assert held() == expected
    assert any(errors for errors, _ in expected.values())
    assert any(warnings for _, warnings in expected.values())


def test_checking_again_changes_nothing_and_the_command_says_so() -> None:
    run("load_partnership")
    run("import_caseload", str(SAMPLE / "bundle-2"))
    assert run("check_quality", "--agency", "E1001") == {"changed": {"E1001": 0}}
    with pytest.raises(SystemExit):
        run("check_quality", "--agency", "E9999")


def _episode(**fields: Any) -> Episode:
    registration = make_registration(service=make_service_here(), client=_named())
    return make_episode(registration=registration, drug_1="7000", referral_source="", **fields)


def make_service_here() -> Service:
    from edatrs.core.scope import current_organisation
    from edatrs.organisations.models import Organisation

    return make_service(Organisation.objects.get(pk=current_organisation()))


def _named() -> Any:
    client = make_client()
    make_part(
        ClientIdentity,
        client,
        forename="Ann",
        surname="Bell",
        sex="F",
        date_of_birth=dt.date(1980, 1, 2),
    )
    return client


def test_a_change_reaches_the_episode_through_the_registry_and_only_what_changed_is_written(
    acting: Any,
) -> None:
    with acting(make_organisation(), "keyworker"):
        episode, other = _episode(), _episode()
        registry.episodes_changed([episode.pk, other.pk])
        assert EpisodeQuality.objects.get(pk=episode.pk).errors == []
        Episode.objects.filter(pk=episode.pk).update(drug_1="", triaged_on=None)
        with clock.frozen(TODAY + dt.timedelta(hours=1)):
            registry.episodes_changed([episode.pk, other.pk])
        changed, same = (EpisodeQuality.objects.get(pk=pk) for pk in (episode.pk, other.pk))
        assert changed.errors == ["E05", "E07"]
        assert (changed.checked_at - same.checked_at) == dt.timedelta(hours=1)


def test_an_episode_entered_in_error_fails_nothing(acting: Any) -> None:
    with acting(make_organisation(), "keyworker"):
        episode = _episode(triaged_on=None)
        registry.episodes_changed([episode.pk])
        assert EpisodeQuality.objects.get(pk=episode.pk).errors == ["E05"]
        Episode.objects.filter(pk=episode.pk).update(voided_at=clock.now(), voided_reason="twice")
        registry.episodes_changed([episode.pk])
        assert EpisodeQuality.objects.get(pk=episode.pk).errors == []


def test_the_style_of_dates_is_handed_back(acting: Any) -> None:
    from django.db import connection

    with acting(make_organisation(), "keyworker"), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('datestyle')")
        before = cursor.fetchone()
        registry.episodes_changed([_episode().pk])
        cursor.execute("SELECT current_setting('datestyle')")
        assert cursor.fetchone() == before


def test_another_organisations_episode_and_service_are_not_reached(acting: Any) -> None:
    mine, theirs = make_organisation(), make_organisation()
    with acting(theirs, "keyworker"):
        episode = _episode(triaged_on=None)
    with acting(mine, "keyworker"):
        registry.episodes_changed([episode.pk])
        with pytest.raises(ValueError, match="not a service of"):
            quality.check_service(Service.objects.get(pk=episode.service_id))
    with acting(theirs, "keyworker"):
        assert not EpisodeQuality.objects.exists()


def test_many_are_left_to_a_worker_once(acting: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(quality, "AT_ONCE", 1)
    with acting(make_organisation(), "keyworker"):
        ids = [_episode(triaged_on=None).pk, _episode().pk]
        quality.after_load()
        registry.episodes_changed(ids)
        assert not EpisodeQuality.objects.exists()
        job = Job.objects.get(kind=quality.CHECK_QUALITY)
        assert job.subject == job.organisation_id
    lease = type(
        "Lease",
        (),
        {"organisation_id": job.organisation_id, "progress": lambda *said: None},
    )()
    quality.check_quality(lease)
    with open_scope(actor=Actor.OPERATOR, organisation_id=job.organisation_id, person_label="operator"):
        assert EpisodeQuality.objects.count() == 2
