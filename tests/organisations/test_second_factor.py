"""The authenticator app and the recovery codes: each code once, and no way round them."""

from __future__ import annotations

import datetime as dt
import re
import threading
from contextvars import copy_context
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from edatrs.core import clock
from edatrs.organisations.models import AuthenticatorApp, RecoveryCode, User
from edatrs.organisations.services import second_factor
from tests.factories.organisations import PASSWORD, code_of, make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def half(client: Client, user: User) -> Client:
    return sign_in(client, user, second_factor=False)


def send(client: Client, **fields: str) -> bool:
    """Whether the second factor was taken."""
    response = client.post("/confirm/", fields)
    return response.status_code == 302 and not response.url.startswith(("/sign-in/", "/confirm/"))


@pytest.mark.parametrize(("steps", "taken"), [(0, True), (-1, True), (-2, False), (1, False)])
def test_the_code_of_this_step_and_the_one_before_is_taken_and_no_other(
    client: Client, steps: int, taken: bool
) -> None:
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        assert send(half(client, user), code=code_of(user, steps=steps)) is taken


def test_a_code_is_taken_once(client: Client) -> None:
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        code = code_of(user)
        assert send(half(client, user), code=code)
        assert not send(half(Client(), user), code=code)


def test_after_a_code_the_one_before_it_is_not_taken_either(client: Client) -> None:
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        before = code_of(user, steps=-1)
        assert send(half(client, user), code=code_of(user))
        assert not send(half(Client(), user), code=before)


def test_spaces_in_a_code_do_not_matter_and_other_digits_are_no_error(client: Client) -> None:
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        code = code_of(user)
        assert not send(half(client, user), code="١٢٣٤٥٦")
        assert not send(half(client, user), code="")
        assert send(half(client, user), code=f" {code[:3]} {code[3:]} ")


def test_somebody_elses_code_is_not_taken(client: Client) -> None:
    user, other = make_person(make_organisation()), make_person(make_organisation())
    with clock.frozen(MORNING):
        assert not send(half(client, user), code=code_of(other))


def test_the_secret_is_not_in_the_database_in_clear() -> None:
    user = make_person(make_organisation())
    app = AuthenticatorApp.objects.get(user=user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM organisations_authenticatorapp WHERE id = %s", [app.pk])
        assert app.secret not in cursor.fetchone()[0]


def _at_once(number: int, act: Any) -> list[Any]:
    """Do something in so many threads at the same moment, each with a connection and the test's clock."""
    gate, answers = threading.Barrier(number), []

    def run() -> None:
        try:
            gate.wait()
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=[run]) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [12, pytest.param(50, marks=pytest.mark.long)])
def test_of_many_posts_of_one_code_at_once_one_is_taken(number: int) -> None:
    """T12 asks it of 50 posts."""
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        clients = [half(Client(), user) for _ in range(number)]
        code = code_of(user)
        answers = _at_once(number, lambda: send(clients.pop(), code=code))
    assert sorted(answers) == [False] * (number - 1) + [True]


@pytest.mark.django_db(transaction=True)
def test_of_six_posts_of_one_recovery_code_at_once_one_is_taken() -> None:
    user = make_person(make_organisation())
    codes = second_factor.new_recovery_codes(user=user)
    clients = [half(Client(), user) for _ in range(6)]
    answers = _at_once(6, lambda: send(clients.pop(), recovery=codes[0]))
    assert sorted(answers) == [False] * 5 + [True]


def test_a_recovery_code_signs_in_once_however_it_is_typed(client: Client) -> None:
    user = make_person(make_organisation())
    codes = second_factor.new_recovery_codes(user=user)
    assert send(half(client, user), recovery=f" {codes[0].upper().replace('-', ' ')} ")
    assert client.get("/account/").status_code == 200
    assert not send(half(Client(), user), recovery=codes[0])
    assert send(half(Client(), user), recovery=codes[1])


def test_somebody_elses_recovery_code_is_not_taken(client: Client) -> None:
    user, other = make_person(make_organisation()), make_person(make_organisation())
    codes = second_factor.new_recovery_codes(user=other)
    assert not send(half(client, user), recovery=codes[0])


def test_recovery_codes_are_eight_and_kept_as_digests_only() -> None:
    user = make_person(make_organisation())
    codes = second_factor.new_recovery_codes(user=user)
    assert len(set(codes)) == 8
    assert all(re.fullmatch(r"[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}", code) for code in codes)
    kept = " ".join(RecoveryCode.objects.values_list("digest", flat=True))
    assert not any(code.replace("-", "") in kept for code in codes)


def test_setting_up_for_the_first_time_needs_the_password_and_leads_to_the_recovery_codes(
    client: Client,
) -> None:
    user = make_person(make_organisation("here"), second_factor=False)
    assert client.get("/set-up/").status_code == 302
    first = client.post("/sign-in/", {"email": user.email, "password": PASSWORD, "next": "/o/here/"})
    assert first.url == "/set-up/?next=%2Fo%2Fhere%2F"
    page = client.get(first.url).content.decode()
    app = AuthenticatorApp.objects.get(user=user, confirmed=False)
    assert " ".join(re.findall("....", app.secret)) in page
    assert 'src="data:image/svg+xml' in page
    assert client.get("/o/here/").status_code == 302
    assert client.post("/set-up/", {"code": "000000", "next": "/o/here/"}).status_code == 200
    before = client.session.session_key
    done = client.post("/set-up/", {"code": code_of(user, confirmed=False), "next": "/o/here/"})
    assert done.url == "/set-up/recovery-codes/?next=%2Fo%2Fhere%2F"
    assert client.session.session_key != before
    codes = re.findall(r"<li>([a-z2-9]{4}-[a-z2-9]{4})</li>", client.get(done.url).content.decode())
    assert len(codes) == 8
    file = client.get("/set-up/recovery-codes.txt")
    assert file["Content-Disposition"].startswith("attachment")
    assert all(code in file.content.decode() for code in codes)
    assert "Save the codes" in client.post("/set-up/recovery-codes/", {}).content.decode()
    assert client.post("/set-up/recovery-codes/", {"saved": "on", "next": "/o/here/"}).url == "/o/here/"
    assert client.get("/set-up/recovery-codes/").url == "/account/"
    assert client.get("/set-up/recovery-codes.txt").url == "/account/"
    assert client.get("/o/here/").status_code == 200
    assert send(half(Client(), user), recovery=codes[0])


def test_recovery_codes_that_wait_to_be_saved_are_not_in_the_session_in_clear(client: Client) -> None:
    user = make_person(make_organisation())
    sign_in(client, user)
    assert client.post("/account/recovery-codes/").status_code == 302
    page = client.get("/set-up/recovery-codes/").content.decode()
    codes = re.findall(r"<li>([a-z2-9]{4}-[a-z2-9]{4})</li>", page)
    assert len(codes) == 8
    assert codes[0] not in str(dict(client.session))


def test_the_key_shown_to_one_session_is_void_in_another(client: Client) -> None:
    """Whoever knew the password before its owner set anything up must not share the owner's key."""
    user = make_person(make_organisation(), second_factor=False)
    thief = half(Client(), user)
    thief.get("/set-up/")
    stolen = AuthenticatorApp.objects.get(user=user).secret
    half(client, user).get("/set-up/")
    assert AuthenticatorApp.objects.get(user=user).secret != stolen
    assert thief.post("/set-up/", {"code": code_of(user, confirmed=False)}).status_code == 200


def test_another_app_is_set_up_only_with_the_old_one_freshly_used(client: Client) -> None:
    user = make_person(make_organisation("here"))
    old = AuthenticatorApp.objects.get(user=user)
    for stopped in (half(Client(), user), sign_in(Client(), user, fresh=False)):
        assert stopped.get("/set-up/").url == "/confirm/?next=%2Fset-up%2F"
        assert stopped.post("/set-up/", {"code": "000000"}).url == "/confirm/?next=%2Fset-up%2F"
    assert sign_in(client, user).get("/set-up/").status_code == 200
    other = sign_in(Client(), user)
    assert client.post("/set-up/", {"code": code_of(user, confirmed=False)}).status_code == 302
    assert AuthenticatorApp.objects.get(user=user).pk != old.pk
    assert other.get("/o/here/").status_code == 302


def test_a_second_factor_given_long_ago_is_asked_for_again_and_then_counts(client: Client) -> None:
    user = make_person(make_organisation())
    with clock.frozen(MORNING):
        sign_in(client, user)
    with clock.frozen(MORNING + dt.timedelta(minutes=14)):
        assert client.get("/account/password/").status_code == 200
    with clock.frozen(MORNING + dt.timedelta(minutes=16)):
        assert client.get("/account/password/").url == "/confirm/?next=%2Faccount%2Fpassword%2F"
        before = client.session.session_key
        done = client.post("/confirm/", {"code": code_of(user), "next": "/account/password/"})
        assert done.url == "/account/password/"
        assert client.session.session_key != before
        assert client.get(done.url).status_code == 200


def test_nobody_can_confirm_without_an_app(client: Client) -> None:
    user = make_person(make_organisation(), second_factor=False)
    assert half(client, user).get("/confirm/").url == "/set-up/"
    assert client.post("/confirm/", {"code": "000000"}).url == "/set-up/"
