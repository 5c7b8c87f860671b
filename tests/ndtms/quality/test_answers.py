"""“Cannot be known” as an answer to a warning: off the work list, still to be seen, back when something changes; never about an error."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload.models import Episode, EpisodeQuality
from edatrs.core import clock, registry
from edatrs.core.access import Denied
from edatrs.core.scope import Actor
from ndtms import desk, quality
from ndtms.models import NationalHolding, QualityAnswer, Submission
from ndtms.services import answers
from tests.caseload.work.conftest import NOW, Team, make_team
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.ndtms import make_quality_answer
from tests.factories.organisations import make_person
from tests.ndtms.quality.test_desk import address, broken, check, counts, people
from tests.ndtms.quality.test_quality_of_episodes import run

pytestmark = pytest.mark.django_db
REASON = "Asked twice, does not remember"


@pytest.fixture
def team(db: None) -> Any:
    with clock.frozen(NOW):
        yield make_team()


@pytest.fixture
def drinker(team: Team) -> Any:
    """W12 alone: drinking days that are no number of days."""
    client = broken(team, "Fenwick", team.worker, items={"ALCDDAYS": "40"})
    check(team)
    return client


def held(team: Team, client: Any) -> EpisodeQuality:
    with acting_for(team.organisation):
        return EpisodeQuality.objects.get(client=client)


def built(team: Team) -> dict[str, Any]:
    """A full extract of today."""
    return run(
        *("build_extract", "--agency", team.service.agency_code, "--dataset", team.service.dataset),
        *("--kind", "full", "--as-of", clock.today().isoformat()),
    )


def give(team: Team, client: Any, who: Any = None, *, role: str = "keyworker", rule: str = "W12") -> Any:
    who = who or team.worker
    with acting_for(team.organisation, role) as scope:
        object.__setattr__(scope, "person_id", who.pk)
        return answers.answer(
            episode_id=team.episode(client).pk, rule_id=rule, reason=REASON, acting_user=who
        )


def change(team: Team, client: Any, **fields: Any) -> None:
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        episode = Episode.objects.get(client=client)
        Episode.objects.filter(pk=episode.pk).update(**fields)
        registry.episodes_changed([episode.pk])


def events(team: Team, name: str) -> list[Any]:
    with acting_for(team.organisation):
        return list(AuditEvent.objects.filter(name=name).order_by("sequence"))


def test_from_the_list_answered_and_back_at_the_same_place(team: Team, drinker: Any) -> None:
    browser = team.browser(team.worker)
    here = address(team, "?effect=check")
    page = browser.get(here).content.decode()
    link = re.search(r'href="([^"]+)">Cannot be known<', page)
    assert link
    where = link[1].replace("&amp;", "&")
    asked = browser.get(where)
    assert asked.status_code == 200
    text = asked.content.decode()
    assert 'value="W12" id="id_rule_0" checked' in re.sub(r"\s+", " ", text) or re.search(
        r'<input[^>]*value="W12"[^>]*checked', text
    )
    back = re.search(r'name="came_from" value="([^"]+)"', text)
    assert back and back[1] == f"{here}#list-h"
    sent = {"client": str(drinker.pk), "rule": "W12", "reason": "", "came_from": back[1]}
    refused = browser.post(where, sent)
    assert refused.status_code == 422
    assert b"Say why it cannot be known" in refused.content
    kept = browser.post(where, {**sent, "reason": REASON})
    assert (kept.status_code, kept.headers["Location"]) == (302, f"{here}#list-h")
    assert people(browser.get(address(team, "?rule=W12")).content) == []
    assert counts(browser.get(address(team)).content) == {}
    row = held(team, drinker)
    assert (row.warnings, row.answered, row.failing_since) == (["W12"], ["W12"], None)
    shown = browser.get(address(team, "answers/")).content.decode()
    assert REASON in shown and "Priya Raman" in shown and "FENWICK" in shown
    (event,) = events(team, "ndtms.quality_answered")
    assert (event.subject, event.details["rule"]) == (str(drinker.pk), "W12")
    assert REASON not in str(event.details)


def test_it_is_said_once_and_taken_back_once(team: Team, drinker: Any) -> None:
    first, second = give(team, drinker), give(team, drinker)
    assert first.pk == second.pk
    browser = team.browser(team.worker)
    for _ in range(2):
        assert browser.post(address(team, f"answers/{first.pk}/take-back/")).status_code == 302
    assert people(browser.get(address(team, "?rule=W12")).content) == ["FENWICK"]
    row = held(team, drinker)
    assert (row.answered, row.failing_since) == ([], NOW)
    (event,) = events(team, "ndtms.quality_answer_ended")
    assert event.details["why"] == "undone"
    with acting_for(team.organisation):
        ended = QualityAnswer.objects.get()
        assert (ended.ended_why, ended.ended_by_label) == ("undone", "Priya Raman")
    assert give(team, drinker).pk != first.pk


def test_it_stands_through_checks_while_nothing_of_it_changes(team: Team, drinker: Any) -> None:
    give(team, drinker)
    with clock.frozen(NOW + dt.timedelta(days=3)):
        change(team, drinker, drug_2="1011")
        with acting_for(team.organisation, actor=Actor.WORKER):
            quality.check_organisation()
            assert quality.check_organisation() == 0
        assert held(team, drinker).answered == ["W12"]
        assert held(team, drinker).failing_since is None
        change(team, drinker, triaged_on=None)
        row = held(team, drinker)
        assert (row.errors, row.answered, row.failing_since) == (
            ["E05"],
            ["W12"],
            NOW + dt.timedelta(days=3),
        )
        page = team.browser(team.worker).get(address(team))
        assert counts(page.content) == {"E05": 1}
        assert b"(W12)" not in page.content


@pytest.mark.parametrize(
    ("items", "why", "listed"),
    [({"ALCDDAYS": "41"}, "changed", ["FENWICK"]), ({"ALCDDAYS": "20"}, "right", [])],
)
def test_it_ends_when_the_value_changes(
    team: Team, drinker: Any, items: dict[str, str], why: str, listed: list[str]
) -> None:
    give(team, drinker)
    change(team, drinker, items=items)
    with acting_for(team.organisation):
        assert QualityAnswer.objects.get().ended_why == why
    assert held(team, drinker).answered == []
    assert people(team.browser(team.worker).get(address(team, "?rule=W12")).content) == listed
    assert [event.details["why"] for event in events(team, "ndtms.quality_answer_ended")] == [why]


def test_it_ends_when_the_rule_changes(team: Team, drinker: Any, monkeypatch: Any) -> None:
    from dataclasses import replace

    from caseload.dataset.rules import RULES, rule
    from ndtms import answered

    give(team, drinker)
    other = replace(RULES["W12"], condition=RULES["W13"].condition)
    monkeypatch.setattr(answered, "RULES", {**RULES, "W12": other})
    assert isinstance(other, rule.Rule)
    with acting_for(team.organisation, actor=Actor.WORKER):
        quality.check_organisation()
        assert QualityAnswer.objects.get().ended_why == "changed"


def test_two_open_episodes_answered_come_back_when_the_one_beside_changes(team: Team) -> None:
    client = broken(team, "Fenwick", team.worker)
    first = team.episode(client)
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        more = [
            make_episode(registration=first.registration, consent="Y", drug_1="7000", referral_source="")
            for _ in range(2)
        ]
        registry.episodes_changed([first.pk])
    with acting_for(team.organisation, "team_manager") as scope:
        object.__setattr__(scope, "person_id", team.manager.pk)
        answers.answer(episode_id=first.pk, rule_id="W30", reason=REASON, acting_user=team.manager)
        assert EpisodeQuality.objects.get(pk=first.pk).answered == ["W30"]
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        Episode.objects.filter(pk=more[0].pk).update(
            discharged_on=dt.date(2026, 11, 1), discharge_reason="80"
        )
        registry.episodes_changed([more[0].pk])
        assert QualityAnswer.objects.get().ended_why == "changed"
        assert "W30" in EpisodeQuality.objects.get(pk=first.pk).warnings


@pytest.mark.django_db(transaction=True)
def test_an_error_is_never_answered_and_no_answer_lets_a_row_into_the_file(team: Team) -> None:
    """The service refuses, the page does not offer it, the database holds it; and the file does not ask for answers."""
    client = broken(team, "Fenwick", team.worker, drug_1="", items={"ALCDDAYS": "40"})
    check(team)
    with pytest.raises(answers.Refused, match="stops the row"):
        give(team, client, rule="E07")
    browser = team.browser(team.worker)
    episode = team.episode(client)
    form = browser.get(address(team, f"answers/{episode.pk}/?rule=E07")).content.decode()
    assert 'value="E07"' not in form and 'value="W12"' in form
    assert "Main problem substance is missing" in form
    sent = {"client": str(client.pk), "rule": "E07", "reason": REASON}
    assert browser.post(address(team, f"answers/{episode.pk}/"), sent).status_code == 422
    with (
        acting_for(team.organisation, actor=Actor.OPERATOR),
        pytest.raises(IntegrityError, match="quality_answer_never_of_an_error"),
        transaction.atomic(),
    ):
        make_quality_answer(episode, rule="E07")
    give(team, client)
    assert built(team)["held_back"] == {episode.episode_id: ["E07"]}


@pytest.mark.django_db(transaction=True)
def test_an_answer_changes_no_byte_of_the_file(team: Team, drinker: Any) -> None:
    before = built(team)
    give(team, drinker)
    after = built(team)
    assert before["episodes_sent"] == 1
    assert after["sha256"] == before["sha256"]
    with acting_for(team.organisation):
        assert Submission.objects.count() == 2
        assert not NationalHolding.objects.exists()


def test_another_organisation_and_another_caseload_cannot_answer(team: Team, drinker: Any) -> None:
    other = make_team()
    episode = team.episode(drinker)
    with acting_for(other.organisation, "team_manager"), pytest.raises(Denied):
        answers.answer(episode_id=episode.pk, rule_id="W12", reason=REASON, acting_user=other.manager)
    with pytest.raises(Denied):
        give(team, drinker, team.colleague)
    sent = {"client": str(drinker.pk), "rule": "W12", "reason": REASON}
    for who, where in (
        (other.manager, address(other, f"answers/{episode.pk}/")),
        (team.colleague, address(team, f"answers/{episode.pk}/")),
    ):
        browser = (other if who is other.manager else team).browser(who)
        assert browser.get(where).status_code == 404
        assert browser.post(where, sent).status_code == 404
    made = give(team, drinker)
    for who, where in (
        (other.manager, address(other, f"answers/{made.pk}/take-back/")),
        (team.colleague, address(team, f"answers/{made.pk}/take-back/")),
    ):
        assert (other if who is other.manager else team).browser(who).post(where).status_code == 404
    assert b"FENWICK" not in other.browser(other.manager).get(address(other, "answers/")).content
    assert b"FENWICK" not in team.browser(team.colleague).get(address(team, "answers/")).content
    assert b"FENWICK" in team.browser(team.manager).get(address(team, "answers/")).content
    with acting_for(team.organisation):
        assert QualityAnswer.objects.get().ended_at is None


def test_the_form_of_another_client_answers_nothing(team: Team, drinker: Any) -> None:
    second = broken(team, "Dunster", team.worker, items={"ALCDDAYS": "40"})
    check(team)
    sent = {"client": str(second.pk), "rule": "W12", "reason": REASON}
    where = address(team, f"answers/{team.episode(drinker).pk}/")
    assert team.browser(team.worker).post(where, sent).status_code == 404
    with acting_for(team.organisation):
        assert not QualityAnswer.objects.exists()


def test_who_may_not_change_what_it_is_about_is_not_offered_the_answer(team: Team) -> None:
    """An NDTMS administrator may not change equality beyond the data set's items; a role without the item's category may not answer."""
    client = broken(team, "Fenwick", team.worker, items={"ALCDDAYS": "40"})
    check(team)
    administrator = make_person(team.organisation, role="ndtms_administrator")
    with acting_for(team.organisation, "ndtms_administrator"):
        offered = [said.rule_id for said in answers.answerable(desk.reachable(team.episode(client).pk))]
        links = desk.work_list(desk.Asked(rule="W12"))[0][0].faults
        assert [answers.may_answer(f.explanation) for f in links] == ["W12" in offered]
    page = team.browser(administrator).get(address(team, "?rule=W12")).content.decode()
    assert ("Cannot be known<" in page) == ("W12" in offered)


def test_the_lists_cost_the_same_for_many_answers(team: Team) -> None:
    manager = team.browser(team.manager)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(address(team, "answers/")).status_code == 200
        return len(asked)

    def add(number: int) -> None:
        with acting_for(team.organisation, actor=Actor.OPERATOR):
            for n in range(number):
                make_quality_answer(team.episode(team.client(f"N{number}{n}")))

    add(2)
    cost()
    few = cost()
    add(20)
    assert cost() == few


def test_pages_of_answers_follow_by_key(team: Team) -> None:
    for n in range(5):
        with (
            clock.frozen(NOW + dt.timedelta(hours=n // 2)),
            acting_for(team.organisation, actor=Actor.OPERATOR),
        ):
            make_quality_answer(team.episode(team.client(f"N{n}")))
    with acting_for(team.organisation, "team_manager"):
        seen, after = [], ""
        while True:
            rows, after = desk.answered(desk.Asked(), after=after, limit=2)
            seen += [row.episode.client.clientidentity.surname for row in rows]
            if not after:
                break
    assert sorted(seen) == [f"N{n}" for n in range(5)]
    assert seen[0] == "N4"
