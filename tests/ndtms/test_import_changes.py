"""A load is an upsert: the same again writes nothing at all, a change writes what it changes and keeps what was there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from audit.models import AuditEvent
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from ndtms.caseload_import import import_caseload
from tests.ndtms import support
from tests.ndtms.support import TODAY, TRAIL, World, all_rows, counts, done, on_disk
from tests.oracle import dictionary
from tests.oracle.bad_bundles import good_bundle
from tests.oracle.generate import later_bundle, local_acts, random_bundle
from tests.oracle.spoil import add_column, append, replace, whole, with_line

pytestmark = pytest.mark.django_db(transaction=True)
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.frozen(TODAY):
        yield


@pytest.fixture
def loaded(tmp_path: Path) -> Path:
    """The good bundle, loaded; the folder is there to be changed."""
    support.partnership()
    folder = good_bundle(tmp_path / "bundle")
    done("import_caseload", str(folder))
    return folder


def changes(before: Rows, after: Rows) -> dict[str, tuple[int, int]]:
    """Per table: how many rows are no longer as they lay on disk, and how many are new or written again."""
    found = {}
    for table in after:
        gone, come = set(before[table]) - set(after[table]), set(after[table]) - set(before[table])
        if gone or come:
            found[table] = (len(gone), len(come))
    return found


def rows(owner: psycopg.Connection[Any], sql: str) -> list[tuple[Any, ...]]:
    with all_rows(owner):
        return owner.execute(sql).fetchall()


def test_the_same_bundle_again_writes_nothing(
    tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    support.partnership()
    world = World()
    folder = random_bundle(tmp_path / "1", 21, people=60, quirks=True, pc_column=True)
    first = world.load(folder)
    for act in local_acts(folder, 21, count=20):
        world.decide(*act)
    world.confirm(world.build("E1001", "adult"))
    for bundle in (folder, later_bundle(tmp_path / "2", folder, 21, quirks=True)):
        world.load(bundle)
        before = on_disk(owner_connection, *TRAIL)
        again = world.load(bundle)
        assert not any(again["created"].values()) and not any(again["updated"].values())
        assert changes(before, on_disk(owner_connection, *TRAIL)) == {}
    assert sum(first["created"].values()) > 1000
    assert len(before["consent_consentact"]) > 100 and len(before["caseload_episodehistory"]) > 5


def test_a_dry_run_writes_nothing_and_says_what_a_load_says(
    loaded: Path, tmp_path: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    world = World()
    world.oracle.load(loaded)
    folder = random_bundle(tmp_path / "random", 22, people=30)
    for bundle in (folder, loaded):
        replace("clients.csv", "K1,,Ms", "K1,,Dr")(bundle) if bundle == loaded else None
        before = on_disk(owner_connection)
        rehearsed = done("import_caseload", str(bundle), "--dry-run")
        written = changes(before, on_disk(owner_connection))
        assert set(written) == set(TRAIL) and written["audit_auditevent"] == (0, 2), (
            "that there was one is on the trail"
        )
        assert done("import_caseload", str(bundle)) == rehearsed
    assert rehearsed["updated"]["clients.csv"] == 1


MADE_OF_IT = {"caseload_searchtoken", "caseload_matchkey", "caseload_episodequality"}
CIR = "client_information_reviews.csv"
CHANGED_LINES: list[tuple[str, Callable[[Path], None], str, str]] = [
    ("clients.csv", replace("clients.csv", "Zoë", "Zoe"), "caseload_clientidentity", "forename"),
    ("clients.csv", replace("clients.csv", "Nowak,1980-03-24", "Nowak,1980-03-25"), "caseload_clientidentity", "date_of_birth"),
    ("clients.csv", replace("clients.csv", "07700 900001", "07700 900002"), "caseload_clientcontact", "phone"),
    ("clients.csv", replace("clients.csv", "1980-03-24,F,A", "1980-03-24,F,B"), "caseload_clientequality", "ethnicity"),
    ("clients.csv", replace("clients.csv", "NN,", "2,"), "caseload_clientdisability", "disability_1"),
    ("registrations.csv", replace("registrations.csv", "first", "second"), "caseload_registration", "reference"),
    ("episodes.csv", replace("episodes.csv", "2026-02-09,,,7000", "2026-02-09,,,7001"), "caseload_episode", "drug_1"),
    ("episodes.csv", replace("episodes.csv", "E1001,101,2,2026-02-05", "E1001,101,2,2026-02-04"), "caseload_episode", "referred_on"),
    ("episodes.csv", replace("episodes.csv", "7000,20,4", "7000,21,4"), "caseload_episode", "items"),
    ("interventions.csv", replace("interventions.csv", "m1,94", "m1,95"), "caseload_intervention", "modality"),
    ("interventions.csv", replace("interventions.csv", "2025-01-11", "2025-01-12"), "caseload_intervention", "started_on"),
    ("reviews.csv", replace("reviews.csv", "2025-01-20,Y", "2025-01-20,N"), "caseload_subinterventionreview", "items"),
    ("time_in_treatment.csv", replace("time_in_treatment.csv", "2025-01-20,1", "2025-01-20,2"), "caseload_timeintreatment", "intensity"),
    ("tops.csv", replace("tops.csv", "S,NA", "S,3"), "caseload_outcome", "items"),
    (CIR, replace(CIR, "c1,2025-01-20", "c1,2025-01-21"), "caseload_clientinformationreview", "reviewed_on"),
]  # fmt: skip


def test_a_changed_line_is_one_new_version_and_one_row_of_history(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    for file, change, table, column in CHANGED_LINES:
        good = (loaded / file).read_bytes()
        change(loaded)
        changed_once(loaded, owner_connection, file, table, column)
        (loaded / file).write_bytes(good)
        changed_once(loaded, owner_connection, file, table, column)


def changed_once(folder: Path, owner: psycopg.Connection[Any], file: str, table: str, column: str) -> None:
    """Load a bundle in which one line has changed; look at what is written, where, and by which act."""
    pick = f'SELECT version, act::text, "{column}"::text FROM "{table}"'
    kept = f'SELECT version, act::text, "{column}"::text, pgh_label, pgh_id::text FROM "{table}history"'
    before, old, history = on_disk(owner, *TRAIL), set(rows(owner, pick)), set(rows(owner, kept))
    answer = done("import_caseload", str(folder))
    assert {name: number for name, number in answer["updated"].items() if number} == {file: 1}
    assert not any(answer["created"].values())
    written = changes(before, on_disk(owner, *TRAIL))
    # What clients are found by and what the rules say are made of what is written, and have no history.
    assert {t: n for t, n in written.items() if t not in MADE_OF_IT} == {
        table: (1, 1),
        f"{table}history": (0, 1),
    }
    assert ("caseload_searchtoken" in written) == (column == "date_of_birth"), written
    [(version, act, value)] = set(rows(owner, pick)) - old
    [(old_version, old_act, old_value, label, _)] = set(rows(owner, kept)) - history
    assert (old_version, old_act, old_value) in old and label == "changed", (
        "the values that were replaced, and who wrote them"
    )
    assert version == old_version + 1
    assert act and act != old_act and value != old_value
    with open_scope(
        actor=Actor.OPERATOR, organisation_id=Organisation.objects.get(slug="eput-essex-stars").pk
    ):
        events = list(AuditEvent.objects.order_by("-sequence")[:2])
        assert [event.name for event in events] == ["ndtms.import_finished", "ndtms.import_started"]
        assert {str(event.act) for event in events} == {act}, "the rows name the act that is on the trail"
        assert events[0].details["counts"]["episodes"] == 5
        assert events[0].details["sha256"] == events[1].details["sha256"]


def test_a_person_at_two_organisations_changes_at_both(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    replace("clients.csv", "O'Brien", "O’Brien")(loaded)
    assert done("import_caseload", str(loaded))["updated"]["clients.csv"] == 1
    found = rows(
        owner_connection, "SELECT surname, version FROM caseload_clientidentity WHERE surname LIKE 'O%'"
    )
    assert found == [("O’Brien", 2)] * 2
    assert len(rows(owner_connection, "SELECT FROM caseload_clientidentityhistory")) == 2


# What an empty cell takes away: file, line, column, and how it then lies in the record.
CLEARED = [
    ("clients.csv", 4, "forename", "SELECT forename FROM caseload_clientidentity WHERE surname = 'O''Brien'", ""),
    ("clients.csv", 4, "date_of_birth", "SELECT date_of_birth FROM caseload_clientidentity WHERE surname = 'O''Brien'", None),
    ("episodes.csv", 2, "DISD", "SELECT discharged_on FROM caseload_episode WHERE discharge_reason = '80'", None),
    ("episodes.csv", 2, "DRUG1AGE", "SELECT items ->> 'DRUG1AGE' FROM caseload_episode WHERE discharge_reason = '80'", None),
    ("tops.csv", 2, "ALCUSE", "SELECT items ->> 'ALCUSE' FROM caseload_outcome WHERE completed_on = '2025-01-20'", None),
    ("tops.csv", 2, "TRSTAGE", "SELECT stage FROM caseload_outcome WHERE completed_on = '2025-01-20'", ""),
    ("reviews.csv", 2, "PSYMOTI", "SELECT items ->> 'PSYMOTI' FROM caseload_subinterventionreview WHERE reviewed_on = '2025-01-20'", None),
]  # fmt: skip


def test_an_empty_cell_clears_and_an_absent_column_leaves(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    # Beside each column that goes there is another that stays.
    for file, column in (("tops.csv", "PHSTAT"), ("episodes.csv", "ALCUNITS"), ("reviews.csv", "PHSTBL")):
        add_column(file, column, "7")(loaded)
    assert done("import_caseload", str(loaded))["updated"]["tops.csv"] == 2
    for case in CLEARED:
        goes_and_stays(loaded, owner_connection, *case)


def goes_and_stays(
    loaded: Path,
    owner_connection: psycopg.Connection[Any],
    file: str,
    line: int,
    column: str,
    sql: str,
    nothing: Any,
) -> None:
    """Load without a column, then with its cell empty, then as it was."""
    place = (loaded / file).read_text(encoding="utf-8").split("\n")[0].split(",").index(column)
    held = rows(owner_connection, sql)
    assert held and all(value not in ("", None) for (value,) in held)
    good = (loaded / file).read_bytes()

    def without(text: str) -> str:
        cells = text.split(",")
        return ",".join(cells[:place] + cells[place + 1 :])

    for number in range(1, good.count(b"\n") + 1):
        if number not in (2, 3) or file != "clients.csv":
            with_line(file, number, without)(loaded)
    if file == "clients.csv":
        # The first person's record stands on two lines and is left out: nothing is deleted.
        lines = (loaded / file).read_text(encoding="utf-8").split("\n")
        (loaded / file).write_text("\n".join([lines[0], *lines[3:]]), encoding="utf-8")
    assert not any(done("import_caseload", str(loaded))["updated"].values())
    assert rows(owner_connection, sql) == held, "the column is not there: what is held stays"
    whole(file, good)(loaded)

    def emptied(text: str) -> str:
        cells = text.split(",")
        cells[place] = ""
        return ",".join(cells)

    with_line(file, line, emptied)(loaded)
    assert done("import_caseload", str(loaded))["updated"][file] == 1
    assert {value for (value,) in rows(owner_connection, sql)} == {nothing}
    whole(file, good)(loaded)
    assert done("import_caseload", str(loaded))["updated"][file] == 1
    assert sorted(rows(owner_connection, sql), key=str) == sorted(held, key=str)


def test_an_item_of_another_category_comes_changes_and_goes(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    """A row of a category is made when the first of its items is recorded, and stays, empty, when the last one goes."""
    sql = "SELECT category, items, version FROM caseload_episodeitems"
    add_column("episodes.csv", "PREGNANT", "")(loaded)
    assert not any(done("import_caseload", str(loaded))["updated"].values())
    assert rows(owner_connection, sql) == []
    last = "1011,30,,"
    for value, expected in (
        ("Y", [("health", {"PREGNANT": "Y"}, 1)]),
        ("N", [("health", {"PREGNANT": "N"}, 2)]),
        ("", [("health", {}, 3)]),
    ):
        replace("episodes.csv", last, f"1011,30,,{value}")(loaded)
        if value == "":
            with_line("episodes.csv", 6, lambda text: "E3001,A7,1,,,,,1011,30,,")(loaded)
        assert done("import_caseload", str(loaded))["updated"]["episodes.csv"] == 1
        assert rows(owner_connection, sql) == expected
        with_line("episodes.csv", 6, lambda text: "E3001,A7,1,,,,,1011,30,,")(loaded)
    assert rows(
        owner_connection, "SELECT items, version FROM caseload_episodeitemshistory ORDER BY version"
    ) == [
        ({"PREGNANT": "Y"}, 1),
        ({"PREGNANT": "N"}, 2),
    ]


def test_a_known_person_at_a_further_organisation_brings_along_what_is_held(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    """Registered elsewhere by a load that has no line of clients.csv for the person, or one with few columns."""
    columns = ",".join(dictionary.CLIENT_COLUMNS)
    append("registrations.csv", "K1,E3001,Z1,\n")(loaded)
    append("episodes.csv", "E3001,Z1,9,,,,,1011,30,\n")(loaded)
    whole("clients.csv", f"{columns}\n".encode())(loaded)
    answer = done("import_caseload", str(loaded))
    assert answer["created"]["registrations.csv"] == 1 and answer["unchanged"]["clients.csv"] == 0
    both = "SELECT organisation_id <> '{}', surname, date_of_birth::text, nhs_number FROM caseload_clientidentity WHERE surname = 'Nowak'"
    assert len(rows(owner_connection, both.format("00000000-0000-0000-0000-000000000000"))) == 2
    for table in ("contact", "equality", "disability"):
        held = (
            "SELECT client_id IS NULL, {} FROM caseload_client{} "
            "WHERE client_id IN (SELECT client_id FROM caseload_clientidentity WHERE surname = 'Nowak')"
        )
        name = {
            "contact": "address_line_1, postcode",
            "equality": "ethnicity, nationality",
            "disability": "disability_1",
        }[table]
        found = rows(owner_connection, held.format(name, table))
        assert len(found) == 2 and found[0] == found[1] and any(found[0][1:]), table
    append("registrations.csv", "K3,E1001,Z3,\n")(loaded)
    whole("clients.csv", b"client_key,forename\nK3,Paula\n")(loaded)
    answer = done("import_caseload", str(loaded))
    assert answer["updated"]["clients.csv"] == 1, "the forename, where the person was held"
    found = rows(
        owner_connection,
        "SELECT forename, surname, date_of_birth::text FROM caseload_clientidentity WHERE surname = 'Smith'",
    )
    assert found == [("Paula", "Smith", "1990-07-08")] * 2
    assert not any(done("import_caseload", str(loaded))["updated"].values())


def test_a_person_without_a_registration_is_kept_by_key_alone(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    line = "K9,,Mr,Karl,Karlsson,1970-01-01,M" + "," * 14 + "\n"
    append("clients.csv", line)(loaded)
    before = counts(owner_connection)
    ran = support.run("import_caseload", str(loaded))
    assert ran.answer["created"]["clients.csv"] == 1
    assert "1 people have no registration" in ran.said
    after = counts(owner_connection)
    assert {name for name in after if after[name] != before[name]} == {
        "caseload_person",
        "caseload_personkey",
        "audit_auditevent",
    }
    again = support.run("import_caseload", str(loaded))
    assert not any(again.answer["created"].values()) and not any(again.answer["updated"].values())
    # Nothing of the details is held, so a registration without them would lose them: it is refused.
    append("registrations.csv", "K9,E1001,909,\n")(loaded)
    good = (loaded / "clients.csv").read_bytes()
    whole("clients.csv", good.replace(line.encode(), b""))(loaded)
    assert support.problems_of(loaded) == [
        "registrations.csv:7: client_key: nothing is held of this person: add the line to clients.csv"
    ]
    whole("clients.csv", good)(loaded)
    assert done("import_caseload", str(loaded))["updated"]["clients.csv"] == 1
    assert rows(owner_connection, "SELECT surname FROM caseload_clientidentity WHERE forename = 'Karl'") == [
        ("Karlsson",)
    ]
    assert not any(done("import_caseload", str(loaded))["updated"].values())


def test_consent_acts_are_only_added_and_equal_ones_counted(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    sql = "SELECT decision, decided_on::text, method, origin FROM consent_consentact ORDER BY sequence"
    first = rows(owner_connection, sql)
    lines = [tuple(line.split(",")[3:]) for line in (loaded / "consents.csv").read_text().splitlines()[1:]]
    assert sorted(row[:3] for row in first) == sorted(lines)
    assert [row[:3] for row in first if row[1].startswith("2025")] == lines[:2], (
        "of one episode in the order of the lines"
    )
    assert {row[3] for row in first} == {"imported"}
    again = "E1001,102,3,Y,2026-03-09,written\n"
    append("consents.csv", again * 2)(loaded)
    assert done("import_caseload", str(loaded))["created"]["consents.csv"] == 2
    assert done("import_caseload", str(loaded))["created"]["consents.csv"] == 0
    replace("consents.csv", again, "")(loaded)
    answer = done("import_caseload", str(loaded))
    assert (answer["created"]["consents.csv"], answer["unchanged"]["consents.csv"]) == (0, 6)
    assert len(rows(owner_connection, sql)) == 7, "a line that is gone takes nothing away"


def test_the_order_of_lines_on_one_day_decides(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    sql = "SELECT consent, consent_on::text FROM caseload_episode WHERE episode_id = '2'"
    assert rows(owner_connection, sql) == [("", None)]
    for decision in "NYNNYY":
        append("consents.csv", f"E1001,101,2,{decision},2026-05-05,oral\n")(loaded)
        done("import_caseload", str(loaded))
        assert rows(owner_connection, sql) == [(decision, "2026-05-05")]
    append("consents.csv", "E1001,101,2,N,2026-05-04,oral\n")(loaded)
    done("import_caseload", str(loaded))
    assert rows(owner_connection, sql) == [("Y", "2026-05-05")], (
        "an earlier day, recorded later, does not decide"
    )


def test_two_loads_of_one_bundle_at_once(tmp_path: Path) -> None:
    support.partnership()
    folder = random_bundle(tmp_path / "random", 5, people=30)
    answers: list[dict[str, Any]] = []
    failed: list[BaseException] = []

    def load() -> None:
        try:
            answers.append(import_caseload(folder).answer())
        except BaseException as error:  # noqa: BLE001  # shown below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    first, *others = sorted(answers, key=lambda answer: -sum(answer["created"].values()))
    assert all(other["unchanged"] == first["created"] for other in others)


def test_what_came_with_a_byte_order_mark_and_crlf_is_the_same(
    loaded: Path, owner_connection: psycopg.Connection[Any]
) -> None:
    before = on_disk(owner_connection, *TRAIL)
    for path in loaded.iterdir():
        lines = path.read_bytes()
        path.write_bytes(
            b"\xef\xbb\xbf" + lines
            if path.name == "registrations.csv"
            else b"\xef\xbb\xbf" + lines.replace(b"\n", b"\r\n")
        )
    replace("clients.csv", "1 High Street\r\nFlat 2", "1 High Street\nFlat 2")(loaded)
    answer = done("import_caseload", str(loaded))
    assert not any(answer["created"].values()) and not any(answer["updated"].values())
    assert changes(before, on_disk(owner_connection, *TRAIL)) == {}
