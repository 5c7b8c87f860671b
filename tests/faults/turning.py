"""A service whose consents turn while its extracts are built, the kills, and what must hold whatever happened (T5)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from audit.models import AuditEvent
from caseload.models import Episode
from edatrs.core import trail
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Service
from ndtms import extract
from ndtms.choices import SubmissionState
from ndtms.models import Submission, SubmissionContent
from ndtms.services import submissions
from ndtms.services.submissions import ExtractOrder

SAMPLE = Path(__file__).parent.parent / "data" / "sample" / "bundle-2"
FIRST_DAY = dt.date(2026, 11, 1)
MARK = "ALCUNITS"


def agrees(episode_id: str, generation: int) -> bool:
    """Whether an episode agrees in a generation; the database says the same by the same hash."""
    return hashlib.md5(f"{episode_id}:{generation}".encode(), usedforsecurity=False).digest()[0] % 2 == 0


_TURN = f"""
UPDATE caseload_episode SET
    consent = CASE WHEN get_byte(decode(md5(episode_id || ':' || %(generation)s), 'hex'), 0) %% 2 = 0 THEN 'Y' ELSE 'N' END,
    items = jsonb_set(items, '{{{MARK}}}', to_jsonb(%(generation)s::text))
WHERE service_id = %(service)s AND episode_id = ANY(%(episodes)s)
"""


_BEAR = """
INSERT INTO caseload_episode (organisation_id, client_id, registration_id, service_id, id, episode_id, referred_on, triaged_on,
    referral_source, drug_1, items)
SELECT organisation_id, client_id, registration_id, service_id, gen_random_uuid(), %(new)s, referred_on, triaged_on,
    referral_source, drug_1, items
FROM caseload_episode WHERE service_id = %(service)s AND episode_id = %(like)s
"""


@dataclass
class Turning:
    """A service whose record turns from one generation to the next."""

    service: Service
    known: dict[str, str]  # the client of each episode that the collection holds and that turns
    always_withdrawn: set[str]
    born: dict[str, int] = field(default_factory=dict)
    client_of_born: dict[str, str] = field(default_factory=dict)
    generation: int = 0

    def turn(self, *, bear: bool) -> None:
        """Move the record on by one generation, in one transaction."""
        number = self.generation + 1
        with acting_for(self.service), connection.cursor() as cursor:
            if bear:
                like = min(self.known)
                new = f"9{number:06d}"
                cursor.execute(_BEAR, {"new": new, "service": self.service.pk, "like": like})
                self.born[new] = number
                self.client_of_born[new] = self.known[like]
            cursor.execute(
                _TURN,
                {
                    "generation": str(number),
                    "service": self.service.pk,
                    "episodes": [*self.known, *self.born],
                },
            )
            # Rows and trail are compared afterwards: what is written here is an act as any other.
            trail.record("caseload.client.changed", details={"what": ["episode"]})
        self.generation = number

    def rows(self, generation: int) -> tuple[set[str], set[str]]:
        """What the file of a generation holds: episodes, and clients that withdraw."""
        born = {e for e, since in self.born.items() if since <= generation}
        carried = {e for e in {*self.known, *born} if agrees(e, generation)}
        withdrawn = {c for e, c in self.known.items() if not agrees(e, generation)} | self.always_withdrawn
        return carried, withdrawn


def acting_for(service: Service) -> Any:
    """A scope of the operator for the organisation of a service."""
    return open_scope(
        actor=Actor.OPERATOR,
        organisation_id=service.organisation_id,
        organisation_label=service.organisation.slug,
        person_label="operator",
    )


def ask(service: Service, as_of: dt.date) -> tuple[UUID, UUID]:
    """Ask for a full extract, as the desk does; the ids of submission and job."""
    order = ExtractOrder(service, service.dataset, "Q", False, "full", as_of)
    with acting_for(service):
        submission, job = submissions.ask_for_extract(order=order, acting_user=None)
    return submission.pk, job.pk


def rows_of(submission: Submission) -> list[dict[str, str]]:
    """The rows of a published file."""
    raw = submissions.file_of(submission).read_bytes()
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def wrongs(one: Turning, submission_id: UUID) -> Iterator[str]:
    """What is wrong with a submission and its file; nothing when all is well."""
    with acting_for(one.service):
        submission = Submission.objects.filter(pk=submission_id).first()
        if submission is None or submission.state != SubmissionState.BUILT:
            yield f"lost: {submission.state if submission else 'gone'}"
            return
        contents = SubmissionContent.objects.filter(pk=submission_id).count()
        events = AuditEvent.objects.filter(name="ndtms.extract_built", subject=str(submission_id)).count()
        if (contents, events) != (1, 1):
            yield f"built {events} times, {contents} contents"
        path = extract.folder() / submission.stored_as
        raw = path.read_bytes() if path.exists() else b""
        if (hashlib.sha256(raw).hexdigest(), len(raw)) != (submission.sha256, submission.size):
            yield "the file is not the one of the row"
            return
        carried = set(
            Episode.objects.filter(pk__in=submission.content.carried).values_list("episode_id", flat=True)
        )
        removed = set(
            Episode.objects.filter(pk__in=submission.content.removed).values_list(
                "registration__client_id_text", flat=True
            )
        )
        yield from wrongs_of_rows(one, rows_of(submission), carried, removed)
        state = Job.objects.get(subject=submission_id)
        if state.state != JobState.DONE:
            yield f"its job is {state.state}: {state.problem}"


def wrongs_of_rows(
    one: Turning, rows: list[dict[str, str]], carried: set[str], removed: set[str]
) -> Iterator[str]:
    """What is wrong with the rows of a file, beside what the row of the submission says of them."""
    sent = {row["EPISODID"] for row in rows if row["CONSENT"] == "Y"}
    withdrawn = [row for row in rows if row["CONSENT"] != "Y"]
    marks = Counter(row[MARK] for row in rows if row["CONSENT"] == "Y")
    if len(marks) > 1:
        yield f"of {len(marks)} moments: {sorted(marks)}"
    nobody_agreed = [g for g in range(1, one.generation + 1) if not one.rows(g)[0]] if not marks else []
    if not marks and not nobody_agreed:
        yield "nobody is sent"
        return
    generation = int(marks.most_common(1)[0][0]) if marks else nobody_agreed[0]
    may_be_sent, must_withdraw = one.rows(generation)
    if sent - may_be_sent:
        yield f"{len(sent - may_be_sent)} episodes without consent at generation {generation}"
    if may_be_sent - sent:
        yield f"{len(may_be_sent - sent)} agreed episodes missing at generation {generation}"
    if {row["CLIENTID"] for row in withdrawn} != must_withdraw or len(withdrawn) != len(must_withdraw):
        yield f"withdrawals of generation {generation} are not those of the file"
    if any(
        {name for name, value in row.items() if value} != {"AGNCY", "CLIENTID", "CONSENT"}
        for row in withdrawn
    ):
        yield "a withdrawal says more than three things"
    if sent != carried:
        yield "the rows are not those that the submission names"
    if not removed <= must_withdraw:
        yield "somebody is taken out who did not withdraw"


def left_over() -> set[str]:
    """Files in the extract folder that no published submission owns."""
    owned: set[str] = set()
    for service in Service.objects.select_related("organisation"):
        with acting_for(service):
            owned |= set(Submission.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    return {path.name for path in extract.folder().iterdir()} - owned
