"""Everything here, while others write: no yes is left that was recorded before the wish (O-135, O-140)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from caseload.models import Episode
from consent import services
from consent.choices import Wish
from consent.models import ConsentAct
from consent.withdrawn import still_at_yes
from edatrs.core import clock
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.consent_desk import Desk, agree, make_desk

pytestmark = pytest.mark.django_db(transaction=True)


def begin(job: Callable[[], Any]) -> tuple[threading.Thread, list[BaseException]]:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # handed to the test
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failed


def withdraw_all(desk: Desk) -> None:
    """Whoever has no page: everything that is there when it is their turn."""
    with acting_for(desk.organisation):
        services.lock_client(desk.client.pk)
        episodes = Episode.objects.filter(client=desk.client).exclude(consent="N")
        services.withdraw(
            client=desk.client,
            chosen=set(episodes.values_list("pk", flat=True)),
            decided_on=clock.today(),
            method="oral",
            statement_version="1",
            left_out_reason="",
            acting_user=desk.worker,
            wish=Wish.ALL_HERE,
        )


def yes(desk: Desk, episode: Episode) -> None:
    services.record_ndtms_decision(
        episode=episode,
        decision="Y",
        decided_on=clock.today(),
        method="oral",
        statement_version="1",
        statement_said=True,
        leaflet_given=True,
        questions_answered=True,
        acting_user=desk.worker,
    )


def left_behind(desk: Desk) -> list[str]:
    """The yeses in force that were recorded before the wish."""
    with acting_for(desk.organisation):
        wish = ConsentAct.objects.filter(wish=Wish.ALL_HERE).order_by("sequence").first()
        assert wish is not None
        found = []
        for episode in Episode.objects.filter(client=desk.client, consent="Y"):
            last = ConsentAct.objects.filter(episode=episode).order_by("-decided_on", "-sequence").first()
            if last is None or last.sequence < wish.sequence:
                found.append(episode.episode_id)
        return found + [e.episode_id for e in still_at_yes(desk.episode.service_id)]


def test_a_yes_on_an_episode_that_is_being_added_is_withdrawn_too() -> None:
    """The episode and its yes are written and not yet committed when the withdrawal begins: it waits for them."""
    desk = make_desk()
    agree(desk, desk.episode)
    written, go = threading.Event(), threading.Event()

    def adds() -> None:
        with acting_for(desk.organisation), transaction.atomic():
            yes(desk, make_episode(registration=desk.episode.registration, referred_on=dt.date(2026, 1, 2)))
            written.set()
            assert go.wait(20)

    adding, failed = begin(adds)
    assert written.wait(20)
    withdrawing, failed_too = begin(lambda: withdraw_all(desk))
    withdrawing.join(0.7)
    waits = withdrawing.is_alive()
    go.set()
    adding.join(30)
    withdrawing.join(30)
    assert not failed and not failed_too
    assert left_behind(desk) == []
    assert waits, "it did not wait for the episode that was being added"
    with acting_for(desk.organisation):
        assert Episode.objects.filter(consent="N").count() == 2


def test_a_withdrawal_and_many_writers_at_once_leave_no_yes_behind() -> None:
    """Forty withdrawals of forty clients, each beside three who add an episode or record a yes at the same moment."""
    left: dict[int, list[str]] = {}
    for number in range(40):
        desk = make_desk()
        agree(desk, desk.episode)
        with acting_for(desk.organisation):
            unasked = make_episode(registration=desk.episode.registration, referred_on=dt.date(2025, 3, 3))
        start = threading.Barrier(4)

        def adds(desk: Desk = desk, start: threading.Barrier = start) -> None:
            start.wait(20)
            with acting_for(desk.organisation), transaction.atomic():
                yes(
                    desk,
                    make_episode(registration=desk.episode.registration, referred_on=dt.date(2026, 1, 2)),
                )

        def says(episode: Episode, desk: Desk = desk, start: threading.Barrier = start) -> None:
            start.wait(20)
            with acting_for(desk.organisation):
                yes(desk, episode)

        def takes(desk: Desk = desk, start: threading.Barrier = start) -> None:
            start.wait(20)
            withdraw_all(desk)

        running = [
            begin(adds),
            begin(lambda e=unasked, s=says: s(e)),  # type: ignore[misc]  # bound now
            begin(lambda e=desk.episode, s=says: s(e)),  # type: ignore[misc]  # bound now
            begin(takes),
        ]
        for thread, _ in running:
            thread.join(60)
        assert not [error for _, failed in running for error in failed]
        if found := left_behind(desk):
            left[number] = found
    assert left == {}
