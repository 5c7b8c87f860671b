"""The rows of one client, each kind read once a page: the overview, its panels and the timeline ask here for the same lists.

In a request that only reads they are remembered for the length of its scope (`edatrs.core.scope.remembered`); in any other each call reads
afresh. The lists are shared: nobody changes them or what is in them. They cost one query each, the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F

from caseload.models import (
    Allocation,
    ClientMerge,
    ConfidentialityExplained,
    Episode,
    EpisodeClosing,
)
from caseload.record import LISTS
from edatrs.core.scope import remembered


def _once(kind: str, client_id: UUID, make: Callable[[], Any]) -> Sequence[Any]:
    return remembered((kind, client_id), lambda: tuple(make()))


def episodes(client_id: UUID) -> Sequence[Episode]:
    """The episodes in use with service, registration and what NDTMS would refuse, the newest first."""

    def find() -> Any:
        rows = Episode.objects.filter(client_id=client_id, voided_at__isnull=True)
        return rows.select_related("service", "registration", "quality").order_by(
            "-referred_on", "-episode_id"
        )

    return _once("episodes", client_id, find)


def _by_episode(model: Any, client_id: UUID) -> Any:
    """The rows of a client that hang on episodes, found by the index of their episode: they have none by client."""
    known = Episode.objects.filter(client_id=client_id).values("pk")
    return model.objects.filter(client_id=client_id, episode_id__in=known)


def entries(client_id: UUID, name: str) -> Sequence[Any]:
    """The entries in use of a list of `record.LISTS`, of all episodes (those not in use too): the newest first, undated ones last."""

    def find() -> Any:
        place = LISTS[name]
        rows = _by_episode(place.model, client_id).filter(voided_at__isnull=True)
        return rows.order_by(F(place.date_field).desc(nulls_last=True), "identifier")

    return _once(name, client_id, find)


def entries_in_use(client_id: UUID, name: str) -> list[Any]:
    """Those of them whose episode is in use."""
    known = {episode.pk for episode in episodes(client_id)}
    return [row for row in entries(client_id, name) if row.episode_id in known]


def confidentiality(client_id: UUID) -> Sequence[ConfidentialityExplained]:
    """What was explained, of all episodes, in the order of recording."""

    def find() -> Any:
        return _by_episode(ConfidentialityExplained, client_id).order_by("recorded_at", "pk")

    return _once("confidentiality", client_id, find)


def closings(client_id: UUID) -> Sequence[EpisodeClosing]:
    """When episodes were closed and opened again, of all episodes, the newest first."""

    def find() -> Any:
        return _by_episode(EpisodeClosing, client_id).order_by("-recorded_at", "-pk")

    return _once("closings", client_id, find)


def allocations(client_id: UUID) -> Sequence[Allocation]:
    """Who ever worked with them, the one that began last first."""

    def find() -> Any:
        rows = Allocation.objects.filter(client_id=client_id).select_related("keyworker")
        return rows.order_by("-valid_from", "-created_at", "-pk")

    return _once("allocations", client_id, find)


def merged_in(client_id: UUID) -> Sequence[ClientMerge]:
    """The merges of other records into this one, undone ones too, the oldest first."""

    def find() -> Any:
        rows = ClientMerge.objects.filter(survivor_id=client_id).select_related("client")
        return rows.order_by("merged_at", "pk")

    return _once("merges", client_id, find)
