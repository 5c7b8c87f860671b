"""What the record itself puts on the timeline: episodes, interventions, forms, details, keyworkers, merges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from audit.models import AuditEvent
from caseload import client_rows, present
from caseload.address import INTERVENTIONS, OUTCOMES
from caseload.dataset.reader import UnknownItem, load_dictionary
from caseload.forms.items import label_of
from caseload.models import Episode
from caseload.record import LISTS, TREATMENT
from caseload.sections import LIST_KEYS
from caseload.services.clients import CHANGED
from caseload.timeline import Entry, Source
from edatrs.core import access, registry
from edatrs.core.clock import LONDON

_REVIEWS = {
    "reviews": "Sub-intervention review",
    "time_in_treatment": "Time in treatment assessed",
    "client_information_reviews": "Client information review",
}
# So many fields of a change are named.
MOST_FIELDS = 6
# What the trail calls a change that is no field.
_DONE = {
    "registered": "Registered",
    "voided": "Taken out of use",
    "restored": "Brought back",
    "episode_started": "Episode begun",
    "episode_voided": "Episode taken out of use",
    "episode_restored": "Episode brought back",
}
# These have entries of their own, or say nothing by themselves.
_ELSEWHERE = {
    "known_as_somebody_else",
    "episode_reopened",
    "confidentiality_explained",
    "confidentiality_not_explained",
}


def _to(slug: str, row: Any, anchor: str = "") -> str:
    page = reverse("caseload:episode", args=[slug, row.client_id, getattr(row, "episode_id", row.pk)])
    return f"{page}#{anchor}" if anchor else page


def _episode_page(slug: str, episode: Episode) -> str:
    return reverse("caseload:episode", args=[slug, episode.client_id, episode.pk])


def _local_day(at: dt.datetime) -> dt.date:
    return at.astimezone(LONDON).date()


def episodes(client: Any, slug: str) -> Iterator[Entry]:
    """Referral, triage, discharge; confidentiality; closed and opened again. Three queries."""
    rows = client_rows.episodes(client.pk)
    known = {e.pk for e in rows}
    for e in rows:
        where = (f"Episode {e.episode_id} at {e.service}",)
        page = _episode_page(slug, e)
        for part, on, title, more in (
            ("referred", e.referred_on, "Referred", present.code_words("referral_source", e.referral_source)),
            ("triaged", e.triaged_on, "Triage", ""),
            (
                "discharged",
                e.discharged_on,
                "Discharged",
                present.code_words("discharge_reason", e.discharge_reason),
            ),
        ):
            if on is not None:
                yield Entry(
                    f"{e.pk}-{part}",
                    on,
                    title,
                    (*where, *([more] if more else [])),
                    url=page,
                    link="Open the episode",
                )
    for c in client_rows.confidentiality(client.pk):
        if c.episode_id not in known:
            continue
        title = "Confidentiality explained" if c.explained_on else "Confidentiality could not be explained"
        lines = tuple(text for text in (c.reason, c.note) if text)
        yield Entry(
            str(c.pk),
            c.explained_on or _local_day(c.recorded_at),
            title,
            lines,
            c.recorded_by_label,
            c.recorded_at if c.explained_on in (None, _local_day(c.recorded_at)) else None,
            _to(slug, c),
            "Open the episode",
        )
    for act in client_rows.closings(client.pk):
        if act.episode_id in known and (act.reopened or act.overruled):
            title = "Episode opened again" if act.reopened else "Closed in spite of checks"
            yield Entry(
                str(act.pk),
                _local_day(act.recorded_at),
                title,
                (act.reason,),
                act.recorded_by_label,
                act.recorded_at,
                _to(slug, act),
                "Open the episode",
            )


def interventions(client: Any, slug: str) -> Iterator[Entry]:
    """When interventions began and ended. One query."""
    for row in client_rows.entries_in_use(client.pk, INTERVENTIONS):
        kind = present.code_words("intervention_type", row.modality) or "type not recorded"
        page = _to(slug, row, "interventions")
        if row.started_on:
            yield Entry(
                f"{row.pk}-start",
                row.started_on,
                f"Intervention started: {kind}",
                url=page,
                link="Open the list",
            )
        if row.ended_on:
            how = present.code_words("exit_status", row.exit_status)
            yield Entry(
                f"{row.pk}-end",
                row.ended_on,
                f"Intervention ended: {kind}",
                (how,) if how else (),
                url=page,
                link="Open the list",
            )


def forms(client: Any, slug: str) -> Iterator[Entry]:
    """Reviews, time in treatment and outcome forms by their dates. Four queries."""
    for row in client_rows.entries_in_use(client.pk, OUTCOMES):
        stage = present.code_words("top_stage", row.stage)
        if row.completed_on:
            title = f"TOP: {stage.lower()}" if stage else "TOP"
            yield Entry(
                str(row.pk), row.completed_on, title, url=_to(slug, row, "tops"), link="Open the list"
            )
    for name, title in _REVIEWS.items():
        for row in client_rows.entries_in_use(client.pk, name):
            on = getattr(row, LISTS[name].date_field)
            if on:
                page = _to(slug, row, LIST_KEYS[name])
                yield Entry(str(row.pk), on, title, url=page, link="Open the list")


def details(client: Any, slug: str) -> Iterator[Entry]:
    """Changes of the record as the own trail has them: which fields, never what stood in them; an import is not among them. One query."""
    rows = AuditEvent.objects.filter(name=CHANGED, subject=str(client.pk)).order_by("-sequence")
    for event in rows.values("sequence", "at", "actor_label", "details"):
        said = event["details"]
        category = said.get("category", "")
        if category and not access.may("client.view", category):
            continue
        done = [_DONE[w] for w in said.get("what", []) if w in _DONE]
        fields = [_label(w) for w in said.get("what", []) if w not in _DONE and w not in _ELSEWHERE]
        changed = [label for label in fields if label]
        if not done and not changed:
            continue
        more = len(changed) - MOST_FIELDS
        if more > 0:
            changed = [*changed[:MOST_FIELDS], f"and {more} more"]
        title = ", ".join(done) if done else f"{category.capitalize() or 'Record'} changed"
        yield Entry(
            f"trail-{event['sequence']}",
            _local_day(event["at"]),
            title,
            (", ".join(changed),) if changed else (),
            event["actor_label"],
            event["at"],
        )


def _label(name: str) -> str:
    """The words of a field; '' for one that the roles may not see."""
    try:
        item = load_dictionary().item(name)
    except UnknownItem:
        return name.replace("_", " ").capitalize()
    return label_of(item) if access.may("client.view", item.category or TREATMENT) else ""


def keyworkers(client: Any, slug: str) -> Iterator[Entry]:
    """Who began to work with them. One query."""
    for row in client_rows.allocations(client.pk):
        until = f"Until {row.valid_until:%d/%m/%Y}" if row.valid_until and row.kind == "cover" else ""
        yield Entry(
            str(row.pk),
            row.valid_from,
            f"{row.get_kind_display()}: {row.keyworker.full_name}",
            tuple(text for text in (until, row.reason) if text),
            row.by_label,
        )


def merges(client: Any, slug: str) -> Iterator[Entry]:
    """Records that were merged in, and taken apart again. One query."""
    for row in client_rows.merged_in(client.pk):
        yield Entry(
            f"{row.pk}-merged",
            _local_day(row.merged_at),
            f"{row.client} was merged into this record",
            (row.reason,),
            row.merged_by_label,
            row.merged_at,
        )
        if row.undone_at:
            yield Entry(
                f"{row.pk}-undone",
                _local_day(row.undone_at),
                f"The merge of {row.client} was undone",
                (row.undone_reason,),
                row.undone_by_label,
                row.undone_at,
            )


def register_sources() -> None:
    """Fill in the kinds that the record itself knows."""
    for key, source in {
        "episodes": Source("Episodes", episodes, category=TREATMENT),
        "interventions": Source("Interventions", interventions, category=TREATMENT),
        "forms": Source("Reviews and outcome forms", forms, category=TREATMENT),
        "keyworkers": Source("Keyworkers", keyworkers, category=TREATMENT),
        "details": Source("Changes of the record", details, category="identity"),
        "merges": Source("Merges", merges, category="identity"),
    }.items():
        if key not in registry.timeline.keys():  # noqa: SIM118  # not a dictionary
            registry.timeline.add(key, source)
