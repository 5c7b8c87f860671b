"""Reads of the consent app."""

from __future__ import annotations

from typing import Any

from caseload.models import Client, Episode
from consent import rules
from consent.models import ConsentAct, ConsentDeferral


def history_of(client: Client) -> list[dict[str, Any]]:
    """Everything that was asked of a client, newest first: decisions and 'not now', each with its episode and evidence."""
    acts = (
        ConsentAct.objects.filter(client=client)
        .select_related("episode__service")
        .order_by("-decided_on", "-sequence")
    )
    in_force = _in_force(list(acts))
    rows = [_act(act, act.pk in in_force) for act in acts]
    deferrals = ConsentDeferral.objects.filter(client=client).select_related("episode__service")
    rows += [_deferral(deferral) for deferral in deferrals]
    return sorted(rows, key=lambda row: (row["on"], row["recorded_at"]), reverse=True)


def _in_force(acts: list[ConsentAct]) -> set[Any]:
    by_episode: dict[Any, list[ConsentAct]] = {}
    for act in acts:
        by_episode.setdefault(act.episode_id, []).append(act)
    found = (rules.latest(some) for some in by_episode.values())
    return {act.pk for act in found if act is not None}  # type: ignore[attr-defined]  # the rule sees acts by protocol


def _act(act: ConsentAct, in_force: bool) -> dict[str, Any]:
    words = "Yes" if act.decision == "Y" else "No"
    return {
        "words": words,
        "in_force": in_force,
        "on": act.decided_on,
        "recorded_at": act.recorded_at,
        "episode": act.episode.episode_id,
        "agency": act.episode.service.agency_code,
        "method": act.get_method_display().lower(),
        "imported": act.origin == "imported",
        "by": act.recorded_by_label,
        "statement": act.statement_version,
        "leaflet": act.leaflet_given,
        "questions": act.questions_answered,
        "permission_by": act.permission_by,
    }


def _deferral(deferral: ConsentDeferral) -> dict[str, Any]:
    return {
        "words": "Not now",
        "in_force": False,
        "on": deferral.asked_on,
        "recorded_at": deferral.recorded_at,
        "episode": deferral.episode.episode_id,
        "agency": deferral.episode.service.agency_code,
        "by": deferral.recorded_by_label,
    }


def first_to_ask(episodes: list[Episode]) -> Episode | None:
    """The episode to ask about first: an open one that nobody has asked about, else any such one, else the newest."""
    unasked = [e for e in episodes if not e.consent]
    return next(
        (e for e in unasked if e.discharged_on is None),
        unasked[0] if unasked else episodes[0] if episodes else None,
    )
