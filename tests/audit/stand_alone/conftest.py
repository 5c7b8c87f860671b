"""Fixtures of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.stand_alone.place import Place


@pytest.fixture
def place(transactional_db: None, tmp_path: Path) -> Place:
    return Place(tmp_path)
