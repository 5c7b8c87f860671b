"""What the NDTMS rules say of an episode, as it is recorded or with what somebody is typing put over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from caseload.dataset.explain import Explanation, explain_failure
from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import ALL_RULES, Context, applicable, failing
from caseload.models import (
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    Episode,
    EpisodeItems,
)
from caseload.record import CLIENT_POSTCODE, LISTS, place_of, recorded_items
from caseload.services.episodes import context_of
from caseload.services.items import values_of


def record_of(episode: Episode) -> dict[str, Any]:
    """The record as the rules read it: every item by CSV header, each list under its name. Thirteen queries."""
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


def label(name: str) -> str:
    """The label of an item."""
    return load_dictionary().item(name).label
