"""Passkeys beside the authenticator app: made, named, shown, removed; and required of who opens doors for others (threat 10)."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core import clock
from edatrs.organisations import passkeys
from edatrs.organisations.models import Organisation, OutboundMail, User
from edatrs.organisations.services import second_factor
from edatrs.settings import base
from tests.factories.organisations import code_of, give, make_organisation, make_person, sign_in
from tests.organisations.soft_authenticator import SoftAuthenticator
from tests.organisations.test_people import trail_of

pytestmark = pytest.mark.django_db
ADMINISTRATOR = "organisation_administrator"


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here")


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.OTP_WEBAUTHN_RP_ID = "localhost"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = ["http://localhost:8000"]


def asked(browser: Client, address: str) -> dict[str, Any]:
    """What the page asks the browser."""
    page = browser.get(address).content.decode()
    found = re.search(r'data-app-ask="([^"]*)"', page)
    assert found, "no passkey is asked for"
    question: dict[str, Any] = json.loads(html.unescape(found[1]))
    return question


def add(browser: Client, key: SoftAuthenticator, name: str = "Office laptop") -> Any:
    """Add a passkey on one's own page."""
    answer = key.create(asked(browser, "/account/passkeys/"))
    return browser.post("/account/passkeys/", {"name": name, "passkey": answer})


def with_passkey(person: User) -> SoftAuthenticator:
    """Somebody adds a passkey."""
    key = SoftAuthenticator()
    assert add(sign_in(Client(), person), key).status_code == 302
    return key


def half(person: User) -> Client:
    """A browser in which the password alone was given."""
    return sign_in(Client(), person, second_factor=False)


def show(browser: Client, key: SoftAuthenticator) -> Any:
    return browser.post("/confirm/", {"passkey": key.get(asked(browser, "/confirm/"))})


def test_a_passkey_is_added_named_and_told(here: Organisation, acting: Any) -> None:
    person = make_person(here)
    browser = sign_in(Client(), person)
    assert add(browser, SoftAuthenticator()).url == "/account/passkeys/"
    held = WebAuthnCredential.objects.get()
    assert (held.user, held.name, held.confirmed) == (person, "Office laptop", True)
    assert "Office laptop" in browser.get("/account/passkeys/").content.decode()
    assert OutboundMail.objects.get().subject == "A passkey was added"
    factors = [
        d["factor"] for n, _, d in trail_of(acting, here) if n == "organisations.second_factor_enrolled"
    ]
    assert factors == ["passkey"]


def test_the_authenticator_is_asked_to_check_the_person(here: Organisation) -> None:
    browser = sign_in(Client(), make_person(here))
    question = asked(browser, "/account/passkeys/")
    assert question["authenticatorSelection"]["userVerification"] == "required"
    refused = add(browser, SoftAuthenticator(verifies=False))
    assert refused.status_code == 422
    assert "The passkey was not made" in refused.content.decode()
    assert not WebAuthnCredential.objects.exists()


def test_one_signs_in_with_a_passkey_under_a_new_session(here: Organisation, acting: Any) -> None:
    person = make_person(here)
    key = with_passkey(person)
    browser = half(person)
    before = browser.session.session_key
    assert browser.get("/o/here/").status_code == 302, "the password alone opens nothing"
    assert show(browser, key).url == "/o/here/"
    assert browser.session.session_key != before
    assert browser.get("/o/here/").status_code == 200
    factors = [d["factor"] for n, _, d in trail_of(acting, here) if n == "organisations.signed_in"]
    assert factors == ["passkey"]


def test_the_code_still_works_beside_it_and_without_scripts(here: Organisation) -> None:
    person = make_person(here)
    with_passkey(person)
    browser = half(person)
    assert browser.post("/confirm/", {"code": code_of(person)}).url == "/o/here/"


@pytest.mark.parametrize(
    "how", ["origin", "unverified", "stranger", "nothing", "noise", "another's", "old", "twice"]
)
def test_a_wrong_answer_is_refused_and_counts_as_a_try(here: Organisation, how: str, acting: Any) -> None:
    person = make_person(here)
    key = with_passkey(person)
    browser = half(person)
    question = asked(browser, "/confirm/")
    answer = {
        "nothing": lambda: "",
        "noise": lambda: '{"id": 7, "response": []}',
        "stranger": lambda: SoftAuthenticator().get(question),
        "another's": lambda: with_passkey(make_person(here)).get(question),
    }.get(how, lambda: key.get(question))
    if how == "origin":
        key.origin = "https://caseload.example"
    if how == "unverified":
        key.verifies = False
    sent = answer()
    if how == "old":
        kept = browser.session
        kept[passkeys.CONFIRM] = {
            **kept[passkeys.CONFIRM],
            "at": clock.now().timestamp() - passkeys.CHALLENGE_SECONDS,
        }
        kept.save()
    if how == "twice":
        # The same answer in two requests at once: the second still has the question in its session.
        stale = browser.session[passkeys.CONFIRM]
        assert browser.post("/confirm/", {"passkey": sent}).status_code == 302
        browser = half(person)
        again = browser.session
        again[passkeys.CONFIRM] = stale
        again.save()
    refused = browser.post("/confirm/", {"passkey": sent})
    assert refused.status_code == 200
    assert "The passkey could not be checked" in refused.content.decode()
    assert browser.get("/o/here/").status_code == 302
    failed = [d for n, _, d in trail_of(acting, here) if n == "organisations.sign_in_failed"]
    assert failed[-1]["factor"] == "passkey"


def test_tries_run_out_as_with_codes(here: Organisation) -> None:
    person = make_person(here)
    key = with_passkey(person)
    browser = half(person)
    for _ in range(10):
        browser.post("/confirm/", {"passkey": "wrong"})
    assert show(browser, key).status_code == 200, "a right one is refused too"


def test_a_passkey_can_be_the_first_second_step_and_brings_recovery_codes(here: Organisation) -> None:
    person = make_person(here, second_factor=False)
    browser = half(person)
    key = SoftAuthenticator()
    answer = browser.post("/set-up/", {"passkey": key.create(asked(browser, "/set-up/"))})
    assert answer.url == "/set-up/recovery-codes/"
    assert browser.get("/o/here/").status_code == 200
    assert person.recovery_codes.count() == 8
    [code, *_] = second_factor.new_recovery_codes(user=person)
    later = half(person)
    assert "6-digit code" not in later.get("/confirm/").content.decode()
    assert later.post("/confirm/", {"recovery": code}).status_code == 302
    assert later.get("/o/here/").status_code == 200


def test_who_has_a_second_step_cannot_add_one_by_the_password_alone(here: Organisation) -> None:
    for person in (make_person(here), make_person(here, second_factor=False)):
        if not person.authenticatorapp_set.exists():
            browser = half(person)
            browser.post("/set-up/", {"passkey": SoftAuthenticator().create(asked(browser, "/set-up/"))})
        number = WebAuthnCredential.objects.count()
        thief = half(person)
        assert thief.get("/set-up/").url.startswith("/confirm/")
        assert thief.post("/set-up/", {"passkey": "{}"}).url.startswith("/confirm/")
        assert thief.get("/account/passkeys/").url.startswith("/confirm/")
        assert thief.post("/account/passkeys/", {"name": "x", "passkey": "{}"}).url.startswith("/confirm/")
        assert WebAuthnCredential.objects.count() == number


def test_changes_need_a_fresh_second_factor(here: Organisation) -> None:
    person = make_person(here)
    with_passkey(person)
    browser = sign_in(Client(), person, fresh=False)
    held = WebAuthnCredential.objects.get()
    assert browser.get("/account/passkeys/").url.startswith("/confirm/")
    assert browser.post(f"/account/passkeys/{held.pk}/remove/").url.startswith("/confirm/")
    assert WebAuthnCredential.objects.filter(pk=held.pk).exists()


def test_a_passkey_is_removed_but_never_the_last_second_step(here: Organisation) -> None:
    person = make_person(here)
    with_passkey(person)
    browser = sign_in(Client(), person)
    held = WebAuthnCredential.objects.get()
    other = make_person(here)
    with_passkey(other)
    foreign = WebAuthnCredential.objects.get(user=other)
    for pk in (foreign.pk, 999_999):
        assert browser.post(f"/account/passkeys/{pk}/remove/").url == "/account/passkeys/"
    assert WebAuthnCredential.objects.filter(pk=foreign.pk).exists()
    person.authenticatorapp_set.all().delete()
    only = half(person)
    session = only.session
    session["second_factor_at"] = clock.now().timestamp()
    session["otp_device_id"] = held.persistent_id
    session.save()
    only.post(f"/account/passkeys/{held.pk}/remove/")
    assert WebAuthnCredential.objects.filter(pk=held.pk).exists()
    assert "only second step" in only.get("/account/passkeys/").content.decode()
    other_browser = sign_in(Client(), other)
    other_browser.post(f"/account/passkeys/{foreign.pk}/remove/")
    assert not WebAuthnCredential.objects.filter(pk=foreign.pk).exists()


@pytest.fixture
def _required(settings: Any) -> None:
    settings.PASSKEY_REQUIRED = True


@pytest.mark.usefixtures("_required")
@pytest.mark.parametrize("role", [ADMINISTRATOR, "platform_support"])
def test_who_opens_doors_for_others_needs_a_passkey_at_every_address(here: Organisation, role: str) -> None:
    person = make_person(here, role=role)
    give(person, here, "keyworker")
    browser = sign_in(Client(), person)
    for tail in ("", "people/", "clients/", "nothing/"):
        assert browser.get(f"/o/here/{tail}").url == f"/account/passkeys/needed/?next=/o/here/{tail}"
    assert browser.post("/o/here/people/invite/", {}).url == "/account/passkeys/needed/"
    assert browser.get("/o/here/", HTTP_HX_REQUEST="true").status_code == 401
    assert (
        "Create a passkey" in browser.get("/account/passkeys/needed/?next=/o/here/people/").content.decode()
    )
    key = SoftAuthenticator()
    assert add(browser, key).status_code == 302
    assert browser.get("/o/here/").status_code == 200
    # At the next sign-in a code is not enough, the passkey is.
    later = half(person)
    later.post("/confirm/", {"code": code_of(person)})
    assert later.get("/o/here/").url.startswith("/account/passkeys/needed/")
    assert "Use your passkey" in later.get("/account/passkeys/needed/").content.decode()
    assert show(later, key).status_code == 302
    assert later.get("/o/here/").status_code == 200


def test_without_the_setting_the_same_person_comes_in(here: Organisation) -> None:
    """The control of the test above, and how the demo is."""
    browser = sign_in(Client(), make_person(here, role=ADMINISTRATOR))
    assert browser.get("/o/here/people/").status_code == 200


@pytest.mark.usefixtures("_required")
def test_others_are_not_asked_for_one(here: Organisation) -> None:
    person = make_person(here)
    there = make_organisation("there")
    give(person, there, ADMINISTRATOR)
    browser = sign_in(Client(), person)
    assert browser.get("/o/here/").status_code == 200
    assert browser.get("/o/there/").url.startswith("/account/passkeys/needed/")


@pytest.mark.usefixtures("_required")
def test_a_code_alone_does_not_add_a_second_passkey_nor_remove_the_last(here: Organisation) -> None:
    """Whoever was tricked out of a code must not give a thief a passkey."""
    person = make_person(here, role=ADMINISTRATOR)
    key = with_passkey(person)
    held = WebAuthnCredential.objects.get()
    thief = half(person)
    thief.post("/confirm/", {"code": code_of(person)})
    page = thief.get("/account/passkeys/").content.decode()
    assert "Confirm with a passkey you have" in page
    assert "data-app-ask" not in page
    assert thief.post("/account/passkeys/", {"name": "x", "passkey": "{}"}).status_code == 422
    thief.post(f"/account/passkeys/{held.pk}/remove/")
    assert WebAuthnCredential.objects.get() == held
    assert show(thief, key).status_code == 302
    assert add(thief, SoftAuthenticator(), "Second").status_code == 302


@pytest.mark.usefixtures("_required")
@pytest.mark.parametrize("by", ["code", "recovery"])
def test_a_recovery_code_is_no_passkey(here: Organisation, by: str) -> None:
    person = make_person(here, role=ADMINISTRATOR)
    with_passkey(person)
    codes = second_factor.new_recovery_codes(user=person)
    if by == "recovery":
        person.authenticatorapp_set.all().delete()
    browser = half(person)
    sent = {"code": code_of(person)} if by == "code" else {"recovery": codes[0]}
    assert browser.post("/confirm/", sent).status_code == 302
    assert browser.get("/o/here/").url.startswith("/account/passkeys/needed/")


def test_the_reset_by_an_administrator_takes_passkeys_too(here: Organisation) -> None:
    person = make_person(here)
    with_passkey(person)
    desk = sign_in(Client(), make_person(here, role=ADMINISTRATOR))
    answer = {"identity_check": "in_person", "reason": "lost"}
    assert desk.post(f"/o/here/people/{person.pk}/second-factor/", answer).status_code == 302
    assert not WebAuthnCredential.objects.exists()
    assert half(person).get("/confirm/").url == "/set-up/"


def test_it_is_required_unless_somebody_says_otherwise() -> None:
    assert base.PASSKEY_REQUIRED
    assert base.OTP_WEBAUTHN_ALLOWED_ORIGINS == ["http://localhost:8000"]
    assert not base.OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN


def test_a_challenge_is_shared_by_tabs_and_ends(here: Organisation) -> None:
    person = make_person(here)
    with_passkey(person)
    browser = half(person)
    first = asked(browser, "/confirm/")["challenge"]
    assert asked(browser, "/confirm/")["challenge"] == first
    with clock.frozen(clock.now() + dt.timedelta(minutes=6)):
        assert asked(browser, "/confirm/")["challenge"] != first
