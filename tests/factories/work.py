"""What people leave behind while they work, written in the open scope for the organisation acted for."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from caseload.models import (
    Allocation,
    AllocationKind,
    AllocationRun,
    Client,
    ClientMerge,
    Episode,
    EpisodeQuality,
    ListExport,
    ListExportDownload,
    MatchKey,
    Opening,
    PartnerCheck,
    SavedView,
    SearchToken,
)
from caseload.selectors_export import Narrowed
from edatrs.core import clock
from edatrs.core.scope import current_organisation
from edatrs.organisations.models import Draft, User
from tests.factories.caseload import DAY, make_client


def make_work(episode: Episode, person: User) -> None:
    """One row of every table of this kind, about the client of an episode: looked at, allocated, checked, drafted."""
    organisation, client = current_organisation(), episode.client
    SearchToken.objects.create(organisation_id=organisation, client=client, kind="name", token="FENWICK")
    MatchKey.objects.create(client=client, of_person=client.person_id, sur=["fenwick"])
    PartnerCheck.objects.create(
        client=client, asked_by=person.pk, asked_by_label=person.full_name, asked_at=clock.now(), known=True
    )
    Opening.objects.create(organisation_id=organisation, client=client, user=person, at=clock.now())
    SavedView.objects.create(organisation_id=organisation, user=person, page="caseload", name="Mine")
    EpisodeQuality.objects.create(
        organisation_id=organisation,
        client=client,
        episode=episode,
        letter="Q",
        errors=["E07"],
        since={"E07": clock.now().isoformat()},
        failing_since=clock.now(),
        checked_at=clock.now(),
    )
    made = Allocation.objects.create(
        organisation_id=organisation,
        client=client,
        kind=AllocationKind.KEYWORKER,
        keyworker=person,
        valid_from=DAY,
        reason="New",
        by=person.pk,
        by_label=person.full_name,
    )
    make_run(
        person,
        lines=[{"client": str(client.pk), "made": str(made.pk), "before": "", "ended": [], "problem": ""}],
    )
    make_draft(person, about_client=client.pk)
    make_export_download(make_export(person))
    make_merge(make_client(voided_at=clock.now()), client, merged_by=person.pk)


def make_run(person: User, **fields: Any) -> AllocationRun:
    """An act of allocation of one client."""
    defaults = {
        "id": uuid4(),
        "kind": AllocationKind.KEYWORKER,
        "valid_from": DAY,
        "reason": "New",
        "at": clock.now(),
    }
    return AllocationRun.objects.create(
        organisation_id=current_organisation(),
        keyworker=person,
        by=person.pk,
        by_label=person.full_name,
        **{**defaults, **fields},
    )


def make_export(person: User, **fields: Any) -> ListExport:
    """A list that somebody may take out for a day: record numbers alone, of everybody."""
    now = clock.now()
    defaults = {
        "id": uuid4(),
        "by_label": person.full_name,
        "filters": Narrowed().kept(),
        "columns": ["record"],
        "names": False,
        "purpose": "work",
        "reason": "To plan the week",
        "leaves": False,
        "lines": 1,
        "people": 1,
        "asked_at": now,
        "expires_at": now + dt.timedelta(days=1),
    }
    return ListExport.objects.create(
        organisation_id=current_organisation(), user=person, **{**defaults, **fields}
    )


def make_export_download(export: ListExport, **fields: Any) -> ListExportDownload:
    """One time that it was taken."""
    defaults = {
        "columns": export.columns,
        "lines": 1,
        "people": 1,
        "size": 30,
        "sha256": "0" * 64,
        "at": clock.now(),
    }
    return ListExportDownload.objects.create(
        organisation_id=current_organisation(), export=export, **{**defaults, **fields}
    )


def make_merge(client: Client, survivor: Client, **fields: Any) -> ClientMerge:
    """A merge that is on the record; nothing is moved."""
    return ClientMerge.objects.create(
        organisation_id=current_organisation(),
        client=client,
        survivor=survivor,
        reason="The same person twice",
        merged_at=clock.now(),
        merged_by=fields.pop("merged_by"),
        merged_by_label="a test",
        **fields,
    )


def make_draft(person: User, **fields: Any) -> Draft:
    """An open draft."""
    defaults = {"form": "caseload.client.identity", "object": "", "address": "/", "text": "[]"}
    return Draft.objects.create(
        organisation_id=current_organisation(), user=person, kept_at=clock.now(), **{**defaults, **fields}
    )


def allocate(client: Client, person: User, **fields: Any) -> Allocation:
    """To a keyworker, since yesterday."""
    return Allocation.objects.create(
        organisation_id=client.organisation_id,
        client=client,
        kind=AllocationKind.KEYWORKER,
        keyworker=person,
        valid_from=clock.today() - dt.timedelta(days=1),
        by=person.pk,
        **{"reason": "New", "by_label": person.full_name, **fields},
    )
