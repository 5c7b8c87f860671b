"""A client is registered, a partner is asked about, and what the answer leads to."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from tests.browser.flows import AddUser, New, SignIn, both, heading, known, office, type_date
from tests.browser.test_episodes import look_at
from tests.factories.sharing import make_agreement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BORN = dt.date(1991, 8, 9)


@both
def test_registered_first_then_a_partner_is_asked_about(
    add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    mine, theirs = office("open-road", "Open Road", "T0101"), office("tide-mill", "Tide Mill", "T0202")
    make_agreement(mine, theirs)
    known(theirs, "Jordan", "Ashby", BORN, "7", sex="M")
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(mine, "keyworker"))
    page.goto("/o/open-road/clients/new/")
    page.get_by_label("Forename").fill("Jordon")
    page.get_by_label("Surname").fill("Ashby")
    type_date(page, "date_of_birth", BORN)
    page.get_by_role("button", name="Register the client").click()
    expect(heading(page)).to_have_text("Does a partner know this person?")
    expect(page.get_by_role("heading", name="Known to a partner; ask")).to_have_count(0)
    look_at(page, "known-elsewhere-before", axe=javascript)
    page.get_by_role("button", name="Check whether a partner knows this person").click()
    expect(page.get_by_role("heading", name="Known to a partner; ask")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("Tide Mill")
    look_at(page, "known-elsewhere-yes", axe=javascript)
    page.get_by_role("link", name="Go on to the record").click()
    expect(heading(page)).to_have_text("Overview")
    page.go_back()
    expect(page.get_by_role("heading", name="Known to a partner; ask")).to_be_visible()
