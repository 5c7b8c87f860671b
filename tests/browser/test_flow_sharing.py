"""A consent to share signed on screen by mouse and by touch; the partner opens what was granted, and nothing after the withdrawal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from caseload.models import Client, Registration
from consent.models import SharingConsent, SharingSignature
from consent.signatures import PREFIX
from edatrs.core.crypto import unseal
from edatrs.organisations.models import Organisation
from tests.browser.flows import AddUser, New, SignIn, heading, known, office, type_date
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.sharing import make_agreement

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STROKES = (((40, 90), (70, 40), (100, 120), (130, 60)), ((170, 100), (210, 50), (250, 110)))


@pytest.fixture
def shared(transactional_db: None) -> tuple[Organisation, Organisation, Client]:
    """Two partners with a protocol, and a client of the first."""
    ours, theirs = (
        office("open-road", "Open Road", "T0101"),
        office("forward-trust", "Forward Trust", "T0202"),
    )
    make_agreement(ours, theirs)
    office("peabody", "Peabody", "T0303")
    client = known(ours, "Leanne", "Marsh", dt.date(1987, 3, 14), "40718", contact={"phone": "01632 960 142"})
    with acting_for(ours):
        make_episode(registration=Registration.objects.get(client=client), consent="Y")
    return ours, theirs, client


def by_mouse(page: Page, canvas: Locator) -> None:
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    for stroke in STROKES:
        (x, y), *rest = stroke
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        page.mouse.up()


def by_touch(page: Page, canvas: Locator) -> None:
    """A finger: touch events of the browser itself."""
    session: Any = page.context.new_cdp_session(page)
    box = canvas.bounding_box()
    assert box is not None

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for stroke in STROKES:
        touch("touchStart", stroke[0])
        for (x, y), (to_x, to_y) in zip(stroke, stroke[1:], strict=False):
            for step in range(1, 5):
                touch("touchMove", (x + (to_x - x) * step / 4, y + (to_y - y) * step / 4))
        touch("touchEnd")


def fill_in(page: Page) -> None:
    """Everything before the signature."""
    page.get_by_label("I consent to share my data with").select_option("forward-trust")
    page.get_by_label("for the purposes of").fill("Planning my support together after court")
    page.get_by_label("Identity and contact").check()
    page.get_by_label("Treatment", exact=True).check()
    page.get_by_label("On a date").check()
    type_date(page, "until", dt.date.today() + dt.timedelta(days=90))  # noqa: TID251  # typed by a person
    page.get_by_label("who will see what").check()
    page.get_by_label("the privacy notice").check()


def signed(client: Client, organisation: Organisation) -> bytes:
    with acting_for(organisation):
        consent = SharingConsent.objects.get()
        held = SharingSignature.objects.get(consent=consent)
        return unseal(bytes(held.sealed), str(consent.pk))


def test_signed_by_mouse_seen_by_the_partner_and_closed_at_the_next_click(
    shared: tuple[Organisation, Organisation, Client], add_user: AddUser, new_context: New, sign_in: SignIn
) -> None:
    ours, theirs, client = shared
    page, other = new_context().new_page(), new_context().new_page()
    sign_in(page, add_user(ours, "keyworker"))
    page.goto(f"/o/open-road/clients/{client.pk}/sharing/")
    look_at(page, "sharing-empty")
    page.get_by_role("button", name="Ask Leanne to share more").click()
    expect(heading(page)).to_have_text("Leanne’s consent to share")
    fill_in(page)
    expect(page.locator("canvas")).to_be_hidden()
    page.get_by_label("Draws a signature on this screen").check()
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    expect(page.get_by_text("Nothing is drawn yet")).to_be_visible()
    by_mouse(page, canvas)
    expect(page.locator("[data-app-sign-line]")).to_have_text("Signed")
    whole = page.locator("#id_drawn").input_value()
    page.get_by_role("button", name="Undo last stroke").click()
    assert page.locator("#id_drawn").input_value() not in ("", whole)
    page.get_by_role("button", name="Clear and sign again").click()
    expect(page.get_by_text("Nothing is drawn yet")).to_be_visible()
    page.get_by_role(
        "button", name="Record consent"
    ).click()  # without a signature: said, and nothing is lost
    expect(page.get_by_role("alert")).to_contain_text("Let the client sign on the line")
    expect(page.get_by_label("for the purposes of")).to_have_value("Planning my support together after court")
    by_mouse(page, page.locator("canvas"))
    look_at(page, "sharing-record")
    page.get_by_role("button", name="Record consent").click()
    expect(page.locator("main")).to_contain_text("The consent is recorded")
    look_at(page, "sharing-one")
    assert signed(client, ours).startswith(b"\x89PNG")

    sign_in(other, add_user(theirs, "keyworker"))
    other.goto(f"/o/forward-trust/shared/{client.pk}/")
    expect(other.locator("main")).to_contain_text("01632 960 142")
    expect(other.locator(".app-identity")).to_contain_text("MARSH")
    headings = [h.lower() for h in other.locator("main h2").all_inner_texts()]
    for words in ("identity", "contact", "treatment"):
        assert any(words in h for h in headings), (words, headings)
    for words in ("health", "risk", "offending", "safeguarding", "equality", "disability"):
        assert not any(words in h for h in headings), (words, headings)
    look_at(other, "sharing-received")

    page.get_by_role("link", name="Copy for Leanne").click()
    expect(page.get_by_role("img", name="Signature drawn on")).to_be_visible()
    look_at(page, "sharing-copy")
    page.goto(f"/o/open-road/clients/{client.pk}/sharing/")
    look_at(page, "sharing-who-can-see")
    page.get_by_role("link", name="Withdraw consent CS-").click()
    look_at(page, "sharing-withdraw")
    page.get_by_role("button", name="Withdraw the consent").click()
    expect(page.locator("main")).to_contain_text("Leanne withdrew")
    answer = other.reload()
    assert answer is not None
    assert answer.status == 404
    expect(other.locator("body")).not_to_contain_text("01632 960 142")


def test_signed_by_touch_on_a_narrow_screen(
    shared: tuple[Organisation, Organisation, Client], add_user: AddUser, new_context: New, sign_in: SignIn
) -> None:
    ours, _, client = shared
    page = new_context(
        has_touch=True, viewport={"width": 360, "height": 780}, device_scale_factor=2
    ).new_page()
    sign_in(page, add_user(ours, "keyworker"))
    page.goto(f"/o/open-road/clients/{client.pk}/sharing/consents/new/")
    fill_in(page)
    page.get_by_label("Draws a signature on this screen").tap()
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    before = page.evaluate("window.scrollY")
    by_touch(page, canvas)
    expect(page.locator("[data-app-sign-line]")).to_have_text("Signed")
    assert page.evaluate("window.scrollY") == before, "the page stays while a finger signs"
    assert page.locator("#id_drawn").input_value().startswith(PREFIX)
    look_at(page, "sharing-record-360")
    page.get_by_role("button", name="Record consent").click()
    expect(page.locator("main")).to_contain_text("The consent is recorded")
    assert signed(client, ours).startswith(b"\x89PNG")
    page.goto(f"/o/open-road/clients/{client.pk}/sharing/")
    expect(page.locator(".app-see-narrow")).to_be_visible()
    expect(page.locator(".app-see-wide")).to_be_hidden()
    look_at(page, "sharing-who-can-see-360")


def test_without_scripts_the_drawn_way_is_left_out_and_the_spoken_one_works(
    shared: tuple[Organisation, Organisation, Client], add_user: AddUser, new_context: New, sign_in: SignIn
) -> None:
    ours, _, client = shared
    worker, colleague = (
        add_user(ours, "keyworker"),
        add_user(ours, "team_manager", "manager@open-road.example"),
    )
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, worker)
    page.goto(f"/o/open-road/clients/{client.pk}/sharing/consents/new/")
    expect(page.get_by_label("Draws a signature on this screen")).to_be_hidden()
    fill_in(page)
    page.get_by_label("Says it, and a colleague witnesses").check()
    page.get_by_label("What was said").fill("Yes, tell them about my plan")
    page.get_by_label("The colleague who heard it").select_option(str(colleague.pk))
    page.get_by_role("button", name="Record consent").click()
    expect(page.locator("main")).to_contain_text("Recorded, waiting for the witness")
    witness = new_context(java_script_enabled=False).new_page()
    sign_in(witness, colleague)
    witness.get_by_role("link", name="Confirm within 24 hours").click()
    expect(witness.locator("main")).to_contain_text("Yes, tell them about my plan")
    witness.get_by_label("Yes, I heard it").check()
    witness.get_by_role("button", name="Record my answer").click()
    expect(witness.locator("main")).to_contain_text("In force")
