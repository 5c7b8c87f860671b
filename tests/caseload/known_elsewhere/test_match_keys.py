"""What a person is compared by: names as words and as they sound, numbers as they compare."""

from __future__ import annotations

import datetime as dt

import pytest

from caseload.match_keys import Keys, keys_of, sound_key, words_of


def keys(**given: object) -> Keys:
    fields = {
        "forename": "Jordan",
        "surname": "Ashby",
        "born": dt.date(1991, 8, 9),
        "sex": "M",
        "nhs_number": "",
        "postcode": "CM2 6QT",
    }
    return keys_of(**{**fields, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mohammed", "Muhammad"),
        ("Md", "Mohamed"),
        ("Łukasz", "Lukasz"),
        ("Kowalski", "Kowalska"),
        ("Chowdhury", "Choudhry"),
        ("McDonagh", "Mac Donough"),
        ("O’Connor", "Connors"),
        ("Llywelyn", "Lewellyn"),
        ("Gruffudd", "Griffith"),
        ("Karim", "Kareem"),
        ("Szymański", "Szymanska"),
        ("Katarzyna", "Kasia"),
        ("Paddy", "Patrick"),
        ("Al-Hassan", "Hassan"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert [sound_key(w) for w in words_of(one)] == [sound_key(w) for w in words_of(other)] != [""]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hassan", "Hussain"), ("Dan", "Dean"), ("Amy", "Emma"), ("Jamil", "Jamal"), ("Marta", "Monika")],
)
def test_two_names_stay_two(one: str, other: str) -> None:
    found = [sound_key(w) for name in (one, other) for w in words_of(name)]
    assert found == ["", ""] or found[0] != found[1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Al-Hassan", ["alhassan"]),
        ("de la Cruz", ["cruz"]),
        ("O'Brien", ["obrien"]),
        ("O Brien", ["obrien"]),
        ("Mc Carthy", ["mccarthy"]),
        ("Smith-Jones", ["smith", "jones"]),
        ("Al", ["al"]),
        ("Mac", ["mac"]),
        ("", []),
        ("??", []),
    ],
)
def test_words_of_a_name(name: str, words: list[str]) -> None:
    assert words_of(name) == words


def test_a_number_with_a_wrong_check_digit_is_none() -> None:
    assert keys(nhs_number="999 000 0018").nhs == "9990000018"
    assert keys(nhs_number="999 000 0019").nhs == ""


def test_places() -> None:
    assert (keys().postcode, keys().district) == ("CM26QT", "CM2")
    assert (keys(postcode="CM2").postcode, keys(postcode="CM2").district) == ("", "CM2")
    assert (keys(postcode="ZZ99 3VZ").postcode, keys(postcode="ZZ99 3VZ").district) == ("", "")
    assert (keys(postcode="").postcode, keys(postcode="").district) == ("", "")


def test_earlier_surnames_are_kept_apart_from_todays() -> None:
    assert keys(earlier_surnames=["Ashby", "Carter"]).earlier == ["karter"]


def test_a_name_of_thousands_of_words_is_cut() -> None:
    long = keys(forename="a" * 10_000, surname="b " * 10_000)
    assert len(long.fore[0]) == 40 and len(long.sur) == 1
