"""A decision on NDTMS consent is an act with evidence; the latest one stands on the episode and decides what leaves (O-103 to O-144)."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from hypothesis import given
from hypothesis import strategies as st

from caseload.models import Episode
from consent import rules, services
from consent.models import ConsentAct
from edatrs.core import clock
from edatrs.core.scope import Scope
from edatrs.organisations.models import Organisation, User
from ndtms.models import NationalHolding

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
Acting = Callable[..., AbstractContextManager[Scope]]
EVIDENCE = {
    "method": "oral",
    "statement_version": "2024-04",
    "statement_said": True,
    "leaflet_given": True,
    "questions_answered": True,
}


def load() -> tuple[Organisation, User]:
    call_command("load_partnership", stdout=io.StringIO())
    call_command("import_caseload", str(SAMPLE / "bundle-2"), stdout=io.StringIO(), stderr=io.StringIO())
    worker = User.objects.create_user(email="k@eput.example", full_name="Amara Lindqvist")
    return Organisation.objects.get(slug="eput-essex-stars"), worker


@pytest.fixture
def agreed(db: None, acting: Acting) -> Iterator[tuple[Episode, User]]:
    """An imported episode with a yes, in a scope of its keyworker."""
    organisation, worker = load()
    with acting(organisation, "keyworker", person=worker):
        yield Episode.objects.filter(consent="Y").order_by("episode_id").first(), worker  # type: ignore[misc]  # the sample has some


def record(
    episode: Episode, worker: User, decision: str, on: dt.date | None = None, **changed: Any
) -> ConsentAct:
    return services.record_ndtms_decision(
        episode=episode,
        decision=decision,
        decided_on=on or clock.today(),
        acting_user=worker,
        **{**EVIDENCE, **changed},
    )


def test_withdrawal_is_a_new_act_and_leaves_the_rest_of_the_episode_alone(
    agreed: tuple[Episode, User],
) -> None:
    episode, worker = agreed
    before = ConsentAct.objects.filter(episode=episode).count()
    version, discharged = episode.version, episode.discharged_on
    act = record(episode, worker, "N")
    now = Episode.objects.get(pk=episode.pk)
    assert (now.consent, now.consent_on, now.discharged_on) == ("N", clock.today(), discharged)
    assert now.version == version + 1
    assert ConsentAct.objects.filter(episode=episode).count() == before + 1
    assert (act.origin, act.recorded_by, act.recorded_by_label) == ("local", worker.pk, "Amara Lindqvist")
    # It takes effect with the next file: what may be held nationally is not touched.
    assert NationalHolding.objects.get(episode=episode).held


def test_decision_given_earlier_does_not_overrule_a_later_one(agreed: tuple[Episode, User]) -> None:
    episode, worker = agreed
    record(episode, worker, "N", clock.today())
    record(episode, worker, "Y", clock.today() - dt.timedelta(days=1))
    assert Episode.objects.get(pk=episode.pk).consent == "N"


def test_later_recording_of_the_same_day_decides(agreed: tuple[Episode, User]) -> None:
    episode, worker = agreed
    record(episode, worker, "N")
    record(episode, worker, "Y")
    assert Episode.objects.get(pk=episode.pk).consent == "Y"


@pytest.mark.parametrize(
    ("decision", "changed", "words"),
    [
        ("Y", {"statement_said": False}, "statement was said"),
        ("Y", {"leaflet_given": False}, "leaflet"),
        ("Y", {"questions_answered": False}, "questions"),
        ("Y", {"statement_version": " "}, "statement"),
        ("N", {"on": dt.date(9999, 1, 1)}, "future"),
    ],
)
def test_yes_without_its_evidence_is_refused_and_nothing_is_written(
    agreed: tuple[Episode, User], decision: str, changed: dict[str, Any], words: str
) -> None:
    episode, worker = agreed
    before = ConsentAct.objects.count()
    with pytest.raises(services.DecisionRefused, match=words):
        record(episode, worker, decision, **changed)
    assert ConsentAct.objects.count() == before
    assert Episode.objects.get(pk=episode.pk).consent == "Y"


def test_no_needs_neither_leaflet_nor_answers(agreed: tuple[Episode, User]) -> None:
    episode, worker = agreed
    record(episode, worker, "N", leaflet_given=False, questions_answered=False)
    assert Episode.objects.get(pk=episode.pk).consent == "N"


@pytest.mark.parametrize(
    "statement", ["UPDATE consent_consentact SET decision = 'Y'", "DELETE FROM consent_consentact"]
)
def test_an_act_cannot_be_edited_or_deleted_by_the_application(
    agreed: tuple[Episode, User], statement: str
) -> None:
    from django.db import ProgrammingError, transaction

    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_local_act_without_evidence_is_refused_by_the_database_too(agreed: tuple[Episode, User]) -> None:
    from django.db import IntegrityError, transaction

    episode, _ = agreed
    bare = ConsentAct(
        client_id=episode.client_id,
        episode=episode,
        decision="Y",
        decided_on=clock.today(),
        method="oral",
        origin="local",
    )
    with pytest.raises(IntegrityError, match="local_consent_act_has_evidence"), transaction.atomic():
        bare.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_leave_the_later_act_standing(acting: Acting) -> None:
    """Without the lock on the episode both would push what they had read."""
    organisation, worker = load()
    with acting(organisation, "keyworker", person=worker):
        episode = Episode.objects.filter(consent="Y").order_by("episode_id").first()
    assert episode is not None
    start = threading.Barrier(8)

    def decide(number: int) -> None:
        try:
            start.wait()
            with acting(organisation, "keyworker", person=worker):
                record(episode, worker, "YN"[number % 2])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with acting(organisation, "keyworker"):
        acts = list(ConsentAct.objects.filter(episode=episode, origin="local").order_by("sequence"))
        assert len(acts) == 8
        assert Episode.objects.get(pk=episode.pk).consent == acts[-1].decision


class _Act:
    def __init__(self, decision: str, decided_on: dt.date, sequence: int) -> None:
        self.decision, self.decided_on, self.sequence = decision, decided_on, sequence


@given(
    st.lists(st.tuples(st.sampled_from("YN"), st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 4))), max_size=8)
)
def test_latest_is_by_date_then_by_recording(history: list[tuple[str, dt.date]]) -> None:
    acts = [_Act(decision, on, place) for place, (decision, on) in enumerate(history)]
    found = rules.latest(acts)
    slow = None
    for act in acts:
        if slow is None or act.decided_on >= slow.decided_on:
            slow = act
    assert found is slow
