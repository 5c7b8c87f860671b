"""The timeline of a client: what happened, newest first, gathered from every app through `edatrs.core.registry.timeline`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from edatrs.core import access, registry
from edatrs.core.clock import LONDON

PAGE = 40


@dataclass(frozen=True)
class Entry:
    """Something that happened on a day, or at an instant. `key` is unlike that of any other entry of the client and holds no name."""

    key: str
    on: dt.date
    title: str
    lines: tuple[str, ...] = ()
    by: str = ""
    at: dt.datetime | None = None
    url: str = ""
    link: str = ""

    @property
    def place(self) -> tuple[dt.date, dt.datetime, str]:
        """Sorts the timeline: within a day, what has a time comes after what has none."""
        midnight = dt.datetime.combine(self.on, dt.time(), tzinfo=LONDON)
        return (self.on, self.at or midnight, self.key)

    @property
    def token(self) -> str:
        """How an address names it."""
        return f"{self.on.isoformat()}~{self.key}"


@dataclass(frozen=True)
class Source:
    """A kind of entry: the words of its filter, the act and category one needs, and what finds all of a client.

    `find` takes the client and the slug of the organisation, and costs a fixed number of queries.
    """

    words: str
    find: Callable[[Any, str], Iterable[Entry]]
    act: str = "client.view"
    category: str = ""


@dataclass(frozen=True)
class Page:
    """A page of the timeline, each entry with its kind; `more` is the token to go on from, '' at the end."""

    rows: list[tuple[str, Entry]]
    more: str


def sources() -> dict[str, Source]:
    """The kinds that the roles may see."""
    return {key: source for key, source in registry.timeline if access.may(source.act, source.category)}


def page(client: Any, slug: str, *, kinds: Iterable[str] = (), before: str = "", limit: int = PAGE) -> Page:
    """A page, newest first, by key and never by offset: what is added meanwhile moves nothing. Unknown kinds count for nothing."""
    wanted = set(kinds)
    rows = [
        (key, entry)
        for key, source in sources().items()
        if not wanted or key in wanted
        for entry in source.find(client, slug)
    ]
    rows.sort(key=lambda row: row[1].place, reverse=True)
    if before:
        rows = _after(rows, before)
    found = rows[:limit]
    return Page(found, found[-1][1].token if len(rows) > limit else "")


def _after(rows: list[tuple[str, Entry]], before: str) -> list[tuple[str, Entry]]:
    """What comes after the entry of a token; where that entry is gone, what is older than its day."""
    for number, (_, entry) in enumerate(rows):
        if entry.token == before:
            return rows[number + 1 :]
    day = before.partition("~")[0]
    return [row for row in rows if row[1].on.isoformat() < day]
