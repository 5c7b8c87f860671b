"""Submissions for programs: build, look, record what NDTMS said."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.response import Response

from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.api import ApiView, checked, refused
from ndtms import selectors
from ndtms.choices import ExtractKind
from ndtms.models import Submission
from ndtms.services import submissions
from ndtms.services.submissions import Refused

PAGE = 100
LISTS = ("new", "removed_by_consent", "missing", "held_back")
MOST_ENTRIES = 1000


class Order(serializers.Serializer[Any]):
    """A wish for an extract: the agency code, the kind, and the as-of date (today where none is given)."""

    service = serializers.CharField(max_length=20)
    kind = serializers.ChoiceField(ExtractKind.choices)
    as_of = serializers.DateField(required=False)
    letter = serializers.CharField(max_length=1, required=False)


class Refusal(serializers.Serializer[Any]):
    """Why NDTMS refused a file."""

    reason = serializers.CharField(max_length=2000)


def facts(submission: Submission, slug: str) -> dict[str, Any]:
    """Numbers and states of a file; nobody is named."""
    return {
        "id": str(submission.pk),
        "url": reverse("ndtms:api-submission", args=[slug, submission.pk]),
        "agency": submission.agency_code,
        "dataset": submission.dataset,
        "letter": submission.letter,
        "kind": submission.kind,
        "as_of": submission.as_of,
        "state": submission.state,
        "asked_at": submission.asked_at,
        "asked_by": submission.asked_by_label,
        "built_at": submission.built_at,
        "file": submission.file_name,
        "sha256": submission.sha256,
        "size": submission.size,
        "manifest": submission.manifest,
        "downloaded": bool(getattr(submission, "taken", False)),
        "decided_at": submission.decided_at,
        "decided_by": submission.decided_by_label,
        "refused_reason": submission.refused_reason,
        "problem": submission.problem,
    }


def found(act: str, pk: UUID) -> Submission:
    """The submission in the address. Raises Denied: absent and another organisation's answer alike."""
    try:
        return selectors.get_submission(pk)
    except Submission.DoesNotExist:
        raise Denied(act, "not found", subject=str(pk)) from None


def _key(submission: Submission) -> str:
    """What the page after begins behind."""
    return f"{submission.asked_at.isoformat()}~{submission.pk}"


def _before(key: str) -> Q:
    """Asked for before the last of the page before; an unknown key is the first page."""
    at, _, pk = key.partition("~")
    try:
        when, last = dt.datetime.fromisoformat(at), UUID(pk)
    except ValueError:
        return Q()
    if when.tzinfo is None:
        return Q()
    return Q(asked_at__lt=when) | Q(asked_at=when, pk__gt=last)


class SubmissionsApi(ApiView):
    """The files, newest first; a wish for one."""

    act = "submissions.view"
    changing_act = "extract.build"
    words = "The files for NDTMS, newest first (?before= the next page). POST service, kind, as_of and letter to build one."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """A hundred a page; `next` is the address of the page after, or null."""
        earlier = _before(request.GET.get("before", ""))
        rows = list(selectors.submissions_for().filter(earlier)[: PAGE + 1])
        shown = rows[:PAGE]
        more = f"?{urlencode({'before': _key(shown[-1])})}" if len(rows) > PAGE else ""
        return Response(
            {
                "results": [facts(row, organisation) for row in shown],
                "next": f"{request.path}{more}" if more else None,
            }
        )

    def post(self, request: HttpRequest, organisation: str) -> Response:
        """202: a worker builds it; ask its address for the state. The as-of date's cost (rule E08) is for the page to ask about."""
        wish = checked(Order, request)
        try:
            order = submissions.check_order(
                agency_code=wish["service"],
                dataset=None,
                letter=wish.get("letter"),
                kind=wish["kind"],
                as_of=wish.get("as_of") or clock.today(),
                organisation=request.organisation,  # type: ignore[attr-defined]  # set by the middleware
            )
            submission, _ = submissions.ask_for_extract(order=order, acting_user=request.user)  # type: ignore[arg-type]
        except Refused as no:
            return refused(no.problem, str(no))
        return Response(facts(submission, organisation), status=status.HTTP_202_ACCEPTED)


class SubmissionApi(ApiView):
    """One file."""

    act = "submissions.view"
    words = "One file: its state, its manifest, its hash, who and when."

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> Response:
        """Numbers and states."""
        submission = found(self.act, pk)
        downloads = [{"at": d.at, "by": d.by_label} for d in submission.downloads.all()]
        return Response(facts(submission, organisation) | {"downloads": downloads})


class PreviewApi(ApiView):
    """What the national collection will do with a file (contract section 6), by agency, client id and episode id."""

    act = "extract.preview"
    words = "What NDTMS will do with a built file: ?list= new, removed_by_consent, missing or held_back, ?from= a place in it."

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> Response:
        """The counts, and up to 1,000 entries of one list. An episode that who asks may not open is counted in `unseen` and not named."""
        submission = found(self.act, pk)
        if submission.state not in submissions.ON_DISK:
            return refused("not_built", "There is no preview of this file: it was not built.")
        name = request.GET.get("list", LISTS[0])
        if name not in LISTS:
            raise serializers.ValidationError({"list": [f"One of {', '.join(LISTS)}."]})
        trail.record("ndtms.preview_viewed", subject=str(submission.pk))
        kept = submission.content.preview
        whole = _whole(submission, name)
        start = _place(request.GET.get("from", ""))
        part = whole[start : start + MOST_ENTRIES]
        named = selectors.episodes_named(submission, [entry["episode_id"] for entry in part])
        seen = [entry for entry in part if entry["episode_id"] in named]
        end = start + len(part)
        return Response(
            {
                "submission": facts(submission, organisation),
                "new": len(kept["new"]),
                "replaced": kept["replaced"],
                "removed_by_consent": len(kept["removed_by_consent"]),
                "missing": len(kept["missing"]),
                "held_back": len(submission.content.held_back),
                "list": name,
                "results": seen,
                "unseen": len(part) - len(seen),
                "next": f"{request.path}?list={name}&from={end}" if end < len(whole) else None,
            }
        )


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _whole(submission: Submission, name: str) -> list[dict[str, Any]]:
    """A list of the preview as it was kept, in the order of the file."""
    content = submission.content
    if name == "held_back":
        return [{"episode_id": episode, "rules": rules} for episode, rules in content.held_back.items()]
    agreed = content.preview.get("removed_though_agreed", {})
    entries = [
        {"agency": agency, "client_id": client, "episode_id": episode}
        for agency, client, episode in content.preview[name]
    ]
    if name == "removed_by_consent":
        for entry in entries:
            entry["agreed_but"] = agreed.get(entry["episode_id"], "")
    return entries


class ConfirmApi(ApiView):
    """NDTMS took the file."""

    act = "extract.confirm"
    words = "POST: NDTMS took the file."

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> Response:
        """Recorded; again: nothing."""
        submission = found(self.act, pk)
        try:
            submissions.confirm_load(submission=submission, acting_user=request.user)  # type: ignore[arg-type]
        except Refused as no:
            return refused(no.problem, str(no))
        return Response(facts(found(self.act, pk), organisation))


class RefuseApi(ApiView):
    """NDTMS refused the file."""

    act = "extract.confirm"
    words = "POST reason: NDTMS refused the file, and why."

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> Response:
        """Recorded with its reason; nothing changed at NDTMS."""
        submission = found(self.act, pk)
        reason = checked(Refusal, request)["reason"]
        try:
            submissions.refuse_load(
                submission=submission,
                reason=reason,
                acting_user=request.user,  # type: ignore[arg-type]
            )
        except Refused as no:
            return refused(no.problem, str(no))
        return Response(facts(found(self.act, pk), organisation))
