"""Submissions: asked for, built by a worker, downloaded, recorded as loaded or refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from caseload.dataset.reader import UnknownDataset, UnknownLetter, load_dictionary
from caseload.dataset.window import BadAgencyCode, extract_file_name, window_start
from caseload.hidden import for_everybody
from edatrs.core import clock, trail
from edatrs.core.faults import kill_point
from edatrs.core.scope import Actor, current_scope, open_scope
from edatrs.core.tasks import JobRefused, LeaseLost, job_kind
from edatrs.organisations.choices import DataSet, JobState
from edatrs.organisations.models import Job, Organisation, Service, User
from edatrs.organisations.selectors import UnknownAgency, service_by_agency
from edatrs.organisations.services import jobs
from ndtms import extract, turn
from ndtms.choices import ExtractKind, SubmissionState
from ndtms.extract_query import ExtractPlan
from ndtms.models import Submission, SubmissionDownload

BUILD_EXTRACT = "ndtms.build_extract"
ON_DISK = (SubmissionState.BUILT, SubmissionState.LOADED, SubmissionState.REFUSED)


class Refused(ValueError):
    """What was asked for cannot be done; `problem` is a word for programs, the message says why and what to do."""

    def __init__(self, problem: str, words: str) -> None:
        super().__init__(words)
        self.problem = problem


@dataclass(frozen=True)
class ExtractOrder:
    """A checked wish for an extract."""

    service: Service
    dataset: str
    letter: str
    letter_overridden: bool
    kind: str
    as_of: dt.date


def check_order(
    *,
    agency_code: str,
    dataset: str | None,
    letter: str | None,
    kind: str,
    as_of: dt.date,
    organisation: Organisation | None = None,
) -> ExtractOrder:
    """Check a wish (contract sections 1 and 3). Raises Refused: unknown agency, another organisation's, wrong data set, unknown letter or
    kind, as-of date in the future.
    """
    try:
        service = service_by_agency(agency_code)
    except UnknownAgency:
        raise Refused(
            "unknown_agency", f"No service has the agency code {agency_code}. Check the code with NDTMS."
        ) from None
    if organisation is not None and service.organisation_id != organisation.pk:
        raise Refused(
            "agency_of_another_organisation", f"{agency_code} is not a service of {organisation.name}."
        )
    if dataset is not None and dataset != service.dataset:
        known = dataset in DataSet.values
        words = (
            f"{agency_code} reports by the data set {service.dataset}, not {dataset}."
            if known
            else f"There is no data set {dataset}."
        )
        raise Refused("wrong_dataset" if known else "unknown_dataset", words)
    if kind not in ExtractKind.values:
        raise Refused(
            "unknown_kind", f"The kind of an extract is {' or '.join(ExtractKind.values)}, not {kind}."
        )
    today = clock.today()
    if as_of > today:
        raise Refused(
            "as_of_in_future", f"The as-of date {as_of:%d/%m/%Y} is in the future; today is {today:%d/%m/%Y}."
        )
    in_force = service.letter_on(as_of, load_dictionary().default_letter)
    chosen = letter or in_force
    try:
        columns = load_dictionary().columns(service.dataset, chosen)
        extract_file_name(agency_code=agency_code, kind=kind, as_of=as_of, letter=chosen)
    except UnknownLetter as unknown:
        raise Refused("unknown_letter", f"{unknown}.") from None
    except (BadAgencyCode, UnknownDataset) as bad:
        raise Refused("bad_agency_code", str(bad)) from None
    if not columns:
        raise Refused(
            "unknown_letter", f"The data set {service.dataset} has no columns for the letter {chosen}."
        )
    return ExtractOrder(service, service.dataset, chosen, bool(letter) and letter != in_force, kind, as_of)


def ask_for_extract(
    *, order: ExtractOrder, acting_user: User | None, held: bool = False
) -> tuple[Submission, Job]:
    """Write the submission and its job, and wake a worker. `held`: the caller builds it itself.

    Two builds at once are made one: `same_work` finds the one that is under way.

    Raises Refused while the same extract is being built, and for a full extract while somebody who withdrew from all episodes here has
    one at yes (O-140). The scope must be of the service's organisation.
    """
    _refuse_still_at_yes(order)
    scope = current_scope()
    submission = Submission(
        service=order.service,
        agency_code=order.service.agency_code,
        dataset=order.dataset,
        letter=order.letter,
        letter_overridden=order.letter_overridden,
        kind=order.kind,
        as_of=order.as_of,
        asked_at=scope.now,
        asked_by=scope.person_id,
        asked_by_label=scope.person_label,
    )
    try:
        with transaction.atomic():
            submission.save()
            job = jobs.enqueue(
                kind=BUILD_EXTRACT,
                organisation_id=order.service.organisation_id,
                subject=submission.pk,
                unique_key=_key(order),
                requested_by=acting_user.pk if acting_user else None,
                held=held,
            )
    except IntegrityError:
        words = f"This extract of {order.service.agency_code} is being built already. Wait for it, or choose another date or kind."
        raise Refused("already_building", words) from None
    trail.record(
        "ndtms.extract_asked",
        subject=str(submission.pk),
        details={
            "agency": order.service.agency_code,
            "kind": order.kind,
            "letter": order.letter,
            "as_of": order.as_of.isoformat(),
        },
    )
    return submission, job


def _refuse_still_at_yes(order: ExtractOrder) -> None:
    words = turn.words_still_at_yes(order.service, named=True) if order.kind == ExtractKind.FULL else ""
    if words:
        raise Refused("still_at_yes", words)


def _key(order: ExtractOrder) -> str:
    return f"{BUILD_EXTRACT}:{order.service.pk}:{order.kind}:{order.letter}:{order.as_of}"


def same_work(order: ExtractOrder) -> Job | None:
    """The unfinished job of the same extract, or None."""
    return Job.objects.filter(unique_key=_key(order), state__in=(JobState.QUEUED, JobState.RUNNING)).first()


def plan_for(submission: Submission) -> ExtractPlan:
    """The plan of a submission."""
    return ExtractPlan(
        service_id=submission.service_id,
        organisation_id=submission.organisation_id,
        agency_code=submission.agency_code,
        dataset=submission.dataset,
        letter=submission.letter,
        kind=submission.kind,
        as_of=submission.as_of,
        window_start=window_start(submission.as_of),
        cmsid=settings.CMSID,
    )


def _worker_scope(lease: Any, *, one_snapshot: bool = False) -> Any:
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    person = User.objects.filter(pk=lease.requested_by).first() if lease.requested_by else None
    outer = lease.requested_by is None
    return open_scope(
        actor=Actor.OPERATOR if outer else Actor.WORKER,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk if person else None,
        person_label=person.full_name if person else "operator",
        one_snapshot=one_snapshot,
    )


def _owned(files: set[extract.Attempt]) -> set[extract.Attempt]:
    """Which of the files in the folder belong to an attempt that holds its lease, or to a published submission.

    Asked organisation by organisation, because submissions lie behind row security. The leases are read first: what loses its lease after
    that has published by the time the submissions are read, or never will. A file whose job is no longer known is asked for everywhere.
    """
    organisations = list(Organisation.objects.values_list("pk", flat=True))
    jobs_of = {
        job.subject: job
        for job in Job.objects.filter(kind=BUILD_EXTRACT, subject__in={f.submission for f in files})
    }
    owned: set[extract.Attempt] = set()
    asked: dict[UUID, set[extract.Attempt]] = {}
    for file in files:
        job = jobs_of.get(file.submission)
        if job is not None and job.state == JobState.RUNNING and job.lease_token == file.token:
            owned.add(file)
            continue
        for organisation_id in organisations if job is None else [job.organisation_id]:
            asked.setdefault(organisation_id, set()).add(file)
    for organisation_id, attempts in asked.items():
        with open_scope(actor=Actor.WORKER, organisation_id=organisation_id):
            names = set(
                Submission.objects.filter(pk__in={a.submission for a in attempts}).values_list(
                    "stored_as", flat=True
                )
            )
        owned |= {a for a in attempts if extract.stored_name(*a) in names}
    return owned


def clean() -> None:
    """Remove what dead attempts left in the extract folder."""
    extract.remove_leftovers(owned=_owned)


def give_up(lease: Any, words: str) -> None:
    """Say on the submission that it will not be built; called in the transaction that closes its job as failed."""
    with _worker_scope(lease):
        found = Submission.objects.filter(pk=lease.subject, state=SubmissionState.BUILDING)
        if found.update(state=SubmissionState.FAILED, problem=words[:300]):
            trail.record("ndtms.extract_failed", subject=str(lease.subject))


@job_kind(BUILD_EXTRACT, timeout=dt.timedelta(hours=2), clean=clean, failed=give_up)
def build(lease: Any) -> None:
    """Build the file of a submission in one snapshot, then publish it: the row, its content and the trail in one transaction."""
    kill_point("claimed")
    name = extract.stored_name(lease.subject, lease.token)
    try:
        with _worker_scope(lease, one_snapshot=True) as scope:
            submission = Submission.objects.get(pk=lease.subject)
            if submission.state != SubmissionState.BUILDING:
                return
            plan = plan_for(submission)
            kill_point("snapshot")
            if submission.kind == ExtractKind.FULL and (
                words := turn.words_still_at_yes(submission.service, named=False)
            ):
                raise JobRefused(words)  # recorded between the wish and the snapshot
            lease.progress(0, 0, "Checking episodes")
            judged = extract.judge(plan)
            lease.progress(0, judged.lines, f"{judged.episodes:,} episodes checked")
            built = extract.write(
                plan, name=name, on_line=lambda line: lease.progress(line, judged.lines, "Writing the file")
            )
            snapshot_at = scope.now
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        words = f"The file could not be written ({why}). Free space in the extract folder and build it again."
        raise JobRefused(words) from problem
    try:
        _publish(lease, submission, built, judged, snapshot_at)
    except LeaseLost:
        # Nothing was committed, so nobody can know of the file. After any other error only the clean-up may judge: the commit may have
        # gone through although its answer was lost.
        extract.discard(name)
        raise
    finally:
        extract.forget_content()
    kill_point("published")


def _publish(
    lease: Any,
    submission: Submission,
    built: extract.BuiltFile,
    judged: extract.Judged,
    snapshot_at: Any,
) -> None:
    with _worker_scope(lease) as scope:
        lease.publish()
        Submission.objects.filter(pk=submission.pk).update(
            state=SubmissionState.BUILT,
            snapshot_at=snapshot_at,
            built_at=scope.now,
            file_name=extract_file_name(
                agency_code=submission.agency_code,
                kind=submission.kind,
                as_of=submission.as_of,
                letter=submission.letter,
            ),
            stored_as=built.stored_as,
            sha256=built.sha256,
            size=built.size,
            manifest={**judged.counts, "rows": built.rows, "held_back_count": judged.held_back},
        )
        extract.publish_content(organisation_id=submission.organisation_id, submission_id=submission.pk)
        trail.record(
            "ndtms.extract_built",
            subject=str(submission.pk),
            details={"sha256": built.sha256, "rows": built.rows, "counts": judged.counts},
        )
        kill_point("recorded")
    kill_point("committed")


def file_of(submission: Submission) -> Path:
    """The published file on disk. Raises Refused when there is none, or when it is not the one that was published."""
    if submission.state not in ON_DISK:
        raise Refused("not_built", "There is no file of this submission: it was not built.")
    path = extract.folder() / submission.stored_as
    if not path.is_file() or path.stat().st_size != submission.size:
        raise Refused(
            "file_missing", "The file is no longer on disk as it was built. Build the extract again."
        )
    return path


def record_download(*, submission: Submission, acting_user: User | None) -> Path:
    """The file was taken: from now on the national collection may hold its episodes (contract section 4, rule 1). Raises Refused."""
    scope = current_scope()
    path = file_of(submission)
    SubmissionDownload(
        submission=submission, at=scope.now, by=scope.person_id, by_label=scope.person_label
    ).save()
    _hold(submission)
    trail.record(
        "ndtms.extract_downloaded", subject=str(submission.pk), details={"sha256": submission.sha256}
    )
    return path


def confirm_load(*, submission: Submission, acting_user: User | None) -> Submission:
    """NDTMS accepted the file: its episodes are held, and those it removes are not, agreed ones too. Again: nothing.

    Raises Refused, also where a later file of the agency code was recorded as loaded already.
    """
    turn.lock_files(submission.service_id)
    submission = Submission.objects.get(pk=submission.pk)
    if submission.state == SubmissionState.LOADED:
        return submission
    if submission.state != SubmissionState.BUILT:
        raise Refused(
            f"submission_{submission.state}",
            f"This submission is '{submission.get_state_display()}': only a built file can be recorded as loaded.",
        )
    if words := turn.superseded(submission):
        raise Refused("superseded", words)
    _remove_withdrawn(submission)
    _hold(submission)
    _decide(submission, SubmissionState.LOADED, "")
    trail.record("ndtms.extract_confirmed", subject=str(submission.pk))
    return submission


def refuse_load(*, submission: Submission, reason: str, acting_user: User | None) -> Submission:
    """NDTMS refused the file: recorded with its reason, and nothing else changes. Raises Refused."""
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    if not reason.strip():
        raise Refused("reason_missing", "Enter the reason that NDTMS gave.")
    if submission.state != SubmissionState.BUILT:
        raise Refused(
            f"submission_{submission.state}",
            f"This submission is '{submission.get_state_display()}': only a built file can be recorded as refused.",
        )
    _decide(submission, SubmissionState.REFUSED, reason.strip())
    trail.record("ndtms.extract_refused", subject=str(submission.pk))
    return submission


def _decide(submission: Submission, state: SubmissionState, reason: str) -> None:
    scope = current_scope()
    submission.state = state
    submission.decided_at = scope.now
    submission.decided_by_label = scope.person_label
    submission.refused_reason = reason
    submission.save(update_fields=["state", "decided_at", "decided_by_label", "refused_reason"])


_HOLD = """
INSERT INTO ndtms_nationalholding (organisation_id, client_id, episode_id, held, since)
SELECT e.organisation_id, e.client_id, e.id, true, %s
FROM ndtms_submissioncontent c, unnest(c.carried) AS x(id) JOIN caseload_episode e ON e.id = x.id
WHERE c.submission_id = %s AND e.organisation_id = %s
ON CONFLICT (episode_id) DO UPDATE SET held = true, since = EXCLUDED.since
"""
# The collection knows a client by agency code and client id, so a withdrawal is about a registration: every held episode of one with
# an N row that the file does not carry goes, as it is held now. But not what a later file has carried with yes meanwhile: nobody can say
# which of the two was loaded last, so it may still be held.
_REMOVE = """
UPDATE ndtms_nationalholding h SET held = false, since = %(now)s
FROM caseload_episode e
WHERE h.held AND h.organisation_id = %(organisation)s AND e.id = h.episode_id AND e.service_id = %(service)s
  AND e.registration_id IN (
      SELECT r.registration_id FROM ndtms_submissioncontent c, unnest(c.removed) AS x(id)
      JOIN caseload_episode r ON r.id = x.id WHERE c.submission_id = %(submission)s)
  AND NOT EXISTS (
      SELECT FROM ndtms_submissioncontent c WHERE c.submission_id = %(submission)s AND h.episode_id = ANY(c.carried))
  AND NOT EXISTS (
      SELECT FROM ndtms_submission s JOIN ndtms_submissioncontent c ON c.submission_id = s.id
      WHERE s.service_id = %(service)s AND s.snapshot_at > %(snapshot)s AND h.episode_id = ANY(c.carried)
        AND (s.state = 'loaded' OR EXISTS (SELECT FROM ndtms_submissiondownload d WHERE d.submission_id = s.id)))
"""


def _hold(submission: Submission) -> None:
    # The whole of the file, with whomever the person who took it may not find.
    with for_everybody(), connection.cursor() as cursor:
        cursor.execute(_HOLD, [current_scope().now, submission.pk, submission.organisation_id])


def _remove_withdrawn(submission: Submission) -> None:
    with for_everybody(), connection.cursor() as cursor:
        cursor.execute(
            _REMOVE,
            {
                "now": current_scope().now,
                "organisation": submission.organisation_id,
                "submission": submission.pk,
                "service": submission.service_id,
                "snapshot": submission.snapshot_at,
            },
        )
