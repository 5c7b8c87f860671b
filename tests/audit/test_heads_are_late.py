"""When no signed head has left for more than half an hour the page says so, although nothing ran."""

from __future__ import annotations

import datetime as dt

import pytest

from audit.selectors import heads_state
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from tests.audit.outside import sign
from tests.factories.audit import record_events
from tests.factories.organisations import make_organisation

NINE = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


@pytest.mark.django_db(transaction=True)
def test_after_half_an_hour_without_a_signed_head_it_is_late() -> None:
    here = make_organisation()
    record_events(here.pk, 2)
    with clock.frozen(NINE):
        sign()
    for minutes, late in ((0, False), (30, False), (31, True)):
        with (
            clock.frozen(NINE + dt.timedelta(minutes=minutes)),
            open_scope(actor=Actor.PERSON, organisation_id=here.pk),
        ):
            assert heads_state().late is late, minutes
