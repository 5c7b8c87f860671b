"""What a password must be."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from edatrs.organisations import passwords
from edatrs.organisations.models import Organisation
from tests.factories.organisations import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _partners() -> None:
    for slug, name, brand in (
        ("open-road", "Open Road", "Choices"),
        ("phoenix-futures", "Phoenix Futures", ""),
        ("essex-county-council", "Essex County Council", ""),
    ):
        Organisation.objects.create(slug=slug, name=name, brand=brand, kind="provider")


def is_accepted(password: str) -> bool:
    try:
        passwords.check(password, make_person())
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "a" * 5 + "b" * 123,
        "søren eats 3 figs",
        "鱼 and chips on the pier",
        "    four spaces first",
        "essex is where nine herons sleep",
    ],
)
def test_twelve_to_a_hundred_and_twenty_eight_characters_of_any_kind_are_accepted(password: str) -> None:
    assert is_accepted(password)


@pytest.mark.parametrize(
    "password",
    ["eleven char", "x" * 127 + "yz", "123456789012", "qwertyuiopas"[:11], "1234567890123", "unbelievable"],
)
def test_too_short_too_long_common_and_bare_numbers(password: str) -> None:
    accepted = is_accepted(password)
    assert accepted is (
        password in {"123456789012", "1234567890123", "unbelievable"} and not _is_common(password)
    )


def _is_common(password: str) -> bool:
    from django.contrib.auth.password_validation import CommonPasswordValidator

    return password in CommonPasswordValidator().passwords


@pytest.mark.parametrize(
    "password",
    [
        "openroad2026!",
        "Open Road 2026",
        "0p3n-R0ad-2026!",
        "PhoenixFutures123",
        "essexcountycouncil",
        "EDATRS caseload 1",
        "edatrs.ndtms.2026",
        "choices choices 1",
        "keyworker essex 26",
    ],
)
def test_words_of_the_partnership_do_not_count(password: str) -> None:
    assert not is_accepted(password)


def test_a_password_like_ones_own_address_is_refused() -> None:
    user = make_person(email="magnolia.featherstone@test.example")
    with pytest.raises(ValidationError):
        passwords.check("magnolia.featherstone1", user)


def test_the_common_list_is_the_long_one() -> None:
    from django.contrib.auth.password_validation import CommonPasswordValidator

    assert len(CommonPasswordValidator().passwords) > 19_000
