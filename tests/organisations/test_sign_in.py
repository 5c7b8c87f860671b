"""Signing in and out: both factors, one answer to everything wrong, a new session id at each step."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.urls import reverse

from edatrs.core import clock
from edatrs.organisations.models import SignInAttempt, User
from edatrs.organisations.services import attempts
from tests.factories.organisations import PASSWORD, code_of, give, make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db


def post_password(client: Client, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in/", {"email": email, "password": password}, **more)


def same_bytes(response: Any, email: str) -> bytes:
    """The answer without what every request changes: the token of the form and the address that was typed."""
    body = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)
    return body.replace(email.encode(), b"")


def test_a_person_signs_in_with_password_and_code_and_comes_to_their_organisation(client: Client) -> None:
    user = make_person(make_organisation("open-road"), email="Priya.Nair@openroad.example")
    first = post_password(client, "  priya.nair@OPENROAD.example ")
    assert (first.status_code, first.url) == (302, "/confirm/")
    second = client.post("/confirm/", {"code": code_of(user)})
    assert (second.status_code, second.url) == (302, "/o/open-road/")
    assert client.get("/o/open-road/").status_code == 200


def test_the_session_id_changes_at_the_password_at_the_code_and_at_the_choice(client: Client) -> None:
    one, two = make_organisation(), make_organisation()
    user = make_person(one, two)
    client.get("/sign-in/")
    seen = []
    post_password(client, user.email)
    seen.append(client.session.session_key)
    client.post("/confirm/", {"code": code_of(user)})
    seen.append(client.session.session_key)
    client.post("/organisation/", {"organisation": two.slug})
    seen.append(client.session.session_key)
    assert len(set(seen)) == 3
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_session_id_planted_before_sign_in_is_worth_nothing(client: Client) -> None:
    user = make_person(make_organisation())
    planted = Client()
    session = planted.session
    session["something"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    post_password(client, user.email)
    assert planted.get("/confirm/").url == "/sign-in/"
    client.post("/confirm/", {"code": code_of(user)})
    assert planted.get("/account/").url.startswith("/sign-in/")


def test_unknown_wrong_disabled_locked_and_invited_answer_with_the_same_bytes(client: Client) -> None:
    known = make_person(make_organisation())
    disabled = make_person(make_organisation(), is_active=False)
    invited = make_person(make_organisation(), password=None)
    locked = make_person(make_organisation())
    for number in range(attempts.LIMIT):
        SignInAttempt.objects.create(
            account=attempts.account_of(locked.email),
            address=f"198.51.100.{number}",
            at=clock.now(),
            step=attempts.Step.PASSWORD,
            result=attempts.Result.WRONG,
        )
    answers = {}
    for name, email, password in (
        ("wrong", known.email, "not the password at all"),
        ("unknown", "nobody@test.example", PASSWORD),
        ("disabled", disabled.email, PASSWORD),
        ("locked", locked.email, PASSWORD),
        ("invited", invited.email, PASSWORD),
        ("too long", known.email, PASSWORD * 40),
    ):
        response = post_password(client, email, password)
        answers[name] = (response.status_code, same_bytes(response, email))
    assert len(set(answers.values())) == 1
    assert b"One of them is not right" in answers["wrong"][1]
    assert client.get("/organisation/").status_code == 302


@pytest.mark.parametrize("who", ["known", "unknown", "disabled", "invited", "locked"])
def test_every_answer_costs_one_hash(client: Client, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    user = make_person(
        make_organisation(), password=None if who == "invited" else PASSWORD, is_active=who != "disabled"
    )
    if who == "locked":
        monkeypatch.setattr(attempts, "_too_many", lambda account, address: True)
    computed = []
    for name in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, name)

        def counted(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            computed.append(1)
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    post_password(
        client, "nobody@test.example" if who == "unknown" else user.email, "not the password at all"
    )
    assert len(computed) == 1


@pytest.mark.parametrize(
    ("wanted", "landed"),
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/o/here/"),
        ("//evil.example/", "/o/here/"),
        ("/\\evil.example/", "/o/here/"),
        ("javascript:alert(1)", "/o/here/"),
    ],
)
def test_after_sign_in_only_our_own_addresses_are_gone_on_to(
    client: Client, wanted: str, landed: str
) -> None:
    user = make_person(make_organisation("here"))
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD, "next": wanted})
    assert client.post("/confirm/", {"code": code_of(user), "next": wanted}).url == landed


def test_a_page_that_was_asked_for_is_carried_through_both_steps(client: Client) -> None:
    user = make_person(make_organisation("here"))
    asked = client.get("/o/here/people/")
    assert asked.url == "/sign-in/?next=/o/here/people/"
    page = client.get(asked.url)
    assert 'name="next" value="/o/here/people/"' in page.content.decode()
    first = client.post("/sign-in/", {"email": user.email, "password": PASSWORD, "next": "/o/here/people/"})
    assert first.url == "/confirm/?next=%2Fo%2Fhere%2Fpeople%2F"


def test_a_long_password_counts_to_its_last_character(client: Client) -> None:
    password = "herons " * 18 + "ab"
    assert len(password) == 128
    user = make_person(make_organisation(), password=password)
    assert post_password(client, user.email, password[:-1] + "c").status_code == 200
    assert post_password(client, user.email, password[:72]).status_code == 200
    assert post_password(client, user.email, password).status_code == 302


def test_a_password_with_accents_is_the_same_from_every_keyboard(client: Client) -> None:
    password = unicodedata.normalize("NFC", "señor döner wählt café")
    user = make_person(make_organisation(), password=password)
    assert post_password(client, user.email, unicodedata.normalize("NFD", password)).status_code == 302


def test_signing_out_is_a_post_and_ends_the_session(client: Client) -> None:
    sign_in(client, make_person(make_organisation("here")))
    key = client.session.session_key
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/?ended=out"
    assert client.get("/o/here/").status_code == 302
    client.cookies["sessionid"] = key
    assert client.get("/o/here/").status_code == 302


def test_signing_out_everywhere_ends_the_other_session_too(client: Client) -> None:
    user = make_person(make_organisation("here"))
    other = sign_in(Client(), user)
    assert other.get("/o/here/").status_code == 200
    sign_in(client, user).post("/account/sign-out-everywhere/")
    assert other.get("/o/here/").status_code == 302
    assert client.get("/o/here/").status_code == 302


def test_a_person_disabled_meanwhile_is_out_at_the_next_request(client: Client) -> None:
    user = make_person(make_organisation("here"))
    sign_in(client, user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/o/here/").status_code == 302


def test_the_start_page_leads_to_sign_in_to_the_second_factor_to_the_last_organisation_or_to_the_choice(
    client: Client,
) -> None:
    one, two = make_organisation("one"), make_organisation("two")
    user = make_person(one, two)
    assert client.get("/").url == "/sign-in/"
    assert sign_in(client, user, second_factor=False).get("/").url == "/confirm/"
    assert sign_in(client, user).get("/").url == "/organisation/"
    assert client.post("/organisation/", {"organisation": "two"}).url == "/o/two/"
    assert client.get("/").url == "/o/two/"
    user.memberships.filter(organisation=two).update(valid_until=clock.today() - dt.timedelta(days=1))
    assert client.get("/").url == "/o/one/"


def test_the_choice_lists_ones_own_organisations_of_today_with_the_last_one_chosen(client: Client) -> None:
    one, two, ended = make_organisation("one"), make_organisation("two"), make_organisation("ended")
    make_organisation("strange")
    user = make_person(one, two, last_organisation=two)
    give(user, ended, "keyworker", since=-30, until=-1)
    page = sign_in(client, user).get("/organisation/").content.decode()
    assert re.search(r'value="two"[^>]*checked|checked[^>]*value="two"', page)
    assert "Your role there ended" in page or "your role there ended" in page
    assert 'value="ended"' not in page
    assert 'value="strange"' not in page
    assert client.post("/organisation/", {"organisation": "ended"}).status_code == 200
    assert client.post("/organisation/", {"organisation": "one", "next": "/o/two/"}).url == "/o/one/"


def test_somebody_without_a_role_is_told_so(client: Client) -> None:
    page = sign_in(client, make_person()).get("/organisation/")
    assert "You have no role at any organisation today" in page.content.decode()


def test_failed_tries_are_shown_after_the_next_sign_in(client: Client) -> None:
    user = make_person(make_organisation("one"), make_organisation("two"))
    post_password(client, user.email, "not the password at all")
    post_password(client, user.email)
    client.post("/confirm/", {"code": code_of(user)})
    page = client.get(reverse("organisations:choose")).content.decode()
    assert re.search(r"Failed tries since</dt><dd[^>]*>1, the latest", page)
