"""The paper form, the history, and each condition of an act noticed when it is taken away."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from consent import rules, services
from consent.models import ConsentAct
from edatrs.core import clock
from tests.core.world import acting_for, in_sql
from tests.factories.consent import make_act
from tests.factories.consent_desk import Desk, agree

pytestmark = pytest.mark.django_db


def test_the_form_to_sign_has_the_words_and_the_lines(desk: Desk) -> None:
    html = desk.browser.get(desk.at(f"{desk.episode.pk}/form/")).content.decode()
    assert "Signature" in html and "is it all right for us to send this?" in html and "Olu Farrant" in html
    with acting_for(desk.organisation):
        assert AuditEvent.objects.filter(name="consent.ndtms.printed", details__what="form").exists()


@pytest.mark.parametrize(
    "table", ["consent_consentform", "consent_consentinvalidation", "consent_consentact"]
)
def test_nobody_who_serves_requests_can_change_or_delete_what_was_recorded(db: None, table: str) -> None:
    for right in ("UPDATE", "DELETE"):
        granted = in_sql(f"SELECT has_table_privilege('app', '{table}', '{right}')")
        assert granted == [(False,)]
    assert in_sql(f"SELECT has_any_column_privilege('app', '{table}', 'UPDATE')") == [(False,)]


def test_the_history_costs_the_same_for_one_act_and_for_many(
    desk: Desk, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.browser.get(desk.here).status_code == 200
        return len(seen)

    # A withdrawal asks once more how far it went.
    desk.answer("Y")
    desk.answer("N")
    cost()
    one = cost()
    with acting_for(desk.organisation):
        for n in range(40):
            make_act(episode=desk.episode, decided_on=dt.date(2026, 1, 1) + dt.timedelta(days=n))
    assert cost() == one


GOOD = {
    "decision": "Y",
    "decided_on": dt.date(2026, 11, 1),
    "today": dt.date(2026, 11, 1),
    "statement_version": "1",
    "statement_said": True,
    "leaflet_given": True,
    "questions_answered": True,
}


def test_each_condition_of_a_yes_is_noticed_when_it_is_taken_away() -> None:
    """The mutants of the rule: with one condition gone, one of these sentences would be empty."""
    assert rules.problem_with(**GOOD) == ""
    for name in ("statement_said", "leaflet_given", "questions_answered"):
        assert rules.problem_with(**{**GOOD, name: False}), name
        assert rules.problem_with(**{**GOOD, name: False, "decision": "N"}) == "", name
    assert rules.problem_with(**{**GOOD, "statement_version": ""})
    assert rules.problem_with(**{**GOOD, "decided_on": dt.date(2026, 11, 2)})


def test_each_condition_of_a_withdrawal_and_of_a_correction_is_noticed_when_it_is_taken_away() -> None:
    good = {
        "chosen": 1,
        "agreed": 2,
        "decided_on": dt.date(2026, 11, 1),
        "today": dt.date(2026, 11, 1),
        "left_out_reason": "one only",
    }
    assert rules.problem_with_withdrawal(**good) == ""
    for name, bad in (
        ("chosen", 0),
        ("agreed", 0),
        ("decided_on", dt.date(2026, 11, 2)),
        ("left_out_reason", " "),
    ):
        assert rules.problem_with_withdrawal(**{**good, name: bad}), name
    assert rules.problem_with_invalidation(reason="x", invalidated=False) == ""
    assert rules.problem_with_invalidation(reason=" ", invalidated=False)
    assert rules.problem_with_invalidation(reason="x", invalidated=True)
    assert rules.problem_with_form(method="oral", has_form=True) and not rules.problem_with_form(
        method="written", has_form=True
    )


def test_the_services_keep_the_rules_without_the_form(desk: Desk) -> None:
    """A way past the page meets the same rule; and the withdrawal is a new act, never a changed flag."""
    act = agree(desk, desk.episode)
    with acting_for(desk.organisation):
        for missing in ("statement_said", "leaflet_given", "questions_answered"):
            evidence = {
                "statement_said": True,
                "leaflet_given": True,
                "questions_answered": True,
                missing: False,
            }
            with pytest.raises(services.DecisionRefused):
                services.record_ndtms_decision(
                    episode=desk.episode,
                    decision="Y",
                    decided_on=clock.today(),
                    method="oral",
                    statement_version="1",
                    acting_user=desk.worker,
                    **evidence,
                )
        done = services.withdraw(
            client=desk.client,
            chosen=[desk.episode.pk],
            decided_on=clock.today(),
            method="oral",
            statement_version="1",
            left_out_reason="",
            acting_user=desk.worker,
        )
        assert [a.pk for a in done] != [act.pk]
        assert ConsentAct.objects.get(pk=act.pk).decision == "Y" and ConsentAct.objects.count() == 2
        with pytest.raises(services.Superseded):
            services.withdraw(
                client=desk.client,
                chosen=[uuid4()],
                decided_on=clock.today(),
                method="oral",
                statement_version="1",
                left_out_reason="",
                acting_user=desk.worker,
            )


def test_each_condition_of_a_young_persons_yes_is_noticed_when_it_is_taken_away() -> None:
    """O-106, without the page, which asks for the same."""
    alone = {
        "decision": "Y",
        "competence": "competent",
        "competence_note": "Said it back",
        "permission_by": "",
        "permission_relation": "",
    }
    helped = {
        **alone,
        "competence": "permission",
        "permission_by": "J Marsh",
        "permission_relation": "Guardian",
    }
    assert rules.problem_with_competence(**alone) == "" and rules.problem_with_competence(**helped) == ""
    for good, name, bad in (
        (alone, "competence", ""),
        (alone, "competence", "unsure"),
        (alone, "competence_note", " "),
        (helped, "permission_by", " "),
        (helped, "permission_relation", ""),
    ):
        assert rules.problem_with_competence(**{**good, name: bad}), (name, bad)
        assert rules.problem_with_competence(**{**good, name: bad, "decision": "N"}) == "", (name, bad)
