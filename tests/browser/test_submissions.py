"""An NDTMS administrator goes from a form to a downloaded file, with and without JavaScript."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import BrowserContext, Page, expect

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from ndtms.models import NationalHolding, Submission
from tests.browser.axe import serious

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAMPLE = Path(__file__).parent.parent / "data" / "sample"


@pytest.fixture
def administrator(transactional_db: None, add_user: Callable[..., User]) -> User:
    call_command("load_partnership", stdout=io.StringIO())
    call_command("import_caseload", str(SAMPLE / "bundle-1"), stdout=io.StringIO(), stderr=io.StringIO())
    call_command(
        "import_caseload", str(SAMPLE / "bundle-1-later"), stdout=io.StringIO(), stderr=io.StringIO()
    )
    return add_user(Organisation.objects.get(slug="eput-essex-stars"), "ndtms_administrator")


def messages_of(page: Page) -> list[str]:
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def build(page: Page) -> None:
    page.goto("/o/eput-essex-stars/submissions/")
    page.get_by_role("button", name="Build the file").click()


def look_at(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: EDATRS_PICTURES names a folder."""
    folder = os.environ.get("EDATRS_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_administrator_builds_previews_downloads_and_confirms(
    administrator: User,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    celery_worker: Any,
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    said = messages_of(page)
    sign_in(page, administrator)
    build(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("This file is being built")
    look_at(page, "building")
    for _ in range(60):
        if page.get_by_role("heading", name="What NDTMS will do with this file").count():
            break
        page.wait_for_timeout(500)
        # Without scripts a noscript refresh loads the page again by itself; with them the fragment links to what became of it.
        if javascript and page.get_by_role("link", name="See what became of it").count():
            page.get_by_role("link", name="See what became of it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What NDTMS will do with this file")
    expect(page.get_by_text("This file removes what somebody agreed to")).to_be_visible()
    look_at(page, "preview")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download this file anyway").click()
    raw = Path(taken.value.path()).read_bytes()
    assert taken.value.suggested_filename.startswith("E1001-20250101-")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    page.reload()
    expect(page.locator("main")).to_contain_text("Downloaded")
    page.get_by_role("button", name="Record as loaded").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("NDTMS took this file")
    organisation = Organisation.objects.get(slug="eput-essex-stars")
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk):
        submission = Submission.objects.get()
        assert (submission.state, submission.manifest["rows"]) == ("loaded", len(rows))
        withdrawn = [row for row in rows if row["CONSENT"] == "N"]
        assert len(withdrawn) == 20 and all(sum(1 for v in row.values() if v) == 3 for row in withdrawn)
        assert NationalHolding.objects.filter(held=False).count() == 28
    assert said == []


def test_another_date_says_first_what_it_would_hold_back(
    administrator: User, new_context: Callable[..., BrowserContext], sign_in: Callable[[Page, User], None]
) -> None:
    page = new_context().new_page()
    sign_in(page, administrator)
    page.goto("/o/eput-essex-stars/submissions/")
    page.get_by_label("Month").fill("1")
    page.get_by_label("Year").fill("2026")
    page.get_by_label("Day").fill("31")
    page.get_by_role("button", name="Build the file").click()
    expect(page.get_by_role("heading", name="A file as of 31 Jan 2026 would hold back")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("link", name="Do not build").click()
    page.get_by_label("Day").fill("31")
    page.get_by_label("Month").fill("2")
    page.get_by_role("button", name="Build the file").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    expect(page.get_by_label("Day")).to_have_value("31")
    expect(page).to_have_title(re.compile("^Error: "))


# On realistic rows; every page is looked at the same way in test_every_page.py.
@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 360])
def test_pages_are_accessible_and_narrow_enough(
    administrator: User,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[Page, User], None],
    width: int,
    tmp_path: Path,
) -> None:
    out = io.StringIO()
    call_command(
        "build_extract", "--agency", "E1001", "--as-of", "2026-11-15", stdout=out, stderr=io.StringIO()
    )
    organisation = Organisation.objects.get(slug="eput-essex-stars")
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk):
        built = Submission.objects.get()
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    pages = ["/sign-in/", "/cannot-sign-in/", "/help/", "/livez-that-is-not-there/"]
    signed_in = [
        "/o/eput-essex-stars/",
        "/o/eput-essex-stars/submissions/",
        f"/o/eput-essex-stars/submissions/{built.pk}/",
        "/organisation/",
        "/account/",
    ]
    found = {}
    for address in [*pages, "sign in", *signed_in]:
        if address == "sign in":
            sign_in(page, administrator)
            continue
        page.goto(address)
        look_at(page, address.strip("/").replace("/", "_")[:40] or "start")
        wide = page.evaluate("document.documentElement.scrollWidth") - width
        small = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.offsetParent"
            " && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())"
            " && parseFloat(getComputedStyle(e).fontSize) < 13).map(e => e.outerHTML.slice(0, 80))"
        )
        problems = serious(page)
        if wide > 0 or small or problems:
            found[address] = (wide, small, problems)
    assert found == {}


def test_submissions_desk_works_by_keyboard_alone(
    administrator: User, new_context: Callable[..., BrowserContext], sign_in: Callable[[Page, User], None]
) -> None:
    page = new_context().new_page()
    sign_in(page, administrator)
    page.goto("/o/eput-essex-stars/submissions/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()")
        outline = page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow"
        )
        assert outline != "nonenone", f"no visible focus on {name}"
        seen.append(name)
        if name == "Build the file":
            break
    assert seen[-1] == "Build the file", seen
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This file is being built")
