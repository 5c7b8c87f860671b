"""Fixtures of the consent tests."""

from __future__ import annotations

import pytest

from tests.factories.consent_desk import Desk, make_desk


@pytest.fixture
def desk() -> Desk:
    return make_desk()
