"""Emergency access end to end: a stranger by NHS number, opened with a fresh second factor, ended, accounted for, reviewed (T11)."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from caseload.services import match_index
from edatrs.core.views import SECOND_FACTOR_AT
from edatrs.organisations.models import OutboundMail, User
from tests.browser.conftest import current_code
from tests.browser.flows import AddUser, New, SignIn, both, give_code, heading, known, let_pass, office
from tests.browser.test_episodes import look_at
from tests.core.world import acting_for
from tests.factories.sharing import make_agreement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NHS, SPACED = "9990142076", "999 014 2076"
REASON = "Found collapsed, with paramedics. They need the dose."


def half_an_hour_ago(user: User) -> None:
    """As if the second factor had been given before a long visit."""
    for row in Session.objects.all():
        held = row.get_decoded()
        if held.get("_auth_user_id") == str(user.pk):
            store = SessionStore(row.session_key)
            store[SECOND_FACTOR_AT] = time.time() - 30 * 60
            store.save()


def fill_in(page: Page) -> None:
    """Who, on what ground, why, and one part."""
    page.get_by_label("NHS number", exact=True).fill(SPACED)
    page.get_by_role("radio").first.check()
    page.get_by_label("What has happened, and what do you need to see?").fill(REASON)
    page.get_by_label("Identity", exact=True).check()


@both
def test_from_the_emergency_to_the_review(
    add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    mine, theirs = office("open-road", "Open Road", "T0101"), office("tide-mill", "Tide Mill", "T0202")
    make_agreement(mine, theirs)
    client = known(
        theirs,
        "Leanne",
        "Marsh",
        dt.date(1987, 3, 14),
        "40718",
        contact={"town": "Wivenhoe"},
        nhs_number=NHS,
    )
    with acting_for(theirs):
        match_index.write([client.pk])
    worker, officer = add_user(mine, "keyworker"), add_user(mine, "information_governance")
    their_officer = add_user(theirs, "information_governance")

    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, worker)
    page.goto(f"/o/open-road/emergency/{client.pk}/")
    expect(heading(page)).to_contain_text("Page not found")

    half_an_hour_ago(worker)
    page.goto("/o/open-road/emergency/")
    look_at(page, "emergency-none", axe=javascript)
    page.get_by_role("link", name="Open one record").or_(
        page.get_by_role("button", name="Open one record")
    ).click()
    expect(heading(page)).to_have_text("Confirm it is you")
    let_pass(worker)
    give_code(page, current_code(worker))
    expect(heading(page)).to_have_text("Emergency access to one record")
    look_at(page, "emergency-open", axe=javascript)

    page.get_by_role("button", name="Open the record for 60 minutes").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the ground")
    fill_in(page)
    page.get_by_label("NHS number", exact=True).fill("9990142084")
    page.get_by_role("button", name="Open the record for 60 minutes").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("What has happened, and what do you need to see?")).to_have_value(REASON)
    look_at(page, "emergency-refused", axe=javascript)
    page.get_by_label("NHS number", exact=True).fill(SPACED)
    page.get_by_role("button", name="Open the record for 60 minutes").click()

    banner = page.get_by_role("region", name="Emergency access")
    expect(banner).to_contain_text("Emergency access is open until")
    expect(page.locator("body")).to_contain_text("MARSH")
    expect(page.locator("body")).not_to_contain_text("Wivenhoe")
    look_at(page, "emergency-record", axe=javascript)
    record = page.url

    mails = list(OutboundMail.objects.filter(subject__contains="emergency"))
    assert {mail.to for mail in mails} == {officer.email, their_officer.email}
    assert not any(word in mail.subject + mail.text for mail in mails for word in ("Marsh", "MARSH", NHS))

    banner.get_by_role("button", name="End access now").click()
    expect(heading(page)).to_have_text("What you did with it")
    page.get_by_label("What did you do with what you saw?").fill("Told the paramedics the dose")
    look_at(page, "emergency-account", axe=javascript)
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_role("heading", name="Earlier")).to_be_visible()
    assert (answer := page.goto(record)) is not None and answer.status == 404
    expect(page.locator("body")).not_to_contain_text("MARSH")

    reviewer = new_context(java_script_enabled=javascript).new_page()
    sign_in(reviewer, officer)
    expect(reviewer.locator("main")).to_contain_text("Emergency access by Open Road")
    reviewer.goto("/o/open-road/emergency/review/")
    look_at(reviewer, "emergency-reviews", axe=javascript)
    reviewer.locator("main a[href*='/emergency/review/']").first.click()
    expect(reviewer.locator("main")).to_contain_text(REASON)
    expect(reviewer.locator("main")).to_contain_text("Told the paramedics the dose")
    expect(reviewer.locator("body")).not_to_contain_text("MARSH")
    reviewer.get_by_label("Yes, in good faith").check()
    reviewer.get_by_label("Why, and what follows").fill("The dose was needed at once")
    look_at(reviewer, "emergency-review", axe=javascript)
    reviewer.get_by_role("button", name="Record the review").click()
    expect(reviewer.locator("main")).to_contain_text("The review is recorded")

    partner = new_context(java_script_enabled=javascript).new_page()
    sign_in(partner, their_officer)
    expect(partner.locator("main")).to_contain_text("Emergency access by Open Road")
    partner.goto("/o/tide-mill/emergency/review/")
    partner.locator("main a[href*='/emergency/review/']").first.click()
    expect(partner.locator("main")).to_contain_text("The dose was needed at once")
    expect(partner.get_by_role("button", name="Record the review")).to_have_count(0)
