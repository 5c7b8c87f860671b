"""An outcome form in a browser: broken off in one, taken up in another, finished; with and without JavaScript; the pages it leads to."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from caseload.models import ClientIdentity, Episode, Intervention, Outcome
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from tests.browser.axe import serious
from tests.factories.caseload import (
    make_client,
    make_entry,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.organisations import make_organisation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = {
    "ALCUSE": "10", "OPIUSE": "26", "CRAUSE": "12", "COCAUSE": "0", "AMPHUSE": "0", "CANNUSE": "28", "OTDRGUSE": "0",
    "IVDRGUSE": "3", "SHARING": "N", "SHOTHEFT": "8", "DRGSELL": "0", "OTHTHEFT": "Y", "ASSAULT": "N",
    "PSYHSTAT": "4", "PWORK": "0", "EDUCAT": "0", "ACUTHPBM": "Y", "HRISK": "Y", "PHSTAT": "7", "QUALLIFE": "5", "TOBUSE": "28",
}  # fmt: skip
LATER = (
    (
        "R",
        35,
        {
            "ALCUSE": "11",
            "OPIUSE": "14",
            "CRAUSE": "9",
            "SHOTHEFT": "NA",
            "IVDRGUSE": "1",
            "PSYHSTAT": "6",
            "QUALLIFE": "9",
        },
    ),
    (
        "R",
        91,
        {
            "ALCUSE": "14",
            "OPIUSE": "6",
            "CRAUSE": "8",
            "SHOTHEFT": "2",
            "IVDRGUSE": "0",
            "PSYHSTAT": "8",
            "QUALLIFE": "11",
        },
    ),
)


@pytest.fixture
def episode(transactional_db: None) -> Episode:
    organisation = make_organisation("open-road", name="Open Road Colchester")
    make_service(organisation, agency_code="E1001", name="Open Road Colchester")
    began = clock.today() - dt.timedelta(days=170)
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk, organisation_label="open-road"):
        client = make_client()
        make_part(
            ClientIdentity, client, forename="Marcus", surname="Fenwick", date_of_birth=dt.date(1984, 3, 14)
        )
        found = make_episode(
            registration=make_registration(client=client, client_id_text="10417"),
            episode_id="200417",
            referred_on=began,
        )
        make_entry(Intervention, found, modality="94", started_on=began + dt.timedelta(days=10))
        return found


def add_forms(organisation: Organisation, episode: Episode) -> None:
    first = clock.today() - dt.timedelta(days=155)
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk):
        make_entry(Outcome, episode, stage="S", completed_on=first, items=START)
        for stage, days, over in LATER:
            make_entry(
                Outcome,
                episode,
                stage=stage,
                completed_on=first + dt.timedelta(days=days),
                items={**START, **over},
            )


def at(episode: Episode, rest: str) -> str:
    return f"/o/open-road/clients/{episode.client_id}/{rest}"


def look_at(page: Page, name: str) -> None:
    """Pictures for whoever wants to look: EDATRS_PICTURES names a folder."""
    folder = os.environ.get("EDATRS_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


def fill_in(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """Every question: days by total, no to yes and no, ratings of 12."""
    for name, value in START.items():
        if name in but:
            continue
        if value in ("Y", "N"):
            page.locator(f"label[for=id_{name}_1]").click()
        elif name in ("PSYHSTAT", "PHSTAT", "QUALLIFE"):
            page.locator(f"#id_{name}").fill("12")
        else:
            page.locator(f"#id_{name}_total").fill("0")


def saved(organisation: Organisation) -> list[Outcome]:
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk):
        return list(Outcome.objects.order_by("completed_on"))


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_form_is_broken_off_taken_up_in_another_browser_and_finished(
    episode: Episode,
    new_context: Callable[..., BrowserContext],
    add_user: Callable[..., User],
    sign_in: Callable[[Page, User], None],
    javascript: bool,
) -> None:
    organisation = Organisation.objects.get(slug="open-road")
    person = add_user(organisation, "keyworker")
    page = new_context(java_script_enabled=javascript).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
    sign_in(page, person)
    page.goto(at(episode, "outcomes/"))
    page.get_by_role("button", name="Fill in a TOP").click()
    expect(page.get_by_label("Start")).to_be_checked()
    page.locator("#id_ALCUSE").fill("3")
    page.keyboard.press("Tab")
    page.keyboard.type("4")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.locator("#id_OPIUSE").fill("9")
    page.locator("label[for=id_CRAUSE_na]").click()
    if javascript:
        expect(page.locator("[data-app-q]").nth(0).locator("output")).to_have_text("–")
        expect(page.locator("[data-app-q]").nth(2).locator("output")).to_have_text("NA")
        expect(page.locator("[data-app-draft-line]")).to_contain_text("Draft kept")
    else:
        page.get_by_role("button", name="Keep as a draft").click()
    assert saved(organisation) == []
    page.context.close()

    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, person)
    page.goto(at(episode, "outcomes/"))
    page.get_by_role("button", name="Continue draft TOP").click()
    expect(page.get_by_text("This is your draft of")).to_be_visible()
    expect(page.locator("#id_ALCUSE")).to_have_value("3")
    expect(page.locator("#id_ALCUSE_w2")).to_have_value("3")
    expect(page.locator("#id_CRAUSE_na")).to_be_checked()
    fill_in(page, but=("ALCUSE", "OPIUSE", "CRAUSE"))
    page.get_by_role("button", name="Complete TOP").click()
    expect(page.get_by_role("alert")).to_contain_text("Alcohol: fill in week 1 too")
    expect(page.get_by_role("alert")).to_contain_text(
        "Opiates, not prescribed: week 4 must be a whole number from 0 to 7"
    )
    look_at(page, f"top-errors-{'js' if javascript else 'nojs'}")
    page.locator("#id_ALCUSE_w1").fill("4")
    page.locator("#id_OPIUSE").fill("")
    page.locator("#id_OPIUSE_total").fill("26")
    if javascript:
        expect(page.locator("[data-app-q]").nth(0).locator("output")).to_have_text("14")
    page.get_by_role("button", name="Complete TOP").click()
    expect(page.get_by_role("region", name="success")).to_contain_text("The start TOP of")
    [top] = saved(organisation)
    assert (top.items["ALCUSE"], top.items["ALCUSE_WEEKS"], top.items["OPIUSE"]) == ("14", "3 4 3 4", "26")
    assert (top.items["CRAUSE"], top.items["QUALLIFE"], top.items["SHARING"]) == ("NA", "12", "N")
    page.goto(at(episode, f"episodes/{episode.pk}/tops/new/"))
    expect(page.locator("#id_ALCUSE")).to_have_value("")  # the draft is gone
    assert [p for p in problems if "422" not in p] == []


# On realistic rows; every page is looked at the same way in test_every_page.py.
@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_are_accessible_narrow_enough_and_large_enough(
    episode: Episode,
    new_context: Callable[..., BrowserContext],
    add_user: Callable[..., User],
    sign_in: Callable[[Page, User], None],
    width: int,
) -> None:
    organisation = Organisation.objects.get(slug="open-road")
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    found: dict[str, Any] = {}
    pages = {
        "outcomes-none": "outcomes/",
        "top-form": f"episodes/{episode.pk}/tops/new/?stage=R",
        "outcomes": "outcomes/",
        "outcomes-all": "outcomes/?show=all",
        "overview": "",
    }
    for name, rest in pages.items():
        if name == "top-form":
            add_forms(organisation, episode)
        page.goto(at(episode, rest))
        if name == "top-form":
            page.locator("#id_ALCUSE").fill("3")
            for n, days in ((3, "4"), (2, "3"), (1, "4")):
                page.locator(f"#id_ALCUSE_w{n}").fill(days)
            page.locator("label[for=id_OTDRGUSE_na]").click()
            page.locator("label[for=id_SHARING_0]").click()
            expect(page.locator(".app-says")).to_contain_text("equipment")
        look_at(page, name)
        wide = page.evaluate("document.documentElement.scrollWidth") - width
        small = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => (e.offsetParent || e.ownerSVGElement)"
            " && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.tagName !== 'title'"
            " && parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM ? e.getScreenCTM().a : 1) < 12.9)"
            ".map(e => e.outerHTML.slice(0, 80))"
        )
        problems = serious(page)
        if wide > 0 or small or problems:
            found[name] = (wide, small, problems)
    assert found == {}


def test_the_grid_is_filled_with_the_keyboard_alone(
    episode: Episode,
    new_context: Callable[..., BrowserContext],
    add_user: Callable[..., User],
    sign_in: Callable[[Page, User], None],
) -> None:
    page = new_context().new_page()
    sign_in(page, add_user(Organisation.objects.get(slug="open-road"), "keyworker"))
    page.goto(at(episode, f"episodes/{episode.pk}/tops/new/"))
    page.locator("#id_ALCUSE").focus()
    walked = []
    for _ in range(7):
        walked.append(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert walked == [
        *("id_ALCUSE", "id_ALCUSE_w3", "id_ALCUSE_w2", "id_ALCUSE_w1", "id_ALCUSE_total", "id_ALCUSE_na"),
        "id_OPIUSE",
    ]
    page.locator("#id_ALCUSE_w2").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "id_OPIUSE_w2"
    page.locator("#id_TOPDATE_day").fill("1")
    page.locator("#id_TOPDATE_month").fill("3")
    page.locator("#id_TOPDATE_year").fill("2026")
    expect(page.locator("[data-app-period]")).to_have_text("1 Feb 2026 to 28 Feb 2026")
    expect(page.locator("[data-app-week='4']").first).to_have_text("1 Feb–7 Feb")
