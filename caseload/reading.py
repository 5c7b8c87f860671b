"""Episodes as the rules read them in Python: a mapping from CSV header to value, the lists inside (`dataset.rules.scope.Record`)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from caseload.dataset.reader import Item
from caseload.dataset.rules import Record
from caseload.dataset.rules.scope import BESIDE
from caseload.models import ClientItems, Episode, EpisodeItems, Registration
from caseload.record import LISTS, Place, list_of, place_of, recorded_items


def records_of(episode_ids: Iterable[UUID]) -> dict[UUID, Record]:
    """The records of some episodes by id; what is not recorded is not in them. Nine queries, however many episodes.

    FINITIAL and SINITIAL hold the names, dates are dates, all else is the text as recorded.
    """
    rows = {
        e.pk: e
        for e in Episode.objects.filter(pk__in=list(episode_ids)).select_related(
            "registration", "client__clientidentity", "client__clientequality", "client__clientdisability"
        )
    }
    of_client: dict[tuple[Any, str], Any] = {
        (row.client_id, row.category): row
        for row in ClientItems.objects.filter(client_id__in={e.client_id for e in rows.values()})
    }
    of_episode: dict[tuple[Any, str], Any] = {
        (row.episode_id, row.category): row for row in EpisodeItems.objects.filter(episode_id__in=list(rows))
    }
    found: dict[UUID, dict[str, Any]] = {pk: {name: [] for name in LISTS} for pk in rows}
    places = [place_of(item) for item in recorded_items() if list_of(item) is None]
    for pk, episode in rows.items():
        for place in places:
            value = _value(_holder(place, episode, of_client, of_episode), place)
            if value not in (None, ""):
                found[pk][place.item.name] = value
    for name, listed in LISTS.items():
        inside = [place_of(item) for item in recorded_items() if list_of(item) is listed]
        model: Any = listed.model
        for row in model.objects.filter(episode_id__in=list(rows), voided_at__isnull=True).order_by(
            "identifier"
        ):
            entry = {place.item.name: _value(row, place) for place in inside}
            found[row.episode_id][name].append({k: v for k, v in entry.items() if v not in (None, "")})
    for pk, others in beside(rows.values()).items():
        found[pk][BESIDE] = others
    return dict(found)


def beside(episodes: Iterable[Episode]) -> dict[UUID, list[dict[str, Any]]]:
    """By episode, the other episodes in use of its client at its service, each with its discharge date. One query."""
    wanted = {e.pk: (e.client_id, e.service_id) for e in episodes}
    known: dict[Any, dict[UUID, Any]] = defaultdict(dict)
    rows = Episode.objects.filter(
        client_id__in={client for client, _ in wanted.values()}, voided_at__isnull=True
    )
    for pk, client, service, discharged in rows.values_list("pk", "client_id", "service_id", "discharged_on"):
        known[client, service][pk] = discharged
    return {
        pk: [{"DISD": discharged} for other, discharged in known[place].items() if other != pk]
        for pk, place in wanted.items()
    }


def _holder(place: Place, episode: Episode, of_client: Any, of_episode: Any) -> Any:
    """The row that holds an item of the client or the episode, None where there is none."""
    if place.model is Episode:
        return episode
    if place.model is Registration:
        return episode.registration
    if place.model is EpisodeItems:
        return of_episode.get((episode.pk, place.category))
    if place.model is ClientItems:
        return of_client.get((episode.client_id, place.category))
    return getattr(episode.client, str(place.model._meta.model_name), None)


def _value(row: Any, place: Place) -> Any:
    if row is None:
        return None
    value = getattr(row, place.field)
    if not place.key:
        return value
    return _typed(place.item, value.get(place.key))


def _typed(item: Item, value: Any) -> Any:
    return dt.date.fromisoformat(value) if item.type == "date" and value else value
