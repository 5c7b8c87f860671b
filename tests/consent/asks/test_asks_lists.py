"""More of a shared record, how a request stands, and the lists."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from caseload.models import SharingGrant
from consent.asks import rules, selectors
from consent.asks.rules import State
from consent.choices import AnswerKind
from consent.models import AskDelivery
from edatrs.core import clock
from tests.caseload.known_elsewhere.registered import register
from tests.consent.asks.ask_pages import deliveries, main_of
from tests.core.world import acting_for
from tests.factories.ask_desk import AskDesk, words_of
from tests.factories.asks import make_delivery
from tests.factories.caseload import make_client
from tests.factories.organisations import make_person
from tests.factories.sharing import make_agreement, make_grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def partly(desk: AskDesk) -> AskDesk:
    with acting_for(desk.theirs):
        make_grant(desk.held, desk.ours, ["identity"])  # type: ignore[arg-type]
    return desk


def more(desk: AskDesk, **changed: Any) -> Any:
    data = {
        "client": str(desk.held.pk),
        "parts": ["treatment"],
        "purpose": "To plan",
        "_page": str(uuid4()),
        **changed,
    }  # type: ignore[union-attr]
    return desk.browser.post(f"/o/ours/shared/{desk.held.pk}/ask/", data)  # type: ignore[union-attr]


def test_more_of_a_shared_record_is_asked_of_its_holder(partly: AskDesk) -> None:
    at = f"/o/ours/shared/{partly.held.pk}/"  # type: ignore[union-attr]
    assert f"{at}ask/" in partly.browser.get(at).content.decode()
    assert "Ask Theirs Trust for more" in words_of(partly.browser.get(f"{at}ask/"))
    answer = more(partly, parts=["identity_contact", "treatment"])
    assert answer.status_code == 302, words_of(answer)
    row = partly.delivery()
    assert (row.directed, row.categories, row.client_id) == (True, ["contact", "treatment"], partly.held.pk)  # type: ignore[union-attr]
    assert "Theirs Trust" in words_of(partly.asked())
    before = main_of(partly.asked())
    assert "They see parts of this record already" in words_of(partly.other.get(partly.request()))
    assert more(partly).status_code == 422
    partly.answer("refuse", reason="Not now")
    assert main_of(partly.asked()) == before
    assert partly.browser.post(f"/o/ours/requests/ours/{partly.ask_id()}/").status_code == 302


def test_more_is_asked_only_while_something_is_shared(partly: AskDesk) -> None:
    assert more(partly, parts=[]).status_code == 422
    assert more(partly, client=str(uuid4())).status_code == 404
    with acting_for(partly.theirs):
        SharingGrant.objects.filter(organisation_id=partly.theirs.pk).update(suspended_at=clock.now())
    assert more(partly).status_code == 404
    assert partly.browser.get(f"/o/ours/shared/{partly.held.pk}/ask/").status_code == 404  # type: ignore[union-attr]
    assert deliveries(partly) == 0


DAY = dt.date(2026, 11, 23)
K = AnswerKind
STATES: list[tuple[list[str], int, bool, State]] = [
    ([], 0, True, State.OPEN),
    ([], 28, True, State.OPEN),
    ([], 29, True, State.OVER),
    ([], 0, False, State.OVER),
    ([K.NAMED], 0, True, State.NAMED),
    ([K.KEPT], 0, True, State.KEPT),
    ([K.KEPT, K.AGREED], 99, False, State.AGREED),
    ([K.REFUSED], 99, True, State.REFUSED),
    ([K.REFUSED, K.REOPENED], 0, True, State.OPEN),
    ([K.NAMED, K.REFUSED, K.REOPENED], 0, True, State.NAMED),
    ([K.REFUSED, K.REOPENED], 29, True, State.OVER),
    ([K.TAKEN_BACK, K.AGREED], 0, True, State.TAKEN_BACK),
]


@pytest.mark.parametrize(("kinds", "days", "in_force", "state"), STATES)
def test_how_a_request_stands(kinds: list[str], days: int, in_force: bool, state: State) -> None:
    known = {"asked_on": DAY, "today": DAY + dt.timedelta(days=days), "in_force": in_force}
    assert rules.state_of(kinds, **known) is state
    again = state is State.REFUSED and in_force and days <= 28
    assert rules.may_open_again(kinds, **known) is again


def test_the_list_costs_the_same_for_one_and_for_many_and_is_paged_by_key(
    desk: AskDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(first: int, last: int) -> None:
        with acting_for(desk.theirs):
            for number in range(first, last):
                make_delivery(make_client(), desk.ours, number=number)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert desk.other.get("/o/theirs/requests/").status_code == 200
        return len(found)

    add(1, 2)
    queries()
    one = queries()
    add(2, 12)
    assert queries() == one
    monkeypatch.setattr(selectors, "PAGE", 5)
    page = desk.other.get("/o/theirs/requests/").content.decode()
    assert "?before=7" in page
    last = desk.other.get("/o/theirs/requests/?before=2").content.decode()
    assert "The newest" in last and "Earlier requests" not in last


def test_commissioners_and_administrators_have_no_requests(desk: AskDesk) -> None:
    for role in ("organisation_administrator", "ndtms_administrator", "information_governance"):
        browser = desk.as_(make_person(desk.theirs, role=role))
        assert browser.get("/o/theirs/requests/").status_code == 404


def test_an_agreement_with_several_holders_shows_each(desk: AskDesk) -> None:
    register(desk.third)
    make_agreement(desk.theirs, desk.third)
    desk.check()
    desk.ask()
    desk.answer("name")
    with acting_for(desk.third):
        pk = AskDelivery.objects.get().pk
    theirs = desk.as_(make_person(desk.third, full_name="Nan Ode"))
    with acting_for(desk.third):
        client = AskDelivery.objects.get().client_id
    theirs.post(f"/o/third/requests/{pk}/", {"act": "name", "client": str(client)})
    page = words_of(desk.asked())
    assert "Also with Theirs Trust" in page and "Also with Third Trust" in page
