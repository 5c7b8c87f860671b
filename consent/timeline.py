"""What consent puts on the timeline of a client: every answer, every "not now", what merges inherited; and consents to share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from caseload import client_rows
from caseload.timeline import Entry, Source
from consent import parts
from consent.choices import Answer
from consent.selectors import history_of
from consent.sharing import sources
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


def sharing_entries(client: Any, slug: str) -> Iterator[Entry]:
    """Consents to share, refusals and how they ended, and decisions without consent. A fixed number of queries."""
    book = sources.read(client, evidence=False)
    for line in book.consents:
        consent = line.consent
        link = reverse("consent:share-one", args=[slug, client.pk, consent.pk])
        given = consent.answer == Answer.GIVEN
        yield Entry(
            f"sharing-{consent.pk}",
            consent.decided_on,
            f"{'Consent' if given else 'No'} to share with {line.recipient}",
            (str(consent), *((parts.sentence(consent.categories),) if given else ())),
            consent.recorded_by_label,
            _at(consent.recorded_at, consent.decided_on),
            link,
            "Open the consent",
        )
        for end in line.endings:
            yield Entry(
                f"sharing-end-{end.pk}",
                end.on,
                f"{end.get_kind_display()}: consent {consent} to share with {line.recipient}",
                (),
                end.recorded_by_label,
                _at(end.recorded_at, end.on),
                link,
                "Open the consent",
            )
    for decided in book.decisions:
        decision = decided.decision
        yield Entry(
            f"decision-{decision.pk}",
            decision.decided_on,
            f"Shared without consent with {decision.recipient.name}",
            (str(decision), decision.get_ground_display(), parts.sentence(decision.categories)),
            decision.recorded_by_label,
            _at(decision.recorded_at, decision.decided_on),
            reverse("consent:sharing", args=[slug, client.pk]),
            "Who can see this record",
        )


def _at(recorded_at: Any, day: Any) -> Any:
    """The hour, where it was recorded on the day itself."""
    return recorded_at if recorded_at.astimezone(LONDON).date() == day else None


def register_source() -> None:
    """Fill it in."""
    if "sharing" not in registry.timeline.keys():  # noqa: SIM118  # not a dictionary
        registry.timeline.add("sharing", Source("Sharing", sharing_entries, "grant.view"))
    if "consent" not in registry.timeline.keys():  # noqa: SIM118  # not a dictionary
        registry.timeline.add("consent", Source("Consent", entries, "consent.ndtms.record"))
