"""A keyworker takes a client from referral to discharge, with and without JavaScript; every page on the way is looked at by axe."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    Episode,
    Intervention,
    Outcome,
)
from edatrs.core import clock
from edatrs.organisations.models import Organisation, User
from tests.browser.axe import serious
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_entry, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    made = make_organisation("fenwick-services", name="Fenwick Services")
    make_service(made, agency_code="E1002", name="Fenwick Colchester")
    return made


@pytest.fixture
def client(organisation: Organisation) -> Client:
    with acting_for(organisation):
        made = make_client()
        born = dt.date(1984, 3, 14)
        make_part(ClientIdentity, made, forename="Marcus", surname="Fenwick", date_of_birth=born, sex="M")
        make_part(ClientContact, made, phone="07700 900214", town="Colchester")
        for part in (ClientEquality, ClientDisability):
            make_part(part, made)
        make_registration(client=made, client_id_text="10417")
    return made


def look_at(page: Page, name: str, *, axe: bool = True) -> None:
    """Pictures for whoever wants to look: EDATRS_PICTURES names a folder. Both widths; and nothing scrolls sideways on the narrow one."""
    width = page.viewport_size["width"] if page.viewport_size else 1280
    folder = os.environ.get("EDATRS_PICTURES")
    page.wait_for_load_state()  # a click returns while the next page is still on its way
    for wide in (1280, 360):
        page.set_viewport_size({"width": wide, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        out = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML)"
        assert over <= 0, f"{name}: {over} pixels at {wide}: {[h[:90] for h in page.evaluate(out)][-3:]}"
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{wide}.png", full_page=True)
    page.set_viewport_size({"width": width, "height": 900})
    if axe:  # it needs timers, which stand still without JavaScript
        assert serious(page) == [], name


def type_date(page: Page, name: str, day: dt.date) -> None:
    for key, part in zip(("day", "month", "year"), (day.day, day.month, day.year), strict=True):
        page.locator(f"#id_{name}_{key}").fill(str(part))


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_from_referral_to_discharge(
    organisation: Organisation,
    client: Client,
    add_user: Callable[..., User],
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()

    def look(name: str) -> None:
        look_at(page, name, axe=javascript)

    today = clock.today()
    referred, triaged = today - dt.timedelta(days=60), today - dt.timedelta(days=53)
    sign_in(page, add_user(organisation, "keyworker"))
    page.goto(f"/o/{organisation.slug}/clients/{client.pk}/episodes/")
    look("episodes-none")
    page.get_by_role("button", name="New referral").click()
    look("episode-new")
    page.get_by_role("button", name="Begin the episode").click()
    expect(page.locator("#problems")).to_contain_text("Enter the day of the referral")
    look("episode-new-error")
    type_date(page, "REFLD", referred)
    page.get_by_label("Referral source").select_option("4")
    page.get_by_role("button", name="Begin the episode").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Episode")
    look("episode-begun")

    page.get_by_role("button", name="Triage").click()
    look("triage-first")
    page.get_by_role("button", name="Explain confidentiality").click()
    page.get_by_label("Yes, aloud and on paper").check()
    page.get_by_label("I explained it aloud").check()
    page.get_by_label("They have it in writing").check()
    page.get_by_label("They understood it").check()
    look("confidentiality")
    page.get_by_role("button", name="Record what was done").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Triage")
    type_date(page, "TRIAGED", referred - dt.timedelta(days=1))
    if javascript:
        expect(page.locator(".app-says").first).to_contain_text("Triage is before the referral")
    look("triage-speaks")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text("Triage is before the referral")
    look("episode-with-error")
    page.get_by_role("link", name="Triage (first assessment) date").first.click()
    type_date(page, "TRIAGED", triaged)
    page.get_by_role("button", name="Save", exact=True).click()

    page.get_by_role("link", name="Change substances").click()
    page.get_by_label("Problem substance 1").first.select_option("1011")
    look("substances")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Add Intervention").click()
    page.get_by_label("Intervention type").select_option("95")
    type_date(page, "MODST", triaged + dt.timedelta(days=7))
    look("intervention-new")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Add Sub-intervention review").click()
    page.get_by_role("group", name="Peer support involvement").get_by_label("Yes").check()
    look("review-new")
    page.get_by_role("button", name="Put no to the rest").click()
    type_date(page, "SUBMODDT", triaged + dt.timedelta(days=20))
    page.get_by_role("button", name="Add", exact=True).click()
    look("episode-full")

    page.get_by_role("button", name="Discharge").click()
    look("discharge")
    type_date(page, "DISD", today)
    page.get_by_label("Discharge reason").select_option("80")
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("#problems")).to_contain_text("This intervention is open")
    look("discharge-refused")
    page.get_by_label("End “Psychosocial intervention”").check()
    page.get_by_label("Exit status").select_option("A")
    page.get_by_label("Why it is closed all the same").fill("Moved away before the exit form")
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("main")).to_contain_text("Discharged. The episode can be opened again")
    look("episode-closed")
    page.goto(f"/o/{organisation.slug}/clients/{client.pk}/timeline/")
    expect(page.locator(".moj-timeline")).to_contain_text("Discharged")
    look("timeline")
    page.goto(f"/o/{organisation.slug}/clients/{client.pk}/")
    look("overview")

    with acting_for(organisation):
        episode = Episode.objects.get()
        assert (episode.discharged_on, episode.discharge_reason, episode.triaged_on) == (today, "80", triaged)
        assert Intervention.objects.get().ended_on == today
        make_entry(Outcome, episode, completed_on=today, stage="E")
