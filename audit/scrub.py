"""What may stand on the trail: ids, counts, codes, dates, hashes, labels of staff and organisations. No free text, no client's name.

Each kind turns a value into what is stored (plain JSON) or raises Unscrubbed. Nothing, None or empty text, is None on the trail.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,79}", re.ASCII)
# A record number has a digit in it and no lower-case run, so that nobody's name passes for one.
_RECORD = re.compile(r"(?=.*[0-9])[A-Z0-9](?:[A-Z0-9/_.-]{0,39})", re.ASCII)
_DATE = re.compile(r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST = 50

Kind = Callable[[Any], Any]


class Unscrubbed(ValueError):
    """A value that may not stand on the trail. The message names the kind, never the value."""


def _refuse(kind: str) -> Unscrubbed:
    return Unscrubbed(f"this is no {kind}, and the trail takes nothing else here")


def record(value: Any) -> str:
    """An id or a record number. Not a date, and not an NHS number: those say who somebody is."""
    if isinstance(value, UUID):
        return str(value)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _UUID.fullmatch(text) or (
        _RECORD.fullmatch(text) and not _DATE.fullmatch(text) and not _is_nhs_number(text)
    ):
        return text
    raise _refuse("id or record number")


def _is_nhs_number(text: str) -> bool:
    """Ten digits, however grouped, of which the last is the check digit (modulus 11)."""
    digits = [int(c) for c in text if c.isdigit()]
    if len(digits) != 10 or any(c.isalpha() for c in text):
        return False
    return (11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11) % 11 == digits[9]


def code(value: Any) -> str:
    """A word of the program: an act, a route, a field, an answer. One word, no spaces."""
    if isinstance(value, str) and _CODE.fullmatch(value):
        return str(value)
    raise _refuse("code")


def count(value: Any) -> int:
    """A whole number from 0 on."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
        return int(value)
    raise _refuse("count")


def flag(value: Any) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise _refuse("yes or no")


def digest(value: Any) -> str:
    """A SHA-256 or a keyed hash, in lower-case hexadecimal digits."""
    if isinstance(value, str) and _HASH.fullmatch(value):
        return value
    raise _refuse("hash of 64 hexadecimal digits")


def date(value: Any) -> str:
    """A date, or an aware instant; stored as ISO 8601."""
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise _refuse("aware instant")
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return date(dt.date.fromisoformat(value))
        except ValueError:
            raise _refuse("date") from None
    raise _refuse("date")


def label(value: Any) -> str:
    """The name of a member of staff, an organisation or a service, or fixed words of the program, as our own tables and code have them:
    one line, at most 120 characters and 12 words. Nothing that somebody wrote about a client."""
    if isinstance(value, str) and 0 < len(value) <= 120 and value.isprintable() and len(value.split()) <= 12:
        return str(value)
    raise _refuse("label")


def several(kind: Kind) -> Kind:
    """Some values of a kind, in their order, at most 50."""

    def scrub(values: Any) -> list[Any]:
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise _refuse("list")
        found = [kind(value) for value in values]
        if len(found) > _MOST:
            raise _refuse(f"list of at most {_MOST}")
        return found

    return scrub


def counts(value: Any) -> dict[str, int]:
    """Counts by code: how many of what."""
    if not isinstance(value, Mapping) or len(value) > _MOST:
        raise _refuse("table of counts")
    return {code(name): count(number) for name, number in value.items()}


def plain_line(value: str, length: int) -> str:
    """A label that comes from our own tables (a person's full name): control characters out, cut to the column."""
    return "".join(c for c in value if c.isprintable())[:length]
