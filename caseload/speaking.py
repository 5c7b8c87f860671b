"""What the NDTMS rules say of an episode, as it is recorded or with what somebody is typing put over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from caseload.dataset.explain import Explanation, explain_failure
from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import ALL_RULES, Context, applicable, failing
from caseload.dataset.rules.scope import BESIDE
from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    Episode,
    EpisodeItems,
)
from caseload.reading import beside
from caseload.record import CLIENT_POSTCODE, LISTS, place_of, recorded_items
from caseload.services.episodes import context_of
from caseload.services.items import values_of

# Of a client with more open episodes than anybody has, the latest are spoken of.
MOST_SPOKEN = 5


def record_of(episode: Episode) -> dict[str, Any]:
    """The record as the rules read it: every item by CSV header, each list under its name. Fourteen queries."""
    found: dict[str, Any] = {}
    rows: dict[Any, Any] = {Episode: episode, type(episode.registration): episode.registration}
    for part in (ClientIdentity, ClientEquality, ClientDisability):
        rows[part] = part.objects.filter(client_id=episode.client_id).first()
    by_category: dict[Any, dict[str, Any]] = {
        ClientItems: {r.category: r for r in ClientItems.objects.filter(client_id=episode.client_id)},
        EpisodeItems: {r.category: r for r in EpisodeItems.objects.filter(episode_id=episode.pk)},
    }
    of_list: dict[str, list[Item]] = {name: [] for name in LISTS}
    for item in recorded_items():
        listed = next((name for name, place in LISTS.items() if place.entity == item.entity), None)
        if listed is not None:
            of_list[listed].append(item)
            continue
        place = place_of(item)
        row = by_category[place.model].get(place.category) if place.category else rows.get(place.model)
        found |= values_of(row, [item])
    if not found.get("PC"):
        model, field = CLIENT_POSTCODE
        contact = ClientContact.objects.filter(client_id=episode.client_id).first()
        found["PC"] = getattr(contact, field) if contact is not None and model is ClientContact else ""
    for name, items in of_list.items():
        model_of: Any = LISTS[name].model
        entries = model_of.objects.filter(episode_id=episode.pk, voided_at__isnull=True)
        found[name] = [values_of(row, items) for row in entries]
    found["CONSENT"] = episode.consent
    found[BESIDE] = beside([episode])[episode.pk]
    return found


def failures(
    record: Mapping[str, Any], context: Context, names: Iterable[str] | None = None
) -> list[Explanation]:
    """The rules that fail, errors first; with `names` only those that an item of these makes fail."""
    wanted = None if names is None else frozenset(names)
    rules = {rule.id: rule for rule in ALL_RULES}
    failed = failing(applicable(ALL_RULES, context), record, context)
    said = [explain_failure(rules[rule_id], record, context) for rule_id in failed]
    return [e for e in said if wanted is None or any(item.name in wanted for item in e.items)]


def speak(
    episode: Episode,
    values: Mapping[str, Any],
    *,
    list_name: str = "",
) -> dict[str, list[str]]:
    """What the rules say of a form's values put over what is recorded, by the name of the field that is at fault.

    With `list_name` the values are an entry of that list and are looked at alone, without the list's other entries.
    """
    context, record = context_of(episode), record_of(episode)
    record = {**record, list_name: [values]} if list_name else {**record, **values}
    spoken: dict[str, list[str]] = {}
    for said in failures(record, context, values):
        at = next(item.name for item in said.items if item.name in values)
        spoken.setdefault(at, []).append(f"{said.words}. {said.remedy} ({said.rule_id})")
    return spoken


def speak_of_client(client: Client, values: Mapping[str, Any], category: str) -> dict[str, list[str]]:
    """What the rules say of the fields of a category of a client, put over every open episode, by the name of the field."""
    names = {field: item.name for item in recorded_items() if (field := _field_of(item, category)) in values}
    over = {name: values[field] for field, name in names.items()}
    spoken: dict[str, list[str]] = {}
    if not over:
        return spoken
    episodes = Episode.objects.filter(client=client, voided_at__isnull=True, discharged_on__isnull=True)
    for episode in episodes.select_related("registration", "service").order_by("-referred_on", "pk")[
        :MOST_SPOKEN
    ]:
        for said in failures({**record_of(episode), **over}, context_of(episode), over):
            at = next(item.name for item in said.items if item.name in over)
            field = next(field for field, name in names.items() if name == at)
            words = f"{said.words}. {said.remedy} ({said.rule_id})"
            if words not in spoken.setdefault(field, []):
                spoken[field].append(words)
    return spoken


def _field_of(item: Item, category: str) -> str:
    """The name of the field of a client's form that holds an item; '' where none of the category does."""
    place = place_of(item)
    if place.model is ClientItems:
        return place.key if place.category == category else ""
    parts = {"identity": ClientIdentity, "equality": ClientEquality, "disability": ClientDisability}
    return place.field if place.model is parts.get(category) else ""


def label(name: str) -> str:
    """The label of an item."""
    return load_dictionary().item(name).label
