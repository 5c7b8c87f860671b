"""Items of the data sets read from and written to the rows that hold them: typed columns, or keys of the field `items`."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from caseload.dataset.reader import Item
from caseload.record import place_of
from edatrs.core import trail
from edatrs.core.scope import current_organisation

CHANGED = "caseload.client.changed"


class Refused(ValueError):
    """It cannot be done; the message says why and what to do. `field`: the name of the form's field that it is about, or None."""

    def __init__(self, words: str, field: str | None = None) -> None:
        super().__init__(words)
        self.field = field


def row_of_form(form_id: UUID) -> UUID:
    """The id of the row that a form makes, so that sending it twice cannot make two. It cannot be aimed at another's row."""
    return uuid5(current_organisation(), str(form_id))


def identifier_of(pk: UUID) -> str:
    """An identifier for NDTMS that was never used: 16 letters and digits made from the row's own id."""
    return base64.b32encode(uuid5(pk, "identifier").bytes).decode()[:16]


def nothing(item: Item) -> Any:
    """What stands for missing."""
    return None if item.type == "date" else ""


def values_of(row: Any, items: Iterable[Item]) -> dict[str, Any]:
    """The values of a row, or of one of its earlier versions, by CSV header; of no row: nothing is recorded."""
    found: dict[str, Any] = {}
    for item in items:
        place = place_of(item)
        if row is None:
            found[item.name] = nothing(item)
        elif place.key:
            held = (row.items or {}).get(place.key, "")
            found[item.name] = as_date(held) if item.type == "date" else held
        else:
            found[item.name] = getattr(row, place.field)
    return found


def as_date(held: Any) -> dt.date | None:
    """A date that is kept as text in JSON; what is no date counts as missing, and stays as it is while nobody changes it."""
    if isinstance(held, dt.date):
        return held
    try:
        return dt.date.fromisoformat(str(held)) if held else None
    except ValueError:
        return None


def put(row: Any, items: Iterable[Item], changed: Mapping[str, Any]) -> list[str]:
    """Write changed values into a row. Returns the names of the fields of the model to save."""
    fields: set[str] = set()
    for item in items:
        if item.name not in changed:
            continue
        place, value = place_of(item), changed[item.name]
        if place.key:
            text = value.isoformat() if isinstance(value, dt.date) else value
            kept = {k: v for k, v in (row.items or {}).items() if k != place.key}
            row.items = kept | ({place.key: text} if text not in ("", None) else {})
            fields.add("items")
        else:
            setattr(row, place.field, value)
            fields.add(place.field)
    return sorted(fields)


def note(client_id: UUID, **details: Any) -> None:
    """On the trail: what was changed by a form, names of items and no values."""
    trail.record(CHANGED, subject=str(client_id), details={"via": "form", **details})
