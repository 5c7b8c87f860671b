"""Fixtures of these tests."""

from __future__ import annotations

import pytest

from tests.consent.referrals.handing import Handing


@pytest.fixture
def handing() -> Handing:
    return Handing()
