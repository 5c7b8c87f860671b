"""Initials, postcode districts and the order of identifiers: by example, and SQL against Python."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from caseload.dataset import transforms
from tests.caseload.dataset.support import FACTOR, NAMES, TEXTS

# Anything PostgreSQL can hold: no NUL, no half of a surrogate pair.
ANY_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
POSTCODE = st.text(st.sampled_from("CMcm19 \t\u00a0\u200b\u3000-Łß"), max_size=12)
IDENTIFIER = st.text(st.sampled_from("0019Lz-٣ \u00e9😀"), max_size=6)
COLLATIONS = ["", ' COLLATE "C"', ' COLLATE "POSIX"', ' COLLATE "und-x-icu"', ' COLLATE "tr-x-icu"']


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Łukasz", "Ł"),
        ("Óscar", "Ó"),
        ("óscar", "Ó"),
        ("van\u00a0Dyk", "V"),
        ("  \u00a0mary", "M"),
        ("'Ali", "A"),
        ("3rd-generation", "R"),
        ("ß", "ß"),
        ("istanbul", "I"),
        ("ıl", "I"),
        ("ǆ", "Ǆ"),
        ("李", "李"),
        ("٣", ""),
        ("-", ""),
        ("", ""),
        (" ", ""),
        (None, ""),
    ],
)
def test_initial_is_the_first_letter_in_upper_case(name: str | None, expected: str) -> None:
    assert transforms.initial(name) == expected
    assert transforms.initial(transforms.initial(name)) == expected


@pytest.mark.parametrize(
    ("postcode", "expected"),
    [
        ("CM1 1QH", "CM1"),
        ("co1 2ab", "CO1"),
        ("CM11QH", "CM1"),
        ("SS14", "SS14"),
        ("SS141AA", "SS14"),
        ("  cm1\t1QH ", "CM1"),
        ("CM1\u00a01QH", "CM1"),
        ("CM1\u200b1QH", "CM1"),
        (" CM11QH ", "CM1"),
        ("CM11QH Chelmsford", "CM1"),
        ("ZZ99 3VZ", "ZZ99"),
        ("ZZ993VZ", "ZZ99"),
        ("CM1", "CM1"),
        ("C", "C"),
        ("", ""),
        (" \n", ""),
        (None, ""),
    ],
)
def test_district_is_the_first_part_of_the_postcode(postcode: str | None, expected: str) -> None:
    assert transforms.postcode_district(postcode) == expected


@given(
    postcode=st.from_regex(r"[A-Z]{1,2}[0-9][0-9A-Z]?", fullmatch=True),
    inward=st.from_regex(r"[0-9][A-Z]{2}", fullmatch=True),
)
@settings(max_examples=40, database=None)
def test_inward_part_never_leaves(postcode: str, inward: str) -> None:
    for gap in ("", " ", "\t", "\u00a0", "\u2009"):
        assert transforms.postcode_district(f"{postcode}{gap}{inward}") == postcode


def test_identifiers_of_digits_sort_as_numbers_before_all_others() -> None:
    expected = [
        "0",
        "00",
        "1",
        "007",
        "7",
        "10",
        "099",
        "100",
        "9" * 5000,
        "",
        "-1",
        "A10",
        "A9",
        "L47-1051",
        "a",
        "é",
        "٣",
    ]
    shuffled = random.Random(1).sample(expected, len(expected))
    assert sorted(shuffled, key=transforms.identifier_sort_key) == expected


def test_white_space_is_what_python_knows_and_the_invisible() -> None:
    known = {chr(point) for point in range(sys.maxunicode + 1) if chr(point).isspace()}
    assert known == set(transforms.WHITE_SPACE) - set("\u200b\u200c\u200d\u2060\ufeff")


def test_letters_are_those_of_unicode() -> None:
    pattern = re.compile(transforms._letter_class())
    for point in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(point))
        if category not in {"Cn", "Cs"}:
            assert bool(pattern.match(chr(point))) == (category[0] == "L"), hex(point)


def test_sql_holds_no_per_cent_sign_and_nothing_that_cannot_be_printed() -> None:
    functions: list[Callable[[str], str]] = [
        transforms.sql_initial,
        transforms.sql_has_initial,
        transforms.sql_is_present,
        transforms.sql_postcode_district,
        lambda column: ", ".join(transforms.sql_identifier_order(column)),
    ]
    for function in functions:
        text = function("x")
        assert "%" not in text
        assert text.isprintable()


def _in_sql(
    texts: list[str | None], expressions: list[str], collation: str, order: str = "place"
) -> list[tuple[object, ...]]:
    """The expressions over a column x that has the collation, as a column of a table would."""
    from django.db import connection

    source = f"SELECT t.x{collation} AS x, place FROM unnest(%s::text[]) WITH ORDINALITY AS t(x, place)"
    query = f"SELECT {', '.join(expressions)} FROM ({source}) AS r ORDER BY {order}"
    with connection.cursor() as cursor:
        cursor.execute(query, [texts])
        return cursor.fetchall()


def _compare(texts: list[str | None], collation: str) -> None:
    functions = (
        transforms.sql_initial,
        transforms.sql_has_initial,
        transforms.sql_is_present,
        transforms.sql_postcode_district,
    )
    found = _in_sql(texts, [function("x") for function in functions], collation)
    for text, row in zip(texts, found, strict=True):
        letter, district = transforms.initial(text), transforms.postcode_district(text)
        assert row == (letter, letter != "", not transforms.is_blank(text), district), ascii(text)


@pytest.fixture
def collations(db: None) -> list[str]:
    """The collations to try that this server was built with."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT collname FROM pg_collation")
        known = {row[0] for row in cursor.fetchall()}
    return [name for name in COLLATIONS if not name or name.split('"')[1] in known]


def test_sql_agrees_on_any_text_under_any_collation(collations: list[str]) -> None:
    @settings(
        max_examples=100 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(
        texts=st.lists(st.one_of(st.none(), ANY_TEXT, POSTCODE, IDENTIFIER), min_size=5, max_size=40),
        collation=st.sampled_from(collations),
    )
    @example(texts=[*NAMES, *TEXTS], collation=collations[-1])
    def agree(texts: list[str | None], collation: str) -> None:
        _compare(texts, collation)

    agree()


def test_sql_agrees_on_every_letter_capital_and_space(collations: list[str]) -> None:
    """Every assigned character of Unicode once, alone and after white space."""
    points = [
        chr(point)
        for point in range(1, 0x32000)
        if unicodedata.category(chr(point)) not in {"Cs", "Cn", "Co"}
    ]
    _compare([*points, *(f" {char}" for char in transforms.WHITE_SPACE)], collations[-1])


def test_sql_sorts_identifiers_as_python_does(collations: list[str]) -> None:
    @settings(max_examples=60 * FACTOR, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        identifiers=st.lists(st.one_of(ANY_TEXT, IDENTIFIER), min_size=2, max_size=40),
        collation=st.sampled_from(collations),
    )
    @example(identifiers=["7", "007", "10", "9" * 5000, "L9", "L10", "", "é", "z"], collation="")
    def agree(identifiers: list[str], collation: str) -> None:
        order = ", ".join(transforms.sql_identifier_order("x"))
        found = [row[0] for row in _in_sql(list(identifiers), ["x"], collation, order)]
        assert found == sorted(identifiers, key=transforms.identifier_sort_key)

    agree()
