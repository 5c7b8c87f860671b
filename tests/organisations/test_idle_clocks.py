"""When a sign-in is over, to the second: fifteen minutes without use, twelve hours in any case."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from edatrs.core import clock
from edatrs.organisations import idle

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
MINUTE = 60.0


@pytest.mark.parametrize(
    ("signed_in", "seen", "over"),
    [
        (15 * MINUTE - 1, 15 * MINUTE - 1, ""),
        (15 * MINUTE, 15 * MINUTE, idle.IDLE),
        (12 * 60 * MINUTE - 1, 1, ""),
        (12 * 60 * MINUTE, 1, idle.LONG),
    ],
)
def test_a_sign_in_is_over_when_its_time_is(signed_in: float, seen: float, over: str) -> None:
    ago = NOW.timestamp()
    request: Any = SimpleNamespace(session={idle.SIGNED_IN_AT: ago - signed_in, idle.SEEN_AT: ago - seen})
    with clock.frozen(NOW):
        assert idle._over(request) == over
