"""Submissions in words, for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.urls import reverse

from caseload import present as people
from caseload.dataset.rules import RULES
from caseload.dataset.window import window_start
from caseload.links import link_to_item
from caseload.models import Episode
from edatrs.core import access
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from ndtms.choices import ExtractKind, SubmissionState
from ndtms.models import Submission

BADGES = {
    SubmissionState.BUILDING: ("info", "Building"),
    SubmissionState.FAILED: ("late", "Not built"),
    SubmissionState.BUILT: ("info", "Built"),
    SubmissionState.LOADED: ("ok", "Loaded"),
    SubmissionState.REFUSED: ("late", "Refused by NDTMS"),
}
NEXT = {
    SubmissionState.BUILDING: "See how far it is",
    SubmissionState.FAILED: "See why",
    SubmissionState.BUILT: "Check and download",
    SubmissionState.LOADED: "Open",
    SubmissionState.REFUSED: "See the reason",
}
# A page shows so many of a list and says how many there are; the whole is in the preview that is kept.
MOST_SHOWN = 200
# What was kept when the file was built names episodes that who looks may not find now: a sensitive record, a conflict of interest.
UNFOUND = "A record you cannot open"


def url(name: str, slug: str, submission: Submission | None = None) -> str:
    """The address of one of our pages."""
    return reverse(f"ndtms:{name}", args=[slug, submission.pk] if submission else [slug])


def state_badge(submission: Submission) -> tuple[str, str]:
    """(kind, words) of the state; a built file that was taken is 'Downloaded'."""
    if submission.state == SubmissionState.BUILT and getattr(submission, "taken", False):
        return "info", "Downloaded"
    return BADGES[SubmissionState(submission.state)]


def row(submission: Submission, slug: str) -> dict[str, Any]:
    """One line of the list."""
    badge, words = state_badge(submission)
    counts = submission.manifest
    taken = words == "Downloaded"
    return {
        "id": submission.pk,
        "when": submission.asked_at,
        "agency": submission.agency_code,
        "service_name": submission.service.name,
        "kind": submission.kind,
        "kind_words": submission.get_kind_display(),
        "letter": submission.letter,
        "as_of": submission.as_of,
        "episodes_sent": counts.get("episodes_sent"),
        "withdrawn_clients": counts.get("withdrawn_clients", 0),
        "held_back_count": counts.get("held_back_count", 0),
        "who": submission.asked_by_label,
        "state_badge": badge,
        "state_words": words,
        "url": url("submission", slug, submission),
        "next_words": "Record what NDTMS said" if taken else NEXT[SubmissionState(submission.state)],
    }


def running(job: Job, submission: Submission) -> dict[str, Any]:
    """A build under way."""
    share = min(job.progress * 100 // job.progress_of, 99) if job.progress_of else 0
    waiting = "Waiting for a free worker" if job.state == JobState.QUEUED else "Checking episodes"
    return {
        "id": submission.pk,
        "words": f"{submission.agency_code} {submission.service.name}, {submission.kind}, letter {submission.letter}",
        "percent": share,
        "done": job.progress,
        "of": job.progress_of,
        "phase": job.progress_words or waiting,
        "started": submission.asked_at,
        "who": submission.asked_by_label,
    }


def detail(submission: Submission) -> dict[str, Any]:
    """One submission."""
    badge, words = state_badge(submission)
    return {
        "id": submission.pk,
        "agency": submission.agency_code,
        "service_name": submission.service.name,
        "kind_words": submission.get_kind_display(),
        "letter": submission.letter,
        "as_of": submission.as_of,
        "window_start": window_start(submission.as_of) if submission.kind == ExtractKind.REPORTING else None,
        "file_name": submission.file_name,
        "sha256": submission.sha256,
        "state": submission.state,
        "state_badge": badge,
        "state_words": words,
        "asked_by": submission.asked_by_label,
        "asked_at": submission.asked_at,
        "built_at": submission.built_at,
        "downloads": [{"who": d.by_label, "at": d.at} for d in submission.downloads.all()],
        "decided_by": submission.decided_by_label,
        "decided_at": submission.decided_at,
        "refused_reason": submission.refused_reason,
        "problem": submission.problem,
        **{
            key: submission.manifest.get(key, 0)
            for key in (
                "rows",
                "episodes_sent",
                "withdrawn_clients",
                "declined_omitted",
                "not_asked",
                "out_of_window",
            )
        },
    }


def shown_ids(submission: Submission) -> set[str]:
    """The EPISODIDs that the page names, its lists cut as they are shown."""
    kept = submission.content.preview
    lists = [
        entry[2] for name in ("new", "removed_by_consent", "missing") for entry in kept[name][:MOST_SHOWN]
    ]
    return {*lists, *kept.get("removed_though_agreed", {}), *islice(submission.content.held_back, MOST_SHOWN)}


def _who(episode: Episode | None, slug: str) -> dict[str, Any]:
    """Whose episode it is, for who may see that: the name in capitals and the way to the record."""
    if episode is None or not access.may("client.view", "identity"):
        return {"name": "", "url": ""}
    return {
        "name": people.name_of(episode.client),
        "url": reverse("caseload:client", args=[slug, episode.client_id]),
    }


def held_back(submission: Submission, episodes: Mapping[str, Episode], slug: str) -> list[dict[str, Any]]:
    """The episodes that rules hold back: whose, what is wrong and the remedy, the way to the very boxes, and whether NDTMS has it."""
    found = []
    for episode_id, rules in islice(submission.content.held_back.items(), MOST_SHOWN):
        episode = episodes.get(episode_id)
        found.append(
            {
                "episode_id": episode_id if episode else "",
                "client_id": episode.registration.client_id_text if episode else UNFOUND,
                "held": bool(episode and episode.held),  # type: ignore[attr-defined]  # annotated
                "rules": [
                    {
                        "id": r,
                        "words": RULES[r].words,
                        "remedy": RULES[r].remedy,
                        "fix": _fix(slug, episode, r),
                    }
                    for r in rules
                ],
                **_who(episode, slug),
            }
        )
    return found


def _fix(slug: str, episode: Episode | None, rule: str) -> str:
    """The first box of a rule that the roles may change, or ''."""
    if episode is None:
        return ""
    return next((url for name in RULES[rule].items if (url := link_to_item(slug, episode, name))), "")


def preview(submission: Submission, episodes: Mapping[str, Episode], slug: str) -> dict[str, Any]:
    """What the national collection will do, episode by episode, with a reason for each removal."""
    kept = submission.content.preview
    agreed = kept.get("removed_though_agreed", {})
    reasons = {
        "out_of_window": "It ended before the window, so this file does not carry it; another episode of the client is withdrawn",
        "held_back": "A rule holds it back, so this file does not carry it; another episode of the client is withdrawn",
    }

    def entries(name: str) -> list[dict[str, Any]]:
        return [
            {
                "agency": agency,
                "client_id": client_id if episode_id in episodes else UNFOUND,
                "episode_id": episode_id if episode_id in episodes else "",
                "agreed": episode_id in agreed,
                "why": reasons.get(agreed.get(episode_id, ""), "Consent withdrawn. Counts as resolved"),
                **_who(episodes.get(episode_id), slug),
            }
            for agency, client_id, episode_id in kept[name][:MOST_SHOWN]
        ]

    return {
        "new_count": len(kept["new"]),
        "new": entries("new"),
        "replaced_count": kept["replaced"],
        "removed_count": len(kept["removed_by_consent"]),
        "removed_by_consent": entries("removed_by_consent"),
        "missing_count": len(kept["missing"]),
        "missing": entries("missing"),
    }


def figures(found: Mapping[str, int], services: int, slug: str) -> list[dict[str, Any]]:
    """The totals of the desk."""
    return [
        {"label": "Agency codes", "value": services, "note": "services that report", "url": ""},
        {
            "label": "To check and download",
            "value": found["to_download"],
            "note": "See them" if found["to_download"] else "no file waits",
            "url": "#files" if found["to_download"] else "",
        },
        {
            "label": "To record",
            "value": found["to_record"],
            "note": "what NDTMS said" if found["to_record"] else "nothing is open",
            "url": "#files" if found["to_record"] else "",
        },
        {
            "label": "Stopped by a rule",
            "value": found["held_back"],
            "note": "Put the agreed episodes right" if found["held_back"] else "every agreed episode can go",
            "url": reverse("ndtms:data-quality", args=[slug])
            if found["held_back"] and access.may("quality.list")
            else "",
        },
    ]


def warnings(submission: Submission, episodes: Mapping[str, Episode]) -> list[str]:
    """What the file would remove that somebody agreed to, by name of episode (contract section 6)."""
    agreed = submission.content.preview.get("removed_though_agreed", {})
    clients = {entry[2]: entry[1] for entry in submission.content.preview["removed_by_consent"]}
    lines = []
    for episode_id, why in agreed.items():
        found = episode_id in episodes
        whose = f"Episode {episode_id} of client {clients.get(episode_id, '')}" if found else f"{UNFOUND}: it"
        if why == "out_of_window":
            lines.append(f"{whose} was agreed to and ended before the window. A full extract keeps it.")
        else:
            lines.append(
                f"{whose} was agreed to and is held back by a rule. Correct it first: no kind of file keeps it."
            )
    return lines
