"""The holder's side of a request: list, page, refusal, consent, decision."""

from __future__ import annotations

import datetime as dt
import re
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from consent.asks import selectors
from consent.asks.rules import State
from consent.models import AskAnswer, AskEnd
from edatrs.core import clock
from edatrs.organisations.models import Task
from tests.consent.asks.ask_pages import asker_sees
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import AskDesk, words_of

pytestmark = pytest.mark.django_db


def test_the_holder_gets_a_task_a_list_and_a_page(asked: AskDesk) -> None:
    task = Task.objects.get(organisation=asked.theirs)
    assert re.fullmatch(r"A partner asks to see parts of a record: request AS-\d+", task.words)
    assert (task.role, task.user_id) == ("team_manager", None)
    assert task.link == asked.request()
    listed = words_of(asked.other.get("/o/theirs/requests/"))
    assert "1 request from partners needs an answer" in listed and "ASHBY, Jordan" in listed
    page = words_of(asked.other.get(asked.request()))
    for words in (
        "Ours Trust asks",
        "Priya Nair",
        "Came in today",
        "Identity and contact; treatment",
        "Nothing",
    ):
        assert words in page
    who_sees = words_of(asked.other.get(f"/o/theirs/clients/{asked.held.pk}/sharing/"))  # type: ignore[union-attr]
    assert "Needs an answer: Ours Trust asks to see 2 parts" in who_sees
    with acting_for(asked.theirs):
        assert set(AuditEvent.objects.values_list("name", flat=True)) >= {"consent.ask.delivered_here"}
    with acting_for(asked.ours):
        names = set(AuditEvent.objects.values_list("name", flat=True))
    assert "consent.ask.sent" in names and "consent.ask.delivered_here" not in names


def test_a_refusal_keeps_its_reason_here_and_can_be_undone(asked: AskDesk) -> None:
    assert asked.answer("refuse", reason=" ").status_code == 422
    for _ in range(2):
        assert asked.answer("refuse", reason="Ask again after court").status_code == 302
    with acting_for(asked.theirs):
        assert [a.kind for a in AskAnswer.objects.all()] == ["refused"]
    page = words_of(asked.other.get(asked.request()))
    assert "Ask again after court" in page and "Open it again" in page
    assert asked.answer("name").status_code == 422
    for _ in range(2):
        assert asked.answer("again").status_code == 302
    assert asked.agree(way="paper", spoken_words=None, witness=None).status_code == 422  # without a scan
    assert "Record the client’s answer" in words_of(asked.other.get(asked.request()))
    assert asked.answer("eat").status_code == 404
    assert asked.other.post(asked.request(), {"act": "again", "client": str(uuid4())}).status_code == 404


def test_naming_ourselves_tells_who_to_call_and_opens_nothing(asked: AskDesk) -> None:
    for _ in range(2):
        assert asked.answer("name").status_code == 302
    page = words_of(asked.asked())
    assert "Also with Theirs Trust" in page and "Call Dawn Petrie" in page
    assert asked.browser.get(f"/o/ours/shared/{asked.held.pk}/").status_code == 404  # type: ignore[union-attr]
    with acting_for(asked.theirs):
        assert AskAnswer.objects.count() == 1
        assert selectors.delivery(asked.delivery().pk).state is State.NAMED
    assert asked.agree().status_code == 302, "it can still be agreed to"


def test_a_consent_answers_it_and_opens_the_record_once_the_witness_confirmed(asked: AskDesk) -> None:
    start = asked.other.get(
        f"/o/theirs/clients/{asked.held.pk}/sharing/consents/new/?ask={asked.delivery().pk}"
    )  # type: ignore[union-attr]
    assert "This answers the request of Ours Trust" in words_of(start)
    assert asked.agree().status_code == 302
    waiting = words_of(asked.asked())
    assert "No answer yet" in waiting and "Theirs" not in waiting, (
        "nothing is open before the witness confirmed"
    )
    assert "Answer recorded, nothing is open yet" in words_of(asked.other.get(asked.request()))
    asked.witness()
    page = asked.asked()
    assert "Theirs Trust agreed" in words_of(page)
    link = f"/o/ours/shared/{asked.held.pk}/"  # type: ignore[union-attr]
    assert link in page.content.decode()
    assert "ASHBY" in words_of(asked.browser.get(link)) or asked.browser.get(link).status_code == 200
    assert "They can see today Identity and contact; treatment" in words_of(asked.other.get(asked.request()))


def test_after_a_withdrawal_both_pages_say_so(asked: AskDesk) -> None:
    asked.agree()
    asked.witness()
    with acting_for(asked.theirs):
        consent = in_sql("SELECT id FROM consent_sharingconsent")[0][0]
    today = clock.today()
    fields = {
        "on_day": today.day,
        "on_month": today.month,
        "on_year": today.year,
        "client": str(asked.held.pk),
    }  # type: ignore[union-attr]
    gone = asked.other.post(f"/o/theirs/clients/{asked.held.pk}/sharing/consents/{consent}/withdraw/", fields)  # type: ignore[union-attr]
    assert gone.status_code == 302, words_of(gone)
    assert "what opened it has ended" in words_of(asked.asked())
    assert asked.browser.get(f"/o/ours/shared/{asked.held.pk}/").status_code == 404  # type: ignore[union-attr]
    assert "They can see today Nothing" in words_of(asked.other.get(asked.request()))
    asked.check()
    assert asked.ask().status_code == 302, "it may be asked again"


def test_a_witness_who_did_not_hear_it_leaves_the_request_open(asked: AskDesk) -> None:
    asked.agree()
    asked.witness("not_heard")
    with acting_for(asked.theirs):
        assert selectors.delivery(asked.delivery().pk).state is State.KEPT
    assert asked.answer("refuse", reason="Nobody heard it").status_code == 302
    assert "No answer yet" in words_of(asked.asked())


def test_what_is_agreed_cannot_be_taken_back(asked: AskDesk) -> None:
    asked.agree()
    asked.witness()
    gone = asked.browser.post(f"/o/ours/requests/ours/{asked.ask_id()}/", follow=True)
    assert "There is nothing to take back" in words_of(gone)
    with acting_for(asked.ours):
        assert not AskEnd.objects.exists()


def test_the_client_says_no_and_who_asks_reads_nothing(asked: AskDesk) -> None:
    before = asker_sees(asked)
    answer = asked.agree(answer="refused", way=None, parts=None, ends=None, witness=None, spoken_words=None)
    assert answer.status_code == 302, words_of(answer)
    assert asker_sees(asked) == before
    assert "The client said no" in words_of(asked.other.get(asked.request()))


def test_a_consent_for_somebody_else_does_not_answer_it(asked: AskDesk) -> None:
    assert asked.agree(recipient="third").status_code == 302
    asked.witness()
    with acting_for(asked.theirs):
        assert not AskAnswer.objects.exists()
        assert selectors.delivery(asked.delivery().pk).waits


def test_a_decision_without_consent_answers_it(asked: AskDesk) -> None:
    browser, at = asked.as_(asked.their_manager), f"/o/theirs/clients/{asked.held.pk}/sharing/decisions/new/"  # type: ignore[union-attr]
    assert str(asked.delivery().pk) in browser.get(at, {"ask": str(asked.delivery().pk)}).content.decode()
    today, later = clock.today(), clock.today() + dt.timedelta(days=30)
    data = {
        "client": str(asked.held.pk),  # type: ignore[union-attr]
        "asked": str(asked.delivery().pk),
        "recipient": "ours",
        "ground": "welfare",
        "parts": ["treatment"],
        "reason": "They may come to harm",
        "decided_by": "Mia Lund",
        "decided_as": "Team manager",
        **{f"decided_on_{p}": getattr(today, p) for p in ("day", "month", "year")},
        **{f"review_on_{p}": getattr(later, p) for p in ("day", "month", "year")},
    }
    answer = browser.post(at, data)
    assert answer.status_code == 302, words_of(answer)
    assert "Theirs Trust agreed" in words_of(asked.asked())


def test_taken_back_the_holder_is_told_and_cannot_answer(asked: AskDesk) -> None:
    for _ in range(2):
        assert asked.browser.post(f"/o/ours/requests/ours/{asked.ask_id()}/").status_code == 302
    with acting_for(asked.ours):
        assert AskEnd.objects.count() == 1
    assert "You took this back" in words_of(asked.asked())
    assert "Taken back" in words_of(asked.other.get(asked.request()))
    assert asked.answer("refuse", reason="No").status_code == 422
    assert Task.objects.filter(organisation=asked.theirs, words__contains="was taken back").count() == 1
    with acting_for(asked.theirs):
        assert [a.kind for a in AskAnswer.objects.all()] == ["taken_back"]
    assert asked.ask().status_code == 302, "another can be asked now"


def test_without_a_protocol_nothing_can_be_agreed_and_nothing_comes_back(asked: AskDesk) -> None:
    asked.answer("name")
    asked.end_protocol()
    assert "No protocol is in force" in words_of(asked.other.get(asked.request()))
    assert asked.answer("refuse", reason="No").status_code == 422
    assert "Theirs" not in words_of(asked.asked())
