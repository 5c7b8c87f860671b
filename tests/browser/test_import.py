"""An NDTMS administrator brings a zip, looks line by line, and confirms, with and without JavaScript; the officer reads it on the trail."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import BrowserContext, Page, expect

from edatrs.organisations.models import Organisation, User
from tests.browser.axe import serious
from tests.browser.test_submissions import SAMPLE, look_at, messages_of
from tests.ndtms.importing import bring
from tests.oracle.generate import read_tables, write_bundle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SLUG = "eput-essex-stars"
IMPORT = f"/o/{SLUG}/import/"


@pytest.fixture
def administrator(transactional_db: None, add_user: Callable[..., User]) -> User:
    call_command("load_partnership", stdout=io.StringIO())
    call_command("import_caseload", str(SAMPLE / "bundle-1"), stdout=io.StringIO(), stderr=io.StringIO())
    return add_user(Organisation.objects.get(slug=SLUG), "ndtms_administrator")


@pytest.fixture
def zips(tmp_path: Path) -> tuple[Path, Path]:
    """The same two weeks on, of this organisation alone; and one with lines of others and a wrong date."""
    own = bring.of_agencies(tmp_path / "own", SAMPLE / "bundle-1-later", {"E1001"})
    tables, columns = read_tables(own)
    for row in tables["clients.csv"][:3]:
        row |= {"town": "Witham", "postcode": "", "phone": "07700 900123"}
    tables["episodes.csv"][0]["DRUG1"] = "7000"
    own = Path(write_bundle(tmp_path / "changed", tables, columns))
    good, bad = tmp_path / "november.zip", tmp_path / "wrong.zip"
    good.write_bytes(bring.zipped(own))
    episodes = (own / "episodes.csv").read_bytes().replace(b"2026-", b"2026/", 1)
    consents = (own / "consents.csv").read_bytes().replace(b"E1001,", b"E1002,", 2)
    bad.write_bytes(bring.zipped(own, {"episodes.csv": episodes, "consents.csv": consents}))
    return good, bad


def until(page: Page, heading: str, javascript: bool) -> None:
    """Wait for what a worker does: by the link of the fragment, or as the page loads itself again."""
    for _ in range(120):
        if page.get_by_role("heading", level=1, name=heading).count():
            return
        page.wait_for_timeout(500)
        link = page.get_by_role("link", name="See what came of it")
        if javascript and link.count():
            link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def check(page: Page, name: str) -> None:
    """No serious finding of axe, no sideways scroll at either width; and pictures."""
    assert serious(page) == [], name
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        look_at(page, name)
        assert wide <= width, f"{name} is {wide} wide at {width}"
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_administrator_imports_a_zip_and_the_officer_sees_it_on_the_trail(
    administrator: User,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    add_user: Callable[..., User],
    celery_worker: Any,
    zips: tuple[Path, Path],
    javascript: bool,
) -> None:
    good, bad = zips
    page = new_context(java_script_enabled=javascript).new_page()
    said = messages_of(page)
    sign_in(page, administrator)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Import").click()
    page.get_by_label("Zip with the CSV files").set_input_files(bad)
    page.get_by_role("button", name="Read the file").click()
    until(page, "This file cannot be loaded yet", javascript)
    expect(page.locator("main")).to_contain_text("is not a date: write it as yyyy-mm-dd")
    if javascript:
        check(page, "import-refused")
    page.get_by_role("button", name="Delete this file and its preview").click()
    page.goto(IMPORT)
    page.get_by_label("Zip with the CSV files").set_input_files(good)
    page.get_by_role("button", name="Read the file").click()
    until(page, "What this import will do", javascript)
    if javascript:
        check(page, "import-preview")
    page.get_by_label("What happens").select_option("changed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#lines")).to_contain_text("→")
    if javascript:
        check(page, "import-changed")
    page.get_by_role("button", name="Write this import").click()
    until(page, "This import is loaded", javascript)
    page.goto(IMPORT)
    expect(page.locator("main")).to_contain_text("november.zip")
    if javascript:
        check(page, "imports")
    assert said == []
    officer = new_context(java_script_enabled=javascript).new_page()
    sign_in(officer, add_user(administrator.memberships.get().organisation, "information_governance"))
    officer.get_by_role("navigation", name="Main").get_by_role("link", name="Trail").click()
    expect(officer.locator("main")).to_contain_text("Import confirmed")
    if javascript:
        check(officer, "trail")
