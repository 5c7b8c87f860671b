"""My caseload, allocation and the data-quality desk in a browser, with and without JavaScript."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Exists, OuterRef
from playwright.sync_api import BrowserContext, Page, expect

from caseload.models import Allocation, AllocationKind, Client, Episode
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from tests.browser.axe import serious

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAMPLE = Path(__file__).parent.parent / "data" / "sample"
SLUG = "eput-essex-stars"


def look_at(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: EDATRS_PICTURES names a folder."""
    folder = os.environ.get("EDATRS_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    found: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found


def small_text(page: Page) -> list[str]:
    """Text under 13 pixels that can be seen."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
        && e.getClientRects().length && parseFloat(getComputedStyle(e).fontSize) < 13).map(e => e.outerHTML.slice(0, 80))"""
    )
    return found


@pytest.fixture
def people(transactional_db: None, add_user: Callable[..., User]) -> dict[str, User]:
    call_command("load_partnership", stdout=io.StringIO())
    call_command("import_caseload", str(SAMPLE / "bundle-2"), stdout=io.StringIO(), stderr=io.StringIO())
    organisation = Organisation.objects.get(slug=SLUG)
    found = {
        role: add_user(organisation, role) for role in ("keyworker", "team_manager", "ndtms_administrator")
    }
    found["colleague"] = add_user(organisation, "keyworker", "dana@stars.example")
    User.objects.filter(pk=found["keyworker"].pk).update(full_name="Priya Raman")
    User.objects.filter(pk=found["colleague"].pk).update(full_name="Dana Okoro")
    User.objects.filter(pk=found["team_manager"].pk).update(full_name="Hanif Barlow")
    today = clock.today()
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk, person_label="a test"):
        ours = Episode.objects.filter(client_id=OuterRef("pk"), discharged_on__isnull=True)
        clients = list(Client.objects.annotate(here=Exists(ours)).order_by("-here", "record_number"))
        for number, client in enumerate(clients[:24]):
            who = found["colleague"] if number % 5 == 4 else found["keyworker"]
            Allocation.objects.create(
                organisation=organisation,
                client=client,
                kind=AllocationKind.KEYWORKER,
                keyworker=who,
                valid_from=today - dt.timedelta(days=number * 3),
                reason="New",
                by=who.pk,
                by_label="x",
            )
        Allocation.objects.create(
            organisation=organisation,
            client=clients[4],
            kind=AllocationKind.COVER,
            keyworker=found["keyworker"],
            valid_from=today,
            valid_until=today + dt.timedelta(days=9),
            reason="Leave",
            by=found["team_manager"].pk,
            by_label="x",
        )
        for episode in Episode.objects.filter(client__in=clients[24:30]):
            episode.triaged_on = episode.discharged_on = None
            episode.discharge_reason = ""
            episode.save()
    return found


# On realistic rows; every page is looked at the same way in test_every_page.py.
@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize(
    ("role", "path", "name"),
    [
        ("keyworker", "caseload/", "my-caseload"),
        ("keyworker", "caseload/?state=open&consent=not-asked", "my-caseload-filtered"),
        ("keyworker", "caseload/?state=waiting&consent=no", "my-caseload-nobody"),
        ("keyworker", "caseload/views/", "saved-views"),
        ("keyworker", "caseload/views/new/?state=open", "saved-view-new"),
        ("keyworker", "caseload/waiting/", "waiting"),
        ("team_manager", "caseload/", "my-caseload-empty"),
        ("team_manager", "caseload/allocation/", "allocation"),
        ("team_manager", "caseload/waiting/", "waiting-manager"),
        ("ndtms_administrator", "data-quality/", "data-quality"),
        ("ndtms_administrator", "data-quality/?rule=W18&age=7", "data-quality-none"),
        ("ndtms_administrator", "data-quality/?effect=consent", "data-quality-consent"),
        ("keyworker", "data-quality/", "data-quality-keyworker"),
    ],
)
def test_page_has_no_barrier_and_fits(
    people: dict[str, User],
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    width: int,
    role: str,
    path: str,
    name: str,
) -> None:
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, people[role])
    page.goto(f"/o/{SLUG}/{path}")
    look_at(page, name)
    assert serious(page) == []
    assert fits(page)
    assert small_text(page) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_manager_gives_clients_to_a_keyworker_and_takes_it_back(
    people: dict[str, User],
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, people["team_manager"])
    page.goto(f"/o/{SLUG}/caseload/waiting/")
    page.get_by_role("link", name="Allocate").first.click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    page.get_by_role("button", name="Select all").click()
    expect(page.get_by_role("checkbox", checked=True).nth(1)).to_be_visible()
    page.get_by_role("button", name="Select none").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Show what would happen").click()
    expect(page).to_have_title(re.compile("^Error:"))
    page.get_by_label("Give them to").select_option(label="Dana Okoro")
    page.get_by_label("Reason").fill("Dana has time from today")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_role("heading", name="Will be done for 1 client")).to_be_visible()
    look_at(page, f"allocation-plan-{javascript}")
    if javascript:
        assert serious(page) == []
    page.get_by_role("button", name="Allocate 1 client").click()
    expect(page.get_by_role("heading", name="Allocation done")).to_be_visible()
    look_at(page, f"allocation-run-{javascript}")
    page.get_by_role("button", name="Undo this allocation").click()
    expect(page.get_by_role("heading", name="Allocation undone")).to_be_visible()
    if javascript:
        assert serious(page) == []
    assert fits(page)


def test_a_keyworker_keeps_a_view_and_finds_a_name_without_it_in_an_address(
    people: dict[str, User], new_context: Callable[..., BrowserContext], sign_in: Callable[[Page, User], None]
) -> None:
    page = new_context().new_page()
    sign_in(page, people["keyworker"])
    page.goto(f"/o/{SLUG}/caseload/")
    name = page.locator(".app-people tbody a").first.inner_text()
    page.get_by_label("Name or client ID").fill(name.split(",")[0].lower())
    page.get_by_role("button", name="Apply filters").click()
    expect(page.locator(".app-people tbody")).to_contain_text(name)
    assert name.split(",")[0].lower() not in page.url.lower()
    page.goto(f"/o/{SLUG}/caseload/")
    page.get_by_label("Open", exact=True).check()
    page.get_by_role("button", name="Apply filters").click()
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name of the view").fill("Only open")
    page.get_by_role("button", name="Save the view").click()
    expect(page.get_by_role("link", name="Only open")).to_have_attribute("aria-current", "true")


def test_the_list_can_be_walked_by_keyboard(
    people: dict[str, User], new_context: Callable[..., BrowserContext], sign_in: Callable[[Page, User], None]
) -> None:
    page = new_context().new_page()
    sign_in(page, people["keyworker"])
    page.goto(f"/o/{SLUG}/caseload/")
    wanted: Any = page.locator(".app-people tbody a").first.get_attribute("href")
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.getAttribute('href')")
        assert page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle !== 'none' || !!document.activeElement"
        )
        if here == wanted:
            break
    assert here == wanted
    page.keyboard.press("Enter")
    page.wait_for_url("**/clients/*/")
