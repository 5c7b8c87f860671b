"""The worked client of Appendix 1 (obligations section 3.3) on 15 May 2018, and a national collection of our own to hold files against.

Agency A1 (E1001) knows the person as C-100: E1 ended in 2014, before the window of that day; E2 ended in 2017; E3 is open. All
agreed and, since an old system brought them, held nationally. Agency A2 (E4001), another organisation's, knows the same person as
C-9 with the episode F1.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consent import services as consent
from consent.models import ConsentAct
from edatrs.core import clock
from edatrs.organisations.models import User
from ndtms import selectors
from ndtms.caseload_import import import_caseload
from ndtms.models import NationalHolding
from ndtms.services import submissions
from tests.ndtms import support

DAY = dt.date(2018, 5, 15)
BUNDLE = {
    "services.csv": """agency_code,name,organisation,dataset
E1001,Essex STaRS,eput-essex-stars,adult
E4001,Another agency,peabody,adult
E2001,Young people's service,the-childrens-society,yp
""",
    "clients.csv": """client_key,forename,surname,date_of_birth,sex
K1,Ada,Marsh,1980-03-24,F
K2,Ben,Reed,2002-04-01,M
""",
    "registrations.csv": """client_key,agency_code,client_id
K1,E1001,C-100
K1,E4001,C-9
K2,E2001,Y-1
""",
    "episodes.csv": """agency_code,client_id,episode_id,REFLD,TRIAGED,DISD,DISRSN,DRUG1
E1001,C-100,E1,2013-11-01,2013-11-05,2014-02-01,80,7000
E1001,C-100,E2,2016-09-01,2016-09-05,2017-03-01,80,7000
E1001,C-100,E3,2018-01-10,2018-01-12,,,7000
E4001,C-9,F1,2017-02-01,2017-02-03,2017-09-01,80,7000
E2001,Y-1,G1,2018-02-01,2018-02-03,,,5000
""",
    "consents.csv": """agency_code,client_id,episode_id,decision,decided_on,method
E1001,C-100,E1,Y,2013-11-05,written
E1001,C-100,E2,Y,2016-09-05,written
E1001,C-100,E3,Y,2018-01-12,written
E4001,C-9,F1,Y,2017-02-03,oral
""",
}

Key = tuple[str, str, str]


@dataclass
class NationalCollection:
    """What the national collection does with files, read from contract section 6 and from nothing of the product."""

    held: dict[Key, dict[str, str]] = field(default_factory=dict)

    def load(self, name: str, rows: list[dict[str, str]]) -> None:
        """Take a file: what it carries with yes is kept as it says, and of a client with an N row everything else goes."""
        carried = {
            (row["AGNCY"], row["CLIENTID"], row["EPISODID"]): row for row in rows if row["CONSENT"] == "Y"
        }
        gone = {(row["AGNCY"], row["CLIENTID"]) for row in rows if row["CONSENT"] == "N"}
        self.held = {key: row for key, row in self.held.items() if key[:2] not in gone} | carried

    def of(self, agency: str) -> set[str]:
        """The episode ids that are held of an agency code."""
        return {key[2] for key in self.held if key[0] == agency}


@dataclass
class File:
    """A built file: its name, its rows, what the desk said it would do, and its id."""

    name: str
    rows: list[dict[str, str]]
    preview: dict[str, Any]
    agreed_but_removed: dict[str, str]
    id: str

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """(client id, episode id, consent) of every row, in order."""
        return [(row["CLIENTID"], row["EPISODID"], row["CONSENT"]) for row in self.rows]


class Worked:
    """The product and the collection, on a day."""

    def __init__(self, folder: Path, *, held: bool = True, without: Collection[str] = ()) -> None:
        self.collection, self.folder = NationalCollection(), folder
        for name, text in BUNDLE.items():
            lines = [line for line in text.splitlines() if not any(f",{gone}," in line for gone in without)]
            if name == "consents.csv" and not held:
                lines = lines[:1]
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        with clock.frozen(at(DAY)):
            support.partnership()
            import_caseload(folder)
            self.worker = User.objects.create(email="worker@test.example", full_name="Test Worker")
        for agency in ("E1001", "E4001", "E2001"):
            for episode in self.holdings(agency):
                whose = {"E1001": "C-100", "E4001": "C-9", "E2001": "Y-1"}[agency]
                self.collection.held[agency, whose, episode] = {}

    def bring(self, day: dt.date) -> None:
        """Load the folder again."""
        with clock.frozen(at(day, 11)):
            import_caseload(self.folder)

    @staticmethod
    def order(kind: str, day: dt.date, agency: str = "E1001") -> tuple[str, ...]:
        """The command that builds."""
        dataset = "yp" if agency == "E2001" else "adult"
        wish = ("--agency", agency, "--dataset", dataset, "--letter", "Q", "--kind", kind)
        return ("build_extract", *wish, "--as-of", day.isoformat())

    def withdraw(self, *episodes: str, day: dt.date = DAY, reason: str = "") -> None:
        """The client at A1 withdraws from these episodes."""
        with clock.frozen(at(day, 10)), support.acting_for("E1001"):
            found = [support.held("E1001", "C-100", name) for name in episodes]
            consent.withdraw(
                client=found[0].client,
                chosen=[episode.pk for episode in found],
                decided_on=day,
                method="oral",
                statement_version="2018-1",
                left_out_reason=reason,
                acting_user=self.worker,
            )

    def decide(
        self, agency: str, client: str, episode: str, decision: str, *, day: dt.date = DAY, **more: Any
    ) -> None:
        """An answer on one episode."""
        with clock.frozen(at(day, 11)), support.acting_for(agency):
            consent.record_ndtms_decision(
                episode=support.held(agency, client, episode),
                decision=decision,
                decided_on=day,
                method="oral",
                statement_version="2018-1",
                statement_said=True,
                leaflet_given=True,
                questions_answered=True,
                acting_user=self.worker,
                **more,
            )

    def build(self, agency: str = "E1001", kind: str = "reporting", day: dt.date = DAY) -> File:
        """The file of a day; every N row holds agency code, client id and consent alone (R6)."""
        with clock.frozen(at(day, 12)):
            built = support.done(*self.order(kind, day, agency))
            preview = support.done("preview_load", built["submission"])
            with support.acting_for(agency):
                submission = selectors.get_submission(built["submission"])
                raw = submissions.file_of(submission).read_bytes()
        rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
        for row in rows:
            if row["CONSENT"] == "N":
                assert {name for name, value in row.items() if value} == {"AGNCY", "CLIENTID", "CONSENT"}
            else:
                assert row["FINITIAL"] and row["DOB"] and row["REFLD"] and row["DRUG1"]
        kept = submission.content.preview
        return File(built["file"], rows, preview, kept.get("removed_though_agreed", {}), built["submission"])

    def load(self, file: File, agency: str = "E1001", day: dt.date = DAY) -> None:
        """NDTMS takes the file; the desk records it. What the desk had foretold and what it holds now is what the collection holds."""
        before = set(self.collection.held)
        self.collection.load(file.name, file.rows)
        after = set(self.collection.held)
        mine = {key for key in before - after if key[0] == agency}
        assert {tuple(entry) for entry in file.preview["removed_by_consent"]} == mine
        assert {tuple(entry) for entry in file.preview["new"]} == after - before
        with clock.frozen(at(day, 13)):
            support.done("confirm_load", file.id)
        assert self.holdings(agency) == self.collection.of(agency)

    def holdings(self, agency: str) -> set[str]:
        """The episode ids that the desk says may be held nationally."""
        with support.acting_for(agency):
            rows = NationalHolding.objects.filter(held=True, episode__service__agency_code=agency)
            return set(rows.values_list("episode__episode_id", flat=True))

    def untouched(self, agency: str) -> dict[str, Any]:
        """What an organisation's record says of its episodes, to see that somebody else's act changed nothing of it (O-142)."""
        with support.acting_for(agency):
            acts = ConsentAct.objects.filter(episode__service__agency_code=agency)
            return {
                "acts": sorted((str(a.pk), a.decision, str(a.decided_on)) for a in acts),
                "episodes": sorted(
                    (a.episode.episode_id, a.episode.consent, a.episode.version) for a in acts
                ),
            }

    def discharge(self, episode: str) -> tuple[Any, ...]:
        """The discharge data of an episode at A1."""
        with support.acting_for("E1001"):
            found = support.held("E1001", "C-100", episode)
            return found.discharged_on, found.discharge_reason, found.triaged_on


def at(day: dt.date, hour: int = 9) -> dt.datetime:
    """An hour of a day."""
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)
