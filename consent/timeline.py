"""What consent puts on the timeline of a client: every answer, every "not now", and what merges inherited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from caseload import client_rows
from caseload.timeline import Entry, Source
from consent.selectors import history_of
from edatrs.core import registry
from edatrs.core.clock import LONDON


def entries(client: Any, slug: str) -> Iterator[Entry]:
    """The history of NDTMS consent. A fixed number of queries, but for what merges wrote."""
    episodes = client_rows.episodes(client.pk)
    known = {episode.pk for episode in episodes}
    for number, row in enumerate(history_of(client, episodes, evidence=False)):
        if row["kind"] == "unasked" or row["episode_pk"] not in known:
            continue
        lines = [f"Episode {row['episode']} ({row['agency']})"]
        lines += [text for text in (row.get("method", "").capitalize(), row.get("note", "")) if text]
        if row.get("error"):
            lines.append(f"Recorded in error: {row['error']['reason']}")
        same_day = row["recorded_at"].astimezone(LONDON).date() == row["on"]
        yield Entry(
            f"consent-{row.get('pk') or number}",
            row["on"],
            f"NDTMS consent: {row['words'].lower()}",
            tuple(lines),
            "" if row.get("imported") else row.get("by", ""),
            row["recorded_at"] if same_day else None,
            reverse("consent:ndtms-episode", args=[slug, client.pk, row["episode_pk"]]),
            "Open the answer",
        )


def register_source() -> None:
    """Fill it in."""
    if "consent" not in registry.timeline.keys():  # noqa: SIM118  # not a dictionary
        registry.timeline.add("consent", Source("Consent", entries, "consent.ndtms.record"))
