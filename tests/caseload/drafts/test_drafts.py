"""What is typed is on the server a second later, comes back on any machine, is its author's alone, and goes when it is saved."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import get_resolver

from caseload.models import Client, ClientIdentity
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.drafted import DraftedView, drafted_forms
from edatrs.organisations.models import Draft, Organisation
from edatrs.organisations.services import drafts
from tests.access.filling import filled, form_for
from tests.caseload.clients.test_edit import address, made, typed
from tests.core.world import acting_for
from tests.factories.caseload import make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
AUTOSAVE = {"X-Autosave": "1"}


@pytest.fixture
def home() -> tuple[Organisation, Client, Any]:
    organisation = make_organisation()
    make_service(organisation)
    return organisation, made(organisation), make_person(organisation, full_name="Kay One")


def keep(browser: Browser, organisation: Organisation, client: Client, **fields: str) -> Any:
    sent = typed(client, **fields) | {"_draft": "keep", "_page": "page-1"}
    return browser.post(address(organisation, client), sent, headers=AUTOSAVE)


def held(organisation: Organisation) -> list[Draft]:
    """All drafts of the organisation, as a worker sees them."""
    with acting_for(organisation, actor=Actor.WORKER):
        return list(Draft.objects.order_by("kept_at"))


def test_what_is_typed_comes_back_on_another_machine_and_is_not_saved(
    home: tuple[Organisation, Client, Any],
) -> None:
    organisation, client, person = home
    answer = keep(sign_in(Browser(), person), organisation, client, surname="Halb-getippt 🌱")
    assert answer.status_code == 200 and answer.json()["kept"].count(":") == 1
    page = sign_in(Browser(), person).get(address(organisation, client)).content.decode()
    assert 'value="Halb-getippt 🌱"' in page and "This is your draft of" in page
    with acting_for(organisation):
        assert ClientIdentity.objects.get(client=client).surname == "Ferreira"


def test_a_draft_is_never_in_clear_in_the_database(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    keep(sign_in(Browser(), person), organisation, client, surname="Unmistakable")
    with acting_for(organisation, actor=Actor.WORKER), connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM organisations_draft d")
        (row,) = cursor.fetchall()
    assert "Unmistakable" not in row[0] and "Ferreira" not in row[0]
    assert "csrf" not in held(organisation)[0].text


def test_a_draft_is_its_authors_alone(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    keep(sign_in(Browser(), person), organisation, client, surname="Mine")
    other = sign_in(Browser(), make_person(organisation))
    assert "Mine" not in other.get(address(organisation, client)).content.decode()
    with open_scope(actor=Actor.PERSON, organisation_id=organisation.pk, person_id=person.pk):
        assert Draft.objects.count() == 1
    with open_scope(actor=Actor.PERSON, organisation_id=organisation.pk, person_id=make_person().pk):
        assert Draft.objects.count() == 0, "row security shows a draft to its author alone"


def test_a_draft_of_another_client_is_refused(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    browser, other = sign_in(Browser(), person), made(organisation)
    sent = typed(other) | {"_draft": "keep"}
    assert browser.post(address(organisation, client), sent, headers=AUTOSAVE).status_code == 404
    elsewhere = make_organisation()
    make_service(elsewhere)
    theirs = made(elsewhere)
    assert (
        browser.post(
            address(organisation, theirs), typed(theirs) | {"_draft": "keep"}, headers=AUTOSAVE
        ).status_code
        == 404
    )
    assert held(organisation) == []


def test_saving_takes_the_draft_away_and_a_late_autosave_does_not_bring_it_back(
    home: tuple[Organisation, Client, Any],
) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    keep(browser, organisation, client, surname="Nowak")
    sent = typed(client, surname="Nowak") | {"_page": "page-1"}
    assert browser.post(address(organisation, client), sent).status_code == 302
    assert keep(browser, organisation, client, surname="Late").json() == {"saved": True}
    assert "This is your draft" not in browser.get(address(organisation, client)).content.decode()
    assert [d.text for d in held(organisation)] == ["[]"], "nothing of what was typed stays"


def test_a_form_that_is_refused_keeps_its_draft(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    keep(browser, organisation, client, surname="Nowak")
    assert (
        browser.post(address(organisation, client), typed(client, surname="", forename="")).status_code == 422
    )
    assert "This is your draft" in browser.get(address(organisation, client)).content.decode()


def test_throwing_away_shows_what_is_saved(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    keep(browser, organisation, client, surname="Nowak")
    thrown = browser.post(
        address(organisation, client), {"client": str(client.pk), "_draft": "discard"}, follow=True
    )
    assert 'value="Ferreira"' in thrown.content.decode() and "thrown away" in thrown.content.decode()


def test_without_javascript_a_button_keeps_the_draft(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    answer = browser.post(
        address(organisation, client), typed(client, surname="By button") | {"_draft": "keep"}, follow=True
    )
    assert 'value="By button"' in answer.content.decode()


def test_a_draft_from_before_a_newer_version_leads_to_both_texts(
    home: tuple[Organisation, Client, Any],
) -> None:
    organisation, client, person = home
    mine, theirs = sign_in(Browser(), person), sign_in(Browser(), make_person(organisation))
    keep(mine, organisation, client, surname="Mine")
    assert theirs.post(address(organisation, client), typed(client, surname="Theirs")).status_code == 302
    page = mine.get(address(organisation, client)).content.decode()
    assert 'name="version" value="1"' in page, "the draft's version, not the newer one"
    answer = mine.post(address(organisation, client), typed(client, surname="Mine"))
    assert answer.status_code == 409
    assert "Mine" in answer.content.decode() and "Theirs" in answer.content.decode()


def test_text_sent_after_the_time_out_is_kept_and_back_after_sign_in(
    home: tuple[Organisation, Client, Any], settings: Any
) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    browser.get(address(organisation, client))
    now = clock.now()
    with clock.frozen(now + dt.timedelta(seconds=settings.SESSION_IDLE_SECONDS + 1)):
        answer = browser.post(
            address(organisation, client),
            typed(client, surname="Too late"),
            headers={"Referer": f"http://testserver{address(organisation, client)}"},
        )
        assert answer.status_code == 302 and answer["Location"].startswith("/sign-in/")
        assert "next=" in answer["Location"] and "details/identity" in answer["Location"]
        assert browser.get(address(organisation, client)).status_code == 302, "nobody is signed in any more"
        page = sign_in(Browser(), person).get(address(organisation, client)).content.decode()
    assert 'value="Too late"' in page
    with acting_for(organisation):
        assert ClientIdentity.objects.get(client=client).surname == "Ferreira"


def test_a_token_of_an_ended_sign_in_keeps_the_text_only_from_our_own_page(
    home: tuple[Organisation, Client, Any],
) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(enforce_csrf_checks=True), person)
    sent = typed(client, surname="Old tab")
    ours = browser.post(address(organisation, client), sent, headers={"Origin": "http://testserver"})
    assert ours.status_code == 302
    assert "Nothing was saved" in browser.get(address(organisation, client)).content.decode()
    forged = browser.post(
        address(organisation, client),
        typed(client, surname="Forged"),
        headers={"Origin": "https://evil.example"},
    )
    assert forged.status_code == 403
    assert "Forged" not in browser.get(address(organisation, client)).content.decode()


def test_too_much_is_refused_with_words(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    answer = keep(sign_in(Browser(), person), organisation, client, surname="x" * (drafts.LONGEST + 1))
    assert answer.status_code == 413 and "more than a draft can hold" in answer.json()["problem"]


def test_drafts_go_after_thirty_days(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    keep(sign_in(Browser(), person), organisation, client, surname="Old")
    now = clock.now()
    with clock.frozen(now + dt.timedelta(days=29)):
        assert drafts.purge() == 0
    with clock.frozen(now + dt.timedelta(days=31)):
        assert drafts.purge() == 1
    assert held(organisation) == []


def test_who_lost_the_role_does_not_get_the_draft(home: tuple[Organisation, Client, Any]) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    keep(browser, organisation, client, surname="Mine")
    person.memberships.update(role="organisation_administrator")
    assert browser.get(address(organisation, client)).status_code == 404


def test_autosave_is_no_use_of_the_sign_in(home: tuple[Organisation, Client, Any], settings: Any) -> None:
    organisation, client, person = home
    browser = sign_in(Browser(), person)
    browser.get(address(organisation, client))
    seen = browser.session["seen_at"]
    with clock.frozen(clock.now() + dt.timedelta(seconds=120)):
        keep(browser, organisation, client, surname="By itself")
        assert browser.session["seen_at"] == seen


def test_a_half_registered_client_comes_back_with_the_form_it_was_typed_into(
    home: tuple[Organisation, Client, Any],
) -> None:
    organisation, _, person = home
    browser, new = sign_in(Browser(), person), f"/o/{organisation.slug}/clients/new/"
    shown = browser.get(new).content.decode()
    form = form_for(shown, new)
    assert form is not None
    sent = dict(filled(form, "Zofia")) | {"_draft": "keep"}
    assert browser.post(new, sent, headers=AUTOSAVE).status_code == 200
    page = sign_in(Browser(), person).get(new).content.decode()
    assert 'value="Zofia"' in page and f'value="{sent["form_id"]}"' in page
    with acting_for(organisation):
        assert Client.objects.count() == 1, "nothing is registered"


def test_every_form_that_keeps_a_draft_has_its_own_name() -> None:
    views = {
        pattern.callback.view_class
        for pattern in _patterns(get_resolver().url_patterns)
        if issubclass(getattr(pattern.callback, "view_class", object), DraftedView)
    }
    assert len(views) >= 5
    assert {view.draft for view in views} <= set(drafted_forms.keys())
    assert all(view.draft_words or view.title for view in views)


def _patterns(patterns: Any) -> Any:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern
