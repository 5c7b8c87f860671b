"""Asking a partner to share, and what who asks can learn: never whether anybody holds the person."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from caseload.models import Client
from consent.asks import selectors
from consent.models import Ask, AskAnswer, AskDelivery
from tests.caseload.known_elsewhere.registered import register, register_all
from tests.conftest import owner_connect
from tests.consent.asks.ask_pages import asker_sees, deliveries, main_of
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import AskDesk, words_of
from tests.factories.asks import make_ask
from tests.factories.organisations import make_organisation
from tests.factories.same_person import pairs
from tests.factories.sharing import make_sensitive

pytestmark = pytest.mark.django_db


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
