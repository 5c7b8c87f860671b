"""Ten wrong tries in five minutes, by account and by address; a colleague is never locked out for good."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from edatrs.core import clock
from edatrs.organisations.models import SignInAttempt, User
from edatrs.organisations.services import attempts
from tests.factories.organisations import PASSWORD, code_of, make_organisation, make_person

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
HERE, THERE = "198.51.100.1", "203.0.113.9"


@pytest.fixture
def user() -> User:
    return make_person(make_organisation())


def try_password(email: str, address: str, password: str = "wrong wrong wrong") -> bool:  # noqa: S107  # invented
    response = Client().post("/sign-in/", {"email": email, "password": password}, REMOTE_ADDR=address)
    return bool(response.status_code == 302)


def sign_in_wholly(user: User, address: str) -> bool:
    client = Client()
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD}, REMOTE_ADDR=address)
    return bool(client.post("/confirm/", {"code": code_of(user)}, REMOTE_ADDR=address).status_code == 302)


def test_after_ten_wrong_tries_the_address_is_refused_even_with_the_right_password(user: User) -> None:
    with clock.frozen(MORNING):
        for _ in range(9):
            assert not try_password(user.email, HERE)
        assert try_password(user.email, HERE, PASSWORD)
        assert not try_password(user.email, HERE)
        assert not try_password(user.email, HERE, PASSWORD)
        other = make_person(make_organisation())
        assert not try_password(other.email, HERE, PASSWORD)


def test_the_colleague_at_another_address_still_gets_in_meanwhile(user: User) -> None:
    with clock.frozen(MORNING):
        for _ in range(12):
            try_password(user.email, HERE)
        assert not try_password(user.email, HERE, PASSWORD)
        assert try_password(user.email, THERE, PASSWORD)


def test_after_ten_wrong_tries_from_many_addresses_the_account_is_refused_from_a_new_one(user: User) -> None:
    with clock.frozen(MORNING):
        for number in range(10):
            assert not try_password(user.email, f"192.0.2.{number}")
        assert not try_password(user.email, THERE, PASSWORD)
    with clock.frozen(MORNING + attempts.WINDOW + dt.timedelta(seconds=1)):
        assert try_password(user.email, THERE, PASSWORD)


def test_an_account_guessed_at_from_many_addresses_still_opens_from_where_it_was_opened_lately(
    user: User,
) -> None:
    with clock.frozen(MORNING - dt.timedelta(days=2)):
        assert sign_in_wholly(user, THERE)
    with clock.frozen(MORNING):
        for number in range(20):
            try_password(user.email, f"192.0.2.{number}")
        assert not try_password(user.email, "192.0.2.200", PASSWORD)
        assert try_password(user.email, THERE, PASSWORD)


def test_refused_tries_do_not_make_the_wait_longer(user: User) -> None:
    for minute in range(5):
        with clock.frozen(MORNING + dt.timedelta(minutes=minute)):
            for _ in range(12):
                try_password(user.email, HERE)
    with clock.frozen(MORNING + attempts.WINDOW + dt.timedelta(seconds=1)):
        assert try_password(user.email, HERE, PASSWORD)


def test_wrong_codes_count_and_a_right_code_is_refused_and_not_used_up_after_ten(user: User) -> None:
    client = Client()
    with clock.frozen(MORNING):
        client.post("/sign-in/", {"email": user.email, "password": PASSWORD}, REMOTE_ADDR=HERE)
        for _ in range(10):
            client.post("/confirm/", {"code": "000000"}, REMOTE_ADDR=HERE)
        assert client.post("/confirm/", {"code": code_of(user)}, REMOTE_ADDR=HERE).status_code == 200
        assert client.post("/confirm/", {"code": code_of(user)}, REMOTE_ADDR=THERE).status_code == 302


def test_unknown_addresses_are_counted_without_being_kept(user: User) -> None:
    with clock.frozen(MORNING):
        try_password("Nobody.Known@elsewhere.example", HERE)
        try_password("nobody.known@ELSEWHERE.example", HERE)
    rows = SignInAttempt.objects.all()
    assert len(rows) == 2
    assert len({row.account for row in rows}) == 1
    assert "nobody" not in rows[0].account.lower()


def test_old_tries_are_forgotten_at_the_next_sign_in(user: User) -> None:
    with clock.frozen(MORNING - attempts.KEPT_FOR - dt.timedelta(days=1)):
        try_password(user.email, HERE)
    with clock.frozen(MORNING):
        assert sign_in_wholly(user, HERE)
    assert set(SignInAttempt.objects.values_list("result", flat=True)) == {"right"}


def test_two_networks_of_one_household_count_as_one(user: User) -> None:
    with clock.frozen(MORNING):
        for number in range(10):
            try_password(user.email, f"2001:db8:1:2::{number + 1:x}")
        assert not try_password(user.email, "2001:db8:1:2:ffff::1", PASSWORD)
        assert try_password(user.email, "2001:db8:1:3::1", PASSWORD)
