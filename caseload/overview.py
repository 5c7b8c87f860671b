"""What the overview of a client shows: the open episode at a glance, what is next, who works with them, who looked, what happened last."""

from __future__ import annotations

import datetime as dt
from typing import Any

from audit.models import AuditEvent
from caseload import client_rows, entry_groups, episode_page, present, timeline
from caseload.address import OUTCOMES
from caseload.dataset.explain import explain
from caseload.dataset.rules import RULES
from caseload.models import AllocationKind, Client, Episode
from caseload.record import TREATMENT
from caseload.sections import list_items
from caseload.services import entries, episode_acts, episodes
from edatrs.core import access
from edatrs.core.templatetags.page import short_date

LOOKED = "caseload.client.viewed"
LATEST = 3


def of_client(client: Client, slug: str, today: dt.date) -> dict[str, Any]:
    """Everything beside the frame and the panels of other areas; what the roles may not see is not in it. A fixed number of queries."""
    shown = [key for key in timeline.sources() if key != "details"]
    found: dict[str, Any] = {
        "contact": getattr(client, "clientcontact", None) if access.may("client.view", "contact") else None,
        "address": _address(client) if access.may("client.view", "contact") else [],
        "may_edit_contact": access.may("client.edit", "contact"),
        "workers": workers(client, today),
        "looked": looked(client) if access.may("trail.client") else None,
        "latest": [
            {"kind": timeline.sources()[key].words, "entry": entry}
            for key, entry in timeline.page(client, slug, kinds=shown, limit=LATEST).rows
        ],
        "may_start": access.may("client.register"),
        "sees_consent": access.may("consent.ndtms.record"),
    }
    if not access.may("client.view", TREATMENT):
        return found | {"sees_treatment": False}
    rows = client_rows.episodes(client.pk)
    current = next((e for e in rows if e.discharged_on is None), rows[0] if rows else None)
    found |= {"sees_treatment": True, "episodes": [present.episode_row(e) for e in rows]}
    return found | (_current(current, today) if current is not None else {})


def _current(episode: Episode, today: dt.date) -> dict[str, Any]:
    dataset, letter = episode.service.dataset, episodes.letter_of(episode)
    rows = {
        name: entries.entries_of(episode, name)
        for name in ("interventions", "reviews", OUTCOMES)
        if list_items(name, dataset, letter)
    }
    quality = getattr(episode, "quality", None)
    failing = [*quality.errors, *quality.warnings] if quality else []
    started = min((r.started_on for r in rows.get("interventions", []) if r.started_on), default=None)
    first = ""
    if started:
        days = (started - episode.referred_on).days if episode.referred_on else None
        first = short_date(started) + (f" ({days:,} days after referral)" if days is not None else "")
    return {
        "current": present.episode_row(episode),
        "day_number": (today - episode.referred_on).days + 1
        if episode.discharged_on is None and episode.referred_on and episode.referred_on <= today
        else None,
        "first_intervention": first,
        "dues": episode_page.dues(episode, rows, episode_acts.confidentiality_of(episode), letter, today),
        "has_triage": episode_page.has_triage(episode, letter),
        "interventions": [
            {
                "pk": row.pk,
                "kind": present.code_words("intervention_type", row.modality) or "Type not recorded",
                "setting": present.code_words("intervention_setting", row.items.get("MODSET", ""))
                or "Not recorded",
                "started_on": row.started_on,
                "ended_on": row.ended_on,
            }
            for row in rows.get("interventions", [])
        ],
        "has_interventions": "interventions" in rows,
        "last_review": entry_groups.summary("reviews", rows["reviews"][0]) if rows.get("reviews") else "",
        "to_put_right": [explain(RULES[rule]) for rule in failing if rule in RULES],
        "may_edit": access.may("client.edit", TREATMENT),
    }


def _address(client: Client) -> list[str]:
    """The lines of the address that are recorded."""
    held = getattr(client, "clientcontact", None)
    names = ("address_line_1", "address_line_2", "town", "postcode")
    return [text for text in (getattr(held, name, "") for name in names) if text]


def workers(client: Client, today: dt.date) -> list[dict[str, Any]]:
    """The keyworker of today, the one allocated last, and who covers. One query."""
    found: list[dict[str, Any]] = []
    for row in client_rows.allocations(client.pk):
        if not (row.valid_from <= today and (row.valid_until is None or today <= row.valid_until)):
            continue
        cover = row.kind == AllocationKind.COVER
        if cover or not any(not held["cover"] for held in found):
            found.append(
                {
                    "name": row.keyworker.full_name,
                    "cover": cover,
                    "since": row.valid_from,
                    "until": row.valid_until,
                }
            )
    return sorted(found, key=lambda held: held["cover"])


def looked(client: Client) -> list[dict[str, Any]]:
    """Who opened the record last, each person once, as the own trail has it. One query."""
    rows = AuditEvent.objects.filter(name=LOOKED, subject=str(client.pk)).order_by("-sequence")
    found: dict[str, dict[str, Any]] = {}
    for who, roles, at in rows.values_list("actor_label", "roles", "at")[:50]:
        found.setdefault(who or "The system", {"who": who or "The system", "roles": roles, "at": at})
    return list(found.values())[:LATEST]
