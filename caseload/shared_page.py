"""What a receiving organisation sees of a client: the open categories, each from its own tables, and nothing else (design section 5).

Every row comes through `caseload.shared.reached`, so a category that is not open is not asked for; it is not hidden, it is not there.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from caseload import present
from caseload.choices import Category
from caseload.dataset.reader import Item, load_dictionary
from caseload.episode_page import words_of
from caseload.forms.clients import FORMS, NOT_RECORDED
from caseload.forms.items import label_of
from caseload.models import Client, ClientItems, Episode, EpisodeItems, Registration
from caseload.record import LISTS, TREATMENT, list_of, place_of, recorded_items
from caseload.sections import GIVEN
from caseload.services.clients import COLUMNS, Part, names_of, values_in
from caseload.shared import reached

LISTED = {
    "interventions": "Interventions",
    "reviews": "Sub-intervention reviews",
    "time_in_treatment": "Time in treatment",
    "tops": "Outcome forms",
    "client_information_reviews": "Client information reviews",
}


def head(client: Client, open_to_us: frozenset[str], today: dt.date) -> dict[str, Any]:
    """The identity bar: the name where identity is open, else the number of the record."""
    who = reached(COLUMNS["identity"][0], client, Category.IDENTITY, open_to_us).first()
    return {
        "name": present.list_name(who.forename, who.surname) if who else f"Record {client}",
        "born": who.date_of_birth if who else None,
        "age": present.age_on(who.date_of_birth, today) if who else None,
        "nhs_number": present.nhs_number(who.nhs_number) if who else "",
        "sees_identity": Category.IDENTITY in open_to_us,
        "record": str(client),
        "holder": client.organisation.name,
    }


def parts(client: Client, open_to_us: frozenset[str]) -> list[dict[str, Any]]:
    """The open categories in the order of the protocol, each with its rows in words; treatment has its episodes."""
    letter = load_dictionary().default_letter
    episodes = _episodes(client, open_to_us)
    of_episodes = _episode_items(client, open_to_us, letter)
    found = []
    for category in Category:
        if category not in open_to_us:
            continue
        rows = [
            *_columns(client, category, open_to_us, letter),
            *_items(client, category, open_to_us, letter),
        ]
        if category == Category.TREATMENT:
            rows = []
        found.append(
            {
                "key": category.value,
                "heading": category.label,
                "rows": rows,
                "groups": of_episodes.get(category.value, []),
                "episodes": episodes if category == Category.TREATMENT else [],
            }
        )
    return found


def _columns(client: Client, category: str, open_to_us: frozenset[str], letter: str) -> list[dict[str, Any]]:
    if category not in COLUMNS:
        return []
    row = reached(COLUMNS[category][0], client, category, open_to_us).first()
    values = values_in(category, row)
    form = FORMS[category](part=Part(category, values, 0, None, row), letter=letter)
    return [
        {"label": form.fields[name].label, "words": form.shown(name, values[name])}
        for name in names_of(category)
        if name in form.fields
    ]


def _items(client: Client, category: str, open_to_us: frozenset[str], letter: str) -> list[dict[str, Any]]:
    row = reached(ClientItems, client, category, open_to_us).filter(category=category).first()
    held = row.items if row else {}
    return [
        {"label": label_of(item), "words": words_of(item, _typed(item, held.get(item.name)), letter)}
        for item in recorded_items()
        if item.entity == "client" and item.category == category and place_of(item).model is ClientItems
    ]


def _typed(item: Item, value: Any) -> Any:
    try:
        return dt.date.fromisoformat(value) if item.type == "date" and value else value
    except ValueError:
        return value


def _episode_items(
    client: Client, open_to_us: frozenset[str], letter: str
) -> dict[str, list[dict[str, Any]]]:
    """Items of episodes that are not treatment, by category: a group an episode, named by its day of referral where treatment is open."""
    known = {item.name: item for item in recorded_items() if list_of(item) is None}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for category in open_to_us - {TREATMENT}:
        rows = reached(EpisodeItems, client, category, open_to_us).filter(category=category)
        for number, row in enumerate(rows.order_by("created_at", "pk"), 1):
            lines = [
                {
                    "label": label_of(known[name]),
                    "words": words_of(known[name], _typed(known[name], value), letter),
                }
                for name, value in sorted(row.items.items())
                if name in known and value not in (None, "")
            ]
            if lines:
                found[category].append({"heading": f"Episode {number}", "rows": lines})
    return found


def _episodes(client: Client, open_to_us: frozenset[str]) -> list[dict[str, Any]]:
    """The episodes, newest first, each with its items and its lists."""
    if TREATMENT not in open_to_us:
        return []
    rows = (
        reached(Episode, client, TREATMENT, open_to_us)
        .filter(voided_at__isnull=True)
        .select_related("service")
        .order_by("-referred_on", "-pk")
    )
    numbers = dict(reached(Registration, client, TREATMENT, open_to_us).values_list("pk", "client_id_text"))
    lists: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for name, place in LISTS.items():
        entries = reached(place.model, client, TREATMENT, open_to_us).filter(voided_at__isnull=True)
        by_episode: dict[Any, list[Any]] = defaultdict(list)
        for entry in entries.order_by(place.date_field, "identifier"):
            by_episode[entry.episode_id].append(entry)
        for episode_id, some in by_episode.items():
            lists[episode_id].append(
                {"heading": LISTED[name], "entries": [_entry(name, row) for row in some]}
            )
    return [_episode(row, numbers, lists[row.pk]) for row in rows]


def _episode(row: Episode, numbers: dict[Any, str], lists: list[dict[str, Any]]) -> dict[str, Any]:
    letter = load_dictionary().default_letter
    lines = []
    for item in recorded_items():
        if item.entity != "episode" or item.name in GIVEN or item.name == "PC":
            continue
        place = place_of(item)
        if place.model is not Episode:
            continue
        value = row.items.get(item.name) if place.key else getattr(row, place.field)
        value = _typed(item, value) if place.key else value
        if value not in (None, ""):
            lines.append({"label": label_of(item), "words": words_of(item, value, letter)})
    return {
        "service": f"{row.service.agency_code} {row.service.name}".strip(),
        "client_id": numbers.get(row.registration_id, ""),
        "referred_on": row.referred_on,
        "open": row.discharged_on is None,
        "rows": lines or [{"label": "Recorded", "words": NOT_RECORDED}],
        "lists": lists,
    }


# More than a line can hold is folded under its day.
MOST_IN_A_LINE = 6


def _entry(name: str, row: Any) -> dict[str, Any]:
    """One row of a list: its day, and what is recorded of it, in words."""
    letter = load_dictionary().default_letter
    place = LISTS[name]
    found = []
    for item in recorded_items():
        if item.entity != place.entity or place.columns.get(item.name) == "identifier":
            continue
        column = place.columns.get(item.name)
        value = getattr(row, column) if column else _typed(item, row.items.get(item.name))
        if value not in (None, ""):
            found.append({"label": label_of(item), "words": words_of(item, value, letter)})
    return {"on": getattr(row, place.date_field), "lines": found, "folded": len(found) > MOST_IN_A_LINE}
