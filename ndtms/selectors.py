"""Reads of the ndtms app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from caseload.models import Episode, EpisodeQuality, Registration
from edatrs.core import clock, registry
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from ndtms.choices import MismatchState, SubmissionState
from ndtms.models import Mismatch, NationalHolding, Submission, SubmissionDownload

NEWEST = 50


def submissions_for() -> QuerySet[Any]:
    """The submissions of the organisation acted for, newest first; `taken` says whether the file was downloaded."""
    taken = Exists(SubmissionDownload.objects.filter(submission_id=OuterRef("pk")))
    return Submission.objects.select_related("service").annotate(taken=taken).order_by("-asked_at", "pk")


def newest_submissions() -> list[Submission]:
    """The newest files, for the desk."""
    return list(submissions_for()[:NEWEST])


def get_submission(pk: UUID | str) -> Submission:
    """One submission of the organisation acted for, with its content and downloads. Raises Submission.DoesNotExist."""
    found: Submission = submissions_for().select_related("content").prefetch_related("downloads").get(pk=pk)
    return found


def builds_under_way() -> list[tuple[Job, Submission]]:
    """The builds of the organisation acted for that are not finished, each with its job, oldest first."""
    building = {s.pk: s for s in submissions_for().filter(state=SubmissionState.BUILDING)}
    jobs = Job.objects.filter(subject__in=list(building), state__in=(JobState.QUEUED, JobState.RUNNING))
    return [(job, building[job.subject]) for job in jobs.order_by("created_at")]


def episodes_named(submission: Submission, episode_ids: Iterable[str]) -> dict[str, Episode]:
    """The episodes of the submission's service by EPISODID, with who they are of; `held` says whether NDTMS may have it. One query."""
    held = Exists(NationalHolding.objects.filter(episode_id=OuterRef("pk"), held=True))
    rows = (
        Episode.objects.filter(service_id=submission.service_id, episode_id__in=list(episode_ids))
        .select_related("registration", "client__clientidentity")
        .annotate(held=held)
    )
    return {episode.episode_id: episode for episode in rows}


def clients_found(submission: Submission, client_ids: Iterable[str]) -> set[str]:
    """Those of some CLIENTIDs of the submission's service that the person acting may find. One query."""
    rows = Registration.objects.filter(
        service_id=submission.service_id, client_id_text__in=list(client_ids)
    ).values_list("client_id_text", flat=True)
    return set(rows)


def figures() -> dict[str, int]:
    """The numbers of the desk: files by what is to be done with them, and agreed episodes that a rule holds back now. Two queries."""
    taken = Exists(SubmissionDownload.objects.filter(submission_id=OuterRef("pk")))
    built = Q(state=SubmissionState.BUILT)
    found: dict[str, int] = Submission.objects.annotate(taken=taken).aggregate(
        to_download=Count("pk", filter=built & Q(taken=False)),
        to_record=Count("pk", filter=built & Q(taken=True)),
    )
    stopped = EpisodeQuality.objects.filter(
        errors__len__gt=0, episode__consent="Y", episode__voided_at__isnull=True
    )
    return found | {"held_back": stopped.count()}


def organisation_of_submission(pk: UUID) -> UUID | None:
    """Whose submission it is, by its job: for the operator's commands, which know only the id."""
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        return (
            Job.objects.filter(subject=pk, kind="ndtms.build_extract")
            .values_list("organisation_id", flat=True)
            .first()
        )


def manifest(submission: Submission) -> dict[str, Any]:
    """The manifest as `build_extract` prints it (contract section 3)."""
    kept = submission.manifest
    return {
        "submission": str(submission.pk),
        "file": submission.file_name,
        "sha256": submission.sha256,
        "rows": kept["rows"],
        "episodes_sent": kept["episodes_sent"],
        "withdrawn_clients": kept["withdrawn_clients"],
        "declined_omitted": kept["declined_omitted"],
        "not_asked": kept["not_asked"],
        "out_of_window": kept["out_of_window"],
        "held_back": submission.content.held_back,
    }


def preview(submission: Submission) -> dict[str, Any]:
    """The preview as `preview_load` prints it, of the build's snapshot."""
    kept = submission.content.preview
    return {key: kept[key] for key in ("new", "replaced", "removed_by_consent", "missing")}


def count_after(service_id: UUID, as_of: dt.date) -> int:
    """How many agreed episodes an as-of date holds back by rule E08: referred, triaged or closed after it."""
    late = Q(referred_on__gt=as_of) | Q(triaged_on__gt=as_of) | Q(discharged_on__gt=as_of)
    return Episode.objects.filter(late, service_id=service_id, consent="Y", voided_at__isnull=True).count()


def held_of(episode_ids: list[Any]) -> dict[Any, dt.datetime]:
    """Since when the national collection may hold these episodes; those it may not hold are left out. One query."""
    rows = NationalHolding.objects.filter(episode_id__in=episode_ids, held=True)
    return dict(rows.values_list("episode_id", "since"))


def withdrawals_told(asked: dict[Any, dt.datetime]) -> dict[Any, registry.Told]:
    """How far withdrawals went (O-138): of each episode the first file built after it was recorded that takes the episode out and was
    loaded, or else the latest such file that NDTMS did not refuse; and when a list of mismatches showed it. Absent: no file carries it yet.
    Two queries.
    """
    if not asked:
        return {}
    rows = (
        submissions_for()
        .filter(
            state__in=(SubmissionState.BUILT, SubmissionState.LOADED),
            snapshot_at__gt=min(asked.values()),
            content__removed__overlap=list(asked),
        )
        .order_by("snapshot_at", "pk")
    )
    found: dict[Any, registry.Told] = {}
    for file in rows.annotate(taking_out=F("content__removed")):
        told = registry.Told(
            file.file_name,
            file.built_at,
            file.taken,
            file.decided_at if file.state == SubmissionState.LOADED else None,
        )
        for pk in asked.keys() & set(file.taking_out):
            if file.snapshot_at > asked[pk] and not (pk in found and found[pk].loaded_at):
                found[pk] = told
    # A list from before the load cannot be about it.
    resolved = withdrawals_resolved({pk: told.loaded_at for pk, told in found.items() if told.loaded_at})
    return {pk: replace(told, resolved_on=resolved.get(pk)) for pk, told in found.items()}


def withdrawals_resolved(since: dict[Any, dt.datetime]) -> dict[Any, dt.date]:
    """When withdrawals were seen as a resolved mismatch (O-138): by episode, the first list after the instant of its load. One query."""
    if not since:
        return {}
    rows = (
        Mismatch.objects.filter(episode_id__in=list(since), state=MismatchState.CONSENT)
        .order_by("file__taken_at")
        .values_list("episode_id", "file__taken_at")
    )
    found: dict[Any, dt.date] = {}
    for pk, taken_at in rows:
        if taken_at > since[pk]:
            found.setdefault(pk, clock.london_date(taken_at))
    return found
