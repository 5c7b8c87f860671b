"""Reads for the outcomes of an episode. What is read of a form is text by CSV header, as it is recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from caseload.address import INTERVENTIONS, OUTCOMES
from caseload.dataset.reader import Item
from caseload.models import Episode, EpisodeItems, Outcome
from caseload.outcomes import Form
from caseload.sections import items_of
from caseload.services.entries import entries_of


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
    """The outcome forms of an episode, those entered in error left out, the newest first. One query."""
    return [form_of(row) for row in entries_of(episode, OUTCOMES)]


def first_started(episode: Episode) -> dt.date | None:
    """The day the first intervention of an episode began; None before. One query."""
    rows = entries_of(episode, INTERVENTIONS)
    return min((row.started_on for row in rows if row.started_on), default=None)


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
