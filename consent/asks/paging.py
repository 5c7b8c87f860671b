"""Long lists a page at a time: by the number of the last row, never by offset, so that a new row moves nothing."""

from __future__ import annotations

from typing import Any


def by_number(rows: Any, before: str, size: int) -> tuple[list[Any], str]:
    """The newest `size` rows below the number `before` (empty: the newest of all), and what to ask the next page with, empty at the end.

    What is no number asks for the newest: it can only come from an address that somebody wrote by hand.
    """
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(number__lt=int(before))
    some = list(rows.order_by("-number", "-pk")[: size + 1])
    return some[:size], str(some[size - 1].number) if len(some) > size else ""
