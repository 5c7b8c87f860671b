"""Begin an episode, change what is recorded of it by section, void one that was entered in error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import Context
from caseload.models import Client, Episode, EpisodeItems, Registration
from caseload.record import TREATMENT
from caseload.recorded import Recorded, changes
from caseload.sections import SECTIONS, items_of
from caseload.services.items import Refused, identifier_of, note, put, row_of_form, values_of
from edatrs.core import access, clock, registry
from edatrs.core.access import Denied
from edatrs.core.scope import current_scope, remembered
from edatrs.organisations.models import User


def get_episode(client: Client, pk: UUID) -> Episode:
    """One episode of a client, not one entered in error. Raises Denied: absent and another client's answer alike."""
    if not access.may("client.view", TREATMENT):
        raise Denied("client.view", "role", subject=str(pk))
    rows = Episode.objects.filter(client_id=client.pk, voided_at__isnull=True)
    found = rows.select_related("service", "registration").filter(pk=pk).first()
    if found is None:
        raise Denied("client.view", "not found", subject=str(pk))
    episode: Episode = found
    return episode


def letter_of(episode: Episode) -> str:
    """The data set letter in force today at the episode's service. One query."""
    service, day = episode.service, clock.today()
    return remembered(
        ("letter", service.pk, day), lambda: service.letter_on(day, load_dictionary().default_letter)
    )


def context_of(episode: Episode) -> Context:
    """What the rules need to know beside the record."""
    return Context(episode.service.dataset, letter_of(episode), clock.today())


def section_items(episode: Episode, key: str) -> tuple[Item, ...]:
    """The items of a section that the episode's data set has today. Raises Denied for a section it has not."""
    found = items_of(key, episode.service.dataset, letter_of(episode)) if key in SECTIONS else ()
    if not found:
        raise Denied("client.view", "not found", subject=str(episode.pk))
    return found


def read_section(episode: Episode, key: str, *, lock: bool = False) -> Recorded:
    """What is recorded in a section, by CSV header."""
    section, items = SECTIONS[key], section_items(episode, key)
    row: Any
    if section.category == TREATMENT:
        rows = Episode.objects.filter(pk=episode.pk)
    else:
        rows = EpisodeItems.objects.filter(episode_id=episode.pk, category=section.category)
    row = (rows.select_for_update(of=("self",)) if lock else rows).first()
    version, act = (row.version, row.act) if row else (0, None)
    return Recorded(key, values_of(row, items), version, act, row, partial(values_of, items=items))


def change_section(
    *, episode: Episode, key: str, values: Mapping[str, Any], version: int, acting_user: User
) -> list[str]:
    """Save a section from a form that was opened at `version`. Returns the CSV headers that changed; nothing, where nothing differs.

    Locks the episode. Raises Stale where somebody saved something else meanwhile.
    """
    Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    section, items = SECTIONS[key], section_items(episode, key)
    now = read_section(episode, key, lock=True)
    changed = changes(now, values, version)
    if not changed:
        return []
    if now.row is None:
        row: Any = EpisodeItems(
            client_id=episode.client_id,
            episode_id=episode.pk,
            category=section.category,
            act=current_scope().act,
        )
        put(row, items, changed)
        row.save(force_insert=True)
    else:
        now.row.save(update_fields=put(now.row, items, changed))
    note(episode.client_id, what=sorted(changed), row=str(episode.pk))
    registry.episodes_changed([episode.pk])
    return sorted(changed)


def start_episode(
    *, form_id: UUID, registration: Registration, values: Mapping[str, Any], acting_user: User
) -> tuple[Episode, bool]:
    """Begin an episode at a registration, with the items of its referral. Returns it and whether it is new: a form sent twice begins one.

    NDTMS consent is not asked yet (O-133): nothing of it is sent before somebody asked.
    """
    pk = row_of_form(form_id)
    there = Episode.objects.filter(pk=pk).first()
    if there is not None:
        return there, False
    items = items_of(
        "referral",
        registration.service.dataset,
        registration.service.letter_on(clock.today(), load_dictionary().default_letter),
    )
    episode = Episode(
        pk=pk,
        client_id=registration.client_id,
        registration=registration,
        service=registration.service,
        episode_id=identifier_of(pk),
        act=current_scope().act,
    )
    put(episode, items, {n: v for n, v in values.items() if v not in ("", None)})
    try:
        with transaction.atomic():
            episode.save(force_insert=True)
    except IntegrityError:
        there = Episode.objects.filter(pk=pk).first()
        if there is None:
            raise
        return there, False
    note(registration.client_id, what=["episode_started"], row=str(pk))
    registry.episodes_changed([pk])
    episode.refresh_from_db()
    return episode, True


def void_episode(*, episode: Episode, reason: str, acting_user: User) -> None:
    """Entered in error: out of lists and extracts; kept, and can be brought back. Raises Refused."""
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the record", "reason")
    locked = Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    if locked.voided_at is not None:
        raise Refused("This episode is out of use already")
    locked.voided_at, locked.voided_reason = clock.now(), reason.strip()
    locked.save(update_fields=["voided_at", "voided_reason"])
    note(episode.client_id, what=["episode_voided"], row=str(episode.pk))
    registry.episodes_changed([episode.pk])


def restore_episode(*, episode: Episode, acting_user: User) -> None:
    """Bring back an episode that was entered in error by mistake. Raises Refused."""
    locked = Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    if locked.voided_at is None:
        raise Refused("This episode is in use already")
    if Client.objects.filter(pk=episode.client_id, voided_at__isnull=False).exists():
        raise Refused("The whole record is out of use. Bring the client back first")
    locked.voided_at, locked.voided_reason = None, ""
    locked.save(update_fields=["voided_at", "voided_reason"])
    note(episode.client_id, what=["episode_restored"], row=str(episode.pk))
    registry.episodes_changed([episode.pk])


def voided_episodes(client: Client) -> Any:
    """The episodes of a client that were entered in error, the latest first."""
    rows = Episode.objects.filter(client_id=client.pk, voided_at__isnull=False)
    return rows.select_related("service", "registration").order_by("-voided_at", "pk")
