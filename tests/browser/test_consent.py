"""Consent in a browser: asked and said yes with a signed form, said no, withdrawn, recorded in error; also without JavaScript."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from caseload.models import ClientIdentity, Episode
from consent.models import ConsentAct, ConsentForm
from edatrs.organisations.models import Organisation, User
from ndtms.models import NationalHolding
from tests.browser.axe import serious
from tests.browser.test_submissions import look_at, messages_of
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.consent import make_act
from tests.factories.organisations import make_organisation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[Page, User], None]
New = Callable[..., BrowserContext]
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def desk(transactional_db: None, add_user: Callable[..., User]) -> tuple[Organisation, User, Any]:
    """A client with an open episode that nobody asked about and a closed one with an imported yes that may be held."""
    organisation = make_organisation("open-road", name="Open Road", data_protection_officer="Olu Farrant")
    service = make_service(organisation)
    with acting_for(organisation):
        client = make_client()
        make_part(
            ClientIdentity, client, forename="Keeley", surname="Marsh", date_of_birth=dt.date(1984, 3, 14)
        )
        registration = make_registration(client=client, service=service)
        make_episode(registration=registration)
        closed = make_episode(
            registration=registration,
            referred_on=dt.date(2025, 1, 1),
            discharged_on=dt.date(2025, 3, 1),
            consent="Y",
        )
        make_act(episode=closed, decided_on=dt.date(2025, 1, 5))
        NationalHolding.objects.create(
            episode=closed, client_id=client.pk, held=True, since=dt.datetime(2026, 7, 31, tzinfo=dt.UTC)
        )
    return organisation, add_user(organisation, "keyworker"), client


def fits(page: Page) -> None:
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')].filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 "
        "&& n.textContent.trim())).map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 13


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_keyworker_asks_says_yes_withdraws_and_puts_a_mistake_right(
    desk: tuple[Organisation, User, Any], new_context: New, sign_in: SignIn, tmp_path: Path, javascript: bool
) -> None:
    organisation, worker, client = desk
    page = new_context(java_script_enabled=javascript).new_page()
    said = messages_of(page)
    sign_in(page, worker)
    # Missing consent is a badge in the list, one click away.
    page.goto("/o/open-road/clients/")
    look_at(page, "clients-consent")
    page.get_by_role("link", name="Not asked MARSH, Keeley: ask now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask Keeley about NDTMS")
    assert page.locator("main input:checked").count() == 0, "nothing is ticked beforehand"
    if javascript:
        fits(page)
        expect(page.get_by_label("The signed form")).to_be_hidden()
        expect(page.get_by_label("Why not now")).to_be_hidden()
    # A yes with a step missing is refused, and what was chosen is still there.
    page.get_by_label("Yes, send it").check()
    page.get_by_label("In writing").check()
    page.get_by_label("I said or read out").check()
    page.get_by_label("I gave Keeley the leaflet").check()
    page.get_by_role("button", name="Record the answer").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Ask for questions and answer them before you record yes"
    )
    expect(page.get_by_label("Yes, send it")).to_be_checked()
    if javascript:
        fits(page)
    page.get_by_role("link", name="Ask for questions and answer them").click()
    page.get_by_label("I asked for questions").check()
    form = tmp_path / "anything.pdf"
    form.write_bytes(PDF)
    page.get_by_label("The signed form").set_input_files(form)
    page.get_by_role("button", name="Record the answer").click()
    expect(page.locator("main")).to_contain_text("The answer is recorded: yes")
    look_at(page, "consent-yes")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Signed form").click()
    assert Path(taken.value.path()).read_bytes() == PDF
    assert taken.value.suggested_filename == "ndtms-consent-form.pdf"
    with acting_for(organisation):
        assert (ConsentAct.objects.count(), ConsentForm.objects.count()) == (2, 1)
    # Withdrawn: the effect first, both episodes ticked.
    page.goto(f"/o/open-road/clients/{client.pk}/consent/withdraw/")
    expect(page.locator("main")).to_contain_text("NDTMS may hold 1 episode under client ID")
    page.get_by_label("Stop everything from this organisation").check()
    assert page.locator("main input[type=checkbox]:checked").count() == 2
    if javascript:
        fits(page)
    look_at(page, "consent-withdraw")
    page.get_by_label("By telling me").check()
    page.get_by_role("button", name="Continue: what will happen").click()
    expect(page.locator("main")).to_contain_text("Nothing there to remove")
    if javascript:
        fits(page)
    look_at(page, "consent-withdraw-check")
    page.get_by_role("button", name="Record the withdrawal").click()
    expect(page.locator("main")).to_contain_text("The withdrawal is recorded for 2 episodes")
    expect(page.locator("main")).to_contain_text("It takes effect when we next send our file, due")
    expect(page.locator(".moj-timeline")).to_contain_text("Withdrawn")
    with acting_for(organisation):
        assert set(Episode.objects.values_list("consent", flat=True)) == {"N"}
    # One of them was typed on the wrong episode.
    page.get_by_role("link", name="Recorded in error").first.click()
    if javascript:
        fits(page)
    page.get_by_label("What was wrong?").fill("Only the other episode was meant")
    page.get_by_role("button", name="Mark as recorded in error").click()
    expect(page.locator("main")).to_contain_text(
        "Marked as recorded in error. The answer that counts is then: Yes"
    )
    look_at(page, "consent-history")
    with acting_for(organisation):
        assert sorted(Episode.objects.values_list("consent", flat=True)) == ["N", "Y"]
    assert [words for words in said if "422" not in words] == []


def test_a_no_is_recorded_with_one_hand_and_not_now_stays_a_reminder(
    desk: tuple[Organisation, User, Any], new_context: New, sign_in: SignIn
) -> None:
    organisation, worker, client = desk
    page = new_context(viewport={"width": 360, "height": 740}).new_page()
    sign_in(page, worker)
    page.goto(f"/o/open-road/clients/{client.pk}/consent/")
    fits(page)
    page.get_by_label("Not now", exact=True).check()
    page.get_by_label("Why not now").fill("Unwell today, ask at triage")
    page.get_by_role("button", name="Record the answer").click()
    expect(page.locator("main")).to_contain_text("Kept: asked, and no answer yet")
    expect(page.locator(".app-identity")).to_contain_text("Consent not asked")
    page.get_by_label("No, do not send it").check()
    page.get_by_label("By telling me").check()
    page.get_by_role("button", name="Record the answer").click()
    expect(page.locator("main")).to_contain_text("The answer is recorded: no")
    # Back shows the page as it is now, not as it was filled in; nothing is recorded twice.
    page.go_back()
    assert page.locator("main input:checked").count() == 0
    expect(page.locator(".moj-timeline")).to_contain_text("statement not said")
    with acting_for(organisation):
        assert ConsentAct.objects.filter(origin="local").count() == 1
    expect(page.locator(".app-identity")).not_to_contain_text("Consent not asked")
    fits(page)
    look_at(page, "consent-no")


def test_what_is_being_typed_comes_back_on_another_computer(
    desk: tuple[Organisation, User, Any], new_context: New, sign_in: SignIn
) -> None:
    _, worker, client = desk
    page = new_context().new_page()
    sign_in(page, worker)
    page.goto(f"/o/open-road/clients/{client.pk}/consent/")
    page.get_by_label("Not now", exact=True).check()
    page.get_by_label("Why not now").fill("Wants to ask his sister")
    expect(page.locator("[data-app-draft-line]")).to_contain_text("Draft kept", timeout=10_000)
    other = new_context().new_page()
    sign_in(other, worker)
    other.goto(f"/o/open-road/clients/{client.pk}/consent/")
    expect(other.get_by_label("Why not now")).to_have_value("Wants to ask his sister")
    expect(other.get_by_label("Not now", exact=True)).to_be_checked()


@pytest.mark.parametrize("width", [1280, 360])
def test_papers_are_for_paper(
    desk: tuple[Organisation, User, Any], new_context: New, sign_in: SignIn, width: int
) -> None:
    organisation, worker, client = desk
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, worker)
    with acting_for(organisation):
        episode = Episode.objects.get(consent="")
        act = ConsentAct.objects.get()
    for rest in (f"{episode.pk}/form/", f"acts/{act.pk}/copy/"):
        page.goto(f"/o/open-road/clients/{client.pk}/consent/{rest}")
        fits(page)
        page.emulate_media(media="print")
        expect(page.locator(".app-print")).to_contain_text("Printed by Graham Tull, Open Road")
        expect(page.locator(".app-identity__name")).to_have_text("MARSH, Keeley")
        for hidden in (".app-nav", ".moj-sub-navigation", ".app-footer ul", ".app-header__find"):
            expect(page.locator(hidden)).to_be_hidden()
        page.emulate_media(media="screen")
