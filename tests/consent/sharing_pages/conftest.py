"""Fixtures of these tests."""

from __future__ import annotations

import pytest

from tests.consent.sharing_pages.sharing_desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
