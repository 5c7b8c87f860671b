"""Sharing without consent (O-152), merged records, the trail, and what the clock does to both."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from audit.models import AuditEvent
from caseload.models import Client, SharingGrant
from caseload.services import merge, unmerge
from consent.sharing import decisions, reminders, services
from consent.sharing.rules import State
from edatrs.core import clock
from edatrs.organisations.models import Task, User
from tests.consent.sharing.pair import LATER, TODAY, Acting, Pair, give, spoken, state, withdraw
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part
from tests.factories.organisations import make_organisation, make_person

pytestmark = pytest.mark.django_db


def test_without_a_protocol_in_force_a_consent_is_kept_and_opens_nothing(pair: Pair, acting: Acting) -> None:
    stranger = make_organisation()
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, recipient=stranger)
        assert state(pair, consent) is State.LIVE
    pair.theirs = stranger
    assert pair.categories() == frozenset()


def decide(pair: Pair, **changed: Any) -> Any:
    said: dict[str, Any] = {
        "client": pair.client,
        "recipient": pair.theirs,
        "ground": "welfare",
        "categories": ["safeguarding"],
        "decided_by": "Marta Lind",
        "decided_as": "Caldicott Guardian",
        "decided_on": dt.date(2026, 11, 23),
        "reason": "A child is at risk",
        "review_on": dt.date(2027, 1, 7),
        "acting_user": pair.worker,
    }
    return decisions.decide(**{**said, **changed})


def test_a_decision_opens_its_parts_until_the_day_of_review(at_work: Pair) -> None:
    decide(at_work)
    assert at_work.categories() == {"safeguarding"}
    assert at_work.categories(dt.datetime(2027, 1, 7, 23, 59, tzinfo=dt.UTC)) == {"safeguarding"}
    assert at_work.categories(dt.datetime(2027, 1, 8, 0, 0, tzinfo=dt.UTC)) == frozenset()


def test_a_review_carries_it_on_or_ends_it(at_work: Pair) -> None:
    decision = decide(at_work)
    decisions.review(
        decision=decision, outcome="goes_on", reason="Still", review_on=LATER, acting_user=at_work.worker
    )
    assert at_work.categories(dt.datetime(2027, 1, 8, 0, 0, tzinfo=dt.UTC)) == {"safeguarding"}
    decisions.review(decision=decision, outcome="ends", reason="Safe now", acting_user=at_work.worker)
    assert at_work.categories() == frozenset()
    with pytest.raises(services.Refused, match="was ended"):
        decisions.review(
            decision=decision, outcome="goes_on", reason="x", review_on=LATER, acting_user=at_work.worker
        )


UNSAID: list[tuple[dict[str, Any], str]] = [
    ({"categories": []}, "parts"),
    ({"decided_by": " "}, "decided_by"),
    ({"decided_as": ""}, "decided_as"),
    ({"reason": " "}, "reason"),
    ({"decided_on": dt.date(2026, 11, 24)}, "decided_on"),
    ({"review_on": dt.date(2026, 11, 22)}, "review_on"),
    ({"review_on": dt.date(2028, 1, 1)}, "review_on"),
]


def test_a_decision_says_who_why_what_and_when_it_is_reviewed(at_work: Pair) -> None:
    for changed, field in UNSAID:
        with pytest.raises(services.Refused) as refused:
            decide(at_work, **changed)
        assert refused.value.field == field, changed


def test_consent_and_decision_together_open_both_and_each_ends_alone(at_work: Pair) -> None:
    consent = give(at_work)
    decide(at_work, categories=["treatment"])
    withdraw(consent, at_work.worker)
    assert at_work.categories() == {"treatment"}


def merged(pair: Pair, survivor: Client, other: Client, manager: User) -> Any:
    plan = merge.plan(survivor=survivor, merged=other)
    choices = {f"{d.category}.{d.name}": "keep" for d in plan.differences}
    return merge.merge_clients(
        survivor=survivor,
        merged=other,
        choices=choices,
        reason="The same person",
        stamp=plan.stamp,
        acting_user=manager,
    )


def two_records(pair: Pair) -> Client:
    other = make_client()
    for client in (pair.client, other):
        for model in merge.COLUMNS.values():
            make_part(model[0], client)
    return other


def test_a_merge_brings_consents_together_and_its_undoing_takes_them_apart(at_work: Pair) -> None:
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    give(at_work, client=other, categories=["risk"])
    done = merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == {"identity", "contact", "treatment", "risk"}
    assert not SharingGrant.objects.filter(content_object_id=other.pk, suspended_at=None).exists()
    unmerge.undo_merge(merge=done, reason="Two people", acting_user=manager)
    assert at_work.categories() == {"identity", "contact", "treatment"}
    assert {
        g.category for g in SharingGrant.objects.filter(content_object_id=other.pk, suspended_at=None)
    } == {"risk"}


@pytest.mark.parametrize("how", ["withdrawn", "refused"])
def test_a_no_in_one_record_stands_against_an_earlier_yes_in_the_other(at_work: Pair, how: str) -> None:
    """O-141: withdrawals are inherited, the safe side."""
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    if how == "withdrawn":
        withdraw(give(at_work, client=other, categories=["risk"]), at_work.worker)
    else:
        give(at_work, client=other, answer="refused", decided_on=dt.date(2026, 11, 21))
    merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == frozenset()


def test_a_yes_after_the_no_in_the_other_record_stands(at_work: Pair) -> None:
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    give(at_work, client=other, answer="refused", decided_on=dt.date(2026, 11, 19))
    merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == {"identity", "contact", "treatment"}


def test_each_act_is_one_event_on_both_trails_and_says_nothing_of_what_was_said(
    pair: Pair, acting: Acting
) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, purposes="A secret of mine")
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        withdraw(consent, pair.worker, reason="Another secret")
    for name in ("consent.sharing.recorded", "consent.sharing.ended"):
        seen = []
        for side in (pair.ours, pair.theirs):
            with acting_for(side, "information_governance"):
                seen += [(e.event_id, str(e.details)) for e in AuditEvent.objects.filter(name=name)]
        assert len(seen) == 2, name
        assert len({pk for pk, _ in seen}) == 1, name
        assert not any("secret" in details for _, details in seen)


def test_a_refusal_stands_on_no_other_trail(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        give(pair, answer="refused")
        spoken(pair)
    with acting_for(pair.theirs, "information_governance"):
        assert not AuditEvent.objects.filter(name__startswith="consent.sharing").exists()


def test_after_12_months_without_an_end_the_managers_are_reminded_once(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, ends="open", until=None)
        ended = give(pair, ends="open", until=None)
        withdraw(ended, pair.worker)
    for day, told in ((dt.date(2027, 11, 19), 0), (dt.date(2027, 11, 20), 1), (dt.date(2027, 11, 21), 1)):
        with clock.frozen(dt.datetime.combine(day, dt.time(9), dt.UTC)):
            reminders.remind_all()
        tasks = list(Task.objects.filter(role="team_manager", organisation=pair.ours))
        assert len(tasks) == told, day
    assert str(consent) in tasks[0].words
    assert pair.categories(dt.datetime(2027, 12, 1, tzinfo=dt.UTC)) != frozenset()  # it goes on counting


def test_a_decision_is_to_be_reviewed_two_weeks_before(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        decision = decide(pair)
    for day, told in ((dt.date(2026, 12, 23), 0), (dt.date(2026, 12, 24), 1)):
        with clock.frozen(dt.datetime.combine(day, dt.time(9), dt.UTC)):
            reminders.remind_all()
        assert Task.objects.filter(words__contains=str(decision)).count() == told
