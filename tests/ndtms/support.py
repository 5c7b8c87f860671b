"""What the import and extract tests share: running commands, seeing every table as it lies on disk, and the product beside the oracle."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connection

from caseload.models import Episode
from consent.choices import Competence
from consent.services import record_ndtms_decision
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import Organisation, Service, User
from ndtms import selectors
from ndtms.caseload_import import BundleRefused, import_caseload
from ndtms.services import submissions
from tests.oracle import compare, contract, reader, values
from tests.oracle.bad_bundles import as_problem

AS_OF = dt.date(2026, 10, 31)
# The day of the tests, whatever the machine's clock says: an as-of date may not be in the future.
TODAY = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Ran:
    """What a command did: exit code, the one JSON object of standard output, and standard error."""

    code: int
    answer: dict[str, Any]
    said: str


def run(*command: str) -> Ran:
    """Run a command in this process, whatever it answers. Standard output must be one JSON object, and no traceback anywhere."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(*command, stdout=out, stderr=err)
    except SystemExit as left:
        code = int(left.code or 0)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Ran(code, json.loads(out.getvalue()), err.getvalue())


def done(*command: str) -> dict[str, Any]:
    """The answer of a command that must succeed."""
    ran = run(*command)
    assert ran.code == 0, ran
    return ran.answer


def refused(*command: str) -> str:
    """The word for programs of a command that must be refused, with words that say why."""
    ran = run(*command)
    assert ran.code == 1, ran
    assert ran.answer["error"] and ran.answer["problem"].rstrip().endswith((".", "?")), ran.answer
    return str(ran.answer["error"])


def problems_of(folder: Path, *, dry_run: bool = False) -> list[str]:
    """The problems that stop a load; empty when it loads."""
    try:
        import_caseload(folder, dry_run=dry_run)
    except BundleRefused as stopped:
        return stopped.lines
    return []


@contextmanager
def all_rows(owner: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The owner sees every row while this is open: FORCE is taken off in a transaction that is rolled back."""
    owner.execute("BEGIN")
    try:
        forced = owner.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relforcerowsecurity"
        ).fetchall()
        for (table,) in forced:
            owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        yield owner
    finally:
        owner.execute("ROLLBACK")


def tables(owner: psycopg.Connection[Any]) -> list[str]:
    """Every table of the database."""
    found = owner.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return sorted(name for (name,) in found)


def counts(owner: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows each table holds."""
    with all_rows(owner):
        each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables(owner))
        return dict(owner.execute(each).fetchall())


def on_disk(owner: psycopg.Connection[Any], *but: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table (but some) with the place it lies at and the transaction that wrote it: a needless UPDATE shows."""
    with all_rows(owner):
        return {
            name: owner.execute(
                f'SELECT ctid::text, xmin::text, t::text FROM "{name}" t ORDER BY ctid'
            ).fetchall()
            for name in tables(owner)
            if name not in but
        }


# What an act writes that changes nothing of the record: the trail and its heads.
TRAIL = ("audit_auditevent", "audit_chainhead")


def service(agency: str) -> Service:
    """The service of an agency code."""
    return Service.objects.select_related("organisation").get(agency_code=agency)


def acting_for(agency: str) -> Any:
    """A scope of the operator for the organisation of an agency code."""
    organisation = service(agency).organisation
    return open_scope(
        actor=Actor.OPERATOR,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_label="operator",
    )


def held(agency: str, client_id: str, episode_id: str) -> Episode:
    """An episode of the record; a scope must be open."""
    found: Episode = Episode.objects.get(
        service__agency_code=agency, registration__client_id_text=client_id, episode_id=episode_id
    )
    return found


class ProductOracle(contract.Oracle):
    """The oracle with what the product decides otherwise on purpose.

    - A name without any letter gives no initial, so it counts as missing (E01).
    - An episode that a later file of the service carried, downloaded meanwhile, stays held when an earlier one is confirmed; after a later
      one was confirmed, an earlier one is not.
    - Of people without any registration the key alone is kept: there is no organisation that could keep their details.
    """

    def load(self, folder: Path, dry_run: bool = False) -> dict[str, Any]:
        """As the contract, but for people without a registration."""
        before = dict(self.clients)
        found, _ = reader.read_bundle(folder, held=self)
        answer: dict[str, Any] = super().load(folder, dry_run)
        placed = {row["client_key"] for row in self.registrations.values()}
        placed |= {row["client_key"] for _, row in found.get("registrations.csv", [])}
        for _, row in found.get("clients.csv", []):
            key = row["client_key"]
            if key in before and key not in placed and any(row[name] for name in row if name != "client_key"):
                answer["updated"]["clients.csv"] -= 1
                answer["unchanged"]["clients.csv"] += 1
        self.clients.update(
            {key: {"client_key": key} for key in set(self.clients) - placed} if not dry_run else {}
        )
        return answer

    def _person(self, key: Any) -> dict[str, str]:
        person = super()._person(key)
        return person | {
            name: person.get(name, "") if contract.initial(person.get(name, "")) else ""
            for name in ("forename", "surname")
        }

    def confirm(self, submission: Any) -> None:
        """As the contract, but for what a later file has carried; never after a later one was confirmed. Raises Refused."""
        later_ones = [s for s in self.submissions if s.id > submission.id and s.agency == submission.agency]
        if any(later.state == "confirmed" for later in later_ones):
            raise contract.Refused("superseded")
        before = set(self.held)
        super().confirm(submission)
        for later in self.submissions:
            taken = later.downloaded or later.state == "confirmed"
            if later.id > submission.id and later.agency == submission.agency and taken:
                self.held |= before & later.carried


@dataclass
class Built:
    """One extract, as the product and as the oracle made it."""

    manifest: dict[str, Any]
    preview: dict[str, Any]
    raw: bytes
    expected: contract.Submission

    @property
    def agency(self) -> str:
        return str(self.expected.agency)

    @property
    def id(self) -> str:
        return str(self.manifest["submission"])


class World:
    """The product and the oracle side by side: what is done is done to both, and compared."""

    def __init__(self) -> None:
        self.oracle = ProductOracle()
        self.compared = {"cells": 0, "rows": 0, "files": 0, "entries": 0, "lines": 0}
        self._person: User | None = None
        self._moments = count(1)

    def moment(self) -> AbstractContextManager[None]:
        """Each act has a minute of its own: which of two files is the later one hangs on it."""
        return clock.frozen(TODAY + dt.timedelta(minutes=next(self._moments)))

    def load(self, folder: Path, *, dry_run: bool = False) -> dict[str, Any]:
        """Load a bundle; the counts must agree. One that the oracle refuses must be refused for the same lines: then {} is returned."""
        try:
            expected = self.oracle.load(folder, dry_run=dry_run)
        except contract.BundleRefused as stopped:
            with self.moment():
                found = {problem_at(line)[:2] for line in problems_of(folder)}
            assert found == {problem_at(str(problem))[:2] for problem in stopped.problems}
            return {}
        with self.moment():
            answer = import_caseload(folder, dry_run=dry_run).answer()
        agree(compare.count_differences(answer, expected))
        assert answer["errors"] == []
        self.compared["lines"] += sum(
            sum(answer[kind].values()) for kind in ("created", "updated", "unchanged")
        )
        return answer

    def build(
        self,
        agency: str,
        dataset: str,
        letter: str = "Q",
        kind: str = "reporting",
        as_of: dt.date = AS_OF,
        output: Path | None = None,
        *,
        oracle_knows: bool = True,
    ) -> Built:
        """Build an extract; file, manifest and preview must agree. With an output it is a download.

        `oracle_knows=False` where something was done that no bundle says (an episode entered in error): nothing is compared then.
        """
        expected = self.oracle.build(agency, dataset, letter, kind, as_of)
        wish = [
            "--agency",
            agency,
            "--dataset",
            dataset,
            "--letter",
            letter,
            "--kind",
            kind,
            "--as-of",
            as_of.isoformat(),
        ]
        with self.moment():
            manifest = done("build_extract", *wish, *(["--output", str(output)] if output else []))
            preview = done("preview_load", manifest["submission"])
        with acting_for(agency):
            raw = submissions.file_of(selectors.get_submission(manifest["submission"])).read_bytes()
        if output:
            assert output.read_bytes() == raw
            self.oracle.download(expected)
        if not oracle_knows:
            return Built(manifest, preview, raw, expected)
        agree(compare.extract_differences(raw, expected))
        agree(compare.manifest_differences(manifest, preview, expected))
        assert without_software(raw) == without_software(expected.csv_bytes()), "quoting and line ends too"
        self.compared["files"] += 1
        self.compared["rows"] += len(expected.rows)
        self.compared["cells"] += len(expected.rows) * len(expected.header)
        self.compared["entries"] += sum(len(preview[key]) for key in ("new", "removed_by_consent", "missing"))
        return Built(manifest, preview, raw, expected)

    def download(self, built: Built) -> None:
        """Take the file, as the desk does."""
        self.oracle.download(built.expected)
        self._with(built, lambda found: submissions.record_download(submission=found, acting_user=None))

    def confirm(self, built: Built) -> None:
        """NDTMS accepted it; one that a later loaded file supersedes is refused by both."""
        try:
            self.oracle.confirm(built.expected)
        except contract.Refused:
            with self.moment():
                assert refused("confirm_load", built.id) == "superseded"
            return
        with self.moment():
            assert done("confirm_load", built.id)["state"] == "loaded"

    def refuse(self, built: Built) -> None:
        """NDTMS refused it."""
        self.oracle.refuse(built.expected)
        self._with(
            built, lambda found: submissions.refuse_load(submission=found, reason="schema", acting_user=None)
        )

    def _with(self, built: Built, act: Callable[[Any], Any]) -> None:
        with self.moment(), acting_for(built.agency):
            act(selectors.get_submission(built.id))

    def decide(
        self, agency: str, client_id: str, episode_id: str, decision: str, decided_on: str, method: str
    ) -> None:
        """Record a decision here rather than by import."""
        if self._person is None:
            self._person = User.objects.create(email="worker@test.example", full_name="Test Worker")
        self.oracle.record_consent(agency, client_id, episode_id, decision, decided_on, method)
        with self.moment(), acting_for(agency):
            episode = held(agency, client_id, episode_id)
            young = episode.service.dataset == DataSet.YOUNG_PEOPLE
            record_ndtms_decision(
                episode=episode,
                competence=Competence.COMPETENT if young else "",
                competence_note="Explained it back" if young else "",
                decision=decision,
                decided_on=dt.date.fromisoformat(decided_on),
                method=method,
                statement_version="2024-1",
                statement_said=True,
                leaflet_given=True,
                questions_answered=True,
                acting_user=self._person,
            )


def problem_at(line: str) -> tuple[str, int, str]:
    """File, line and column of a reported problem; it must have the form `file:line: column: problem`."""
    found: tuple[str, int, str] = as_problem(line)
    assert re.fullmatch(r"[a-z_]+\.csv:[1-9][0-9]*: [^:]*: [^\n\0]+", line), line
    return found


def agree(differences: list[str]) -> None:
    """No differences; if there are, the first of them are the message."""
    assert not differences, "\n".join(differences[:20])


def without_software(raw: bytes) -> bytes:
    """The file with CMSID emptied, byte for byte otherwise: our CMSID needs no quotes and no other cell holds its text."""
    from django.conf import settings

    return re.sub(rb",%b(?=[,\r])" % re.escape(settings.CMSID.encode()), b",", raw)


def partnership() -> None:
    """The Essex partnership."""
    done("load_partnership")


def plain_quirks(monkeypatch: Any) -> None:
    """Leave out of the generator's oddities those where only the upper case of a rare letter is in question."""
    monkeypatch.setattr(values, "QUIRKY_NAMES", ["'t Hooft", " Leading", "-dash", "1st", "123", "--", " "])


def slugs() -> list[str]:
    """The partners, as they stand in addresses."""
    return list(Organisation.objects.order_by("slug").values_list("slug", flat=True))


def address() -> str:
    """The address of the test's database as `app`, for a process of its own."""
    here = connection.settings_dict
    return f"postgresql://{here['USER']}:{here['PASSWORD']}@/{here['NAME']}?host={here['HOST']}&port={here['PORT'] or 5432}"
