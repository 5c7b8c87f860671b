"""Month on month: what changed from the file before to this one, client by client, in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from caseload import present as people
from caseload.dataset.reader import load_dictionary
from caseload.models import Episode
from caseload.present import ANY_LETTER
from edatrs.core import access, trail
from ndtms import difference, selectors
from ndtms.choices import SubmissionState
from ndtms.difference import Change, Difference, NotComparable
from ndtms.models import Submission
from ndtms.services import submissions
from ndtms.views import present
from ndtms.views.submissions import SubmissionView

MOST_SHOWN = 200
# Of both files together: more would keep the page waiting.
MOST_BYTES = 60_000_000
WORDS = {
    difference.NEW: ("New in this file", "ok"),
    difference.GONE: ("No longer in the file", "soon"),
    difference.CHANGED: ("Changed", "info"),
    difference.WITHDRAWN: ("Withdrawal told to NDTMS", "none"),
    difference.NO_LONGER_WITHDRAWN: ("Withdrawal no longer in the file", "none"),
}


class DifferenceView(SubmissionView):
    """What changed since the file before of the same agency code and kind."""

    act = "extract.preview"
    title = "What changed since the file before"
    template_name = "ndtms/difference.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Looking at it is on the trail, as looking at the preview is."""
        submission = self.submission(pk)
        before = previous(submission)
        found, problem = None, ""
        if submission.state not in submissions.ON_DISK:
            problem = "This file was not built, so there is nothing to compare."
        elif before is None:
            problem = (
                "No earlier file of this agency code and kind was built, so there is nothing to compare with."
            )
        elif submission.size + before.size > MOST_BYTES:
            problem = "The two files are too large to be compared on a page. Compare them with a program, line by line."
        else:
            found, problem = _compare(before, submission)
        trail.record("ndtms.preview_viewed", subject=str(submission.pk))
        named = (
            selectors.episodes_named(submission, {c.episode_id for c in found.changes if c.episode_id})
            if found
            else {}
        )
        told = {c.client_id for c in found.changes if not c.episode_id} if found else set()
        seen = selectors.clients_found(submission, told)
        return self.page(
            request,
            s=present.detail(submission),
            before=present.detail(before) if before else None,
            problem=problem,
            found=found is not None,
            counts=[(words, found.counts[kind]) for kind, (words, _) in WORDS.items()] if found else [],
            same=found.counts[difference.SAME] if found else 0,
            rows=[_row(change, named, seen, submission) for change in found.changes] if found else [],
            cut=found.cut if found else False,
            most=MOST_SHOWN,
            columns_new=found.columns_new if found else (),
            columns_gone=found.columns_gone if found else (),
            url=present.url("submission", organisation, submission),
        )


def previous(submission: Submission) -> Submission | None:
    """The file before of the same agency code and kind: the newest that was loaded, or else the newest that was built and not refused."""
    if submission.snapshot_at is None:
        return None
    rows = selectors.submissions_for().filter(
        service_id=submission.service_id, kind=submission.kind, snapshot_at__lt=submission.snapshot_at
    )
    newest = rows.order_by("-snapshot_at", "pk")
    found: Submission | None = (
        newest.filter(state=SubmissionState.LOADED).first()
        or newest.filter(state=SubmissionState.BUILT).first()
    )
    return found


def _compare(before: Submission, after: Submission) -> tuple[Difference | None, str]:
    try:
        paths = [submissions.file_of(one) for one in (before, after)]
        with (
            paths[0].open(encoding="utf-8", newline="") as old,
            paths[1].open(encoding="utf-8", newline="") as new,
        ):
            return difference.compare(old, new, most=MOST_SHOWN), ""
    except submissions.Refused as refused:
        return None, str(refused)
    except (NotComparable, UnicodeDecodeError) as bad:
        words = str(bad) if isinstance(bad, NotComparable) else "One of the files is not as it was built"
        return None, f"{words}. Build the file again."


def _row(
    change: Change, named: dict[str, Episode], clients: set[str], submission: Submission
) -> dict[str, Any]:
    episode = named.get(change.episode_id)
    # A withdrawal row names a client and no episode.
    unseen = episode is None if change.episode_id else change.client_id not in clients
    words, badge = WORDS[change.kind]
    sees = episode is not None and access.may("client.view", "identity")
    return {
        "client_id": present.UNFOUND if unseen else change.client_id,
        "episode_id": "" if unseen else change.episode_id,
        "name": people.name_of(episode.client) if sees and episode else "",
        "kind": words,
        "badge": badge,
        "why": _why(change, episode, submission),
        "items": [] if unseen else [_item(*item) for item in change.items],
        "lists": [] if unseen else [_list(*one) for one in change.lists],
    }


def _item(name: str, before: str, after: str) -> dict[str, str]:
    item = load_dictionary().item(name)

    def said(value: str) -> str:
        if not value:
            return "nothing"
        label = load_dictionary().codes(item.code_list, ANY_LETTER).get(value, "") if item.code_list else ""
        return f"{label} ({value})" if label else value

    return {"label": item.label, "before": said(before), "after": said(after)}


def _list(name: str, before: int, after: int, fresh: int) -> str:
    label = name.replace("_", " ").capitalize()
    if after != before:
        return f"{label}: {before} before, {after} now, {fresh} new or changed"
    return f"{label}: {fresh} of {after} changed"


def _why(change: Change, episode: Episode | None, submission: Submission) -> str:
    """Why an episode is gone, as far as the record says so now."""
    if change.kind != difference.GONE or episode is None:
        return ""
    if episode.voided_at is not None:
        return "It was entered in error"
    if episode.consent != "Y":
        return (
            "Its consent was withdrawn" if episode.consent == "N" else "Its consent is not recorded any more"
        )
    if change.episode_id in submission.content.held_back:
        rules = ", ".join(submission.content.held_back[change.episode_id])
        return f"A rule holds it back ({rules})"
    start = present.detail(submission)["window_start"]
    if start and episode.discharged_on is not None and episode.discharged_on < start:
        return "It ended before the reporting window, which has moved on"
    return "The record changed since"
