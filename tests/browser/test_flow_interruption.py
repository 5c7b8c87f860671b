"""A long form is broken off because the sign-in ends: what was typed is there again, here and on another computer; scripts or none."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from caseload.models import Client, ClientContact, ClientIdentity
from edatrs.organisations.models import Draft, Organisation, User
from tests.browser.flows import (
    AddUser,
    New,
    SignIn,
    both,
    heading,
    known,
    let_pass,
    office,
    sign_in_again,
    type_date,
)
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LANE = "Rear entrance, 3 Łąka Lane – ring “Moss” twice"
BORN = dt.date(1991, 9, 21)


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    return office("open-road", "Open Road", "T0101")


@pytest.fixture
def client(organisation: Organisation) -> Client:
    contact = {"town": "Witham", "phone": "01376 555000"}
    return known(organisation, "Marcus", "Fenwick", dt.date(1984, 3, 14), "20417", contact=contact)


@pytest.fixture
def worker(organisation: Organisation, add_user: AddUser) -> User:
    return add_user(organisation, "keyworker")


def kept(page: Page) -> None:
    """Wait until the line under the form says that the draft is kept."""
    expect(page.locator("[data-app-draft-line]")).to_contain_text("Draft kept", timeout=15_000)


def ends(settings: Any, seconds: int) -> None:
    """From now on a sign-in without use ends after so many seconds."""
    settings.SESSION_IDLE_SECONDS, settings.SESSION_WARNING_SECONDS = seconds, max(1, seconds // 2)


def usual(settings: Any) -> None:
    settings.SESSION_IDLE_SECONDS, settings.SESSION_WARNING_SECONDS = 900, 120


def drafts(organisation: Organisation) -> int:
    with acting_for(organisation):
        return Draft.objects.filter(closed_at__isnull=True).count()


def test_typed_text_is_kept_when_the_sign_in_ends_and_comes_back_on_another_computer(
    organisation: Organisation, client: Client, worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    page = new_context().new_page()
    sign_in(page, worker)
    ends(settings, 8)
    page.goto(address)
    page.get_by_label("Address line 1").fill(LANE)
    page.get_by_label("Town or city").fill("")
    kept(page)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=20_000)
    assert "Łąka" not in page.content() and "Fenwick" not in page.content()
    usual(settings)
    other = new_context().new_page()
    let_pass(worker)
    sign_in(other, worker)
    other.goto(address)
    expect(other.get_by_role("region", name="Draft", exact=True)).to_contain_text("It is not saved yet")
    expect(other.get_by_label("Address line 1")).to_have_value(LANE)
    expect(other.get_by_label("Town or city")).to_have_value("")
    expect(other.get_by_label("Phone")).to_have_value("01376 555000")
    look_at(other, "draft-on-another-computer")
    # And where it was typed, after signing in again there.
    page.get_by_role("link", name="Sign in again").click()
    expect(page.locator("main")).to_contain_text("You were signed out because nothing happened")
    sign_in_again(page, worker)
    page.wait_for_url(f"**{address}")
    expect(page.get_by_label("Address line 1")).to_have_value(LANE)
    other.get_by_role("button", name="Save", exact=True).click()
    expect(other.locator("main")).to_contain_text("Saved.")
    with acting_for(organisation):
        held = ClientContact.objects.get(client=client)
        assert (held.address_line_1, held.town, held.phone) == (LANE, "", "01376 555000")
    # Saved is saved: no draft is offered any more.
    other.goto(address)
    expect(other.get_by_role("region", name="Draft", exact=True)).to_have_count(0)
    assert drafts(organisation) == 0


@both
def test_what_is_sent_after_the_sign_in_ended_is_back_after_signing_in(
    organisation: Organisation,
    client: Client,
    worker: User,
    new_context: New,
    sign_in: SignIn,
    settings: Any,
    javascript: bool,
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, worker)
    page.goto(address)
    page.get_by_label("Address line 1").fill(LANE)
    ends(settings, 0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text("You were signed out because nothing happened")
    with acting_for(organisation):
        assert ClientContact.objects.get(client=client).address_line_1 == "", (
            "nothing is written after the end"
        )
    usual(settings)
    sign_in_again(page, worker)
    page.wait_for_url(f"**{address}")
    expect(page.get_by_role("region", name="Draft", exact=True)).to_contain_text("It is not saved yet")
    expect(page.get_by_label("Address line 1")).to_have_value(LANE)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text("Saved.")
    with acting_for(organisation):
        assert ClientContact.objects.get(client=client).address_line_1 == LANE
    assert drafts(organisation) == 0


@both
def test_a_registration_that_is_broken_off_is_taken_up_again_and_made_once(
    organisation: Organisation,
    worker: User,
    new_context: New,
    sign_in: SignIn,
    settings: Any,
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/clients/new/")
    page.get_by_label("Forename").fill("Zofia")
    page.get_by_label("Surname").fill("Wiśniewska")
    type_date(page, "date_of_birth", BORN)
    page.get_by_label("Address line 1").fill(LANE)
    client_id = page.get_by_label("Client ID", exact=True).input_value()
    ends(settings, 0)
    page.get_by_role("button", name="Register the client").click()
    expect(heading(page)).to_have_text("Sign in")
    usual(settings)
    with acting_for(organisation):
        assert not ClientIdentity.objects.exists()
    # On another computer, by the list of what one left open or by going to the form.
    other = new_context(java_script_enabled=javascript).new_page()
    let_pass(worker)
    sign_in(other, worker)
    other.goto("/o/open-road/clients/new/")
    for label, value in (("Forename", "Zofia"), ("Surname", "Wiśniewska"), ("Address line 1", LANE)):
        expect(other.get_by_label(label, exact=True)).to_have_value(value)
    expect(other.get_by_label("Year")).to_have_value("1991")
    expect(other.get_by_label("Client ID", exact=True)).to_have_value(client_id)
    # The first browser signs in too and sends the same form: it is one client, not two.
    sign_in_again(page, worker)
    page.wait_for_url("**/o/open-road/clients/new/")
    expect(page.get_by_label("Surname")).to_have_value("Wiśniewska")
    for tab, words in ((other, "Registered."), (page, "This form was sent before")):
        tab.get_by_role("button", name="Register the client").click()
        expect(tab.locator("main")).to_contain_text(words)
    with acting_for(organisation):
        made = ClientIdentity.objects.get()
        assert (made.forename, made.surname, made.date_of_birth) == ("Zofia", "Wiśniewska", BORN)
    assert drafts(organisation) == 0


@both
def test_a_draft_is_kept_by_hand_and_can_be_thrown_away(
    organisation: Organisation,
    client: Client,
    worker: User,
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, worker)
    page.goto(address)
    page.get_by_label("Phone").fill("07700 900444")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("region", name="Draft", exact=True)).to_contain_text("It is not saved yet")
    expect(page.get_by_label("Phone")).to_have_value("07700 900444")
    page.get_by_role("button", name="Throw the draft away").click()
    expect(page.locator("main")).to_contain_text("The draft is thrown away")
    expect(page.get_by_label("Phone")).to_have_value("01376 555000")
    assert drafts(organisation) == 0
