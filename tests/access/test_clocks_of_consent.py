"""From when to when a consent and what follows from it count: the pure rules, to the day."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from caseload import linked
from caseload.choices import LinkState
from caseload.services.grants import Term
from consent.asks import rules as asks
from consent.asks.services import answer_by
from consent.choices import Answer, Way
from consent.sharing import rules
from consent.sharing.rules import Source, State
from edatrs.organisations import protocol

DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def state_on(today: dt.date, **fields: Any) -> State:
    """How a yes on paper stands on a day."""
    consent = SimpleNamespace(
        **{"answer": Answer.GIVEN, "way": Way.PAPER, "until": None, "recorded_at": NOW} | fields
    )
    return rules.state_of(consent, endings=(), witness=None, others=(), now=NOW, today=today)


def test_a_consent_is_in_force_on_its_last_day_and_not_after() -> None:
    assert state_on(TODAY - DAY, until=TODAY) is State.LIVE
    assert state_on(TODAY, until=TODAY) is State.LIVE
    assert state_on(TODAY + DAY, until=TODAY) is State.ENDED
    assert state_on(TODAY + 4000 * DAY) is State.LIVE, "without an end it goes on counting"


def test_what_is_over_or_has_not_begun_opens_nothing() -> None:
    live = Source(("identity", "risk"), TODAY, TODAY)
    assert rules.terms([live], TODAY) == {"identity": Term(TODAY, TODAY), "risk": Term(TODAY, TODAY)}
    assert rules.terms([live], TODAY + DAY) == {} and rules.terms([live], TODAY - DAY) == {}
    longer = Source(("risk",), TODAY - DAY, TODAY + DAY)
    assert rules.terms([live, longer], TODAY)["risk"] == Term(TODAY - DAY, TODAY + DAY), (
        "the longer of the two"
    )
    endless = Source(("risk",), TODAY, None)
    assert rules.terms([live, endless], TODAY)["risk"] == Term(TODAY, None)


def test_an_agreement_is_reviewed_three_years_on() -> None:
    assert protocol.review_due(dt.date(2026, 11, 23)) == dt.date(2029, 11, 23)
    assert protocol.review_due(dt.date(2028, 2, 29)) == dt.date(2031, 2, 28)


def test_a_request_is_over_after_28_days_and_answered_in_two_working_days() -> None:
    assert not asks.is_over(asked_on=TODAY, today=TODAY + 28 * DAY)
    assert asks.is_over(asked_on=TODAY, today=TODAY + 29 * DAY)
    friday = dt.date(2026, 11, 27)
    assert answer_by(friday) == dt.date(2026, 12, 1), "Monday and Tuesday"


def test_an_unlinking_is_taken_back_within_30_days() -> None:
    for after, possible in ((30 * DAY - dt.timedelta(seconds=1), True), (30 * DAY, False)):
        assert linked.may_undo(LinkState.ENDED, True, NOW, NOW + after) is possible, after
    assert not linked.may_undo(LinkState.ENDED, False, NOW, NOW), "by the organisation that did it alone"
