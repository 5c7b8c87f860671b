"""Reading: the own chain, page by page, and every read is itself on it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.events import UnknownEvent
from audit.models import AuditEvent
from audit.scrub import Unscrubbed
from audit.selectors import TrailPage, events_for_subject, search
from edatrs.core import clock
from edatrs.core.scope import Actor, ScopeMissing, open_scope
from edatrs.core.trail import record

pytestmark = pytest.mark.django_db
CLIENT, ANNA, SAM = uuid4(), uuid4(), uuid4()
MIDNIGHT = dt.datetime(2026, 4, 5, 23, 0, tzinfo=dt.UTC)  # 6 April 00:00 in London


@pytest.fixture
def organisation() -> UUID:
    """Ten entries about one client by two people on two days, and one about another client elsewhere."""
    made = uuid4()
    for number in range(10):
        with (
            clock.frozen(MIDNIGHT + dt.timedelta(minutes=5 - number)),
            open_scope(actor=Actor.PERSON, organisation_id=made, person_id=SAM if number % 2 else ANNA),
        ):
            record("caseload.client.changed" if number == 3 else "caseload.client.viewed", subject=CLIENT)
    with open_scope(actor=Actor.PERSON, organisation_id=uuid4(), person_id=ANNA):
        record("caseload.client.viewed", subject=CLIENT)
    return made


def numbers(page: TrailPage) -> list[int]:
    return [entry.sequence for entry in page.entries]


def test_who_looked_at_a_record_in_the_own_organisation_only(organisation: UUID) -> None:
    with open_scope(actor=Actor.PERSON, organisation_id=organisation, person_id=SAM):
        page = events_for_subject(CLIENT)
        assert numbers(page) == list(range(10, 0, -1)) and page.older is None
        assert {entry.chain for entry in page.entries} == {organisation}
        assert events_for_subject(uuid4()).entries == []


def test_pages_by_key_meet_every_entry_once_also_while_others_write(organisation: UUID) -> None:
    seen: list[int] = []
    before = None
    while True:
        with open_scope(actor=Actor.PERSON, organisation_id=organisation):
            page = events_for_subject(CLIENT, before=before, limit=4)
            record("caseload.client.viewed", subject=CLIENT)
        seen += numbers(page)
        if page.older is None:
            break
        before = page.older
    assert seen == list(range(10, 0, -1))
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        assert search(name="caseload.client.changed", limit=1).older is None, "no page after the last"


def test_by_event_person_and_dates_in_london(organisation: UUID) -> None:
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        assert numbers(search(name="caseload.client.changed")) == [4]
        assert numbers(search(actor_id=SAM)) == [10, 8, 6, 4, 2]
        sixth, fifth = dt.date(2026, 4, 6), dt.date(2026, 4, 5)
        assert numbers(search(since=sixth)) == [6, 5, 4, 3, 2, 1]
        assert numbers(search(until=fifth)) == [10, 9, 8, 7]
        assert numbers(search(since=fifth, until=sixth, actor_id=ANNA)) == [9, 7, 5, 3, 1]
        assert numbers(search()) == list(range(10, 0, -1))


def test_every_read_is_on_the_trail_with_what_was_asked(organisation: UUID) -> None:
    with open_scope(actor=Actor.PERSON, organisation_id=organisation, person_id=ANNA):
        events_for_subject(CLIENT, limit=3)
        search(name="caseload.client.viewed", actor_id=SAM, since=dt.date(2026, 4, 6), before=9)
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        second, first = AuditEvent.objects.filter(name="audit.trail_read")
    assert (first.subject, first.details, first.actor_id) == (
        str(CLIENT),
        {"rows": 3},
        ANNA,
    )
    assert second.details == {
        "name": "caseload.client.viewed",
        "actor": str(SAM),
        "since": "2026-04-06",
        "before": 9,
        "rows": 2,
    }


def test_what_is_no_event_or_no_id_is_never_looked_for(organisation: UUID) -> None:
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        with pytest.raises(UnknownEvent):
            search(name="Anna Bell")
        with pytest.raises(Unscrubbed):
            events_for_subject("Anna Bell")


def test_without_an_organisation_nothing_can_be_read() -> None:
    with pytest.raises(ScopeMissing):
        events_for_subject(CLIENT)
    with open_scope(actor=Actor.PERSON), pytest.raises(ScopeMissing):
        search()


def test_a_page_is_one_query_however_many_entries(organisation: UUID) -> None:
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        for limit in (1, 10):
            with CaptureQueriesContext(connection) as queries:
                page = search(limit=limit)
                assert [entry.actor_label for entry in page.entries] == [""] * limit
            assert len(queries) == 1
