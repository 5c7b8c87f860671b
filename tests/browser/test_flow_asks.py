"""Known to a partner, asked, agreed with the client's signature, opened under "Shared with us"; and a referral that is taken over."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from consent.models import AskDelivery
from tests.browser.flows import AddUser, New, SignIn, heading, known, office
from tests.browser.test_episodes import look_at
from tests.browser.test_flow_sharing import by_mouse
from tests.core.world import acting_for
from tests.factories.sharing import make_agreement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BORN = dt.date(1991, 8, 9)


def test_asked_agreed_opened_and_referred_back(add_user: AddUser, new_context: New, sign_in: SignIn) -> None:
    mine, theirs = office("open-road", "Open Road", "T0101"), office("tide-mill", "Tide Mill", "T0202")
    make_agreement(mine, theirs)
    client = known(mine, "Jordan", "Ashby", BORN, "7", sex="M")
    held = known(theirs, "Jordon", "Ashby", BORN, "40718", sex="M")
    page, other = new_context().new_page(), new_context().new_page()
    sign_in(page, add_user(mine, "team_manager"))
    page.goto(f"/o/open-road/clients/{client.pk}/known-elsewhere/")
    page.get_by_role("button", name="Check whether a partner knows this person").click()
    page.get_by_role("button", name="Ask the partner").click()
    expect(heading(page)).to_have_text("Ask the partner that knows Jordan")
    page.get_by_label("Here with me").check()
    page.get_by_label("Identity and contact").check()
    page.get_by_label("Treatment", exact=True).check()
    page.get_by_label("Why do you need to see it?").fill("Came in today asking for support.")
    page.get_by_label("Jordan knows that I am asking").check()
    look_at(page, "ask-form")
    page.get_by_role("button", name="Ask the partner").click()
    expect(page.locator("main")).to_contain_text("No answer yet")
    expect(page.locator("body")).not_to_contain_text("Tide Mill")
    look_at(page, "ask-waits")

    sign_in(other, add_user(theirs, "team_manager"))
    other.goto("/o/tide-mill/requests/")
    look_at(other, "requests")
    other.get_by_role("link", name="ASHBY, Jordon").click()
    look_at(other, "request")
    other.get_by_role("button", name="Record the client’s answer").click()
    expect(other.locator("main")).to_contain_text("This answers the request of Open Road")
    expect(other.get_by_label("Identity and contact")).to_be_checked()
    other.get_by_label("No end date").check()
    other.get_by_label("who will see what").check()
    other.get_by_label("the privacy notice").check()
    other.get_by_label("Draws a signature on this screen").check()
    other.locator("canvas").scroll_into_view_if_needed()
    expect(other.get_by_text("Nothing is drawn yet")).to_be_visible()
    by_mouse(other, other.locator("canvas"))
    expect(other.locator("[data-app-sign-line]")).to_have_text("Signed")
    other.get_by_role("button", name="Record consent").click()
    expect(other.locator("main")).to_contain_text("The consent is recorded")
    with acting_for(theirs):
        request = AskDelivery.objects.get().pk
    other.goto(f"/o/tide-mill/requests/{request}/")
    expect(other.locator("main")).to_contain_text("Agreed")
    look_at(other, "request-agreed")

    page.reload()
    expect(page.locator("main")).to_contain_text("Tide Mill agreed")
    look_at(page, "ask-agreed")
    page.get_by_role("link", name="Open the shared record").click()
    expect(page.locator(".app-identity")).to_contain_text("ASHBY")
    page.get_by_role("link", name="Ask for more of this record").click()
    look_at(page, "ask-more")

    other.goto(f"/o/tide-mill/clients/{held.pk}/sharing/refer/")
    other.get_by_label("To which partner?").select_option("open-road")
    other.get_by_label("Transfer").check()
    other.get_by_label("Soon: within two working days").check()
    other.get_by_label("Why?").fill("Lives in your town now")
    other.get_by_label("Identity and contact").check()
    look_at(other, "refer")
    other.get_by_role("button", name="Send it").click()
    look_at(other, "referral-sent")
    page.goto("/o/open-road/requests/referrals/")
    look_at(page, "referrals")
    page.get_by_role("link", name="RF-").click()
    look_at(page, "referral-received")
    page.get_by_label("Yes: ASHBY, Jordan").check()
    page.get_by_role("button", name="Accept").click()
    expect(heading(page)).to_have_text("Overview")
    other.reload()
    expect(other.locator("main")).to_contain_text("Now discharge")
    other.get_by_role("button", name="It is done").click()
    expect(other.locator("main")).to_contain_text("Done")
