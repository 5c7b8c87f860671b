"""Reads of the consent app."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from caseload import client_rows
from caseload.models import Client, ClientMerge, Episode
from consent import rules
from consent.models import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation
from edatrs.core import registry
from edatrs.core.access import Denied
from edatrs.core.clock import LONDON
from edatrs.core.scope import remembered

_EPISODE = Episode._meta.label_lower


def seen_of(episode: Episode) -> int:
    """How much is recorded of an episode: what a page counts when it is opened, to know later whether more came."""
    return sum(
        model.objects.filter(episode=episode).count()
        for model in (ConsentAct, ConsentDeferral, ConsentInvalidation)
    )


def seen_of_client(client: Client) -> int:
    """The same of all episodes of a client."""
    return sum(
        model.objects.filter(client=client).count()
        for model in (ConsentAct, ConsentDeferral, ConsentInvalidation)
    )


def counting(episode: Episode) -> list[rules.Decided]:
    """The decisions that count on an episode: every act but those recorded in error, and the noes inherited at merges that stand."""
    acts = list(ConsentAct.objects.filter(episode=episode, invalidation__isnull=True))
    return [*acts, *(no for no, _ in inherited_of(episode, acts))]


def inherited_of(episode: Episode, acts: Iterable[Any]) -> list[tuple[rules.Inherited, ClientMerge]]:
    """The noes that merges wrote to an episode, each with its merge; in the order of recording it stands where the merge was done."""
    acts, found = list(acts), []
    for merge in _merges(episode.client_id):
        for entry in merge.written:
            if (
                entry["model"] != _EPISODE
                or entry["pk"] != str(episode.pk)
                or "consent" not in entry["fields"]
            ):
                continue
            row = episode if episode.version == entry["after"] else _version(episode, entry["after"])
            if row is None or row.consent != "N":
                continue
            before = [act.sequence for act in acts if act.recorded_at < merge.merged_at]
            day = row.consent_on or merge.merged_at.date()
            found.append((rules.Inherited(day, max(before, default=0) + 0.5), merge))
    return found


def _version(episode: Episode, version: int) -> Any:
    """An earlier or the present state of an episode; None where the history has it no longer."""
    fresh = Episode.objects.get(pk=episode.pk)
    if fresh.version == version:
        return fresh
    return fresh.history.filter(version=version).first()


def _merges(client_id: UUID) -> list[ClientMerge]:
    """The merges that stand and led to this client, the oldest first: into it, and into those that were merged into it. A query for each
    generation of merges, once a page."""
    return remembered(("merges that led here", client_id), lambda: _led_to(client_id))


def _led_to(client_id: UUID) -> list[ClientMerge]:
    found: list[ClientMerge] = []
    some = [merge for merge in client_rows.merged_in(client_id) if merge.undone_at is None]
    while some:
        found += some
        wanted = {merge.client_id for merge in some} - {merge.survivor_id for merge in found}
        below = ClientMerge.objects.filter(survivor_id__in=wanted, undone_at__isnull=True)
        some = list(below.select_related("client"))
    return sorted(found, key=lambda merge: merge.merged_at)


def with_inherited() -> list[UUID]:
    """The episodes of the organisation to which a merge that stands wrote a no."""
    written = ClientMerge.objects.filter(undone_at__isnull=True).values_list("written", flat=True)
    return [
        UUID(entry["pk"])
        for entries in written
        for entry in entries
        if entry["model"] == _EPISODE and "consent" in entry["fields"]
    ]


def get_act(client: Client, pk: UUID) -> ConsentAct:
    """An act of a client. Raises Denied: absent and another client's answer alike."""
    found = (
        ConsentAct.objects.filter(client=client)
        .select_related("episode__service", "episode__registration", "invalidation")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Denied("consent.ndtms.record", "not found", subject=str(pk))
    return found


def get_form(client: Client, act_pk: UUID) -> ConsentForm:
    """The signed form of an act of a client. Raises Denied."""
    found = ConsentForm.objects.filter(client=client, consent_act_id=act_pk).first()
    if found is None:
        raise Denied("consent.ndtms.record", "not found", subject=str(act_pk))
    return found


def held_of(episode_ids: list[UUID]) -> dict[UUID, dt.datetime]:
    """Since when the national collection may hold these episodes, as the app above says."""
    found: dict[UUID, dt.datetime] = {}
    for _, ask in registry.held_nationally:
        found |= ask(episode_ids)
    return found


def history_of(client: Client, episodes: Sequence[Episode], *, evidence: bool = True) -> list[dict[str, Any]]:
    """Everything that was asked of a client, newest first: decisions and "not now", each with its episode, inherited noes, and the episodes
    that nobody asked about; with `evidence` also the signed forms, and what the national collection holds. A fixed number of queries, but
    for what merges wrote.
    """
    acts = list(
        ConsentAct.objects.filter(client=client)
        .select_related("episode__service", "invalidation")
        .order_by("-decided_on", "-sequence")
    )
    signed = ConsentForm.objects.filter(client=client).values("consent_act_id", "kind", "size", "sha256")
    forms = {form["consent_act_id"]: form for form in signed} if evidence else {}
    by_episode: dict[UUID, list[Any]] = defaultdict(list)
    for act in acts:
        by_episode[act.episode_id].append(act)
    inherited = {e.pk: inherited_of(e, by_episode[e.pk]) for e in episodes} if _merges(client.pk) else {}
    in_force = _in_force(by_episode, inherited)
    withdrawn = _withdrawn(by_episode)
    rows = [_act(act, act.pk in in_force, act.pk in withdrawn, forms.get(act.pk)) for act in acts]
    deferrals = list(ConsentDeferral.objects.filter(client=client).select_related("episode__service"))
    rows += [_deferral(deferral) for deferral in deferrals]
    for episode in episodes:
        rows += [
            _inherited(episode, no, merge, id(no) in in_force) for no, merge in inherited.get(episode.pk, [])
        ]
    asked = {act.episode_id for act in acts if not hasattr(act, "invalidation")}
    asked |= {pk for pk, noes in inherited.items() if noes}
    held = held_of([e.pk for e in episodes]) if evidence else {}
    for row in rows:
        since = held.get(row["episode_pk"]) if row["in_force"] else None
        row["held_since"] = since.astimezone(LONDON).date() if since else None
        recorded = row["recorded_at"].astimezone(LONDON).date()
        row["recorded_on"] = recorded if recorded != row["on"] else None
    rows = sorted(rows, key=lambda row: (row["on"], row["recorded_at"]), reverse=True)
    return rows + [_not_asked(e) for e in episodes if e.pk not in asked]


def _in_force(by_episode: dict[UUID, list[Any]], inherited: dict[UUID, list[Any]]) -> set[Any]:
    """What counts: the keys of acts, and the identities of inherited noes."""
    found: set[Any] = set()
    for episode_id in {*by_episode, *inherited}:
        acts = [act for act in by_episode.get(episode_id, []) if not hasattr(act, "invalidation")]
        latest = rules.latest([*acts, *(no for no, _ in inherited.get(episode_id, []))])
        if latest is not None:
            found.add(id(latest) if isinstance(latest, rules.Inherited) else latest.pk)  # type: ignore[attr-defined]
    return found


def _withdrawn(by_episode: dict[UUID, list[Any]]) -> set[UUID]:
    """The acts that took back a yes."""
    found: set[UUID] = set()
    for acts in by_episode.values():
        counted = [act for act in acts if not hasattr(act, "invalidation")]
        before = ""
        for act in sorted(counted, key=lambda act: (act.decided_on, act.sequence)):
            if act.decision == "N" and before == "Y":
                found.add(act.pk)
            before = act.decision
    return found


def _of(episode: Episode) -> dict[str, Any]:
    return {"episode": episode.episode_id, "episode_pk": episode.pk, "agency": episode.service.agency_code}


def _act(act: ConsentAct, in_force: bool, withdrawn: bool, form: dict[str, Any] | None) -> dict[str, Any]:
    imported = act.origin == "imported"
    error = getattr(act, "invalidation", None)
    return {
        **_of(act.episode),
        "kind": "act",
        "pk": act.pk,
        "answer": act.decision,
        "words": "Yes" if act.decision == "Y" else "Withdrawn" if withdrawn else "No",
        "in_force": in_force,
        "on": act.decided_on,
        "recorded_at": act.recorded_at,
        "method": act.get_method_display().lower(),
        "imported": imported,
        "by": act.recorded_by_label,
        "statement": act.statement_version,
        "did": [] if imported else _did(act),
        "permission_by": act.permission_by,
        "permission_relation": act.permission_relation,
        "competence_note": act.competence_note,
        "wish": act.get_wish_display() if act.wish else "",
        "left_out_reason": act.left_out_reason,
        "form": form,
        "error": {"reason": error.reason, "by": error.recorded_by_label, "at": error.recorded_at}
        if error
        else None,
    }


def _did(act: ConsentAct) -> list[str]:
    """What was done before the answer, and of a yes also what was not: an act says both."""
    steps = (
        (act.statement_said, "statement said", "statement not said"),
        (act.leaflet_given, "leaflet given", "leaflet not given"),
        (act.questions_answered, "questions answered", "questions not asked for"),
    )
    return [yes if done else no for done, yes, no in steps if done is not None and not act.wish]


def _deferral(deferral: ConsentDeferral) -> dict[str, Any]:
    return {
        **_of(deferral.episode),
        "kind": "deferral",
        "words": "Not now",
        "in_force": False,
        "on": deferral.asked_on,
        "recorded_at": deferral.recorded_at,
        "by": deferral.recorded_by_label,
        "note": deferral.note,
    }


def _inherited(episode: Episode, no: rules.Inherited, merge: ClientMerge, in_force: bool) -> dict[str, Any]:
    return {
        **_of(episode),
        "kind": "inherited",
        "words": "No",
        "in_force": in_force,
        "on": no.decided_on,
        "recorded_at": merge.merged_at,
        "by": merge.merged_by_label,
        "merged": str(merge.client),
    }


def _not_asked(episode: Episode) -> dict[str, Any]:
    return {
        **_of(episode),
        "kind": "unasked",
        "words": "Not asked",
        "in_force": False,
        "referred_on": episode.referred_on,
        "discharged_on": episode.discharged_on,
    }


def withdrawals_of(history: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """How far each withdrawal of a client went (O-138), from the rows of the history that are in force: asked, in a file, loaded, seen as a
    resolved mismatch. One query more than the history, where there is a withdrawal.
    """
    rows = [
        row
        for row in history
        if row["kind"] == "act" and row["in_force"] and row["answer"] == "N" and not row["imported"]
        if row["words"] == "Withdrawn" or row["wish"]
    ]
    asked = {row["episode_pk"]: row["recorded_at"] for row in rows}
    told: dict[Any, registry.Told] = {}
    for _, ask in registry.withdrawals_told if asked else ():
        told |= ask(asked)
    return [{**row, **_told(told.get(row["episode_pk"]))} for row in rows]


def _told(told: registry.Told | None) -> dict[str, Any]:
    days = {"built_on": told.built_at, "loaded_on": told.loaded_at} if told else {}
    return {"told": told, **{name: at.astimezone(LONDON).date() if at else None for name, at in days.items()}}


def first_to_ask(episodes: list[Episode]) -> Episode | None:
    """The episode to ask about first: an open one that nobody has asked about, else any such one, else the newest."""
    unasked = [e for e in episodes if not e.consent]
    return next(
        (e for e in unasked if e.discharged_on is None),
        unasked[0] if unasked else episodes[0] if episodes else None,
    )
