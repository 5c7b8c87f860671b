"""Linking with a partner's record through HTTP: ask, answer, take back, unlink, undo, by both sides and by those who may not."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import Client, ClientIdentity, LinkSide
from edatrs.organisations.models import Task
from tests.caseload.linking.two_sides import Side, linked, sides
from tests.factories.organisations import make_person, sign_in
from tests.factories.sharing import make_sensitive

pytestmark = pytest.mark.django_db


def send(side: Side, browser: Browser, other: Side, **more: Any) -> Any:
    """The form by which a side asks about another's record."""
    fields = {
        "client": side.client.pk,
        "other": other.client.pk,
        "form_id": str(uuid4()),
        "reason": "The same person",
        "do": "ask",
    }
    return browser.post(f"/o/{side.organisation.slug}/links/new/{side.client.pk}/", fields | more)


def do(side: Side, what: str, *, reason: str = "We know them", browser: Browser | None = None) -> Any:
    """Press a button of the latest side."""
    with side.acting():
        row = LinkSide.objects.filter(client=side.client).latest("asked_at")
    address = f"/o/{side.organisation.slug}/links/{row.pk}/"
    sent = {"client": side.client.pk, "reason": reason, "do": what}
    return (browser or side.browser()).post(address, sent)


def events(side: Side) -> list[str]:
    """The names of what stands on the trail of an organisation about its client."""
    with side.acting():
        rows = AuditEvent.objects.filter(subject=str(side.client.pk)).order_by("sequence")
        return [n for n in rows.values_list("name", flat=True) if "link" in n or "copied" in n]


def test_one_asks_the_other_agrees_and_both_say_also_at() -> None:
    mill, hope = sides("mill", "hope")
    browser = mill.browser()
    page = browser.get(f"/o/mill/links/new/{mill.client.pk}/").content.decode()
    assert f"Hope, {hope.client}" in page and "Surname" in page, "the shared record that looks alike"
    look = send(mill, browser, hope, do="look").content.decode()
    assert "Nothing has happened yet" in look and "Same" in look
    answer = send(mill, browser, hope)
    assert answer.status_code == 302
    assert "Waiting for the partner" in browser.get(answer.headers["Location"]).content.decode()
    assert mill.person() != hope.person()
    their = hope.browser()
    listed = their.get("/o/hope/links/").content.decode()
    assert "Waiting for your answer" in listed and "mill manager" in listed and str(hope.client) in listed
    assert do(hope, "agree", browser=their).status_code == 302
    assert mill.person() == hope.person()
    for side, other in ((mill, "Hope"), (hope, "Mill")):
        looking = side.browser(side.keyworker)
        for part in ("", "details/"):
            page = looking.get(
                f"/o/{side.organisation.slug}/clients/{side.client.pk}/{part}"
            ).content.decode()
            assert f"Also at <strong>{other}</strong>" in page, part
        edit = looking.get(f"/o/{side.organisation.slug}/clients/{side.client.pk}/details/contact/")
        assert f"written to the linked record at {other} too" in edit.content.decode()
    assert events(mill)[-2:] == ["caseload.client.link_proposed", "caseload.client.linked"]
    assert events(hope)[-2:] == ["caseload.client.link_proposed", "caseload.client.linked"]
    words = [task.words for task in Task.objects.filter(organisation=hope.organisation)]
    assert all("Ashby" not in line and str(hope.client) in line for line in words) and len(words) == 2


def test_the_other_side_sees_of_what_is_not_shared_only_whether_it_agrees() -> None:
    mill, hope = Side("mill", forename="Jordan", nhs_number="9990142076"), Side("hope", forename="Jordana")
    from tests.factories.sharing import make_agreement

    make_agreement(mill.organisation, hope.organisation)
    hope.share_with(mill)
    mill.ask(hope)
    page = hope.browser().get(f"/o/hope/links/{hope.open_side().pk}/").content.decode()
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "9990142076" not in page and "999 014 2076" not in page, "the number is not shared with them"
    assert "Jordana" in page and f"Mill, R{mill.client.record_number}" in shown
    assert "Different" in page and "Same" in page and "Not recorded in one of them" in page
    officer = hope.browser(hope.officer).get(f"/o/hope/links/{hope.open_side().pk}/").content.decode()
    assert "Jordana" not in officer and "Ashby" not in officer, "the officer sees whether, not what"
    assert "Different" in officer


def test_refused_and_taken_back_change_nothing_and_the_other_is_told() -> None:
    mill, hope = sides("mill", "hope")
    send(mill, mill.browser(), hope)
    assert do(hope, "refuse", reason=" ").status_code == 422
    assert do(hope, "refuse", reason="Another person").status_code == 302
    assert mill.states() == hope.states() == ["refused"] and mill.person() != hope.person()
    send(mill, mill.browser(), hope)
    assert do(mill, "agree").status_code == 422, "one cannot answer one's own question"
    assert do(hope, "take_back").status_code == 422
    assert do(mill, "take_back").status_code == 302
    assert set(mill.states()) == {"refused", "taken_back"} and mill.person() != hope.person()
    assert {"caseload.client.link_refused", "caseload.client.link_taken_back"} <= set(events(hope))
    assert Task.objects.filter(organisation=mill.organisation, words__contains="does not agree").count() == 2
    page = mill.browser().get(f"/o/mill/clients/{mill.client.pk}/").content.decode()
    assert "Also at" not in page


def test_unlinked_at_once_by_either_and_taken_back_by_the_one_who_did_it() -> None:
    mill, hope = linked("mill", "hope")
    assert do(hope, "unlink", reason="").status_code == 422
    assert do(hope, "unlink").status_code == 302
    assert mill.person() != hope.person() and mill.states() == hope.states() == ["ended"]
    assert "Also at" not in mill.browser().get(f"/o/mill/clients/{mill.client.pk}/").content.decode()
    assert "Unlinked in the last 30 days" in mill.browser().get("/o/mill/links/").content.decode()
    assert do(mill, "undo").status_code == 422, "who did not unlink cannot take it back"
    assert do(hope, "undo").status_code == 302
    assert mill.person() == hope.person()
    assert events(mill)[-2:] == ["caseload.client.unlinked", "caseload.client.relinked"]


def test_asking_or_answering_twice_is_once() -> None:
    mill, hope = sides("mill", "hope")
    form_id = str(uuid4())
    browser = mill.browser()
    first, second = (send(mill, browser, hope, form_id=form_id) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert send(mill, browser, hope).status_code == 422, "another form about the same partner"
    their = hope.browser()
    assert [do(hope, "agree", browser=their).status_code for _ in range(2)] == [302, 302]
    assert events(mill).count("caseload.client.linked") == 1
    assert do(hope, "unlink", browser=their).status_code == 302
    assert do(hope, "unlink", browser=their).status_code == 302
    assert events(mill).count("caseload.client.unlinked") == 1


@pytest.mark.parametrize(
    "role", ["keyworker", "clinician", "ndtms_administrator", "organisation_administrator"]
)
def test_who_may_not_link_finds_none_of_it(role: str) -> None:
    mill, hope = sides("mill", "hope")
    side = mill.ask(hope)
    browser = sign_in(Browser(), make_person(mill.organisation, role=role))
    for address in ("links/", f"links/new/{mill.client.pk}/", f"links/{side.pk}/"):
        assert browser.get(f"/o/mill/{address}").status_code == 404
    assert send(mill, browser, hope).status_code == 404
    assert do(mill, "take_back", browser=browser).status_code == 404


def test_what_is_not_shared_with_us_cannot_be_asked_about() -> None:
    mill, hope = sides("mill", "hope")
    quay = Side("quay")
    browser = mill.browser()
    assert send(mill, browser, quay).status_code == 404
    assert (
        browser.post(
            f"/o/mill/links/new/{mill.client.pk}/", {"client": mill.client.pk, "number": str(quay.client)}
        ).status_code
        == 422
    )
    with hope.acting():
        make_sensitive(hope.client)
    assert send(mill, browser, hope).status_code == 404, "a sensitive record answers like none"
    with mill.acting():
        assert not LinkSide.objects.exists()


def test_ones_own_sensitive_record_is_not_linked() -> None:
    mill, hope = sides("mill", "hope")
    with mill.acting():
        make_sensitive(mill.client, mill.manager)
    assert send(mill, mill.browser(), hope).status_code == 422
    with hope.acting():
        assert not LinkSide.objects.exists()


def test_an_open_tab_of_another_client_changes_nothing() -> None:
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    with hope.acting():
        other = Client.objects.create(person=hope.client.person.__class__.objects.create())
        ClientIdentity.objects.create(client=other)
    row = hope.open_side()
    answer = hope.browser().post(
        f"/o/hope/links/{row.pk}/", {"client": other.pk, "do": "agree", "reason": ""}
    )
    assert answer.status_code == 404 and hope.states() == ["open"]


def test_a_list_costs_the_same_for_one_and_for_many(django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.factories.caseload import make_client
    from tests.factories.linking import make_link_side

    mill, hope = sides("mill", "hope")
    browser = mill.browser()
    counts = []
    for more in (1, 30):
        with mill.acting():
            for _ in range(more):
                make_link_side(make_client(), hope.organisation)
        browser.get("/o/mill/links/")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser.get("/o/mill/links/").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
