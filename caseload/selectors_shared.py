"""The list of what partners share with the organisation acted for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any
from uuid import UUID

from caseload import present
from caseload.choices import Category
from caseload.search import name_words
from caseload.shared import identities_of, live_grants, shared_clients
from edatrs.core import access, clock

PAGE = 50
MOST_SEARCHED = 5_000


def shared_list(*, after: str = "", typed: str = "") -> tuple[list[dict[str, Any]], str]:
    """A page of shared clients by record number, and the key of the next page. With `typed` those whose open name has every word of it."""
    clients = shared_clients().select_related("organisation").order_by("record_number")
    if after.isdecimal() and len(after) < 19:
        clients = clients.filter(record_number__gt=int(after))
    some = list(clients[: MOST_SEARCHED if typed else PAGE + 1])
    more = str(some[PAGE - 1].record_number) if not typed and len(some) > PAGE else ""
    some = some if typed else some[:PAGE]
    ends: dict[UUID, list[dt.date]] = defaultdict(list)
    parts: dict[UUID, set[str]] = defaultdict(set)
    for client_id, category, until in (
        live_grants().filter(content_object_id__in=[c.pk for c in some])
        .values_list("content_object_id", "category", "valid_until")
    ):  # fmt: skip
        if access.may("client.view", category, by="S"):
            parts[client_id].add(category)
            ends[client_id] += [until] if until else []
    named = [pk for pk, held in parts.items() if Category.IDENTITY in held]
    who = identities_of(named)
    today = clock.today()
    rows = [
        {
            "pk": client.pk,
            "record": str(client),
            "name": present.list_name(who[client.pk].forename, who[client.pk].surname)
            if client.pk in who
            else "",
            "born": who[client.pk].date_of_birth if client.pk in who else None,
            "age": present.age_on(who[client.pk].date_of_birth, today) if client.pk in who else None,
            "holder": client.organisation.name,
            "parts": [c.label for c in Category if c.value in parts[client.pk]],
            "until": min(ends[client.pk], default=None),
        }
        for client in some
    ]
    if typed:
        words = name_words(typed)
        rows = [r for r in rows if words and set(words) <= set(name_words(r["name"]))][:PAGE]
    return rows, more
