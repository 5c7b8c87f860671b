"""What the extract derives from a recorded text, each once in Python and once as SQL text (contract sections 2 and 5).

The SQL gives the same on PostgreSQL 15 to 18 whatever the database's collation: PostgreSQL's own idea of a letter, of
upper case and of order changes with collation provider and version, so the letters, their capitals and the white space
are written into the SQL from this interpreter's Unicode tables, and order is by COLLATE "C". The encoding must be
UTF-8.

Every `sql_` function takes the SQL text of one text expression (a column, or anything that can stand in brackets,
without a COLLATE of its own) and gives SQL without a per cent sign of its own, fit for a statement with parameters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# What `str.isspace` knows, and the invisible characters that copying from a web page or a document leaves behind.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
WHITE_SPACE = "".join(chr(point) for point in range(0x3001) if chr(point).isspace()) + _INVISIBLE
# Letters live in the first four planes of Unicode; the rest is private use or not assigned.
_LAST_POINT = 0x3FFFF
_DISTRICT_LENGTH = 4
_INWARD_LENGTH = 3
_ASCII_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def initial(name: str | None) -> str:
    """The first letter of a name, upper case, accent kept (`Ł`, `Ó`); '' when there is no letter (contract section 5).

    What stands before the first letter (spaces, apostrophes, digits) is passed over. An initial is its own initial.
    A name in decomposed Unicode gives the bare letter: normalising is the importer's business.
    """
    found = _letter_pattern().search(name or "")
    return _capitals().get(found[0], found[0]) if found else ""


def sql_initial(expression: str) -> str:
    """SQL of `initial`: text, never NULL."""
    first = f'left(({expression}), 1) COLLATE "C"'
    small, capital = (_literal("".join(part)) for part in zip(*_capitals().items(), strict=True))
    letter = f'substring(({expression}) COLLATE "C" from {_literal(_letter_class())})'
    # The first two branches decide nearly every name without the long tables.
    return (
        f"(CASE WHEN {first} BETWEEN 'A' AND 'Z' THEN left(({expression}), 1)"
        f" WHEN {first} BETWEEN 'a' AND 'z' THEN upper({first})"
        f" ELSE COALESCE(translate({letter}, {small}, {capital}), '') END)"
    )


def sql_has_initial(expression: str) -> str:
    """SQL condition: `initial` is not ''. True or false, never NULL."""
    first = f'left(({expression}), 1) COLLATE "C"'
    return (
        f"(CASE WHEN {first} BETWEEN 'A' AND 'Z' OR {first} BETWEEN 'a' AND 'z' THEN TRUE"
        f' ELSE COALESCE(({expression}) COLLATE "C" ~ {_literal(_letter_class())}, FALSE) END)'
    )


def is_blank(text: str | None) -> bool:
    """Whether nothing visible was recorded: None, '' or white space only."""
    return not text or not text.strip(WHITE_SPACE)


def sql_is_present(expression: str) -> str:
    """SQL condition: not `is_blank`. True or false, never NULL."""
    # The first test decides nearly every value; ascii() gives the code point of the first character, 0 for ''.
    trimmed = f"btrim(({expression}), {_literal(WHITE_SPACE)})"
    return f"COALESCE(ascii({expression}) BETWEEN 33 AND 126 OR {trimmed} <> '', FALSE)"


def postcode_district(postcode: str | None) -> str:
    """The first part of a postcode, upper case; '' when there is none (contract section 5).

    White space of any kind ends the first part. Without any, the last three characters go if there are more than four;
    so they do from a longer first part (`CM11QH Chelmsford`), because a full postcode must never leave.
    """
    parts = re.split(f"[{WHITE_SPACE}]+", (postcode or "").strip(WHITE_SPACE))
    first = parts[0].translate(_ASCII_UPPER)
    return first[:-_INWARD_LENGTH] if len(first) > _DISTRICT_LENGTH else first


def sql_postcode_district(expression: str) -> str:
    """SQL of `postcode_district`: text, never NULL."""
    value = f'({expression}) COLLATE "C"'
    first = f"substring({value} from {_literal(f'[^{WHITE_SPACE}]+')})"
    # The first branch decides nearly every postcode without the long class. In C collation upper() knows ASCII only.
    return (
        f"(CASE WHEN {value} ~ '^[A-Za-z0-9]{{1,{_DISTRICT_LENGTH}}} ' THEN upper(split_part({value}, ' ', 1))"
        f" WHEN char_length({first}) > {_DISTRICT_LENGTH} THEN upper(left({first}, -{_INWARD_LENGTH}))"
        f" ELSE COALESCE(upper({first}), '') END)"
    )


def identifier_sort_key(identifier: str) -> tuple[str, str]:
    """Key that orders identifiers: those of ASCII digits as numbers, before all others (contract section 2).

    Equal numbers (`7` and `007`) and all others stand in order of their text by code point.
    """
    if identifier.isascii() and identifier.isdigit():
        # Length, then digits: the order of numbers without making one, however long it is.
        digits = identifier.lstrip("0")
        return f"0{len(digits):010d}{digits}", identifier
    return f"1{identifier}", identifier


def sql_identifier_order(expression: str) -> list[str]:
    """ORDER BY terms of `identifier_sort_key`, in order. An identifier that is NULL stands where '' does."""
    text = f"COALESCE(({expression}), '')"
    digits = f"ltrim({text}, '0')"
    key = (
        f"(CASE WHEN {text} COLLATE \"C\" ~ '^[0-9]+$'"
        f" THEN '0' || lpad(char_length({digits})::text, 10, '0') || {digits} ELSE '1' || {text} END)"
    )
    return [f'{key} COLLATE "C"', f'{text} COLLATE "C"']


@cache
def _letter_class() -> str:
    """A regular expression's class of all letters. It also spans points not yet assigned between two letters."""
    ranges: list[list[int]] = []
    joined = False
    for point in range(_LAST_POINT + 1):
        category = unicodedata.category(chr(point))
        if category[0] == "L":
            if joined:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
            joined = True
        elif category != "Cn":
            joined = False
    return "[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges) + "]"


@cache
def _letter_pattern() -> re.Pattern[str]:
    return re.compile(_letter_class())


@cache
def _capitals() -> dict[str, str]:
    """Letter to capital, where the capital is another single character (so `ß` stays as it is)."""
    letters = (chr(point) for point in range(_LAST_POINT + 1))
    return {small: small.upper() for small in letters if len(small.upper()) == 1 and small.upper() != small}


def _literal(text: str) -> str:
    """A SQL string with control and format characters escaped, so that a statement can be read and logged."""
    plain = (char if char.isprintable() and char not in "\\'" else f"\\u{ord(char):04x}" for char in text)
    return "E'" + "".join(plain) + "'"
