"""Ask a partner to share: delivered by the database, answered or not, and nothing but an agreement comes back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload.models import Client, SharingGrant
from consent.asks import rules, selectors
from consent.asks.rules import State
from consent.choices import AnswerKind
from consent.models import Ask, AskAnswer, AskDelivery, AskEnd
from edatrs.core import clock
from edatrs.organisations.models import Task
from tests.caseload.known_elsewhere.registered import register, register_all
from tests.conftest import owner_connect
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import AskDesk, words_of
from tests.factories.asks import make_ask, make_delivery
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation, make_person
from tests.factories.same_person import pairs
from tests.factories.sharing import make_agreement, make_grant, make_sensitive

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> AskDesk:
    return AskDesk()


@pytest.fixture
def asked(desk: AskDesk) -> AskDesk:
    desk.check()
    answer = desk.ask()
    assert answer.status_code == 302, words_of(answer)
    desk.browser.get(answer["Location"])  # the message that it is sent, once
    return desk


def main_of(answer: Any) -> str:
    """The main part of the page, without what every request changes."""
    found = re.search(r"<main.*</main>", answer.content.decode(), re.DOTALL)
    assert found and answer.status_code == 200
    text = found[0]
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    text = re.sub(r"AS-\d+|[0-9a-f]{8}-[0-9a-f-]{27}", "", text)
    return re.sub(r"<time[^>]*>[^<]*</time>|nonce=\"[^\"]+\"", "", text)


def deliveries(desk: AskDesk) -> int:
    with acting_for(desk.theirs):
        return AskDelivery.objects.count()


# ---- asking -----------------------------------------------------------------------------------------------------


def test_a_worker_asks_after_a_yes_and_learns_nobody(desk: AskDesk) -> None:
    desk.check()
    page = desk.browser.get(f"{desk.at}known-elsewhere/").content.decode()
    assert f"{desk.at}sharing/asks/new/" in page
    form = words_of(desk.browser.get(f"{desk.at}sharing/asks/new/"))
    assert "How asking works" in form and "Theirs Trust" not in form
    answer = desk.ask(message="Call me on Thursday")
    assert answer.status_code == 302
    said = words_of(desk.browser.get(answer["Location"]))
    assert "No answer yet" in said and "by Priya Nair" in said and "Theirs" not in said
    row = desk.delivery()
    assert (row.client_id, row.asker_id, row.recorded_by_label) == (desk.held.pk, desk.ours.pk, "Priya Nair")  # type: ignore[union-attr]
    assert row.categories == ["identity", "contact", "treatment"]
    assert (row.message, row.told, row.how, row.directed) == ("Call me on Thursday", True, "here", False)


def test_without_a_yes_nobody_can_be_asked(desk: AskDesk) -> None:
    assert "There is nobody to ask" in words_of(desk.browser.get(f"{desk.at}sharing/asks/new/"))
    answer = desk.ask()
    assert answer.status_code == 422
    assert "Check first whether a partner knows this person" in words_of(answer)
    with acting_for(desk.ours):
        assert not Ask.objects.exists()


def test_what_is_missing_is_said_and_nothing_typed_is_lost(desk: AskDesk) -> None:
    desk.check()
    for changed, words in (
        ({"how": None}, "Choose how you know this person"),
        ({"parts": None}, "Tick the parts"),
        ({"purpose": ""}, "Write why you need to see it"),
    ):
        answer = desk.ask(message="Call me", **changed)
        assert answer.status_code == 422 and words in words_of(answer), changed
        assert "Call me" in answer.content.decode()
    assert desk.ask(client=str(uuid4())).status_code == 404
    assert desk.ask(_draft="keep", purpose="Half a sen").status_code == 302
    assert "Half a sen" in desk.browser.get(f"{desk.at}sharing/asks/new/").content.decode()
    assert deliveries(desk) == 0


def test_sent_twice_it_is_asked_once_and_a_second_waits_for_the_first(desk: AskDesk) -> None:
    desk.check()
    page = str(uuid4())
    assert desk.ask(_page=page).status_code == desk.ask(_page=page).status_code == 302
    assert deliveries(desk) == 1
    again = desk.ask(purpose="Something else")
    assert again.status_code == 422 and "You have asked already" in words_of(again)
    assert deliveries(desk) == 1


def test_it_reaches_whom_the_comparison_finds_and_nobody_else(desk: AskDesk) -> None:
    """The same rules as the yes: each record that alone makes it a yes gets the request."""
    others = [
        register(desk.theirs, forename="Jordon"),
        register(desk.third, nhs_number="9434765919"),
        register(desk.theirs, forename="Kevin", surname="Marsh"),
        register(desk.third, forename="Jade", date_of_birth=dt.date(1960, 1, 2)),
    ]
    stranger = make_organisation("stranger")
    register(stranger)
    desk.check()
    desk.ask()
    got = set()
    for organisation in (desk.theirs, desk.third, stranger):
        with acting_for(organisation):
            got |= {row.client_id for row in AskDelivery.objects.all()}
    assert got == {desk.held.pk, others[0].pk, others[1].pk}  # type: ignore[union-attr]


def test_it_is_delivered_exactly_where_known_elsewhere_says_yes(desk: AskDesk) -> None:
    """One comparison, not two: over invented pairs, half of them one person, both say the same."""
    some = list(pairs(60, 4711))
    ours = register_all(desk.ours, [pair.one for pair in some])
    register_all(desk.theirs, [pair.other for pair in some])
    said, got = [], []
    with acting_for(desk.ours):
        for pk in ours:
            said.append(in_sql("SELECT caseload_known_elsewhere(%s)", pk)[0][0])
            row = make_ask(Client.objects.get(pk=pk))
            in_sql("SELECT consent_deliver_ask(%s)", row.pk)
            got.append(row.pk)
    with acting_for(desk.theirs):
        reached = set(AskDelivery.objects.values_list("ask", flat=True))
    assert [pk in reached for pk in got] == said
    assert 20 < sum(said) < 60


@pytest.mark.parametrize("why", ["sensitive", "protocol", "their own is sensitive"])
def test_a_sensitive_record_and_a_partner_without_protocol_get_nothing(desk: AskDesk, why: str) -> None:
    desk.check()
    if why == "sensitive":
        with acting_for(desk.theirs):
            make_sensitive(desk.held)  # type: ignore[arg-type]
    elif why == "protocol":
        desk.end_protocol()
    else:
        with acting_for(desk.ours):
            make_sensitive(desk.client, desk.worker)
    assert desk.ask().status_code == (302 if why == "sensitive" else 422)
    assert deliveries(desk) == 0


# ---- what who asks can learn ------------------------------------------------------------------------------------


def asker_sees(desk: AskDesk) -> tuple[str, str, str]:
    return (
        main_of(desk.asked()),
        main_of(desk.browser.get(f"{desk.at}sharing/asks/")),
        main_of(desk.browser.get("/o/ours/requests/")),
    )


def refused_silent_nobody(desk: AskDesk) -> list[tuple[str, str, str]]:
    """The three pages of who asks when nobody answered, after a refusal, and when it reached nobody."""
    silent = asker_sees(desk)
    assert desk.answer("refuse", reason="It is not the same person").status_code == 302
    refused = asker_sees(desk)
    with transaction.atomic():
        nobody = desk.delivery().pk
        with acting_for(desk.ours):
            ours = make_ask(
                desk.client,
                recorded_by=desk.worker.pk,
                recorded_by_label="Priya Nair",
                purpose="Came in today asking for support",
                categories=["identity", "contact", "treatment"],
                message="",
                answer_by=Ask.objects.get().answer_by,
            )
            hidden = in_sql("SELECT count(*) FROM consent_agreed(%s::uuid[])", [ours.pk])
        assert hidden == [(0,)] and nobody
    with acting_for(desk.ours):
        first = Ask.objects.earliest("number").pk
    page = f"/o/ours/requests/ours/{first}/"
    return [silent, refused, (main_of(desk.asked()), main_of(desk.browser.get(page)), "")]


def test_refused_silent_and_nobody_found_are_one_page(asked: AskDesk) -> None:
    silent, refused, (nobody, first, _) = refused_silent_nobody(asked)
    assert silent == refused
    assert nobody == first == silent[0]
    assert "No answer yet" in silent[0]


def test_mutant_a_state_that_leaks_is_noticed(asked: AskDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the page of who asks knew of a refusal, the test above would see it."""
    real = selectors._lines

    def leaking(rows: Any) -> Any:
        found = real(rows)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.organisation', %s, true)", [str(asked.theirs.pk)])
            cursor.execute("SELECT count(*) FROM consent_askanswer")
            answers = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('app.organisation', %s, true)", [str(asked.ours.pk)])
        for line in found:
            line.row.purpose += f" {answers}"
        return found

    monkeypatch.setattr(selectors, "_lines", leaking)
    silent = asker_sees(asked)
    asked.answer("refuse", reason="It is not the same person")
    assert asker_sees(asked) != silent


def test_the_same_statements_are_asked_whatever_became_of_it(asked: AskDesk) -> None:
    """The timing class: refused and silent cost the same queries."""

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            asked.asked()
        return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries.captured_queries]

    statements()
    silent = statements()
    asked.answer("refuse", reason="It is not the same person")
    assert statements() == silent


def test_who_asks_cannot_read_a_delivery_or_an_answer_by_either_wall(asked: AskDesk) -> None:
    asked.answer("refuse", reason="It is not the same person")
    with acting_for(asked.ours, "keyworker"):
        assert AskDelivery.objects.count() == AskAnswer.objects.count() == 0
        assert in_sql("SELECT count(*) FROM consent_askdelivery") == [(0,)]
        assert in_sql("SELECT count(*) FROM consent_askanswer") == [(0,)]
        assert in_sql("SELECT count(*) FROM consent_agreed(ARRAY(SELECT id FROM consent_ask))") == [(0,)]
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            in_sql("SELECT * FROM consent_holders_of(%s)", asked.client.pk)
    with acting_for(asked.theirs):
        assert in_sql("SELECT count(*) FROM consent_ask") == [(0,)], "nor does the holder read who asks"
    assert asked.browser.get(asked.request().replace("/theirs/", "/ours/")).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_mutant_a_policy_that_lets_who_asks_read_is_noticed() -> None:
    """The check above sees a policy that was made too wide: for everybody instead of the role `matcher` in its functions."""
    desk = AskDesk()
    desk.check()
    desk.ask()
    desk.answer("refuse", reason="It is not the same person")
    with owner_connect() as owner:
        for table in ("consent_askdelivery", "consent_askanswer"):
            with acting_for(desk.ours):
                assert in_sql(f"SELECT count(*) FROM {table}") == [(0,)]
            owner.execute(f"CREATE POLICY too_wide ON {table} FOR SELECT USING (true)")
            try:
                with acting_for(desk.ours):
                    assert in_sql(f"SELECT count(*) FROM {table}") == [(1,)]
            finally:
                owner.execute(f"DROP POLICY too_wide ON {table}")


def test_nobody_delivers_the_ask_of_another_organisation(asked: AskDesk) -> None:
    """The functions go by the organisation acted for, whatever id is handed to them."""
    asked.answer("name")
    with acting_for(asked.ours):
        assert in_sql("SELECT count(*) FROM consent_agreed(ARRAY(SELECT id FROM consent_ask))") == [(1,)]
    with acting_for(asked.theirs):
        foreign = AskDelivery.objects.get().ask
    for organisation in (asked.theirs, asked.third):
        with acting_for(organisation):
            in_sql("SELECT consent_deliver_ask(%s)", foreign)
            in_sql("SELECT consent_take_back_ask(%s)", foreign)
            assert in_sql("SELECT count(*) FROM consent_agreed(%s::uuid[])", [foreign]) == [(0,)]
    with acting_for(asked.theirs):
        assert AskDelivery.objects.count() == AskAnswer.objects.count() == 1


# ---- the holder -------------------------------------------------------------------------------------------------


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


# ---- more of a shared record ------------------------------------------------------------------------------------


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


# ---- rules and lists --------------------------------------------------------------------------------------------

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
