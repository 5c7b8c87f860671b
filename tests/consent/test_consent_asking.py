"""Asking for NDTMS consent through HTTP: what the page asks for, refuses and keeps (O-103 to O-144)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from caseload.models import Episode
from consent import services
from consent.models import ConsentDeferral
from edatrs.core import clock
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.consent import make_act
from tests.factories.consent_desk import Desk, make_desk

pytestmark = pytest.mark.django_db


def test_the_way_in_leads_to_the_episode_that_nobody_was_asked_about(desk: Desk) -> None:
    with acting_for(desk.organisation):
        older = make_episode(
            registration=desk.episode.registration,
            referred_on=dt.date(2025, 1, 1),
            discharged_on=dt.date(2025, 3, 1),
            consent="Y",
        )
        make_act(episode=older)
    assert desk.browser.get(desk.at())["Location"] == desk.here
    html = desk.browser.get(desk.here).content.decode()
    assert (
        "Ask Keeley about NDTMS" in html
        and "checked" not in html
        and "draft, for the data protection" in html
    )
    assert "Not asked" in html and f'href="{desk.at(f"{older.pk}/")}"' in html
    assert "Keeley" not in re.search(r"<title>(.*?)</title>", html, re.S)[1]  # type: ignore[index]


def test_a_client_without_an_episode_is_told_so(desk: Desk) -> None:
    with acting_for(desk.organisation):
        Episode.objects.update(voided_at=clock.now())
    html = desk.browser.get(desk.at()).content.decode()
    assert "No episode to ask about" in html


def test_a_yes_says_what_happens_next_and_gives_a_copy(desk: Desk) -> None:
    answer = desk.answer()
    assert answer.status_code == 302 and desk.consent() == "Y"
    html = desk.browser.get(answer["Location"]).content.decode()
    assert "The answer is recorded: yes" in html and "goes into the next file" in html
    act = desk.acts()[0]
    assert (act.statement_said, act.leaflet_given, act.questions_answered) == (True, True, True)
    copy = desk.browser.get(desk.at(f"acts/{act.pk}/copy/")).content.decode()
    assert "Yes, send it" in copy and "We would like to send some facts" in copy and "Priya Raman" in copy
    assert "Printed by Priya Raman" in copy and desk.organisation.name in copy


@pytest.mark.parametrize("missing", ["said", "leaflet", "questions"])
def test_a_yes_is_refused_until_everything_before_it_was_done_and_nothing_typed_is_lost(
    desk: Desk, missing: str
) -> None:
    """O-105, O-110, O-133: the statement said, the leaflet given, questions answered, before YES."""
    answer = desk.answer(**{missing: None})
    html = answer.content.decode()
    assert answer.status_code == 422 and "Not recorded yet" in html and f'href="#id_{missing}"' in html
    assert html.count(" checked") == 4, "what was ticked and chosen is still there"
    assert desk.acts() == [] and desk.consent() == ""


@pytest.mark.parametrize("missing", ["said", "leaflet", "questions"])
def test_a_no_is_never_held_up(desk: Desk, missing: str) -> None:
    assert desk.answer("N", **{missing: None}).status_code == 302
    assert desk.consent() == "N"
    html = desk.browser.get(desk.here).content.decode()
    assert {
        "said": "statement not said",
        "leaflet": "leaflet not given",
        "questions": "questions not asked for",
    }[missing] in html


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"answer": None}, "Choose the answer that was given"),
        ({"method": None}, "Choose how it was answered"),
        ({"decided_on_year": "2999"}, "today"),
        ({"decided_on_day": "31", "decided_on_month": "2"}, "February"),
        ({"answer": "maybe"}, "Select a valid choice"),
        ({"note": "x" * 10_000, "answer": "not-now"}, "300"),
    ],
)
def test_bad_input_gets_words_and_records_nothing(desk: Desk, changed: dict[str, Any], words: str) -> None:
    answer = desk.answer(**{"answer": "Y", **changed})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert desk.acts() == []


def test_not_now_is_neither_no_nor_not_asked(desk: Desk) -> None:
    answer = desk.answer("not-now", method=None, said=None, note="مرحبا 🙂 unwell, ask at triage")
    assert desk.consent() == "" and desk.acts() == []
    html = desk.browser.get(answer["Location"]).content.decode()
    assert "Kept: asked, and no answer yet" in html and "مرحبا 🙂 unwell, ask at triage" in html
    assert "Consent not asked" in html, "the reminder stays"
    with acting_for(desk.organisation):
        assert ConsentDeferral.objects.get().recorded_by == desk.worker.pk


def test_an_imported_yes_is_never_said_to_be_consented(desk: Desk) -> None:
    with acting_for(desk.organisation):
        make_act(episode=desk.episode)
        services.push_latest(episode=Episode.objects.get(pk=desk.episode.pk))
    html = desk.browser.get(desk.here).content.decode()
    assert "Imported" in html and "was not seen here" in html and "onsented" not in html


def test_the_same_page_sent_twice_records_once_and_back_and_changed_is_shown_first(desk: Desk) -> None:
    opened = desk.opened()
    first = desk.answer(opened=opened)
    again = desk.answer(opened=opened)
    assert (first.status_code, again.status_code) == (302, 302) and first["Location"] == again["Location"]
    assert len(desk.acts()) == 1
    changed = desk.answer("N", opened=opened)
    assert (
        changed.status_code == 409
        and "Something was recorded after you opened this page" in changed.content.decode()
    )
    assert len(desk.acts()) == 1 and desk.consent() == "Y"
    deferred = desk.opened()
    for _ in range(2):
        assert desk.answer("not-now", opened=deferred).status_code == 302
    with acting_for(desk.organisation):
        assert ConsentDeferral.objects.count() == 1


def test_what_a_colleague_recorded_meanwhile_is_seen_first_and_then_recorded_over(desk: Desk) -> None:
    opened = desk.opened()
    desk.answer("N")
    late = desk.answer("Y", opened=opened)
    html = late.content.decode()
    assert late.status_code == 409 and desk.consent() == "N" and 'value="Y" checked' in html
    fresh = {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in opened}  # type: ignore[index]
    assert fresh["_page"] != opened["_page"]
    assert desk.answer("Y", opened=fresh).status_code == 302 and desk.consent() == "Y"


def test_the_form_of_another_client_or_episode_records_nothing(desk: Desk) -> None:
    other = make_desk()
    with acting_for(desk.organisation):
        second = make_episode()
    for changed in ({"client": str(second.client_id)}, {"client": ""}, {"client": str(other.client.pk)}):
        assert desk.answer(**changed).status_code == 404
    assert desk.browser.get(desk.at(f"{second.pk}/")).status_code == 404
    assert desk.browser.get(desk.at(f"{other.episode.pk}/")).status_code == 404
    assert desk.acts() == [] and other.acts() == []


def test_what_is_typed_is_kept_as_a_draft_but_the_file_is_not(desk: Desk) -> None:
    opened = desk.opened()
    kept = desk.answer(opened=opened, _draft="keep", note="half a thought", answer=None)
    assert kept.status_code == 302 and desk.acts() == []
    html = desk.browser.get(desk.here).content.decode()
    assert "half a thought" in html and "This is your draft" in html
    assert desk.answer(opened=desk.opened()).status_code == 302
    assert "half a thought" not in desk.browser.get(desk.here).content.decode()
