"""Reads for the outcomes of an episode. What is read of a form is text by CSV header, as it is recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Min

from caseload.dataset.reader import Item
from caseload.models import Episode, EpisodeItems, Intervention, Outcome
from caseload.outcomes import Form
from caseload.sections import items_of


def form_of(row: Outcome) -> Form:
    """A row as the pure functions take it."""
    return Form(
        pk=row.pk,
        on=row.completed_on,
        stage=row.stage,
        answers={name: str(text) for name, text in (row.items or {}).items() if text not in ("", None)},
        identifier=row.identifier,
        version=row.version,
    )


def forms_of(episode: Episode) -> list[Form]:
    """The outcome forms of an episode, those entered in error left out, in no order. One query."""
    rows = Outcome.objects.filter(
        client_id=episode.client_id, episode_id=episode.pk, voided_at__isnull=True
    ).order_by("completed_on", "identifier")
    return [form_of(row) for row in rows]


def first_started(episode: Episode) -> dt.date | None:
    """The day the first intervention of an episode began; None before. One query."""
    rows = Intervention.objects.filter(
        client_id=episode.client_id, episode_id=episode.pk, voided_at__isnull=True
    )
    found: dt.date | None = rows.aggregate(first=Min("started_on"))["first"]
    return found


def young_people_sections(episode: Episode, letter: str) -> list[tuple[str, Sequence[Item]]]:
    """The outcome forms of young people that the episode's data set has: key of the section and its items."""
    keys = ("young-person-start", "young-person-exit")
    found = [(key, items_of(key, episode.service.dataset, letter)) for key in keys]
    return [(key, items) for key, items in found if items]


def circumstances_of(episode: Episode) -> dict[str, Any]:
    """The items of the category in which young people's answers are held. One query."""
    row = EpisodeItems.objects.filter(
        client_id=episode.client_id, episode_id=episode.pk, category="circumstances"
    ).first()
    return dict(row.items or {}) if row else {}
