"""`build_extract`: build a file for the national collection as the operator (contract sections 3 to 6)."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.core.tasks import JobRefused
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Organisation, Service
from edatrs.organisations.services import jobs
from ndtms import extract, selectors
from ndtms.bundle import check_date
from ndtms.choices import ExtractKind, SubmissionState
from ndtms.services import submissions
from ndtms.services.submissions import Refused


def _as_operator(service: Service) -> Any:
    return open_scope(
        actor=Actor.OPERATOR,
        organisation_id=service.organisation_id,
        organisation_label=service.organisation.slug,
        person_label="operator",
    )


class Command(BaseCommand):
    """Prints the manifest as one JSON object; exit 0 built, 1 refused, 2 wrong usage."""

    help = "Build an NDTMS extract. Check the data set against the current technical definitions before a live submission."

    def add_arguments(self, parser: CommandParser) -> None:
        """What is to be built, and where to put a copy."""
        parser.add_argument("--agency", required=True, help="NDTMS agency code")
        parser.add_argument("--dataset", help="adult, yp or cjit; must be the service's")
        parser.add_argument("--letter", help="data set letter; the service's setting when left out")
        parser.add_argument("--kind", default=ExtractKind.REPORTING.value, help="reporting or full")
        parser.add_argument("--as-of", help="yyyy-mm-dd; today when left out")
        parser.add_argument("--output", type=Path, help="copy the file there; counts as a download")
        parser.add_argument(
            "--organisation", help="refuse unless the agency is a service of this organisation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Build, print, exit."""
        try:
            answer = self._build(options)
        except (Refused, JobRefused) as refused:
            problem = getattr(refused, "problem", "not_built")
            self.stdout.write(json.dumps({"error": problem, "problem": str(refused)}, ensure_ascii=False))
            raise SystemExit(1) from None
        self.stdout.write(json.dumps(answer, ensure_ascii=False))

    def _build(self, options: dict[str, Any]) -> dict[str, Any]:
        self._check_output(options["output"])
        order = self._order(options)
        self.stderr.write(
            f"building {order.kind} extract of {order.service.agency_code}, letter {order.letter}, as of {order.as_of}"
        )
        submission_id = self._work(order)
        copy = None
        try:
            with _as_operator(order.service):
                built = selectors.get_submission(submission_id)
                if built.state == SubmissionState.FAILED:
                    raise Refused("not_built", built.problem)
                if options["output"]:
                    copy = self._copy(submissions.file_of(built), options["output"])
                    submissions.record_download(submission=built, acting_user=None)
                answer = selectors.manifest(built)
            if copy:
                # Only now that the download is on record: the file can be found by nobody before.
                self._place(copy, options["output"])
        finally:
            if copy:
                copy.unlink(missing_ok=True)
        return answer | (
            {"letter": built.letter, "letter_overridden": True} if built.letter_overridden else {}
        )

    def _work(self, order: submissions.ExtractOrder) -> UUID:
        """Build it in this process. The same extract under way elsewhere is waited for, and taken over when its builder has died."""
        try:
            with _as_operator(order.service):
                _, job = submissions.ask_for_extract(order=order, acting_user=None, held=True)
        except Refused as refused:
            under_way = submissions.same_work(order) if refused.problem == "already_building" else None
            if under_way is None:
                raise
            job = under_way
        patience = time.monotonic() + settings.JOB_LEASE_SECONDS + 5
        while (lease := jobs.claim(job.pk, at_once=True)) is None:
            job.refresh_from_db()
            if job.state == JobState.DONE:
                return job.subject
            if time.monotonic() > patience:
                words = f"This extract of {order.service.agency_code} is being built by a worker. Ask again in a minute."
                raise Refused("already_building", words)
            time.sleep(0.2)
        jobs.work(lease)
        return job.subject

    def _order(self, options: dict[str, Any]) -> submissions.ExtractOrder:
        organisation = None
        if options["organisation"]:
            organisation = Organisation.objects.filter(slug=options["organisation"]).first()
            if organisation is None:
                raise Refused("unknown_organisation", f"There is no organisation {options['organisation']}.")
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            return submissions.check_order(
                agency_code=options["agency"],
                dataset=options["dataset"],
                letter=options["letter"],
                kind=options["kind"],
                as_of=_date(options["as_of"]),
                organisation=organisation,
            )

    @staticmethod
    def _check_output(output: Path | None) -> None:
        if output is None:
            return
        if not output.resolve().parent.is_dir():
            raise Refused(
                "output_folder_missing", f"There is no folder {output.resolve().parent}: make it first."
            )
        try:
            if output.is_dir():
                raise Refused("output_is_a_folder", f"{output} is a folder: name the file in it.")
        except OSError as problem:
            raise Refused("output_not_written", f"{output}: {problem.strerror}.") from problem

    @staticmethod
    def _copy(source: Path, output: Path) -> Path:
        """A copy beside the place where it will stand, for this account alone from its first byte on."""
        part = output.with_name(f".{uuid4().hex}.part")
        try:
            with source.open("rb") as built, open(part, "xb", opener=extract.private) as copy:
                shutil.copyfileobj(built, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
        except OSError as problem:
            part.unlink(missing_ok=True)
            raise Refused("output_not_written", f"{output}: {problem.strerror}.") from problem
        return part

    @staticmethod
    def _place(copy: Path, output: Path) -> None:
        try:
            copy.replace(output)
        except OSError as problem:
            raise Refused("output_not_written", f"{output}: {problem.strerror}.") from problem


def _date(text: str | None) -> dt.date:
    if not text:
        return clock.today()
    if wrong := check_date(text):
        raise Refused("bad_as_of", f"As-of date: {wrong}.")
    return dt.date.fromisoformat(text)
