"""A passkey in a real browser, with Chromium's own virtual authenticator: made, shown at the next sign-in, removed; and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.looking import look, picture
from tests.factories.organisations import PASSWORD, code_of, make_organisation, make_person, sign_in

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def administrator(transactional_db: None) -> Any:
    here = make_organisation("here", name="Here House")
    return make_person(
        here, role="organisation_administrator", email="jo@here.example", full_name="Jo Fairley"
    )


@pytest.fixture
def _site(settings: Any, live_server: Any) -> None:
    settings.PASSKEY_REQUIRED = True
    settings.OTP_WEBAUTHN_RP_ID = "localhost"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [live_server.url]


def authenticator(context: BrowserContext, page: Page) -> Any:
    """Give the page's browser an authenticator; the session to steer it."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session


def password(page: Page, url: str) -> None:
    """The first step."""
    page.goto(f"{url}/sign-in/?next=/o/here/people/")
    page.get_by_label("E-mail address").fill("jo@here.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.usefixtures("_site")
def test_an_administrator_makes_a_passkey_and_signs_in_with_it(
    administrator: Any, new_context: Callable[..., BrowserContext], live_server: Any
) -> None:
    context = new_context()
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    authenticator(context, page)
    password(page, live_server.url)
    page.get_by_label("6-digit code").fill(code_of(administrator))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your role needs a passkey")).to_be_visible()
    picture(page, "passkey-needed")
    wrong = look(page)
    page.get_by_role("button", name="Create a passkey").click()
    page.get_by_label("Name of the passkey").fill("Office laptop")
    picture(page, "passkeys-none")
    wrong += look(page)
    page.get_by_role("button", name="Create the passkey").click()
    page.wait_for_url(f"{live_server.url}/o/here/people/")
    held = WebAuthnCredential.objects.get()
    assert (held.user, held.name) == (administrator, "Office laptop")
    page.get_by_role("button", name="Sign out").click()
    password(page, live_server.url)
    expect(page.get_by_role("button", name="Use my passkey")).to_be_visible()
    picture(page, "confirm-passkey")
    wrong += look(page)
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(f"{live_server.url}/o/here/people/")
    page.goto(f"{live_server.url}/account/passkeys/")
    picture(page, "passkeys-one")
    wrong += look(page)
    page.get_by_role("button", name="Remove Office laptop").click()
    expect(page.get_by_text("Your role needs a passkey. Add another one first")).to_be_visible()
    assert WebAuthnCredential.objects.exists()
    assert wrong == [], "\n".join(wrong)
    assert problems == [], "the policy of content was broken, or something else"


@pytest.mark.usefixtures("_site")
def test_a_refusal_by_the_browser_is_said_and_the_form_stays(
    administrator: Any, new_context: Callable[..., BrowserContext], live_server: Any
) -> None:
    context = new_context()
    browser = sign_in(Client(), administrator)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    authenticator(context, page)
    page.goto(f"{live_server.url}/account/passkeys/")
    page.evaluate(
        "() => { navigator.credentials.create = async () => { throw new DOMException('no', 'NotAllowedError'); }; }"
    )
    page.get_by_label("Name of the passkey").fill("Phone")
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey did not work here")
    assert page.get_by_label("Name of the passkey").input_value() == "Phone"
    assert not WebAuthnCredential.objects.exists()


@pytest.mark.usefixtures("_site")
def test_without_scripts_the_code_is_the_way(
    transactional_db: None, new_context: Callable[..., BrowserContext], live_server: Any
) -> None:
    here = make_organisation("here")
    person = make_person(here, email="jo@here.example")
    WebAuthnCredential.objects.create(
        user=person, name="Laptop", credential_id=b"1", public_key=b"", aaguid=""
    )
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("E-mail address").fill("jo@here.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Use my passkey")).to_be_hidden()
    page.get_by_label("6-digit code").fill(code_of(person))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{live_server.url}/o/here/")
