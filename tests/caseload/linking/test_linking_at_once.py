"""Two organisations that act at the same moment: nobody waits in a circle, both records are equal, and what is done twice is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from audit.models import AuditEvent
from caseload.recorded import Stale
from tests.caseload.linking.two_sides import Side, linked, sides

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], object]) -> None:
    """Run each in a thread of its own, all from one moment on. Raises what one of them raised."""
    start, failed = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait(10)
            job()
        except BaseException as error:  # noqa: BLE001  # handed to the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failed:
        raise failed[0]


def changes(side: Side, *values: str) -> Callable[[], None]:
    """A side that changes the same field again and again; what another saved meanwhile is looked at and changed anew."""

    def run() -> None:
        for value in values:
            while True:
                try:
                    side.change(phone=value)
                    break
                except Stale:
                    continue

    return run


def test_both_change_the_same_at_once_and_end_equal() -> None:
    mill, hope = linked("mill", "hope")
    at_once(changes(mill, *(f"1{n}" for n in range(6))), changes(hope, *(f"2{n}" for n in range(6))))
    assert mill.value("phone") == hope.value("phone") in {"15", "25"}


def test_two_people_agree_at_once_and_it_is_linked_once() -> None:
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    pk = hope.open_side().pk
    from caseload.services import linking

    def agree() -> None:
        with hope.managing():
            linking.answer(
                pk=pk, agreed=True, acting_user=hope.manager, organisation_name=hope.organisation.name
            )

    at_once(agree, agree)
    assert mill.person() == hope.person()
    with hope.acting():
        assert AuditEvent.objects.filter(name="caseload.client.linked").count() == 1


def test_one_unlinks_while_the_other_changes() -> None:
    mill, hope = linked("mill", "hope")
    at_once(mill.unlink, changes(hope, "31", "32", "33"))
    assert mill.person() != hope.person() and hope.value("phone") == "33"
    assert mill.value("phone") in {"0100", "31", "32", "33"}, "the last copy, whatever it was"
