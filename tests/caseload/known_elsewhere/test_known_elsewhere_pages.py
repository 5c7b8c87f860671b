"""The step after a registration: asked only when it is saved, answered yes or no, on the trail, and told when it happens too often."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload.models import Client, PartnerCheck
from edatrs.core import clock, registry
from edatrs.organisations.models import Agreement, Organisation, OutboundMail, Task, User
from tests.caseload.clients.test_register import opened, post
from tests.caseload.known_elsewhere.registered import register
from tests.core.world import acting_for
from tests.factories.caseload import make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement, make_sensitive, party

pytestmark = pytest.mark.django_db
YES, NO = "Known to a partner; ask", "No partner has told us of this person"
Home = tuple[Organisation, Organisation, User, Browser]


@pytest.fixture
def home() -> Home:
    """An organisation with a service and a signed-in keyworker, and a partner with a protocol in force."""
    one, two = make_organisation("harbour-house"), make_organisation("tide-mill")
    make_service(one)
    make_agreement(one, two)
    worker = make_person(one)
    return one, two, worker, sign_in(Browser(), worker)


def address(organisation: Organisation, client: Client) -> str:
    return f"/o/{organisation.slug}/clients/{client.pk}/known-elsewhere/"


def ask(browser: Browser, organisation: Organisation, about: Client, **fields: str) -> Any:
    """Ask as the button does, and follow to the page that says the answer."""
    data = {"client": str(about.pk), "form_id": str(uuid4()), **fields}
    return browser.post(address(organisation, about), data, follow=True)


def main_of(page: Any) -> str:
    """The main part of a page, without what every request changes."""
    found = re.search(r"<main.*</main>", page.content.decode(), re.DOTALL)
    assert found
    text = re.sub(r'name="(csrfmiddlewaretoken|form_id)" value="[^"]+"', "", found[0])
    return re.sub(r"<time[^>]*>[^<]*</time>", "", text)


def test_the_step_follows_the_registration_and_asks_nobody_by_itself(home: Home) -> None:
    one, two, _, browser = home
    register(two, forename="Ana", surname="Ferreira", date_of_birth=dt.date(1984, 4, 6), sex="")
    answer = post(browser, one, opened(browser, one))
    with acting_for(one):
        (client,) = Client.objects.all()
        assert not PartnerCheck.objects.exists(), "registered, and nobody was asked"
    assert (answer.status_code, answer["Location"]) == (302, address(one, client))
    page = browser.get(address(one, client)).content.decode()
    assert "Check whether a partner knows this person" in page and YES not in page and NO not in page
    assert "FERREIRA, Ana" in page and "6 Apr 1984" in page
    said = ask(browser, one, client)
    assert said.redirect_chain == [(address(one, client), 302)]
    assert YES in said.content.decode()
    assert two.name not in said.content.decode() and two.slug not in said.content.decode()


def test_nothing_is_compared_before_it_is_saved(home: Home) -> None:
    one, _, _, browser = home
    answer = post(browser, one, {**opened(browser, one), "surname": "", "forename": ""})
    assert answer.status_code == 422
    with acting_for(one):
        assert not PartnerCheck.objects.exists() and not Client.objects.exists()


def test_without_a_protocol_in_force_the_step_is_not_there(home: Home) -> None:
    one, two, _, browser = home
    party(Agreement.objects.get(), two, signed_on=None, signed_by=None, signed_as="")
    answer = post(browser, one, opened(browser, one))
    with acting_for(one):
        (client,) = Client.objects.all()
    assert answer["Location"] == f"/o/{one.slug}/clients/{client.pk}/"
    assert "Check whether" not in browser.get(f"/o/{one.slug}/clients/{client.pk}/details/").content.decode()
    page = main_of(browser.get(address(one, client)))
    assert "No partner can be asked about this record today." in page and "<button" not in page


def test_it_is_offered_later_from_the_details(home: Home) -> None:
    one, _, _, browser = home
    client = register(one)
    page = browser.get(f"/o/{one.slug}/clients/{client.pk}/details/").content.decode()
    assert f'href="{address(one, client)}"' in page and "Check whether a partner knows this person" in page


def test_no_match_and_may_not_be_told_are_the_same_bytes(home: Home) -> None:
    """A sensitive record there, somebody without a protocol, and nobody at all: one page (threat 21)."""
    one, two, _, browser = home
    pages = []
    for case in ("nobody", "sensitive there", "no protocol there"):
        client = register(one)
        if case == "sensitive there":
            theirs = register(two)
            with acting_for(two):
                make_sensitive(theirs)
        elif case == "no protocol there":
            register(make_organisation())
        said = ask(browser, one, client)
        assert NO in said.content.decode(), case
        pages.append(main_of(said).replace(str(client.pk), "ID"))
        with acting_for(one):
            Client.objects.filter(pk=client.pk).update(voided_at=clock.now())
    assert pages[0] == pages[1] == pages[2]


def test_of_ones_own_sensitive_record_nobody_is_asked(home: Home) -> None:
    one, two, worker, browser = home
    client = register(one)
    register(two)
    with acting_for(one):
        make_sensitive(client, worker)
    assert "No partner can be asked" in browser.get(address(one, client)).content.decode()
    assert NO in ask(browser, one, client).content.decode()


def test_question_and_answer_are_on_the_trail_without_names(home: Home) -> None:
    one, two, worker, browser = home
    client = register(one)
    register(two)
    ask(browser, one, client)
    with acting_for(one):
        asked, answered = AuditEvent.objects.filter(name__startswith="caseload.known_elsewhere").order_by(
            "sequence"
        )
    assert (asked.name, asked.subject) == ("caseload.known_elsewhere.asked", str(client.pk))
    assert (answered.name, answered.details) == ("caseload.known_elsewhere.answered", {"known": True})
    assert asked.actor_id == answered.actor_id == worker.pk
    with acting_for(two):
        assert not AuditEvent.objects.filter(name__startswith="caseload.known_elsewhere").exists()


def test_the_same_form_sent_twice_asks_once(home: Home) -> None:
    one, two, _, browser = home
    client = register(one)
    register(two)
    form_id = str(uuid4())
    for _ in range(2):
        assert YES in ask(browser, one, client, form_id=form_id).content.decode()
    with acting_for(one):
        assert PartnerCheck.objects.count() == 1


def test_the_form_of_another_client_is_refused(home: Home) -> None:
    one, _, _, browser = home
    client, other = register(one), register(one, forename="Marcus")
    assert ask(browser, one, client, client=str(other.pk)).status_code == 404
    assert ask(browser, one, client, form_id="none").status_code == 404
    with acting_for(one):
        assert not PartnerCheck.objects.exists()


def test_another_organisations_client_is_not_found(home: Home) -> None:
    one, two, _, browser = home
    theirs = register(two)
    assert browser.get(address(one, theirs)).status_code == 404
    assert ask(browser, one, theirs).status_code == 404


@pytest.mark.parametrize(
    "role", ["ndtms_administrator", "information_governance", "organisation_administrator"]
)
def test_who_may_not_register_may_not_ask(home: Home, role: str) -> None:
    one, _, _, _ = home
    client = register(one)
    browser = sign_in(Browser(), make_person(one, role=role))
    assert browser.get(address(one, client)).status_code == 404
    assert ask(browser, one, client).status_code == 404


def test_what_follows_is_what_others_offer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, _, browser = home
    client = register(one)
    offer = {"words": "Ask to share", "url": "/somewhere/"}
    monkeypatch.setattr(
        registry.known_elsewhere_next,
        "_entries",
        {"a": lambda client, slug: offer, "b": lambda client, slug: None},
    )
    assert "/somewhere/" not in ask(browser, one, client).content.decode(), "nobody knows them yet"
    register(two)
    page = ask(browser, one, client).content.decode()
    assert page.count('href="/somewhere/"') == 1 and "Ask to share" in page


# ---- more than five a day ----------------------------------------------------------------------------------------------


def hits(home: Home, number: int) -> None:
    one, two, _, browser = home
    with acting_for(one):
        client = Client.objects.first()
    client = client or register(one)
    register(two)
    for _ in range(number):
        assert YES in ask(browser, one, client).content.decode()


def test_the_sixth_yes_of_a_day_is_told_to_the_governance_officer(home: Home) -> None:
    one, _, worker, _ = home
    officer = make_person(one, role="information_governance")
    elsewhere = make_person(make_organisation(), role="information_governance")
    hits(home, 5)
    assert not Task.objects.filter(role="information_governance").exists()
    hits(home, 3)
    (task,) = Task.objects.filter(role="information_governance")
    assert task.organisation_id == one.pk and worker.full_name in task.words and "Ashby" not in task.words
    (mail,) = OutboundMail.objects.filter(subject="EDATRS caseload: many clients known to partners")
    assert mail.to == officer.email != elsewhere.email
    for name in ("Jordan", "Ashby", worker.full_name, worker.email):
        assert name not in mail.text + mail.subject
    with acting_for(one):
        (told,) = AuditEvent.objects.filter(name="caseload.known_elsewhere.alerted")
    assert told.details == {"person": str(worker.pk), "label": worker.full_name, "hits": 6}


def test_every_day_is_counted_anew_and_every_person_by_themselves(home: Home) -> None:
    one, _, _, browser = home
    with clock.frozen(dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC)):
        browser = sign_in(Browser(), make_person(one))
        hits((*home[:3], browser), 5)
    with clock.frozen(dt.datetime(2026, 11, 24, 0, 0, tzinfo=dt.UTC)):
        hits((*home[:3], sign_in(Browser(), make_person(one))), 5)
    assert not Task.objects.filter(role="information_governance").exists()


def test_a_no_is_no_hit(home: Home) -> None:
    one, _, _, browser = home
    client = register(one)
    for _ in range(7):
        ask(browser, one, client)
    assert not Task.objects.filter(role="information_governance").exists()


def test_the_page_costs_the_same_for_many_answers(home: Home) -> None:
    one, two, _, browser = home
    client = register(one)
    register(two)
    for _ in range(3):
        ask(browser, one, client)
    few = queries_of(browser, one, client)
    for _ in range(12):
        ask(browser, one, client)
    assert queries_of(browser, one, client) == few


def queries_of(browser: Browser, one: Organisation, client: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        browser.get(address(one, client))
    return len(asked)
