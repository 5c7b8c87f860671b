"""What time it is, from one place.

Rules take dates as arguments; what needs "now" asks here. In a scope the answer is the database's clock as read when the scope was
opened, so that everything done in one act happened at one instant. Tests set it with `frozen`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_frozen: ContextVar[dt.datetime | None] = ContextVar("edatrs_frozen_clock", default=None)


def frozen_at() -> dt.datetime | None:
    """The instant a test has set, or None when the clock runs."""
    return _frozen.get()


def now() -> dt.datetime:
    """The current instant, aware, UTC: the scope's where one is open, else the machine's."""
    from edatrs.core.scope import (
        scope_or_none,
    )  # the scope reads the clock of the database and so imports this module

    fixed = _frozen.get()
    if fixed is not None:
        return fixed
    scope = scope_or_none()
    return scope.now if scope is not None else dt.datetime.now(dt.UTC)


def london_date(instant: dt.datetime) -> dt.date:
    """The calendar date in London at an aware instant."""
    return instant.astimezone(LONDON).date()


def today() -> dt.date:
    """Today's date in London."""
    return london_date(now())


@contextmanager
def frozen(instant: dt.datetime) -> Iterator[None]:
    """Hold the clock at an aware instant, for a test; scopes opened inside carry it to the database as `app.now`."""
    if instant.tzinfo is None:
        raise ValueError("frozen() takes an aware instant")
    token = _frozen.set(instant.astimezone(dt.UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
