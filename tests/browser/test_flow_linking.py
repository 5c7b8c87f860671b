"""Two partners link their records of one person in the browser: asked, compared, agreed, a change that reaches the other, unlinked."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from caseload.models import Client
from edatrs.organisations.models import Organisation
from tests.browser.flows import AddUser, New, SignIn, heading, known, office
from tests.browser.looking import look, picture
from tests.core.world import acting_for
from tests.factories.sharing import make_agreement, make_grant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BORN = dt.date(1987, 3, 14)


@pytest.fixture
def partners(transactional_db: None) -> tuple[Organisation, Client, Organisation, Client]:
    """Both know Leanne; the second shares who she is with the first, and not the other way round."""
    ours = office("open-road", "Open Road", "T0101")
    theirs = office("forward-trust", "Forward Trust", "T0202")
    make_agreement(ours, theirs)
    one = known(ours, "Leanne", "Marsh", BORN, "40718", nhs_number="9990142076", sex="F")
    other = known(theirs, "Lianne", "Marsh", BORN, "F-0092", nhs_number="9990142076")
    with acting_for(theirs):
        make_grant(other, ours, ["identity"])
    return ours, one, theirs, other


def test_asked_agreed_changed_and_unlinked(
    partners: tuple[Organisation, Client, Organisation, Client],
    add_user: AddUser,
    new_context: New,
    sign_in: SignIn,
) -> None:
    ours, one, theirs, other = partners
    page, their = new_context().new_page(), new_context().new_page()
    sign_in(page, add_user(ours, "team_manager"))
    page.goto(f"/o/open-road/clients/{one.pk}/details/")
    page.get_by_role("link", name="Link with a partner’s record").click()
    expect(heading(page)).to_contain_text("Link R")
    assert look(page) == []
    picture(page, "link-choose")
    page.get_by_role("button", name="Compare with R").click()
    expect(page.locator("main")).to_contain_text("Nothing has happened yet")
    picture(page, "link-compare")
    page.get_by_role("button", name="Ask to link").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the reason")
    page.get_by_label("Reason").fill("Referred by you in May, the same NHS number")
    page.get_by_role("button", name="Ask to link").click()
    expect(page.locator("main")).to_contain_text("Nothing is linked until it agrees")
    assert look(page) == []
    picture(page, "link-asked")

    sign_in(their, add_user(theirs, "team_manager"))
    their.goto("/o/forward-trust/links/")
    assert look(their) == []
    picture(their, "links")
    their.get_by_role("link", name="Answer about R").click()
    expect(their.locator("main")).to_contain_text("Different")
    expect(their.locator("main")).not_to_contain_text("Leanne")
    assert look(their) == []
    picture(their, "link-answer")
    their.get_by_role("button", name="Agree: link the records").click()
    expect(their.locator("main")).to_contain_text("The records are linked")
    assert look(their) == []
    picture(their, "link-linked")

    page.goto(f"/o/open-road/clients/{one.pk}/")
    expect(page.locator("main")).to_contain_text("Also at Forward Trust")
    picture(page, "link-also-at")
    page.goto(f"/o/open-road/clients/{one.pk}/details/")
    picture(page, "link-details")
    page.goto(f"/o/open-road/clients/{one.pk}/details/contact/")
    expect(page.locator("main")).to_contain_text("written to the linked record at Forward Trust too")
    picture(page, "link-edit")
    page.get_by_label("Phone").first.fill("01632 960 142")
    page.get_by_role("button", name="Save", exact=True).click()
    their.goto(f"/o/forward-trust/clients/{other.pk}/details/")
    expect(their.locator("main")).to_contain_text("01632 960 142")

    their.goto("/o/forward-trust/links/")
    their.get_by_role("link", name="Open or unlink R").click()
    their.get_by_label("Reason").fill("It is her sister")
    their.get_by_role("button", name="Unlink the records").click()
    expect(their.locator("main")).to_contain_text("Each organisation keeps what it holds now")
    assert look(their) == []
    picture(their, "link-unlinked")
    page.goto(f"/o/open-road/clients/{one.pk}/")
    expect(page.locator("main")).not_to_contain_text("Also at")
