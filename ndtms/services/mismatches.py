"""The mismatch loop (O-145): take in the list that NDTMS returned, mark what consent caused as resolved, settle the rest with a reason."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from caseload.hidden import for_everybody
from caseload.models import Episode
from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import Service
from ndtms import mismatch_file
from ndtms.choices import MismatchKind, MismatchState
from ndtms.models import Mismatch, MismatchFile
from ndtms.models.mismatches import LONGEST_REASON

BATCH = 1_000
BY_CONSENT = "The consent of this episode is no here: NDTMS took it out because our file said so"


class Refused(ValueError):
    """It cannot be done; the message says why and what to do."""


def take(*, service: Service, raw: bytes, name: str) -> tuple[MismatchFile, bool]:
    """Take a list in, whole or not at all. The same list again is the one that was taken: then the second value is False.

    A mismatch that is open already is not written twice. Raises BadMismatchFile, Refused.
    """
    if service.organisation_id != current_organisation():
        raise Refused("That is not a service of this organisation")
    lines = mismatch_file.read(raw, name=name, agency_code=service.agency_code)
    sha256 = hashlib.sha256(raw).hexdigest()
    before = MismatchFile.objects.filter(service=service, sha256=sha256).first()
    if before is not None:
        return before, False
    scope = current_scope()
    file = MismatchFile(
        service=service,
        agency_code=service.agency_code,
        sha256=sha256,
        lines=len(lines),
        taken_at=clock.now(),
        by=scope.person_id,
        by_label=scope.person_label,
    )
    try:
        with transaction.atomic():
            file.save(force_insert=True)
    except IntegrityError:  # sent twice at once
        return MismatchFile.objects.get(service=service, sha256=sha256), False
    with for_everybody():  # the list is whole, with whomever the person who brings it may not find
        rows, known = _rows(file, lines)
        Mismatch.objects.bulk_create(rows, batch_size=BATCH)
        file.known_before = known
        file.by_consent = sum(row.state == MismatchState.CONSENT for row in rows)
        file.save(update_fields=["known_before", "by_consent"])
    trail.record(
        "ndtms.mismatches_taken",
        subject=str(file.pk),
        details={
            "agency": service.agency_code,
            "sha256": sha256,
            "lines": len(lines),
            "by_consent": file.by_consent,
            "known": known,
        },
    )
    return file, True


def _rows(file: MismatchFile, lines: list[mismatch_file.MismatchLine]) -> tuple[list[Mismatch], int]:
    open_now = set(
        Mismatch.objects.filter(file__service_id=file.service_id, state=MismatchState.OPEN).values_list(
            "client_id_text", "episode_id_text", "kind"
        )
    )
    wanted = {line.episode_id for line in lines}
    found = Episode.objects.filter(
        service_id=file.service_id, episode_id__in=wanted, voided_at__isnull=True
    ).values_list("registration__client_id_text", "episode_id", "pk", "client_id", "consent")
    held = {(client, episode): (pk, client_pk, consent) for client, episode, pk, client_pk, consent in found}
    rows = []
    for line in lines:
        if (line.client_id, line.episode_id, line.kind) in open_now:
            continue
        pk, client_pk, consent = held.get((line.client_id, line.episode_id), (None, None, ""))
        caused = consent_caused(line.kind, consent)
        rows.append(
            Mismatch(
                organisation_id=file.organisation_id,
                file=file,
                line=line.line,
                client_id_text=line.client_id,
                episode_id_text=line.episode_id,
                kind=line.kind,
                client_id=client_pk,
                episode_id=pk,
                state=MismatchState.CONSENT if caused else MismatchState.OPEN,
                reason=BY_CONSENT if caused else "",
                settled_at=file.taken_at if caused else None,
            )
        )
    return rows, len(lines) - len(rows)


def consent_caused(kind: str, consent: str) -> bool:
    """Whether consent explains a mismatch: NDTMS holds or held an episode that our file does not carry because its consent is no. One that
    stands at yes and went with another (O-143) is not explained: somebody has to look at it.
    """
    return kind == MismatchKind.MISSING and consent == "N"


def _locked(pk: UUID) -> Mismatch:
    found: Mismatch | None = Mismatch.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise Denied("extract.confirm", "not found", subject=str(pk))
    return found


def settle(*, pk: UUID, reason: str) -> Mismatch:
    """Say what became of an open mismatch. Raises Denied, Refused. Said twice, the first stands."""
    found = _locked(pk)
    if found.state != MismatchState.OPEN:
        return found
    reason = reason.strip()
    if not reason:
        raise Refused("Say what became of it")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"The words must be {LONGEST_REASON} characters or fewer. There are {len(reason)}")
    _write(found, MismatchState.SETTLED, reason)
    trail.record("ndtms.mismatch_settled", subject=str(pk), details=_details(found))
    return found


def reopen(*, pk: UUID) -> Mismatch:
    """Take back that a mismatch is settled, or that consent explains it. Raises Denied, Refused where the same is open again already."""
    found = _locked(pk)
    if found.state == MismatchState.OPEN:
        return found
    same = Mismatch.objects.filter(
        file__service_id=found.file.service_id,
        state=MismatchState.OPEN,
        client_id_text=found.client_id_text,
        episode_id_text=found.episode_id_text,
        kind=found.kind,
    )
    if same.exists():
        raise Refused("The same mismatch came again in a later list and is open there: work that one")
    _write(found, MismatchState.OPEN, "")
    trail.record("ndtms.mismatch_reopened", subject=str(pk), details=_details(found))
    return found


def _write(found: Mismatch, state: str, reason: str) -> None:
    done = state != MismatchState.OPEN
    found.state, found.reason = state, reason
    found.settled_at = clock.now() if done else None
    found.settled_by_label = current_scope().person_label if done else ""
    found.save(update_fields=["state", "reason", "settled_at", "settled_by_label"])


def _details(found: Mismatch) -> dict[str, Any]:
    return {"agency": found.file.agency_code, "kind": found.kind}
