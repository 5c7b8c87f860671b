"""Search tokens: what a client can be found by, and what somebody typed, as the same words (design section 4).

Search is equality on a narrow table, because row security keeps an index from being used for `LIKE`; so everything that shall match
is made equal here: case, accents and script, sound, order of names, day and month swapped.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import jellyfish
from anyascii import anyascii

from caseload.dataset.transforms import postcode_district
from edatrs.core import clock

LONGEST = 200
MOST_WORDS = 8
_WORDS = re.compile(r"[a-z]+")
_DATE = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})")
_NHS_NUMBER = re.compile(r"\d{3}[ -]?\d{3}[ -]?\d{4}")
_POSTCODE = re.compile(r"[a-z]{1,2}[0-9][0-9a-z]? ?[0-9][a-z]{2}", re.IGNORECASE)


class Kind(StrEnum):
    """What a token is of; the order is that in which reasons are told."""

    CLIENT_ID = "client_id"
    NHS_NUMBER = "nhs_number"
    NAME = "name"
    EARLIER_NAME = "earlier_name"
    SOUND = "sound"
    BORN = "born"
    BORN_SWAPPED = "born_swapped"
    POSTCODE = "postcode"


WORDS = {
    Kind.CLIENT_ID: "Client ID",
    Kind.NHS_NUMBER: "NHS number",
    Kind.NAME: "Name",
    Kind.EARLIER_NAME: "Earlier name",
    Kind.SOUND: "Sounds alike",
    Kind.BORN: "Date of birth",
    Kind.BORN_SWAPPED: "Date of birth with day and month swapped",
    Kind.POSTCODE: "Postcode",
}


def stored_as(kind: Kind) -> Kind:
    """The kind in the table: a date of birth stands there once, and what was typed is swapped."""
    return Kind.BORN if kind is Kind.BORN_SWAPPED else kind


@dataclass(frozen=True, slots=True)
class Token:
    """One thing a client is found by."""

    kind: Kind
    text: str


def name_words(name: str) -> list[str]:
    """The words of a name, plain lower-case letters: Ó Briain → o, briain; Łukasz → lukasz; 李 → li."""
    return _WORDS.findall(anyascii(name).lower().replace("'", "").replace("-", " "))


def sounds(word: str) -> str:
    """How a word sounds, or '' when that says too little."""
    sound = jellyfish.metaphone(word)
    return sound if len(sound) > 1 else ""


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(c for c in text if c.isascii() and c.isdigit())


def swapped(day: dt.date) -> dt.date | None:
    """The date with day and month in each other's place, when that is another date of the calendar."""
    if day.day > 12 or day.day == day.month:
        return None
    return dt.date(day.year, day.day, day.month)


def tokens_of_client(
    *,
    names: Iterable[str],
    earlier_names: Iterable[str],
    born: dt.date | None,
    nhs_number: str,
    postcode: str,
    client_ids: Iterable[str],
) -> set[Token]:
    """Everything a client can be found by."""
    found: set[Token] = set()
    now = {word for name in names for word in name_words(name)}
    before = {word for name in earlier_names for word in name_words(name)} - now
    found |= {Token(Kind.NAME, word) for word in now}
    found |= {Token(Kind.EARLIER_NAME, word) for word in before}
    found |= {Token(Kind.SOUND, sound) for word in now | before if (sound := sounds(word))}
    if born:
        found.add(Token(Kind.BORN, born.isoformat()))
    if len(digits(nhs_number)) == 10:
        found.add(Token(Kind.NHS_NUMBER, digits(nhs_number)))
    if postcode.strip():
        found |= {
            Token(Kind.POSTCODE, text)
            for text in (_joined(postcode), postcode_district(postcode).lower())
            if text
        }
    found |= {Token(Kind.CLIENT_ID, text.strip().lower()) for text in client_ids if text.strip()}
    return found


def _joined(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


@dataclass(frozen=True, slots=True)
class Asked:
    """One part of what was typed: a client must match one of the alternatives of every part."""

    typed: str
    alternatives: tuple[Token, ...]


def read_query(text: str) -> list[Asked]:
    """What was typed, part by part, in any order. A part that says nothing is left out; nothing typed gives nothing."""
    rest = f" {text[:LONGEST].strip()} "
    parts: list[Asked] = []
    for pattern, reader in ((_DATE, _date_part), (_NHS_NUMBER, _nhs_part), (_POSTCODE, _postcode_part)):
        for match in pattern.finditer(rest):
            part = reader(match[0])
            if part is not None:
                parts.append(part)
                rest = rest.replace(match[0], " ")
    for piece in rest.split()[:MOST_WORDS]:
        part = _word_part(piece.strip(",;"))
        if part is not None:
            parts.append(part)
    return parts


def read_date(text: str) -> dt.date | None:
    """A date as people type it: day first, or the year first."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return None
    one, two, three = (int(part) for part in match.groups())
    year, month, day = (one, two, three) if len(match[1]) == 4 else (three, two, one)
    if year < 100:
        year += 1900 if 2000 + year > clock.today().year else 2000
    try:
        return dt.date(year, month, day)
    except ValueError:
        try:
            return dt.date(year, day, month)
        except ValueError:
            return None


def _date_part(text: str) -> Asked | None:
    born = read_date(text)
    if born is None:
        return None
    other = swapped(born)
    alternatives = [Token(Kind.BORN, born.isoformat())]
    if other:
        alternatives.append(Token(Kind.BORN_SWAPPED, other.isoformat()))
    return Asked(text.strip(), tuple(alternatives))


def _nhs_part(text: str) -> Asked:
    return Asked(
        text.strip(), (Token(Kind.NHS_NUMBER, digits(text)), Token(Kind.CLIENT_ID, text.strip().lower()))
    )


def _postcode_part(text: str) -> Asked:
    return Asked(
        text.strip(), (Token(Kind.POSTCODE, _joined(text)), Token(Kind.CLIENT_ID, text.strip().lower()))
    )


def _word_part(piece: str) -> Asked | None:
    if not piece:
        return None
    alternatives = [Token(Kind.CLIENT_ID, piece.lower())]
    if any(c.isdigit() for c in piece):
        alternatives.append(Token(Kind.POSTCODE, _joined(piece)))
    for word in name_words(piece):
        alternatives += [Token(Kind.NAME, word), Token(Kind.EARLIER_NAME, word)]
        if sound := sounds(word):
            alternatives.append(Token(Kind.SOUND, sound))
    return Asked(piece, tuple(dict.fromkeys(alternatives)))
