"""What a test that commits leaves behind is gone before the next, as Django's own `flush` would leave it, only sooner."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests import database
from tests.access.world import make_side

EVERY_TABLE = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1"


def _filled() -> dict[str, list[Any]]:
    """The tables with rows, and what names the models."""
    with database.superuser() as admin:
        tables = [row[0] for row in admin.execute(EVERY_TABLE)]
        held = dict.fromkeys(database.holding_rows(admin, tables), [])
        held["names"] = admin.execute(
            "SELECT app_label, model FROM django_content_type ORDER BY 1, 2"
        ).fetchall()
        held["rights"] = admin.execute("SELECT codename FROM auth_permission ORDER BY 1").fetchall()
    return held


@pytest.mark.django_db(transaction=True)
def test_what_is_left_is_what_flush_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []
    for empty in (
        lambda: call_command("flush", verbosity=0, interactive=False, reset_sequences=False),
        database.empty_database,
        lambda: monkeypatch.setattr(database, "BLOATED", 0) or database.empty_database(),
    ):
        make_side("some-side", "CANARYSOME")
        connection.close()
        assert {"caseload_client", "organisations_user"} <= _filled().keys()
        empty()
        left.append(_filled())
    assert left[0] == left[1] == left[2]
    assert "caseload_client" not in left[0] and left[0]["names"]


@pytest.mark.django_db
def test_the_keys_of_two_tables_are_never_alike() -> None:
    """A test that looks for a foreign row's key finds no other row's."""
    with database.superuser() as admin:
        reached = admin.execute(
            "SELECT sequencename, coalesce(last_value, start_value) FROM pg_sequences WHERE schemaname = 'public' ORDER BY 2"
        ).fetchall()
    ranges = [int(last) // database.APART for _, last in reached]
    assert len(ranges) > 10 and len(set(ranges)) == len(ranges) and ranges[0] > 0, reached
