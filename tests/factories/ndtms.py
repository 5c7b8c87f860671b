"""Submissions and what hangs on them, written in the open scope for the organisation acted for."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

from caseload.models import Episode
from edatrs.core import clock
from edatrs.core.crypto import seal
from edatrs.core.scope import current_organisation
from edatrs.organisations.models import Organisation, Service
from ndtms import extract
from ndtms.choices import ExtractKind, ImportState, LineKind, SubmissionState
from ndtms.models import (
    ImportFile,
    ImportLine,
    ImportRun,
    Mismatch,
    MismatchFile,
    NationalHolding,
    NilReturn,
    QualityAnswer,
    QualityCount,
    Submission,
    SubmissionContent,
    SubmissionDownload,
)
from tests.factories.caseload import DAY, make_episode, make_service

COUNTS = {
    "rows": 1,
    "episodes_sent": 1,
    "withdrawn_clients": 0,
    "declined_omitted": 0,
    "not_asked": 0,
    "out_of_window": 0,
    "held_back_count": 0,
}


def make_submission(
    *, service: Service | None = None, content: bytes = b"a,b\r\n1,2\r\n", **fields: Any
) -> Submission:
    """A submission that was built, with its file on disk (unless `stored_as` is empty)."""
    organisation = Organisation.objects.get(pk=current_organisation())
    service = (
        service or Service.objects.filter(organisation=organisation).first() or make_service(organisation)
    )
    made = Submission(
        service=service,
        agency_code=service.agency_code,
        dataset=service.dataset,
        letter="Q",
        kind=ExtractKind.REPORTING,
        as_of=DAY,
        state=SubmissionState.BUILT,
        asked_at=clock.now(),
        asked_by_label="a test",
        snapshot_at=clock.now(),
        built_at=clock.now(),
        file_name=f"{service.agency_code}.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        manifest=COUNTS,
    )
    made.stored_as = f"{made.pk}.csv"
    for name, value in fields.items():
        setattr(made, name, value)
    made.save(force_insert=True)
    if made.stored_as:
        (extract.folder() / made.stored_as).write_bytes(content)
    return made


def make_content(submission: Submission, episode: Episode | None = None, **fields: Any) -> SubmissionContent:
    """Which episodes its file carries."""
    defaults = {
        "carried": [episode.pk] if episode else [],
        "preview": {
            "new": [],
            "replaced": 0,
            "removed_by_consent": [],
            "missing": [],
            "removed_though_agreed": {},
        },
    }
    return SubmissionContent.objects.create(submission=submission, **{**defaults, **fields})


def make_download(submission: Submission, **fields: Any) -> SubmissionDownload:
    """Its file was taken."""
    return SubmissionDownload.objects.create(
        submission=submission, **{"at": clock.now(), "by_label": "a test", **fields}
    )


def make_holding(episode: Episode | None = None, **fields: Any) -> NationalHolding:
    """An episode that the national collection may hold."""
    episode = episode or make_episode()
    return NationalHolding.objects.create(
        episode=episode, client_id=episode.client_id, **{"held": True, "since": clock.now(), **fields}
    )


def make_import(*, lines: int = 1, content: bytes = b"PK", **fields: Any) -> ImportRun:
    """An upload that waits for an answer, with its sealed file and changed lines."""
    counts = {"created": 0, "changed": lines, "unchanged": 0, "refused": 0}
    defaults = {
        "state": ImportState.READY,
        "asked_at": clock.now(),
        "asked_by_label": "a test",
        "file_name": "bundle.zip",
        "sha256": hashlib.sha256(content).hexdigest(),
        "digest": hashlib.sha256(b"lines").hexdigest(),
        "size": len(content),
        "preview": 1,
        "counts": {"episodes.csv": counts},
        "read_at": clock.now(),
    }
    run = ImportRun.objects.create(**{**defaults, **fields})
    ImportFile.objects.create(run=run, sealed=seal(content, str(run.pk)))
    organisation = current_organisation()
    ImportLine.objects.bulk_create(
        ImportLine(
            organisation_id=organisation,
            run=run,
            place=place,
            file="episodes.csv",
            line=place + 1,
            kind=LineKind.CHANGED,
            key=f"E1 · {place} · {place}",
            changes=[["REFLD", "2026-01-01", "2026-01-02"]],
        )
        for place in range(1, lines + 1)
    )
    return run


def make_quality_answer(episode: Episode, **fields: Any) -> QualityAnswer:
    """Somebody said of a warning of an episode that it cannot be known. Nothing is pushed down."""
    defaults = {
        "rule": "W10",
        "reason": "Does not remember",
        "stands_for": "0" * 64,
        "answered_at": clock.now(),
        "by": uuid4(),
        "by_label": "a test",
    }
    return QualityAnswer.objects.create(
        organisation_id=current_organisation(),
        client_id=episode.client_id,
        episode=episode,
        **{**defaults, **fields},
    )


def make_quality_count(service: Service, **fields: Any) -> QualityCount:
    """A number of a day."""
    return QualityCount.objects.create(
        service=service, **{"day": clock.today(), "rule": "stops", "episodes": 3, **fields}
    )


def make_mismatch(episode: Episode | None, *, service: Service, **fields: Any) -> Mismatch:
    """One open mismatch in a list of its own."""
    file = MismatchFile.objects.create(
        service=service,
        agency_code=service.agency_code,
        sha256=hashlib.sha256(uuid4().bytes).hexdigest(),
        lines=1,
        taken_at=fields.pop("taken_at", clock.now()),
        by_label=fields.pop("by_label", "a test"),
    )
    defaults: dict[str, Any] = {"line": 2, "client_id_text": "C1", "episode_id_text": "E1", "kind": "missing"}
    if episode is not None:
        defaults |= {
            "client_id": episode.client_id,
            "episode": episode,
            "client_id_text": episode.registration.client_id_text,
            "episode_id_text": episode.episode_id,
        }
    return Mismatch.objects.create(
        organisation_id=current_organisation(), file=file, **{**defaults, **fields}
    )


def make_nil_return(service: Service, **fields: Any) -> NilReturn:
    """A month without anything to report."""
    defaults = {"month": clock.today().replace(day=1), "recorded_at": clock.now(), "by_label": "a test"}
    return NilReturn.objects.create(service=service, **{**defaults, **fields})
