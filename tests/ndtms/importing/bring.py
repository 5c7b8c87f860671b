"""What the tests of the import through the browser share: bundles of one organisation, zips of them, and the record read another way."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from caseload.dataset.reader import load_dictionary
from caseload.models import Client, ClientItems, Episode, EpisodeItems, Registration
from caseload.record import EPISODE_ENTITIES, LISTS, place_of
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Organisation, Service
from edatrs.organisations.services import jobs
from ndtms.bundle import client_items
from ndtms.load_clients import PARTS
from ndtms.models import ImportLine, ImportRun
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.oracle import dictionary
from tests.oracle.generate import read_tables, write_bundle

ROLE = "ndtms_administrator"


def acting_for(organisation: Organisation) -> Any:
    """A scope of the organisation for reading."""
    return open_scope(
        actor=Actor.WORKER, organisation_id=organisation.pk, organisation_label=organisation.slug
    )


def provider(*agencies: tuple[str, str], slug: str = "") -> Organisation:
    """An organisation with services: (agency code, data set)."""
    organisation = make_organisation(slug)
    for code, dataset in agencies:
        Service.objects.create(
            organisation=organisation, agency_code=code, name=f"Service {code}", dataset=dataset
        )
    return organisation


def zipped(folder: Path, files: Mapping[str, bytes] | None = None) -> bytes:
    """A zip of the files of a folder, some replaced."""
    held = {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))} | dict(files or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in held.items():
            made.writestr(name, raw)
    return out.getvalue()


def of_agencies(folder: Path, source: Path, agencies: set[str]) -> Path:
    """The part of a bundle that one organisation may bring: its agencies' lines, and the people they name."""
    tables, columns = read_tables(source)
    kept = {
        file: [row for row in rows if row.get("agency_code", next(iter(agencies))) in agencies]
        for file, rows in tables.items()
    }
    keys = {row["client_key"] for row in kept["registrations.csv"]}
    kept["clients.csv"] = [row for row in tables["clients.csv"] if row["client_key"] in keys]
    return Path(write_bundle(folder, kept, columns))


def browser_of(organisation: Organisation, role: str = ROLE) -> Browser:
    """Somebody in a role, signed in."""
    return sign_in(Browser(), make_person(organisation, role=role))


def address(organisation: Organisation, run: UUID | None = None, act: str = "") -> str:
    """Of the import pages."""
    return f"/o/{organisation.slug}/import/" + (f"{run}/" if run else "") + (f"{act}/" if act else "")


def send(browser: Browser, organisation: Organisation, raw: bytes, **fields: Any) -> Any:
    """Send a zip; the answer."""
    form = {"form_id": str(uuid4()), "file": SimpleUploadedFile("bundle.zip", raw), **fields}
    return browser.post(address(organisation), form)


def run_of(organisation: Organisation) -> ImportRun:
    """The newest import."""
    with acting_for(organisation):
        found: ImportRun = ImportRun.objects.order_by("-asked_at").first()
        return found


def work(*kinds: str) -> int:
    """Work on everything that waits, in this process; how many jobs."""
    done = 0
    while True:
        job = (
            Job.objects.filter(state=JobState.QUEUED)
            .exclude(kind="ndtms.expire_import")
            .order_by("created_at")
            .first()
        )
        if job is None:
            return done
        lease = jobs.claim(job.pk, at_once=True)
        assert lease is not None
        try:
            jobs.work(lease)
        except Exception:
            if not kinds:
                raise
        done += 1


def brought(browser: Browser, organisation: Organisation, raw: bytes) -> ImportRun:
    """Send a zip and have it read."""
    answer = send(browser, organisation, raw)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    work()
    return run_of(organisation)


def confirmed(browser: Browser, organisation: Organisation, run: ImportRun) -> ImportRun:
    """Confirm a preview and have it written."""
    answer = confirm(browser, organisation, run)
    assert answer.status_code == 302
    work()
    return run_of(organisation)


def confirm(browser: Browser, organisation: Organisation, run: ImportRun) -> Any:
    """Post the confirmation of a preview."""
    return browser.post(
        address(organisation, run.pk, "confirm"), {"preview": run.preview, "digest": run.digest}
    )


def lines(organisation: Organisation, run: ImportRun) -> list[ImportLine]:
    """The lines of a preview."""
    with acting_for(organisation):
        return list(ImportLine.objects.filter(run=run).order_by("place"))


def problems(organisation: Organisation, run: ImportRun) -> list[str]:
    """The refused lines as `file:line: column: problem`."""
    return [
        f"{row.file}:{row.line}: {row.column}: {row.words}" for row in lines(organisation, run) if row.words
    ]


Record = dict[tuple[str, ...], dict[str, str]]


def record(organisation: Organisation) -> Record:
    """What the organisation holds, by file and key of a bundle: read by the ORM alone, with no SQL of the load."""
    found: Record = {}
    with acting_for(organisation):
        for registration in Registration.objects.select_related("service"):
            key = ("registrations.csv", registration.service.agency_code, registration.client_id_text)
            found[key] = _texts({"reference": registration.reference})
            found["person of", *key[1:]] = {"id": str(registration.client_id)}
        for client in Client.objects.all():
            values: dict[str, Any] = {}
            for model, names in PARTS:
                part = model.objects.filter(client=client).first()  # type: ignore[attr-defined]  # a tenant model
                values |= {name: getattr(part, name) for name in names} if part else {}
            items = {k: v for row in ClientItems.objects.filter(client=client) for k, v in row.items.items()}
            values |= {column: items.get(item.name, "") for column, item in client_items().items()}
            found["clients.csv", str(client.pk)] = _texts(values)
        for episode in Episode.objects.select_related("service", "registration"):
            key = (
                "episodes.csv",
                episode.service.agency_code,
                episode.registration.client_id_text,
                episode.episode_id,
            )
            found[key] = _of_episode(episode)
            for listed in LISTS.values():
                for row in listed.model.objects.filter(episode=episode):  # type: ignore[attr-defined]  # a tenant model
                    found[f"{listed.name}.csv", *key[1:], row.identifier] = _texts(
                        {
                            header: getattr(row, name)
                            for header, name in listed.columns.items()
                            if name != "identifier"
                        }
                        | row.items
                    )
    return found


def _of_episode(episode: Episode) -> dict[str, str]:
    loose = dict(episode.items)
    for row in EpisodeItems.objects.filter(episode=episode):
        loose |= row.items
    values: dict[str, Any] = dict(loose)
    for item in load_dictionary().items:
        if item.entity in EPISODE_ENTITIES and item.name != "EPISODID":
            try:
                place = place_of(item)
            except LookupError:
                continue
            if place.model is Episode and not place.key:
                values[item.name] = getattr(episode, place.field)
    return _texts(values)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else str(value)
        for name, value in values.items()
        if value not in ("", None)
    }


def differences(before: Record, after: Record) -> Record:
    """Per key: what differs, as 'held → new'."""
    found: Record = {}
    for key in after.keys() | before.keys():
        old, new = before.get(key, {}), after.get(key, {})
        changes = {
            name: f"{old.get(name)} → {new.get(name)}"
            for name in old.keys() | new.keys()
            if old.get(name) != new.get(name)
        }
        if changes or key not in before:
            found[key] = changes
    return found


def bundle_keys(file: str) -> tuple[str, ...]:
    """The key columns of a file."""
    return tuple(dictionary.KEYS[file])
