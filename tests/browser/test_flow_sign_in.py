"""Sign-in with both factors to the page that was asked for, by a recovery code once, and two organisations in two tabs; scripts or none."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from caseload.models import ClientContact
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from edatrs.organisations.services.second_factor import new_recovery_codes
from tests.browser.conftest import current_code
from tests.browser.flows import (
    AddUser,
    New,
    SignIn,
    both,
    give_code,
    give_password,
    heading,
    known,
    office,
    sign_in_again,
)
from tests.browser.test_submissions import messages_of
from tests.core.world import acting_for
from tests.factories.organisations import give

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ASKED = "/o/open-road/clients/?after=1"  # no key of a page: the list begins at its start


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    made = office("open-road", "Open Road", "T0101")
    known(made, "Marcus", "Fenwick", dt.date(1984, 3, 14), "20417", contact={"town": "Witham"})
    return made


@both
def test_a_wrong_code_is_refused_and_the_right_one_leads_to_the_page_asked_for(
    organisation: Organisation, add_user: AddUser, new_context: New, javascript: bool
) -> None:
    user = add_user(organisation, "keyworker")
    page = new_context(java_script_enabled=javascript).new_page()
    said = messages_of(page)
    page.goto(ASKED)
    expect(heading(page)).to_have_text("Sign in")
    give_password(page, user, "not the passphrase at all")
    expect(page.get_by_role("alert")).to_contain_text("One of them is not right")
    expect(page.get_by_label("E-mail address")).to_have_value(user.email)
    expect(page.get_by_label("Password")).to_have_value("")
    give_password(page, user)
    expect(heading(page)).to_have_text("Confirm it is you")
    # The password alone opens nothing.
    other = page.context.new_page()
    other.goto("/o/open-road/clients/")
    assert "FENWICK" not in other.content()
    other.close()
    right = current_code(user)
    give_code(page, f"{(int(right) + 1) % 1_000_000:06d}")
    expect(page.get_by_role("alert")).to_contain_text("This one is not right, or it was used already")
    expect(page).to_have_title(re.compile("^Error: "))
    give_code(page, f"{right[:3]} {right[3:]}")
    page.wait_for_url(f"**{ASKED}")
    expect(page.get_by_role("link", name="FENWICK, Marcus")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("main")).to_contain_text("You are signed out")
    page.goto(ASKED)
    expect(heading(page)).to_have_text("Sign in")
    assert [words for words in said if "422" not in words] == []


@both
def test_a_recovery_code_stands_in_for_the_phone_once(
    organisation: Organisation, add_user: AddUser, new_context: New, javascript: bool
) -> None:
    user = add_user(organisation, "keyworker")
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        codes = new_recovery_codes(user=user)
    page = new_context(java_script_enabled=javascript).new_page()
    page.goto(ASKED)
    give_password(page, user)
    page.get_by_text("I do not have my phone").click()
    expect(page.locator("main")).to_contain_text(f"You have {len(codes)} left")
    page.get_by_label("Recovery code").fill("nope-nope")
    page.get_by_role("button", name="Use recovery code").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter one of your unused recovery codes")
    # Still open after the mistake; as written down, capitals and all.
    page.get_by_label("Recovery code").fill(codes[0].upper())
    page.get_by_role("button", name="Use recovery code").click()
    page.wait_for_url(f"**{ASKED}")
    again = new_context(java_script_enabled=javascript).new_page()
    again.goto(ASKED)
    give_password(again, user)
    again.get_by_text("I do not have my phone").click()
    again.get_by_label("Recovery code").fill(codes[0])
    again.get_by_role("button", name="Use recovery code").click()
    expect(again.get_by_role("alert")).to_contain_text("or it was used already")
    expect(again.locator("main")).to_contain_text(f"You have {len(codes) - 1} left")


@both
def test_two_tabs_act_for_two_organisations_and_do_not_mix(
    organisation: Organisation, add_user: AddUser, new_context: New, javascript: bool
) -> None:
    second = office("holly-house", "Holly House", "T0202")
    ours = known(organisation, "Keeley", "Marsh", dt.date(1990, 7, 2), "20418", contact={"town": "Maldon"})
    theirs = known(second, "Imran", "Sallow", dt.date(1979, 1, 30), "70001", contact={"town": "Harlow"})
    user = add_user(organisation, "keyworker")
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        give(user, second, "keyworker")
    context = new_context(java_script_enabled=javascript)
    one, two = context.new_page(), context.new_page()
    one.goto("/sign-in/")
    sign_in_again(one, user)
    expect(heading(one)).to_have_text("Which organisation are you acting for?")
    one.get_by_label("Open Road").check()
    one.get_by_role("button", name="Continue").click()
    expect(one.locator(".app-header__org")).to_contain_text("Open Road")
    one.goto(f"/o/open-road/clients/{ours.pk}/details/contact/")
    one.get_by_label("Town or city").fill("Tiptree")
    two.goto("/organisation/")
    two.get_by_label("Holly House").check()
    two.get_by_role("button", name="Continue").click()
    expect(two.locator(".app-header__org")).to_contain_text("Holly House")
    two.goto(f"/o/holly-house/clients/{theirs.pk}/details/contact/")
    two.get_by_label("Town or city").fill("Epping")
    # A client of the one is nowhere under the address of the other.
    missing = context.new_page()
    missing.goto(f"/o/holly-house/clients/{ours.pk}/details/contact/")
    expect(heading(missing)).to_have_text("Page not found")
    assert "Maldon" not in missing.content()
    # The first tab saves after the second was opened, and the other way round: each its own.
    for tab, name in ((one, "Open Road"), (two, "Holly House")):
        tab.get_by_role("button", name="Save", exact=True).click()
        expect(tab.locator("main")).to_contain_text("Saved.")
        expect(tab.locator(".app-header__org")).to_contain_text(name)
    for office_of, client, town in ((organisation, ours, "Tiptree"), (second, theirs, "Epping")):
        with acting_for(office_of):
            assert ClientContact.objects.get(client=client).town == town


@both
def test_one_with_a_single_organisation_is_never_asked_which(
    organisation: Organisation, add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    page.wait_for_url("**/o/open-road/")
    page.goto("/")
    page.wait_for_url("**/o/open-road/")
