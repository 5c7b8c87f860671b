"""A client is found in several ways, a new one registered after a look for the same person, two records merged and taken apart again."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from caseload.models import Client, ClientIdentity, Registration
from edatrs.organisations.models import Organisation
from tests.browser.flows import AddUser, New, SignIn, both, find, heading, known, office, type_date
from tests.browser.test_submissions import look_at, messages_of
from tests.core.world import acting_for
from tests.factories.caseload import make_episode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BORN = dt.date(1984, 3, 4)


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    made = office("open-road", "Open Road", "T0101")
    known(made, "Siân", "Pełka", BORN, "20417", contact={"postcode": "CM8 2ZZ"}, nhs_number="9990142076")
    known(made, "Sean", "Petch", dt.date(1970, 11, 30), "20418")
    return made


@both
def test_a_client_is_found_whatever_one_knows_of_them(
    organisation: Organisation, add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    said = messages_of(page)
    sign_in(page, add_user(organisation, "keyworker"))
    for words, why in (
        ("pelka sian", "Name"),
        ("SIÂN PEŁKA", "Name"),
        ("shan pelca", "Sounds alike"),
        ("4/3/1984", "Date of birth"),
        ("3/4/1984", "Date of birth with day and month swapped"),
        ("pelka 03-04-1984", "Date of birth with day and month swapped"),
        ("20417", "Client ID"),
        ("999 014 2076", "NHS number"),
        ("cm82zz", "Postcode"),
    ):
        find(page, words)
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="PEŁKA, Siân"))
        expect(row, words).to_have_count(1)
        expect(row.locator("[data-label='Matched by']"), words).to_contain_text(why)
        assert words.split()[0] not in page.url, "what was asked for stands in no address"
        expect(page.get_by_label("Find a client")).to_have_value(words)
    expect(page.get_by_role("link", name="PETCH, Sean")).to_have_count(0)
    page.get_by_role("link", name="PEŁKA, Siân").first.click()
    expect(page.locator(".app-identity")).to_contain_text("PEŁKA, Siân")
    assert "PEŁKA" not in page.title().upper()
    # Nobody: the page says what else to try, and leads on to registering.
    find(page, "quill 1962")
    expect(heading(page)).to_have_text("Nobody found")
    expect(page.locator("main")).to_contain_text("Try only the surname, another spelling")
    look_at(page, f"find-nobody-{javascript}")
    page.locator("main").get_by_role("link", name="Register a client").click()
    expect(heading(page)).to_have_text("Register a client")
    assert said == []


@both
def test_somebody_new_is_registered_after_a_look_for_the_same_person(
    organisation: Organisation, add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    page.goto("/o/open-road/clients/new/")
    page.get_by_label("Town or city").fill("Kelvedon")
    page.get_by_role("button", name="Register the client").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a surname or a forename")
    expect(page.get_by_label("Town or city")).to_have_value("Kelvedon")
    page.get_by_label("Forename").fill("Sian")
    page.get_by_label("Surname").fill("Pelka")
    type_date(page, "date_of_birth", BORN.replace(month=4, day=3))
    client_id = page.get_by_label("Client ID", exact=True).input_value()
    page.get_by_role("button", name="Register the client").click()
    expect(page.get_by_role("heading", name="This may be the same person")).to_be_visible()
    expect(page.locator("#candidates")).to_contain_text("Like name, day and month of birth swapped")
    expect(page.get_by_role("link", name="PEŁKA, Siân")).to_be_visible()
    look_at(page, f"register-duplicate-{javascript}")
    with acting_for(organisation):
        assert Client.objects.count() == 2, "shown before anything is written"
    # Sent again without an answer it asks again; everything typed stands.
    page.get_by_role("button", name="Register the client").click()
    expect(page.get_by_role("heading", name="This may be the same person")).to_be_visible()
    for label, value in (("Surname", "Pelka"), ("Town or city", "Kelvedon")):
        expect(page.get_by_label(label)).to_have_value(value)
    page.get_by_label("None of these is the person").check()
    page.get_by_role("button", name="Register the client").click()
    expect(page.locator("main")).to_contain_text(f"Registered. The client ID at T0101 is {client_id}.")
    with acting_for(organisation):
        made = ClientIdentity.objects.get(surname="Pelka")
        assert (made.forename, made.date_of_birth) == ("Sian", dt.date(1984, 4, 3))
        assert Registration.objects.get(client_id=made.client_id).client_id_text == client_id
        assert Client.objects.count() == 3
    find(page, "pelka sian")
    expect(heading(page)).to_have_text("2 clients found")


@both
def test_a_manager_merges_two_records_and_takes_the_merge_back(
    organisation: Organisation, add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    twice = known(organisation, "Sian", "Pelka", BORN, "30999", contact={"postcode": "CM9 5PP"})
    with acting_for(organisation):
        make_episode(registration=Registration.objects.get(client=twice), episode_id="E777")
        stays = ClientIdentity.objects.get(surname="Pełka").client
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "team_manager"))
    page.goto(f"/o/open-road/clients/{stays.pk}/details/")
    page.get_by_role("link", name="Merge another record into this one").click()
    expect(page.get_by_role("table")).to_contain_text("Same name and date of birth")
    # By what it is called in a message from a colleague, too: a number nobody has is said so.
    page.get_by_label("Or another record").fill("88888")
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_role("alert")).to_contain_text("No other record of this organisation has this")
    expect(page.get_by_label("Or another record")).to_have_value("88888")
    page.get_by_role("link", name="PELKA, Sian").click()
    expect(heading(page)).to_have_text(f"Merge {twice} into {stays}")
    expect(page.locator("main")).to_contain_text("Nothing has happened yet")
    expect(page.get_by_role("region", name=f"What moves to {stays}")).to_contain_text("E777")
    look_at(page, f"merge-preview-{javascript}")
    page.get_by_label("CM9 5PP").check()
    page.get_by_role("button", name="Merge the records").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the reason")
    expect(page.get_by_label("CM9 5PP")).to_be_checked()
    page.get_by_label("Reason").fill("Registered twice by two teams")
    page.get_by_role("button", name="Merge the records").click()
    # Where two values differ nobody decides for whoever merges.
    expect(page.get_by_role("alert")).to_contain_text("Choose for each field which of the two is kept")
    for kept in ("Siân", "Pełka"):
        page.get_by_label(kept, exact=True).check()
    page.get_by_role("button", name="Merge the records").click()
    expect(page.locator("main")).to_contain_text(f"{twice} is merged into {stays}")
    expect(page.locator("main")).to_contain_text("CM9 5PP")
    # What one knew of either leads to the record that stands; the old address does too.
    find(page, "30999")
    expect(heading(page)).to_have_text("1 client found")
    for client_id in ("20417", "30999"):
        expect(page.get_by_role("row", name="PEŁKA, Siân")).to_contain_text(client_id)
    page.goto(f"/o/open-road/clients/{twice.pk}/")
    page.wait_for_url(f"**/clients/{stays.pk}/")
    page.goto(f"/o/open-road/clients/{stays.pk}/details/")
    page.get_by_role("link", name=f"Undo the merge of {twice}").click()
    expect(page.locator("main")).to_contain_text("1 registration and 1 episode go back to it")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the reason")
    page.get_by_label("Reason").fill("They are twins, after all")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.locator("main")).to_contain_text(
        f"The merge is undone. {twice} is a record of its own again."
    )
    find(page, "30999")
    page.get_by_role("link", name="PELKA, Sian").first.click()
    page.get_by_role("navigation", name="Parts of the record").get_by_role("link", name="Episodes").click()
    expect(page.locator("main")).to_contain_text("E777")
    page.get_by_role("navigation", name="Parts of the record").get_by_role("link", name="Details").click()
    expect(page.locator("main")).to_contain_text("CM9 5PP")
