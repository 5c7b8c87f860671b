"""`manage.py verify_audit` against what lies outside the database, and against acts that changed a record without an entry."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from audit import chain, checking, heads, verification
from audit.chain import Fault, Problem
from audit.models import AuditEvent, HeadStatement
from audit.reconciliation import tables
from audit.verification import verify_chains
from caseload.models import ClientIdentity
from edatrs.core import embedded
from edatrs.core.embedded import postgres
from edatrs.core.history import History
from edatrs.core.scope import Actor, open_scope
from edatrs.core.trail import record
from edatrs.organisations.models import Job, Organisation, Task
from edatrs.organisations.services import jobs
from tests.audit.attacks import ATTACKS
from tests.audit.mutants import mutant
from tests.audit.outside import STRANGER, files, rewrite, sign
from tests.audit.test_signed_heads import put_back
from tests.audit.vandal import Vandal
from tests.core.world import histories
from tests.factories.audit import KEY, make_chain, record_events
from tests.factories.caseload import make_record, make_service
from tests.factories.organisations import make_organisation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation() -> Organisation:
    """Ten entries of which six were signed in two statements."""
    made = make_organisation("open-road")
    record_events(made.pk, 4)
    sign()
    record_events(made.pk, 2)
    sign()
    record_events(made.pk, 4)
    return made


def verify(*args: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the answer, and the words for people."""
    out, said, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("verify_audit", *args, stdout=out, stderr=said)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, json.loads(out.getvalue()), said.getvalue()


def statement_problem() -> tuple[int | None, str | None]:
    code, answer, _ = verify()
    found = answer["signed_heads"]
    assert (code == 1) == (found["problem"] is not None) == (not answer["ok"])
    return found["first_bad"], found["problem"]


def test_what_is_whole_outside_and_inside_leaves_with_0(organisation: Organisation) -> None:
    code, answer, said = verify()
    assert code == 0 and answer["ok"] and said == ""
    newest = HeadStatement.objects.first()
    assert newest is not None
    assert answer["signed_heads"] == {
        "folder": str(settings.HEADS_DIR),
        "statements": 2,
        "newest": chain.instant(newest.at),
        "first_bad": None,
        "problem": None,
        "put_back_before": [],
    }
    assert answer["without_entry"] == []


def test_without_a_statement_outside_it_says_what_cannot_be_seen() -> None:
    record_events(make_organisation("phoenix").pk, 2)
    code, answer, said = verify()
    assert code == 0 and answer["signed_heads"]["statements"] == 0
    assert (
        said.strip() == "no signed statement is held outside: a complete older copy put back cannot be seen"
    )


def test_an_old_backup_is_found_and_the_first_missing_entry_named(
    organisation: Organisation, owner_connection: Any
) -> None:
    vandal = put_back(owner_connection, organisation.pk, 5, 1)
    try:
        code, answer, said = verify("--chain", "open-road")
        assert code == 1
        assert (answer["chains"][0]["first_bad"], answer["chains"][0]["problem"]) == (
            6,
            Fault.SIGNED_END.value,
        )
        assert "open-road, entry 6: entries that were signed and sent out are missing at the end" in said
        assert answer["signed_heads"]["first_bad"] is None, "the newest file may have no row yet"
        call_command("sign_heads", "--after-restore")
        code, answer, _ = verify()
        assert code == 0 and answer["signed_heads"]["put_back_before"] == [3], (
            "the operator said so, and it is told"
        )
    finally:
        vandal.__exit__()


def test_a_chain_that_was_wiped_with_its_head_and_its_organisation_is_found(owner_connection: Any) -> None:
    nobody = uuid4()
    record_events(nobody, 3)
    sign()
    with Vandal(owner_connection) as vandal:
        vandal.execute("DELETE FROM audit_auditevent WHERE chain = %s", [nobody])
        vandal.execute("DELETE FROM audit_chainhead WHERE chain = %s", [nobody])
        assert [(v.chain, v.problem) for v in verify_chains().problems] == [
            (nobody, Problem(1, Fault.SIGNED_END))
        ]


def test_a_statement_that_was_forged_taken_away_or_replaced_outside_is_named(
    organisation: Organisation,
) -> None:
    one, two = files()
    was = two.read_bytes()
    rewrite(two, STRANGER)
    assert statement_problem() == (2, "the statement was not signed with our key")
    rewrite(two, at="2020-01-01T00:00:00.000000Z")
    assert statement_problem() == (2, "the statement was not signed with our key")
    two.write_bytes(was)
    one.rename(one.with_suffix(".away"))
    assert statement_problem() == (1, "the statement is missing")
    one.with_suffix(".away").rename(one)
    two.unlink()
    assert statement_problem() == (2, "the statement is not held outside the database")
    two.write_bytes(b"nothing")
    assert statement_problem() == (2, "this is no statement of the heads")
    two.write_bytes(was)
    assert statement_problem() == (None, None)


def test_a_row_of_a_statement_that_was_changed_or_taken_away_is_named(
    organisation: Organisation, owner_connection: Any
) -> None:
    sign()
    owner_connection.execute("ALTER TABLE audit_headstatement DISABLE TRIGGER USER")
    try:
        owner_connection.execute(
            "UPDATE audit_headstatement SET body = replace(body, 'open-road', 'open-toad') WHERE number = 2"
        )
        assert statement_problem() == (
            2,
            "the copy in the database is not the statement that is held outside",
        )
        owner_connection.execute("DELETE FROM audit_headstatement WHERE number = 2")
        assert statement_problem() == (2, "the statement is held outside and gone from the database")
    finally:
        owner_connection.execute("ALTER TABLE audit_headstatement ENABLE TRIGGER USER")


def test_a_copy_of_the_folder_that_was_kept_elsewhere_is_taken(
    organisation: Organisation, tmp_path: Path, owner_connection: Any
) -> None:
    """Whoever changes the database and the folder of the system does not reach a partner's."""
    elsewhere = tmp_path / "elsewhere"
    Path(settings.HEADS_DIR).rename(elsewhere)
    vandal = put_back(owner_connection, organisation.pk, 5, 0)
    try:
        assert verify("--chain", "open-road")[0] == 0
        code, answer, _ = verify("--chain", "open-road", "--heads", str(elsewhere))
        assert code == 1 and answer["chains"][0]["first_bad"] == 6
    finally:
        vandal.__exit__()
    with pytest.raises(CommandError, match="there is no folder"):
        call_command("verify_audit", "--heads", str(tmp_path / "nowhere"))


def test_signing_and_writing_meanwhile_raise_no_alarm(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_held, real_rows = verification._held, verification.read_rows

    def and_then(folder: Path) -> Any:
        found = real_held(folder)
        record_events(organisation.pk, 1)
        sign()
        return found

    def rows_after_another(reader: Any, chain_id: UUID) -> Any:
        record_events(organisation.pk, 1)
        sign()
        return real_rows(reader, chain_id)

    monkeypatch.setattr(verification, "_held", and_then)
    monkeypatch.setattr(verification, "read_rows", rows_after_another)
    assert verify_chains().findings == 0

    def before_the_row_is_committed(folder: Path) -> Any:
        path = folder / f"{len(files()) + 1:012d}.heads"
        path.write_bytes(heads.line_of(_next()))
        return real_held(folder)

    monkeypatch.setattr(verification, "_held", before_the_row_is_committed)
    assert verify_chains("open-road").findings == 0


def _next() -> HeadStatement:
    """A statement whose row nobody else sees yet."""
    made = sign()
    row = HeadStatement.objects.get(number=made.statement.number)
    with postgres.connect(embedded.run_dir(), str(connection.settings_dict["NAME"])) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("DELETE FROM audit_headstatement WHERE number = %s", [row.number])
    files()[-1].unlink()
    return row


# ---- what wrote without an entry -----------------------------------------------------------------------------------------


@pytest.fixture
def recorded() -> Organisation:
    """A record that was written and changed in acts that are on the trail."""
    made = make_organisation("open-road")
    make_service(made)
    with acting(made):
        make_record(consent="Y")
        record("caseload.client.changed")
    with acting(made):
        ClientIdentity.objects.update(surname="Other")
        record("caseload.client.changed")
    return made


def acting(organisation: Organisation) -> Any:
    return open_scope(
        actor=Actor.PERSON, organisation_id=organisation.pk, organisation_label=organisation.slug
    )


def test_every_table_with_a_history_is_looked_at(recorded: Organisation) -> None:
    looked_at = {(name, table) for name, table, _ in tables()}
    for model in histories():
        live = model.pgh_tracked_model._meta.db_table
        assert {(live, live), (live, model._meta.db_table)} <= looked_at
        assert issubclass(model, History)
    assert verify()[1]["without_entry"] == [] and verify()[0] == 0


def test_an_act_that_changed_a_record_without_an_entry_is_named(recorded: Organisation) -> None:
    with acting(recorded) as scope:
        ClientIdentity.objects.update(surname="Changed past the trail")
        act, client = scope.act, ClientIdentity.objects.get().client_id
    code, answer, said = verify()
    assert code == 1 and not answer["ok"]
    [found] = answer["without_entry"]
    assert found == {
        "organisation": "open-road",
        "table": "caseload_clientidentity",
        "act": str(act),
        "rows": 1,
        "first": found["first"],
    }
    assert (
        f"open-road, caseload_clientidentity, row {found['first']}: written by act {act}, which has no entry"
        in said
    )
    assert "Changed" not in said and str(client)
    # Changed again and recorded: the version that was replaced still says who wrote it.
    with acting(recorded):
        ClientIdentity.objects.update(surname="Other again")
        record("caseload.client.changed")
    assert verify()[1]["without_entry"] == [found]


def test_a_change_by_sql_outside_every_act_is_named(recorded: Organisation) -> None:
    with postgres.connect(embedded.run_dir(), str(connection.settings_dict["NAME"])) as superuser:
        superuser.execute("UPDATE caseload_clientcontact SET phone = '01632 960999'")
    code, answer, said = verify("--chain", "open-road")
    assert code == 1 and "changed outside every act" in said
    assert [(found["table"], found["act"]) for found in answer["without_entry"]] == [
        ("caseload_clientcontact", None)
    ]


def test_an_act_whose_entry_stands_on_another_organisations_chain_is_not_missed(
    recorded: Organisation,
) -> None:
    other = make_organisation("phoenix")
    with acting(recorded):
        ClientIdentity.objects.update(surname="By agreement")
        record("caseload.client.changed", organisation_id=other.pk)
    assert verify()[0] == 0 and verify("--chain", "phoenix")[0] == 0
    assert verify("--chain", "open-road")[0] == 0


def test_the_check_of_the_page_finds_it_too_and_tells_the_governance_officer(recorded: Organisation) -> None:
    with acting(recorded):
        ClientIdentity.objects.update(surname="Changed past the trail")
    for _ in range(2):
        assert checking.ask_for_all() == 1
        [job] = Job.objects.filter(kind=checking.VERIFY, state="queued")
        assert jobs.run(job.pk)
    with acting(recorded):
        details = AuditEvent.objects.filter(name="audit.verified")[0].details
    assert (details["problems"], details["fault"]) == (1, "without_entry")
    [alarm] = Task.objects.filter(organisation=recorded)
    assert alarm.role == "information_governance" and "does not add up" in alarm.words


# ---- mutants: a check that is taken out is noticed -----------------------------------------------------------------------

ROWS, HEAD = make_chain(60)


def links_are_looked_at(module: Any) -> None:
    after, head, expected = ATTACKS["swap_two"](ROWS, HEAD, 20)
    assert (
        module.verify(after, KEY, head, chain=HEAD.chain)
        == expected
        == (20, "the entry does not follow the one before it")
    )


def seals_are_looked_at(module: Any) -> None:
    for name in ("edit_and_rewrite_with_another_key", "append_a_forged_entry", "wipe_and_begin_again"):
        after, head, expected = ATTACKS[name](ROWS, HEAD, 20)
        assert module.verify(after, KEY, head, chain=HEAD.chain) == expected


def signed_hashes_are_looked_at(module: Any) -> None:
    assert module.verify(ROWS, KEY, HEAD, signed={30: b"x" * 32}) == (30, Fault.SIGNED.value)


def signed_ends_are_looked_at(module: Any) -> None:
    assert module.verify(ROWS, KEY, HEAD, signed={61: b"x" * 32}) == (61, Fault.SIGNED_END.value)


@pytest.mark.parametrize(
    ("probe", "old", "new"),
    [
        (links_are_looked_at, "if row[15] != previous:", "if False:"),
        (seals_are_looked_at, "if sealed is not None and row[17] != sealed(previous):", "if False:"),
        (signed_hashes_are_looked_at, "if sequence in signed and signed[sequence] != previous:", "if False:"),
        (
            signed_ends_are_looked_at,
            "if problem is None and any(sequence > last for sequence in signed):",
            "if False:",
        ),
    ],
)
def test_a_check_of_the_chain_that_is_taken_out_is_noticed(probe: Any, old: str, new: str) -> None:
    probe(chain)
    with pytest.raises(AssertionError):
        probe(mutant("audit.chain", old, new))
