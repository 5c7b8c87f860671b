"""Every page of the product in a real browser, in every state that can be come to by looking and by sending an empty form.

axe finds nothing serious, Tab reaches everything and shows where it is, nothing is wider than 360 pixels, no text is under 13, and
each page has its heading and its buttons with scripts off. A route that is not in routes.csv fails the access tests: none is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from playwright.sync_api import BrowserContext, Page

from tests.access.filling import form_for
from tests.access.tables import ROLES, Line, lines
from tests.access.test_two_tabs import path_of, role_of
from tests.access.world import Side, World, make_world
from tests.browser.looking import look, picture, scripts_are_off
from tests.factories.caseload import make_service
from tests.factories.organisations import make_organisation, make_person
from tests.factories.organisations import sign_in as sign_in_session

pytestmark = pytest.mark.browser
PARTS = 8
# Not pages: files, parts of pages, answers to a script or a program.
NO_PAGE = re.compile(
    r"(^o/<slug:organisation>/api/.*|\.txt|\.csv|progress/|download/|evidence/[^/]*|/file/|ping/|signed-form/)$"
)

ANSWERS_TO_MACHINES = ("livez", "readyz", "account/stay/", "set-up/recovery-codes.txt")


def shown() -> list[Line]:
    """The pages of an organisation that can be looked at, by route."""
    found = [
        line
        for (_, method), line in sorted(lines().items())
        if method == "GET" and line.offered and line.of_organisation and not NO_PAGE.search(line.route)
    ]
    return [line for line in found if 200 in line.answers]


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def open_as(new_context: Callable[..., BrowserContext], live_server: Any) -> Callable[..., Page]:
    """A page of somebody who is signed in already."""

    def make(session: str, **options: Any) -> Page:
        context = new_context(**options)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        return context.new_page()

    return make


def name_of(line: Line, state: str = "") -> str:
    """A file name for a picture."""
    route = line.route.replace("o/<slug:organisation>/", "")
    return re.sub(r"[^a-z]+", "-", re.sub(r"<\w+:\w+>", "one", route)).strip("-") + (
        f"-{state}" if state else ""
    )


def empty_out(page: Page) -> None:
    """Nothing typed, nothing chosen."""
    page.evaluate(
        """() => { for (const e of document.querySelectorAll('main input, main textarea')) {
            if (['text', 'tel', 'email'].includes(e.type) || e.tagName === 'TEXTAREA') e.value = '';
            if (['radio', 'checkbox'].includes(e.type)) e.checked = false; } }"""
    )


def error_state(page: Page, path: str) -> bool:
    """Send the page's own form with nothing in it. Whether the page came back with what is wrong."""
    form = form_for(page.content(), path)
    if form is None or not any(c.kind in ("text", "textarea") for c in form.asked):
        return False
    empty_out(page)
    # What a person can press: not the hidden default of Enter; and the one that sends the form before those that do something on the way.
    seen = "main form[method=post] button[type=submit]:not([name=_draft]):not([aria-hidden])"
    main = page.locator(f"{seen}:not([name])")
    button = (main if main.count() else page.locator(seen)).first
    with page.expect_navigation() as moved:
        button.click()
    answer = moved.value
    return (
        answer is not None
        and answer.status in (200, 409, 422)
        and page.locator(".govuk-error-summary").count() > 0
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_can_be_used_by_everybody(part: int, world: World, open_as: Callable[..., Page]) -> None:
    wrong: list[str] = []
    looked = errors = 0
    by_role: dict[str, Page] = {}
    mine = shown()[part::PARTS]
    for line in mine:
        who = role_of_page(line)
        page = by_role.get(who) or by_role.setdefault(who, open_as(world.sessions[who]))
        path = path_of(line, world.own, who)
        answer = page.goto(path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
            continue
        looked += 1
        picture(page, name_of(line))
        wrong += [f"{line.route} by {who}: {what}" for what in look(page)]
    for line in mine:
        if (line.route, "POST") not in lines() or not lines()[line.route, "POST"].offered:
            continue
        who = role_of(lines()[line.route, "POST"])
        page = by_role.get(who) or by_role.setdefault(who, open_as(world.sessions[who]))
        path = path_of(line, world.own, who)
        answer = page.goto(path)
        if answer is not None and answer.status == 200 and error_state(page, path):
            errors += 1
            picture(page, name_of(line, "wrong"))
            wrong += [f"{line.route} with errors: {what}" for what in look(page)]
    print(f"part {part}: {looked} pages, {errors} with errors, {len(wrong)} wrong")
    assert wrong == [], "\n".join(wrong)
    assert looked >= len(mine) - 1


def role_of_page(line: Line) -> str:
    """Somebody who may look."""
    return next(role for role in ROLES if line.may(role))


def lists_of_nothing(side: Side) -> Iterator[tuple[Line, str]]:
    """The pages that name no object, for an organisation that has nothing yet."""
    for line in shown():
        if not line.objects:
            who = role_of_page(line)
            yield line, path_of(line, side, who)


def test_pages_without_anything_say_what_to_do(transactional_db: None, open_as: Callable[..., Page]) -> None:
    organisation = make_organisation("empty-side", name="A new partner")
    make_service(organisation)
    side, wrong, pages = Side("NONE", organisation), [], {}
    looked = 0
    for line, path in lists_of_nothing(side):
        who = role_of_page(line)
        if who not in pages:
            browser = sign_in_session(Browser(), make_person(organisation, role=who))
            pages[who] = open_as(browser.cookies[settings.SESSION_COOKIE_NAME].value)
        answer = pages[who].goto(path)
        assert answer is not None and answer.status == 200, path
        looked += 1
        picture(pages[who], name_of(line, "empty"))
        wrong += [f"{line.route} empty: {what}" for what in look(pages[who], by_keyboard=False)]
    print(f"{looked} pages without anything, {len(wrong)} wrong")
    assert wrong == [], "\n".join(wrong)
    assert looked >= 8


def test_pages_outside_an_organisation(world: World, open_as: Callable[..., Page]) -> None:
    """Sign-in, help, notices, one's own sign-in; and what stands where there is nothing: an address that is no page, an old link."""
    own, nobody = open_as(world.sessions["keyworker"]), open_as("")
    found = [
        (own if line.act != "open" or line.route.startswith("keyboard") else nobody, line.route, 200)
        for (_, method), line in sorted(lines().items())
        if method == "GET" and line.offered and not line.of_organisation and 200 in line.answers
        and line.route not in ANSWERS_TO_MACHINES
    ]  # fmt: skip
    found += [(own, "o/no-such-organisation/", 404), (nobody, "new-password/an-old-link/", 410)]
    wrong, looked = [], 0
    for page, route, status in found:
        answer = page.goto(
            "/" + route.replace("<slug:topic>", "top").replace("<slug:agreement>", "public-agreement")
        )
        assert answer is not None
        assert answer.status == status, route
        looked += 1
        picture(page, "outside-" + (re.sub(r"[^a-z]+", "-", route).strip("-")))
        wrong += [f"{route}: {what}" for what in look(page)]
    print(f"{looked} pages outside an organisation, {len(wrong)} wrong")
    assert wrong == [], "\n".join(wrong)
    assert looked >= 14


def test_every_page_has_its_heading_and_its_buttons_without_scripts(
    world: World, open_as: Callable[..., Page]
) -> None:
    wrong, pages, looked = [], {}, 0
    for line in shown():
        who = role_of_page(line)
        page = pages.get(who) or pages.setdefault(
            who, open_as(world.sessions[who], java_script_enabled=False)
        )
        answer = page.goto(path_of(line, world.own, who))
        if answer is None or answer.status != 200:
            continue
        looked += 1
        found = scripts_are_off(page)
        if found != {"heading": 1, "bare forms": 0}:
            wrong.append(f"{line.route}: {found}")
    print(f"{looked} pages without scripts, {len(wrong)} wrong")
    assert wrong == [], "\n".join(wrong)
    assert looked >= 20
