"""Save an outcome form: the answers as the data set has them, and beside them the weeks that a total was added up from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from caseload import outcomes
from caseload.models import Episode
from caseload.services import entries
from caseload.services.episodes import context_of
from caseload.speaking import failures, record_of
from edatrs.organisations.models import User

LIST = "tops"


def kept_weeks(row: Any) -> dict[str, tuple[int, ...]]:
    """The weeks that were kept with a form, by item; only those that still add up to what is recorded (an import changes totals alone)."""
    items: Mapping[str, Any] = (row.items or {}) if row is not None else {}
    found = {}
    for key, text in items.items():
        name = key.removesuffix(outcomes.WEEKS_KEY)
        weeks = outcomes.weeks_kept(text, str(items.get(name) or "")) if name != key else ()
        if weeks:
            found[name] = weeks
    return found


def save_top(
    *,
    episode: Episode,
    row: Any,
    form_id: UUID | None,
    values: Mapping[str, Any],
    weeks: Mapping[str, Sequence[int]],
    version: int,
    acting_user: User,
) -> tuple[Any, list[str]]:
    """Add an outcome form (`row` None) or change one that was opened at `version`. Returns the row and what changed, by CSV header.

    `weeks` are kept where they add up to the answer that is saved, and only where they are not those the form was opened with: who
    changed nothing overwrites nobody's weeks. Raises Stale, Refused as `entries.save_entry`.
    """
    opened = _items_at(row, version)
    beside: dict[str, str] = {}
    for name, value in values.items():
        key, typed = name + outcomes.WEEKS_KEY, tuple(weeks.get(name, ()))
        adds_up = bool(typed) and str(outcomes.total(typed)) == str(value or "").strip()
        if adds_up and outcomes.weeks_text(typed) != opened.get(key, ""):
            beside[key] = outcomes.weeks_text(typed)
        elif not adds_up and opened.get(key) and value != opened.get(name, ""):
            beside[key] = ""
    row, changed = entries.save_entry(
        episode=episode,
        list_name=LIST,
        row=row,
        form_id=form_id,
        values=values,
        version=version,
        acting_user=acting_user,
        beside=beside,
    )
    return row, sorted({name.removesuffix(outcomes.WEEKS_KEY) for name in changed})


def _items_at(row: Any, version: int) -> Mapping[str, Any]:
    """The JSON of a form as it was at a version; what it is now where that version is not kept."""
    if row is None:
        return {}
    if version != row.version:
        earlier = row.history.filter(version=version).first()
        if earlier is not None:
            return earlier.items or {}
    return row.items or {}


def spoken(episode: Episode, row: Any, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the rules say of a form that is being typed, by item: what it breaks by itself, and what would be sound without it.

    The other forms of the episode count, so that a review is not told that the start form is missing; what they break, and what would be
    said of no form at all ("No TOP in the last 26 weeks"), is not this form's fault.
    """
    context, record = context_of(episode), record_of(episode)
    others = [held for held in record[LIST] if row is None or held.get("TOPID") != row.identifier]

    def failed(forms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {e.rule_id: e for e in failures({**record, LIST: forms}, context, values)}

    together, without = failed([*others, values]), failed(others)
    itself = failed([values]).keys() - failed([]).keys()
    found: dict[str, list[str]] = {}
    for rule_id, said in together.items():
        if rule_id in itself or rule_id not in without:
            at = next(item.name for item in said.items if item.name in values)
            found.setdefault(at, []).append(f"{said.words}. {said.remedy} ({rule_id})")
    return found
