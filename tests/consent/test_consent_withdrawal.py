"""Withdrawal, change of mind and mistakes: new acts, never changed ones (O-135 to O-144)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from audit.models import AuditEvent
from caseload.models import Episode
from caseload.services import merge as merging
from consent import services
from consent.models import ConsentAct, ConsentInvalidation
from edatrs.core import clock
from ndtms.models import NationalHolding
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_registration
from tests.factories.consent import make_act
from tests.factories.consent_desk import Desk, agree, make_desk
from tests.factories.organisations import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreed() -> tuple[Desk, Episode]:
    """A client with an open and a closed episode at yes; the closed one may be held nationally."""
    desk = make_desk()
    with acting_for(desk.organisation):
        closed = make_episode(
            registration=desk.episode.registration,
            referred_on=dt.date(2025, 1, 1),
            triaged_on=dt.date(2025, 1, 2),
            discharged_on=dt.date(2025, 3, 1),
            discharge_reason="80",
        )
        NationalHolding.objects.create(
            episode=closed,
            client_id=closed.client_id,
            held=True,
            since=dt.datetime(2026, 7, 31, tzinfo=dt.UTC),
        )
    agree(desk, desk.episode)
    agree(desk, closed)
    return desk, closed


def withdrawal(desk: Desk, html: str, *episodes: Episode, **changed: Any) -> dict[str, Any]:
    today = clock.today()
    hidden = {
        name: re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]
        for name in ("client", "version", "_page")
    }
    return {
        **hidden,
        "wish": "all-here",
        "confirmed": "1",
        "episodes": [str(e.pk) for e in episodes],
        "method": "oral",
        "decided_on_day": str(today.day),
        "decided_on_month": str(today.month),
        "decided_on_year": str(today.year),
        **changed,
    }


def test_a_withdrawal_explains_first_and_is_a_new_act_on_every_episode(agreed: tuple[Desk, Episode]) -> None:
    """O-113, O-135, O-136: current and previous episodes, discharge untouched, the yes stays in the history."""
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    registration = closed.registration.client_id_text
    assert f"NDTMS may hold 1 episode under client ID {registration} of" in html
    assert (
        html.count(" checked") == 2
        and "NDTMS may hold it since 31 July 2026" in html
        and "Agreed, and never sent" in html
    )
    assert "NDTMS may hold the episode since <time" in html and "Recorded <time" in html
    data = withdrawal(desk, html, desk.episode, closed)
    for _ in range(2):
        assert desk.browser.post(desk.at("withdraw/"), data).status_code == 302
    acts = desk.acts()
    assert [a.decision for a in acts] == ["Y", "Y", "N", "N"] and {a.wish for a in acts[2:]} == {"all-here"}
    with acting_for(desk.organisation):
        assert set(Episode.objects.values_list("consent", flat=True)) == {"N"}
        same = Episode.objects.get(pk=closed.pk)
        assert (same.discharged_on, same.discharge_reason) == (closed.discharged_on, "80")
        assert NationalHolding.objects.get().held, "it takes effect with the next file"
        events = AuditEvent.objects.filter(name="consent.ndtms.recorded", details__wish="all-here")
        assert {e.details["episode"] for e in events} == {str(desk.episode.pk), str(closed.pk)}
    page = desk.browser.get(desk.here).content.decode()
    assert page.count("Withdrawn") == 2 and "The withdrawal is recorded for 2 episodes" in page


def test_an_episode_left_at_yes_needs_a_reason(agreed: tuple[Desk, Episode]) -> None:
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    refused = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, closed))
    assert (
        refused.status_code == 422
        and "Say why the other episodes stay as they are" in refused.content.decode()
    )
    assert desk.consent() == "Y" and len(desk.acts()) == 2
    data = withdrawal(desk, html, closed, left_out_reason="Only the old one")
    assert desk.browser.post(desk.at("withdraw/"), data).status_code == 302
    assert desk.consent() == "Y" and desk.acts()[-1].left_out_reason == "Only the old one"
    assert desk.acts()[-1].wish == "episode"
    assert "Only the old one" in desk.browser.get(desk.here).content.decode()


def test_a_withdrawal_of_what_changed_meanwhile_or_of_another_client_records_nothing(
    agreed: tuple[Desk, Episode],
) -> None:
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    other = make_desk()
    agree(other, other.episode)
    for foreign in (other.episode,):
        answer = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, closed, foreign))
        assert answer.status_code == 422
    assert (
        desk.browser.post(
            desk.at("withdraw/"), withdrawal(desk, html, closed, client=str(other.client.pk))
        ).status_code
        == 404
    )
    assert desk.answer("not-now").status_code == 302
    late = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, desk.episode, closed))
    assert late.status_code == 409 and len(desk.acts()) == 2 and other.consent() == "Y"
    again = withdrawal(desk, late.content.decode(), desk.episode, closed)
    assert desk.browser.post(desk.at("withdraw/"), again).status_code == 302 and desk.consent() == "N"


def test_consent_given_again_is_a_new_act(agreed: tuple[Desk, Episode]) -> None:
    """O-144."""
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, desk.episode, closed))
    assert "Every episode here is at no" in desk.browser.get(desk.at("withdraw/")).content.decode()
    assert desk.answer("Y").status_code == 302
    assert desk.consent() == "Y" and len(desk.acts()) == 5
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=closed.pk).consent == "N", "only the one that was asked about"


def test_an_act_recorded_in_error_stays_with_its_reason_and_the_one_before_counts(
    agreed: tuple[Desk, Episode],
) -> None:
    desk, _ = agreed
    desk.answer("N")
    act = desk.acts()[-1]
    page = desk.at(f"acts/{act.pk}/recorded-in-error/")
    html = desk.browser.get(page).content.decode()
    assert "The answer that counts is then: Yes, 8 June 2026" in html
    assert desk.browser.post(page, {"client": str(desk.client.pk), "reason": " "}).status_code == 422
    assert desk.browser.post(page, {"client": "", "reason": "x"}).status_code == 404
    assert desk.consent() == "N"
    for _ in range(2):
        sent = desk.browser.post(page, {"client": str(desk.client.pk), "reason": "Wrong client"})
        assert sent.status_code == 302
    assert desk.consent() == "Y" and len(desk.acts()) == 3, "nothing is deleted"
    with acting_for(desk.organisation):
        assert ConsentInvalidation.objects.get().reason == "Wrong client"
        assert AuditEvent.objects.filter(name="consent.ndtms.invalidated").count() == 1
    history = desk.browser.get(desk.here).content.decode()
    assert "Recorded in error" in history and "“Wrong client”" in history and "<s>" in history


def test_the_only_act_recorded_in_error_makes_the_episode_not_asked(desk: Desk) -> None:
    desk.answer("Y")
    act = desk.acts()[0]
    page = desk.at(f"acts/{act.pk}/recorded-in-error/")
    assert "Nobody has been asked about this episode then" in desk.browser.get(page).content.decode()
    desk.browser.post(page, {"client": str(desk.client.pk), "reason": "Never asked"})
    assert desk.consent() == ""
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=desk.episode.pk).consent_on is None


def test_a_no_inherited_at_a_merge_is_said_and_outlives_corrections(desk: Desk) -> None:
    """O-141: the safe side. An act that is put right later must not bring back a yes that the merge overruled."""
    agree(desk, desk.episode, dt.date(2026, 6, 1))
    wrong = agree(desk, desk.episode, dt.date(2026, 6, 2))
    manager = make_person(desk.organisation, role="team_manager", full_name="Saul Whitaker")
    with acting_for(desk.organisation, "team_manager"):
        gone = make_client()
        second = make_episode(registration=make_registration(client=gone))
        make_act(episode=second, decision="N", decided_on=dt.date(2026, 6, 8))
        services.push_latest(episode=second)
        made = merging.plan(survivor=desk.client, merged=gone)
        assert [e.pk for e in made.withdrawn] == [desk.episode.pk]
        merging.merge_clients(
            survivor=desk.client,
            merged=gone,
            choices={},
            reason="one person",
            stamp=made.stamp,
            acting_user=manager,
        )
    html = desk.browser.get(desk.here).content.decode()
    assert "Taken over when record" in html and "Saul Whitaker" in html and desk.consent() == "N"
    with acting_for(desk.organisation):
        services.invalidate(
            consent_act=ConsentAct.objects.get(pk=wrong.pk), reason="never said", acting_user=desk.worker
        )
    assert desk.consent() == "N"
    assert desk.answer("Y").status_code == 302 and desk.consent() == "Y", "a newer answer is a change of mind"
