"""Two people change the same client at once; the second sees both texts, chooses field by field, neither is lost; scripts or none."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from caseload.models import Client, ClientContact
from edatrs.organisations.models import Organisation, User
from tests.browser.flows import AddUser, New, SignIn, both, known, office
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BEFORE = {"town": "Witham", "phone": "01376 555000", "address_line_1": "1 Mill Lane"}


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    return office("open-road", "Open Road", "T0101")


@pytest.fixture
def client(organisation: Organisation) -> Client:
    return known(organisation, "Marcus", "Fenwick", dt.date(1984, 3, 14), "20417", contact=BEFORE)


@pytest.fixture
def pair(organisation: Organisation, add_user: AddUser) -> tuple[User, User]:
    """Two colleagues."""
    first = add_user(organisation, "keyworker", "priya@open-road.example")
    second = add_user(organisation, "keyworker", "dana@open-road.example")
    User.objects.filter(pk=first.pk).update(full_name="Priya Raman")
    User.objects.filter(pk=second.pk).update(full_name="Dana Okoro")
    return first, second


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def contact_of(organisation: Organisation, client: Client) -> dict[str, str]:
    with acting_for(organisation):
        found = ClientContact.objects.get(client=client)
        return {name: getattr(found, name) for name in BEFORE}


@both
def test_the_second_to_save_sees_both_texts_and_neither_is_lost(
    organisation: Organisation,
    client: Client,
    pair: tuple[User, User],
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    one, two = (new_context(java_script_enabled=javascript).new_page() for _ in range(2))
    for page, user in zip((one, two), pair, strict=True):
        sign_in(page, user)
        page.goto(address)
    one.get_by_label("Phone").fill("07700 900111")
    one.get_by_label("Town or city").fill("Kelvedon")
    save(one)
    expect(one.locator("main")).to_contain_text("Saved.")
    two.get_by_label("Phone").fill("07700 900222, text only")
    two.get_by_label("Address line 1").fill("2 Mill Lane")
    save(two)
    main = two.locator("main")
    expect(main).to_contain_text("Priya Raman saved this after you opened it")
    expect(main).to_contain_text("where you choose the saved text, yours is let go")
    row = two.get_by_role("row").filter(has=two.get_by_role("rowheader", name="Phone"))
    expect(row).to_contain_text("07700 900111")
    expect(row).to_contain_text("07700 900222, text only")
    # Where only one of them changed a field that side is chosen already; where both did, nobody is preferred.
    expect(two.get_by_label("Kelvedon")).to_be_checked()
    expect(two.get_by_label("2 Mill Lane")).to_be_checked()
    expect(row.get_by_role("radio", checked=True)).to_have_count(0)
    assert contact_of(organisation, client) == {
        "phone": "07700 900111",
        "town": "Kelvedon",
        "address_line_1": "1 Mill Lane",
    }
    look_at(two, f"conflict-{javascript}")
    two.get_by_role("button", name="Save my choices").click()
    expect(main).to_contain_text("Choose one text for each field, then save")
    expect(two.get_by_label("Kelvedon")).to_be_checked()
    two.get_by_label("07700 900222, text only").check()
    two.get_by_role("button", name="Save my choices").click()
    expect(main).to_contain_text("Saved.")
    assert contact_of(organisation, client) == {
        "phone": "07700 900222, text only",
        "town": "Kelvedon",
        "address_line_1": "2 Mill Lane",
    }
    # The text that was not chosen stands in the history, with who wrote it.
    two.goto(address)
    earlier = two.get_by_role("region", name="What was changed").get_by_role("listitem")
    expect(earlier).to_have_count(2)
    expect(earlier.nth(0)).to_contain_text("Dana Okoro")
    expect(earlier.nth(0)).to_contain_text("Phone: 07700 900111, then 07700 900222, text only")
    expect(earlier.nth(1)).to_contain_text("Priya Raman")
    expect(earlier.nth(1)).to_contain_text("Phone: 01376 555000, then 07700 900111")
    expect(earlier.nth(1)).to_contain_text("Town or city: Witham, then Kelvedon")


@both
def test_a_third_save_while_one_chooses_is_a_conflict_again(
    organisation: Organisation,
    client: Client,
    pair: tuple[User, User],
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    one, two = (new_context(java_script_enabled=javascript).new_page() for _ in range(2))
    for page, user in zip((one, two), pair, strict=True):
        sign_in(page, user)
        page.goto(address)
    two.get_by_label("Phone").fill("07700 900333")
    for number in ("07700 900111", "07700 900112"):
        one.goto(address)
        one.get_by_label("Phone").fill(number)
        save(one)
        expect(one.locator("main")).to_contain_text("Saved.")
        if number.endswith("1"):
            save(two)
            two.get_by_label("07700 900333").check()
        else:
            two.get_by_role("button", name="Save my choices").click()
        expect(two.locator("main")).to_contain_text("saved this after you opened it")
        expect(two.get_by_label(number)).to_be_visible()
        expect(two.get_by_label("07700 900333")).to_be_visible()
    # To let the other's text stand is one click, and writes nothing.
    two.get_by_role("link", name="Keep what was saved").click()
    expect(two.locator("main")).to_contain_text("07700 900112")
    assert contact_of(organisation, client)["phone"] == "07700 900112"


@both
def test_two_who_change_different_fields_both_have_their_way(
    organisation: Organisation,
    client: Client,
    pair: tuple[User, User],
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    address = f"/o/open-road/clients/{client.pk}/details/contact/"
    one, two = (new_context(java_script_enabled=javascript).new_page() for _ in range(2))
    for page, user in zip((one, two), pair, strict=True):
        sign_in(page, user)
        page.goto(address)
    one.get_by_label("Town or city").fill("Kelvedon")
    save(one)
    expect(one.locator("main")).to_contain_text("Saved.")
    two.get_by_label("Phone").fill("07700 900222")
    save(two)
    expect(two.locator("main")).to_contain_text("saved this after you opened it")
    expect(two.get_by_role("radio", checked=True)).to_have_count(2)
    two.get_by_role("button", name="Save my choices").click()
    expect(two.locator("main")).to_contain_text("Saved.")
    held = contact_of(organisation, client)
    assert (held["town"], held["phone"]) == ("Kelvedon", "07700 900222")
