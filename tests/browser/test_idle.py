"""Before a sign-in ends the page asks; when it has ended nothing stays on the screen; without a connection a strip says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from tests.browser.axe import serious
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[Page, User], None]
New = Callable[..., BrowserContext]


@pytest.fixture
def worker(transactional_db: None, add_user: Callable[..., User]) -> User:
    organisation = make_organisation("open-road", name="Open Road")
    make_service(organisation)
    from caseload.models import ClientIdentity

    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, forename="Marcus", surname="Fenwick")
        make_registration(client=client)
    return add_user(organisation, "keyworker")


def short(settings: Any, *, idle: int, warning: int) -> None:
    """A sign-in that ends soon."""
    settings.SESSION_IDLE_SECONDS, settings.SESSION_WARNING_SECONDS = idle, warning


def stays(page: Page) -> list[str]:
    """The methods of what the page asks about its sign-in, as they come."""
    found: list[str] = []
    page.on("request", lambda r: found.append(r.method) if r.url.endswith("/account/stay/") else None)
    return found


def dialog(page: Page) -> Any:
    return page.locator("dialog[data-app-idle]")


def test_the_page_asks_first_and_staying_goes_on_where_one_was(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    short(settings, idle=20, warning=15)
    page.goto("/o/open-road/clients/")
    box = page.get_by_label("Find a client")
    box.focus()
    expect(dialog(page)).to_be_visible(timeout=15_000)
    look_at(page, "time-out-warning")
    stay = dialog(page).get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    for _ in range(4):  # focus goes round inside the dialog, never into the page below
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        )
    assert serious(page) == []
    expect(dialog(page).get_by_role("status")).to_have_text(
        re.compile("You will be signed out in (half a minute|a few seconds)")
    )
    stay.click()
    expect(dialog(page)).to_be_hidden()
    expect(box).to_be_focused()
    page.wait_for_timeout(7_000)  # it would have ended by now
    expect(page.get_by_role("link", name="FENWICK, Marcus")).to_be_visible()


def test_when_it_is_over_nothing_of_the_client_stays_and_signing_in_leads_back(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/clients/?after=")
    expect(page.get_by_role("link", name="FENWICK, Marcus")).to_be_visible()
    short(settings, idle=8, warning=4)
    page.reload()
    expect(dialog(page)).to_be_visible(timeout=15_000)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_focused()
    assert "FENWICK" not in page.content().upper() and "Marcus" not in page.content()
    assert page.title() == "Signed out – EDATRS caseload"
    assert serious(page) == []
    look_at(page, "time-out-over")
    short(settings, idle=900, warning=120)
    page.get_by_role("link", name="Sign in again").click()
    expect(page.locator("main")).to_contain_text("You were signed out because nothing happened")
    assert "next=%2Fo%2Fopen-road%2Fclients%2F%3Fafter%3D" in page.url
    page.get_by_label("E-mail address").fill(worker.email)
    from tests.browser.conftest import PASSWORD, current_code

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("6-digit code").fill(current_code(worker))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/o/open-road/clients/?after=")
    expect(page.get_by_role("link", name="FENWICK, Marcus")).to_be_visible()


def test_use_in_another_tab_keeps_this_one_quiet(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    sign_in(page, worker)
    short(settings, idle=40, warning=20)
    page.goto("/o/open-road/clients/")
    page.wait_for_timeout(16_000)
    other.goto("/o/open-road/")  # use, sixteen seconds later
    page.wait_for_timeout(8_000)  # the first tab's own count says: warn
    expect(dialog(page)).to_be_hidden()


def test_typing_is_use_told_at_most_once_a_minute_and_looking_is_not(
    worker: User, new_context: New, sign_in: SignIn
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    page.clock.install()
    page.goto("/o/open-road/clients/")
    told = stays(page)
    box = page.get_by_label("Find a client")
    box.press_sequentially("fen")
    assert told == [], "the page was opened just now"
    page.clock.fast_forward(61_000)
    with page.expect_request("**/account/stay/"):
        box.press_sequentially("w")
    box.press_sequentially("ick and more")
    page.clock.fast_forward(30_000)
    box.press_sequentially("!")
    assert told.count("POST") == 1
    page.clock.fast_forward(31_000)
    with page.expect_request("**/account/stay/"):
        box.press_sequentially("?")
    assert told.count("POST") == 2
    assert page.url.endswith("/clients/"), "no key led anywhere while typing"


def test_the_end_after_twelve_hours_is_said_and_cannot_be_put_off(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    import time

    from django.contrib.sessions.models import Session

    began = Session.objects.get().get_decoded()["signed_in_at"]
    settings.SESSION_COOKIE_AGE = int(time.time() - began) + 14
    settings.SESSION_WARNING_SECONDS = 11
    page.goto("/o/open-road/clients/")
    expect(dialog(page)).to_be_visible(timeout=12_000)
    expect(dialog(page)).to_contain_text("Every sign-in ends 12 hours after it began")
    expect(dialog(page).get_by_role("button", name="Stay signed in")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    page.get_by_label("Find a client").fill("fen")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=20_000)


def test_signing_out_from_the_dialog_signs_out(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    page = new_context(viewport={"width": 360, "height": 740}).new_page()
    sign_in(page, worker)
    short(settings, idle=30, warning=28)
    page.goto("/o/open-road/clients/")
    expect(dialog(page)).to_be_visible(timeout=15_000)
    look_at(page, "time-out-warning")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    dialog(page).get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/?ended=out")


def test_a_page_that_comes_back_after_signing_out_is_covered(
    worker: User, new_context: New, sign_in: SignIn
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/clients/")
    page.locator(".app-header__me").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/?ended=out")
    page.go_back()
    page.wait_for_timeout(1_000)
    assert "Marcus" not in page.content()


# ---- no connection ------------------------------------------------------------------------------------------------


def test_without_a_connection_a_strip_says_so_keeps_the_form_and_goes_again(
    worker: User, new_context: New, sign_in: SignIn
) -> None:
    context = new_context()
    page = context.new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/clients/")
    strip = page.locator("[data-app-connection]")
    expect(strip).to_be_empty()
    context.set_offline(True)
    expect(strip).to_contain_text(re.compile(r"No connection since \d\d:\d\d\."))
    look_at(page, "no-connection")
    assert serious(page) == []
    page.get_by_label("Find a client").fill("fenwick")
    page.get_by_role("button", name="Find").click()
    expect(strip).to_contain_text("Not sent: there is no connection.")
    expect(page.get_by_label("Find a client")).to_have_value("fenwick")
    context.set_offline(False)
    expect(strip).to_contain_text("Connected again at", timeout=15_000)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("found"))


def test_a_draft_that_cannot_be_kept_shows_the_strip(worker: User, new_context: New, sign_in: SignIn) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/clients/")
    page.route("**/livez", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new CustomEvent('edatrs:disconnected'))")
    strip = page.locator("[data-app-connection]")
    expect(strip).to_contain_text("No connection since")
    page.evaluate("document.dispatchEvent(new CustomEvent('edatrs:connected'))")
    expect(strip).to_contain_text("Connected again")
    expect(strip).to_be_empty(timeout=15_000)


def test_a_server_that_does_not_answer_at_the_end_does_not_leave_the_page_open(
    worker: User, new_context: New, sign_in: SignIn, settings: Any
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    short(settings, idle=8, warning=4)
    page.goto("/o/open-road/clients/")

    def drop(route: Route) -> None:
        route.abort()

    page.route("**/account/stay/", drop)
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=15_000)
    expect(page.locator("main")).to_contain_text("There is no connection")
    assert "Marcus" not in page.content()


# ---- shortcuts ----------------------------------------------------------------------------------------------------


def test_single_keys_lead_on_but_not_while_typing_with_a_modifier_or_switched_off(
    worker: User, new_context: New, sign_in: SignIn
) -> None:
    page = new_context().new_page()
    sign_in(page, worker)
    page.goto("/o/open-road/")
    page.keyboard.press("/")
    box = page.get_by_label("Find a client")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.type("g l ?")
    expect(box).to_have_value("g l ?")
    assert page.url.endswith("/o/open-road/")
    box.blur()
    page.keyboard.press("Alt+g")
    page.keyboard.press("l")
    page.wait_for_timeout(300)
    assert page.url.endswith("/o/open-road/")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/o/open-road/clients/")
    page.keyboard.press("?")
    page.wait_for_url("**/keyboard-shortcuts/")
    assert serious(page) == []
    look_at(page, "keyboard-shortcuts")
    page.get_by_role("button", name="Switch shortcuts off").click()
    page.goto("/o/open-road/")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.keyboard.press("/")
    page.wait_for_timeout(500)
    assert page.url.endswith("/o/open-road/")
    expect(box).not_to_be_focused()


# On realistic rows; every page is looked at the same way in test_every_page.py.
@pytest.mark.long
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize(
    "address", ["help", "help/consent", "help/drafts", "privacy", "accessibility", "keyboard-shortcuts"]
)
def test_help_and_notices_are_accessible_and_fit(
    transactional_db: None, new_context: New, address: str, width: int
) -> None:
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        Organisation.objects.create(
            slug="county", name="Essex County Council", kind="provider", is_controller=True
        )
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(f"/{address}/")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    look_at(page, address.replace("/", "-"))
