"""The lists of an episode: interventions, reviews, time in treatment, outcome forms. Add, change, void, bring back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from caseload import client_rows
from caseload.models import Episode
from caseload.record import LISTS
from caseload.recorded import Recorded, changes
from caseload.sections import list_items
from caseload.services.episodes import letter_of
from caseload.services.items import Refused, identifier_of, note, put, row_of_form, values_of
from edatrs.core import clock, registry
from edatrs.core.access import Denied
from edatrs.core.scope import current_scope
from edatrs.organisations.models import User


def items_for(episode: Episode, list_name: str) -> tuple[Any, ...]:
    """The items of an entry that the episode's data set has today. Raises Denied for a list it has not."""
    found = list_items(list_name, episode.service.dataset, letter_of(episode)) if list_name in LISTS else ()
    if not found:
        raise Denied("client.view", "not found", subject=str(episode.pk))
    return found


def _rows(episode: Episode, list_name: str) -> Any:
    model: Any = LISTS[list_name].model
    return model.objects.filter(client_id=episode.client_id, episode_id=episode.pk)


def get_entry(episode: Episode, list_name: str, pk: UUID, *, voided: bool = False) -> Any:
    """One entry of an episode. Raises Denied: absent and another episode's answer alike."""
    items_for(episode, list_name)
    found = _rows(episode, list_name).filter(pk=pk, voided_at__isnull=not voided).first()
    if found is None:
        raise Denied("client.view", "not found", subject=str(pk))
    return found


def entries_of(episode: Episode, list_name: str) -> list[Any]:
    """The entries in use, the newest first, undated ones last. One query."""
    return [row for row in client_rows.entries(episode.client_id, list_name) if row.episode_id == episode.pk]


def voided_entries(episode: Episode, list_name: str) -> list[Any]:
    """The entries that were entered in error, the latest first. One query."""
    return list(
        _rows(episode, list_name).filter(voided_at__isnull=False).order_by("-voided_at", "identifier")
    )


def read_entry(episode: Episode, list_name: str, row: Any, *, lock: bool = False) -> Recorded:
    """What is recorded of an entry, by CSV header; of no entry yet: nothing."""
    items = items_for(episode, list_name)
    if row is not None and lock:
        row = _rows(episode, list_name).select_for_update(of=("self",)).get(pk=row.pk)
    version, act = (row.version, row.act) if row is not None else (0, None)
    return Recorded(list_name, values_of(row, items), version, act, row, partial(values_of, items=items))


def save_entry(
    *,
    episode: Episode,
    list_name: str,
    row: Any,
    form_id: UUID | None,
    values: Mapping[str, Any],
    version: int,
    acting_user: User,
    beside: Mapping[str, str] | None = None,
) -> tuple[Any, list[str]]:
    """Add an entry (`row` None, `form_id` says which form sends it) or change one. Returns the row and what changed.

    A form sent twice adds one. `beside` are keys of our own for the entry's JSON, under names that are no item's ('' takes one out): they
    follow what is saved and are never a conflict. Raises Stale where somebody changed the entry meanwhile, Refused for an entry without
    anything.
    """
    Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    items = items_for(episode, list_name)
    if row is None:
        return _add(episode, list_name, form_id, values, items, beside or {})
    now = read_entry(episode, list_name, row, lock=True)
    changed = changes(now, values, version)
    held: Any = now.row
    kept = {name: text for name, text in (beside or {}).items() if text != (held.items or {}).get(name, "")}
    if changed or kept:
        fields = {*put(held, items, changed), *(_put_beside(held, kept))}
        held.save(update_fields=sorted(fields))
        _changed(episode, list_name, held, sorted({*changed, *kept}))
    return held, sorted({*changed, *kept})


def _put_beside(row: Any, kept: Mapping[str, str]) -> list[str]:
    """Keys of our own into the JSON of an entry."""
    row.items = {n: v for n, v in {**(row.items or {}), **kept}.items() if n not in kept or v}
    return ["items"] if kept else []


def _add(
    episode: Episode,
    list_name: str,
    form_id: UUID | None,
    values: Mapping[str, Any],
    items: tuple[Any, ...],
    beside: Mapping[str, str],
) -> tuple[Any, list[str]]:
    if form_id is None:
        raise ValueError("a new entry needs the id of the form that sends it")
    given = {n: v for n, v in values.items() if v not in ("", None)}
    if not given:
        raise Refused("There is nothing to save yet. Fill in at least one field")
    pk = row_of_form(form_id)
    there = _rows(episode, list_name).filter(pk=pk).first()
    if there is not None:
        return there, []
    made: Any = LISTS[list_name].model(
        pk=pk,
        client_id=episode.client_id,
        episode_id=episode.pk,
        identifier=identifier_of(pk),
        act=current_scope().act,
    )
    put(made, items, given)
    _put_beside(made, beside)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        there = _rows(episode, list_name).filter(pk=pk).first()
        if there is None:
            raise
        return there, []
    made.refresh_from_db()
    _changed(episode, list_name, made, sorted(given))
    return made, sorted(given)


def void_entry(*, row: Any, reason: str, acting_user: User) -> None:
    """Entered in error: kept with the reason, out of lists and extracts, can be brought back. Raises Refused."""
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the record", "reason")
    _set_voided(row, clock.now(), reason.strip(), "voided")


def restore_entry(*, row: Any, acting_user: User) -> None:
    """Bring back an entry that was entered in error by mistake. Raises Refused."""
    _set_voided(row, None, "", "restored")


def _set_voided(row: Any, at: Any, reason: str, what: str) -> None:
    locked = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
    if (locked.voided_at is None) == (at is None):
        raise Refused("This is done already")
    locked.voided_at, locked.voided_reason = at, reason
    locked.save(update_fields=["voided_at", "voided_reason"])
    note(locked.client_id, what=[what], row=str(locked.pk))
    registry.episodes_changed([locked.episode_id])


def _changed(episode: Episode, list_name: str, row: Any, what: list[str]) -> None:
    note(episode.client_id, what=what, row=str(row.pk))
    registry.episodes_changed([episode.pk])
