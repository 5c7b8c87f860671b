"""Row security by itself: to an organisation on no side of a row it shows nothing, in any table. Said in SQL, past the managers."""

from __future__ import annotations

import pytest

from edatrs.core.database_lint import tenant_tables
from tests.core.world import acting_for, fill, rows_in
from tests.factories.organisations import make_organisation


@pytest.mark.django_db
def test_no_policy_shows_a_row_to_who_is_on_no_side_of_it() -> None:
    one, stranger = make_organisation(), make_organisation()
    fill(one)
    tables = sorted(tenant_tables())
    with acting_for(stranger):
        assert {table: number for table, number in rows_in(tables).items() if number} == {}
    with acting_for(one):
        assert [table for table, number in rows_in(tables).items() if not number] == [], (
            "or the test is blind there"
        )
