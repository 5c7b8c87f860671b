"""Signed heads: what they say, when they are made, that they leave the database, and that nothing that contradicts them is signed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from audit import heads, mails, statements
from audit.models import AuditEvent, ChainHead, HeadStatement
from audit.models.trail import PARTNERSHIP_CHAIN, TrailWritten
from audit.statements import NOTHING_BEFORE, Fault, Held, Problem, unarmour
from audit.tasks import check_chains, sign_heads
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Job, Organisation, OutboundMail, Task
from tests.audit.mutants import mutant
from tests.audit.outside import STRANGER, files, rewrite, sign
from tests.audit.vandal import Vandal
from tests.factories.audit import record_events

pytestmark = pytest.mark.django_db(transaction=True)
NINE = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation.objects.create(
        slug="open-road",
        name="Open Road",
        kind="provider",
        emails=["dpo@openroad.example", "second@openroad.example"],
    )
    record_events(made.pk, 5)
    return made


def held(keys: list[bytes] | None = None) -> Held:
    """Every file outside, looked at in order."""
    found = Held(keys or heads.public_keys())
    for number, path in heads.outside(Path(settings.HEADS_DIR)):
        found.add(number, path.read_bytes())
    return found


def partnership_events(name: str) -> list[dict[str, Any]]:
    with open_scope(actor=Actor.OPERATOR):
        return [row.details for row in AuditEvent.objects.filter(name=name)]


def test_a_statement_says_the_heads_of_all_chains_and_is_signed_outside_and_inside(
    organisation: Organisation,
) -> None:
    record_events(None, 2)
    stray = uuid4()
    record_events(stray, 1)
    first = sign()
    record_events(organisation.pk, 3)
    second = sign()
    lines = [path.read_bytes() for path in files()]
    assert [path.name for path in files()] == ["000000000001.heads", "000000000002.heads"]
    assert [heads.line_of(row) for row in HeadStatement.objects.order_by("number")] == lines
    said = json.loads(lines[1])
    body = json.dumps(said["statement"], sort_keys=True, separators=(",", ":")).encode()
    Ed25519PublicKey.from_public_bytes(heads.public_key()).verify(bytes.fromhex(said["signature"]), body)
    assert set(said["statement"]) == {"at", "heads", "key", "kind", "number", "previous", "restored"}
    assert said["statement"]["previous"] == first.digest and first.statement.previous == NOTHING_BEFORE
    heads_now = {str(head.chain): (head.sequence, bytes(head.hash).hex()) for head in ChainHead.objects.all()}
    assert {h["chain"]: (h["sequence"], h["hash"]) for h in said["statement"]["heads"]} == heads_now
    labels = {h["chain"]: h["organisation"] for h in said["statement"]["heads"]}
    assert labels == {
        str(organisation.pk): "open-road",
        str(PARTNERSHIP_CHAIN): "partnership",
        str(stray): "unknown",
    }
    assert second.statement.entries == 8 + 2 + 1
    for row in HeadStatement.objects.all():
        with pytest.raises(TrailWritten):
            row.delete()


def test_one_is_made_after_14_minutes_or_a_thousand_entries_and_not_before(
    organisation: Organisation,
) -> None:
    for after, wanted in ((0, 1), (1, 1), (13, 1), (14, 2), (15, 2), (28, 3)):
        with clock.frozen(NINE + after * MINUTE):
            sign_heads()
        assert HeadStatement.objects.count() == wanted == len(files()), after
    with clock.frozen(NINE + 29 * MINUTE):
        # The mail of the first run was an entry too.
        record_events(organisation.pk, 997)
        sign_heads()
        assert HeadStatement.objects.count() == 3
        record_events(organisation.pk, 3)
        sign_heads()
        assert HeadStatement.objects.count() == 4


def test_two_signers_at_once_make_one_statement_and_one_mail(organisation: Organisation) -> None:
    barrier, failed = threading.Barrier(4), []

    def run() -> None:
        try:
            barrier.wait()
            sign_heads()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [row.number for row in HeadStatement.objects.all()] == [1] and len(files()) == 1
    assert OutboundMail.objects.filter(unique_key__startswith="trail.heads:").count() == 1


def test_every_partner_gets_one_mail_a_day_with_the_statement_itself(organisation: Organisation) -> None:
    Organisation.objects.create(
        slug="phoenix", name="Phoenix", kind="provider", emails=["dpo@phoenix.example"]
    )
    Organisation.objects.create(slug="no-address", name="No address", kind="provider")
    with clock.frozen(NINE):
        sign_heads()
        sign_heads()
    with clock.frozen(NINE + 20 * MINUTE):
        sign_heads()
    sent = OutboundMail.objects.order_by("to")
    assert [mail.to for mail in sent] == ["dpo@openroad.example", "dpo@phoenix.example"]
    mail = sent[0]
    assert mail.subject == "EDATRS trail: signed heads of 2026-11-23"
    assert mail.text.isascii() and max(map(len, mail.text.splitlines())) < 78, "no mail program wraps it"
    [line] = unarmour(mail.text)
    assert line == files()[0].read_bytes() and "open-road: entry 5" in mail.text
    [line] = unarmour("\n".join(f"> {text}" for text in mail.text.splitlines()))
    assert line == files()[0].read_bytes(), "quoted in an answer"
    assert partnership_events("audit.heads_sent") == [{"number": 1, "partners": 2}]
    # 00:10 in London the next day.
    with clock.frozen(NINE + dt.timedelta(hours=15, minutes=10)):
        sign_heads()
    assert OutboundMail.objects.count() == 4
    day, mailed = mails.mailed_last()
    assert (day, mailed) == (None, []) or len(mailed) == 2


def test_the_days_of_the_mails_are_londons(organisation: Organisation) -> None:
    with clock.frozen(dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)):  # 2 July, 00:30 in London
        sign_heads()
        assert mails.mailed_last()[0] == dt.date(2026, 7, 2)
        assert [mail.organisation for mail in mails.mailed_last()[1]] == ["Open Road"]
    with clock.frozen(dt.datetime(2026, 7, 2, 22, 30, tzinfo=dt.UTC)):
        sign_heads()
    assert OutboundMail.objects.count() == 1


def test_a_process_that_died_before_commit_leaves_a_file_that_the_next_run_takes_over(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign()
    with monkeypatch.context() as dying:
        dying.setattr(heads, "kill_point", lambda name: 1 / 0 if name == "heads-written" else None)
        with pytest.raises(ZeroDivisionError):
            sign()
    assert len(files()) == 2 and HeadStatement.objects.count() == 1
    sign()
    assert [row.number for row in HeadStatement.objects.all()] == [3, 2, 1]
    assert held().problem is None and len(files()) == 3


def test_a_process_that_died_before_the_file_leaves_nothing(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(heads.os, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sign()
    assert list(Path(settings.HEADS_DIR).iterdir()) == [] and not HeadStatement.objects.exists()


def test_a_folder_that_was_lost_is_written_again_from_the_rows(organisation: Organisation) -> None:
    sign()
    sign()
    before = [path.read_bytes() for path in files()]
    shutil.rmtree(settings.HEADS_DIR)
    sign()
    assert [path.read_bytes() for path in files()][:2] == before and held().problem is None


def test_a_folder_that_cannot_be_written_leaves_no_row(
    organisation: Organisation, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    settings.HEADS_DIR = tmp_path / "in-the-way" / "heads"
    with pytest.raises(OSError):
        sign()
    assert not HeadStatement.objects.exists()


def put_back(connection: Any, chain: UUID, entries: int, statements_left: int) -> Vandal:
    """The database as an old backup would have it: fewer entries, the head of then, fewer statements."""
    from audit import chain as chains
    from audit.services import audit_key

    vandal = Vandal(connection)
    vandal.__enter__()
    vandal.execute("DELETE FROM audit_auditevent WHERE chain = %s AND sequence > %s", [chain, entries])
    hashed, at = vandal.execute(
        "SELECT hash, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM audit_auditevent "
        "WHERE chain = %s AND sequence = %s",
        [chain, entries],
    ).fetchone()
    mac = chains.seal(audit_key(), chains.head_bytes(str(chain), entries, bytes(hashed), at))
    vandal.execute(
        "UPDATE audit_chainhead SET sequence = %s, hash = %s, mac = %s, at = %s WHERE chain = %s",
        [entries, hashed, mac, at, chain],
    )
    vandal.execute("ALTER TABLE audit_headstatement DISABLE TRIGGER USER")
    vandal.execute("DELETE FROM audit_headstatement WHERE number > %s", [statements_left])
    vandal.execute("ALTER TABLE audit_headstatement ENABLE TRIGGER USER")
    return vandal


def test_after_an_old_backup_nothing_is_signed_until_the_operator_says_so_and_partners_see_it(
    organisation: Organisation, owner_connection: Any, caplog: Any
) -> None:
    sign()
    record_events(organisation.pk, 5)
    sign()
    vandal = put_back(owner_connection, organisation.pk, 5, 1)
    try:
        with pytest.raises(heads.SigningRefused, match=r"statement 3: a chain went back.*\(open-road\)"):
            sign()
        assert [row.number for row in HeadStatement.objects.all()] == [1], "nothing of a refused run stays"
        later = clock.now() + 20 * MINUTE
        with clock.frozen(later):
            sign_heads()
        assert "were not signed" in caplog.text and len(files()) == 2
        alarm = Task.objects.get(organisation=organisation)
        assert alarm.role == "information_governance" and alarm.link == "/o/open-road/trail/check/"
        with clock.frozen(later):
            sign_heads()
        assert Task.objects.count() == 1
        with pytest.raises(CommandError, match="nothing was signed"):
            call_command("sign_heads")
        call_command("sign_heads", "--after-restore")
        assert HeadStatement.objects.first().number == 3 and held().restored == [3]  # type: ignore[union-attr]
        assert partnership_events("audit.restored") == [{"number": 3}]
        # What the restore took back is not missed, what stayed is still held against the statements.
        assert set(held().signed(str(organisation.pk))) == {5}
        record_events(organisation.pk, 1)
        assert sign().statement.number == 4 and held().problem is None
    finally:
        vandal.__exit__()


def test_a_forged_head_is_not_signed(organisation: Organisation, owner_connection: Any) -> None:
    with Vandal(owner_connection) as vandal:
        vandal.execute("UPDATE audit_chainhead SET mac = 'x' WHERE chain = %s", [organisation.pk])
        with pytest.raises(heads.SigningRefused, match="the chain of open-road is not sealed with our key"):
            sign()


def test_a_folder_with_another_statement_stops_the_signing(organisation: Organisation) -> None:
    sign()
    rewrite(files()[0], heads.private_key(), at="2020-01-01T00:00:00.000000Z")
    with pytest.raises(heads.SigningRefused, match="statement 1 is another in the folder"):
        sign()
    (Path(settings.HEADS_DIR) / "000000000002.heads").write_bytes(b"{}")
    with pytest.raises(heads.SigningRefused):
        sign()


def test_the_key_is_outside_the_database_and_must_be_worth_its_name(settings: Any) -> None:
    for text in ("", "short", "31 characters are not sufficient"[:31]):
        settings.HEADS_KEY = text
        with pytest.raises(ImproperlyConfigured, match="EDATRS_HEADS_KEY"):
            heads.public_key()
    settings.HEADS_KEY = "another key of at least 32 characters"
    other = heads.public_key()
    settings.HEADS_KEY = "and a third key of at least 32 characters"
    assert heads.public_key() != other
    settings.HEADS_OLD_KEYS = [other.hex()]
    assert heads.public_keys() == [heads.public_key(), other]
    settings.HEADS_OLD_KEYS = ["no key"]
    with pytest.raises(ImproperlyConfigured, match="EDATRS_HEADS_OLD_KEYS"):
        heads.public_keys()


def test_a_new_key_goes_on_where_the_old_one_signed(organisation: Organisation, settings: Any) -> None:
    old = sign()
    before = heads.public_key()
    settings.HEADS_KEY = "the next key, which has 32 characters and more"
    with pytest.raises(heads.SigningRefused, match="was not signed with our key"):
        sign()
    settings.HEADS_OLD_KEYS = [before.hex()]
    assert sign().statement.previous == old.digest and held().problem is None


def test_the_public_key_is_printed_and_nothing_signed(capsys: Any) -> None:
    call_command("sign_heads", "--public-key")
    assert capsys.readouterr().out.strip() == heads.public_key().hex() and not HeadStatement.objects.exists()


def test_every_chain_is_checked_once_a_day(organisation: Organisation) -> None:
    check_chains()
    check_chains()
    assert [job.organisation_id for job in Job.objects.filter(kind="audit.verify_chain")] == [organisation.pk]
    schedule = settings.CELERY_BEAT_SCHEDULE["check-chains"]["schedule"]
    assert (schedule.hour, schedule.minute) == ({6}, {0})


def three(organisation: Organisation) -> list[Path]:
    for _ in range(3):
        record_events(organisation.pk, 2)
        sign()
    return files()[:3]


def test_statements_that_are_not_in_order_are_named(organisation: Organisation) -> None:
    paths = three(organisation)
    whole = [path.read_bytes() for path in paths]

    def problem(*lines: tuple[int, bytes]) -> Problem | None:
        found = Held(heads.public_keys())
        for number, line in lines:
            found.add(number, line)
        return found.problem

    one, two, last = whole
    assert problem((1, one), (2, two), (3, last)) is None
    assert problem((1, one), (3, last)) == Problem(2, Fault.MISSING)
    assert problem((2, two), (3, last)) == Problem(1, Fault.MISSING)
    assert problem((1, two), (2, one)) == Problem(1, Fault.LINK)
    assert problem((1, one), (2, one)) == Problem(2, Fault.LINK)
    assert problem((1, one), (2, two[:-9])) == Problem(2, Fault.UNREADABLE)
    key = heads.private_key()
    chain = str(organisation.pk)
    inner = json.loads(two)["statement"]
    head = inner["heads"][0]
    for changed, fault in (
        ({"previous": "1" * 64}, Problem(2, Fault.LINK)),
        ({"at": "2020-01-01T00:00:00.000000Z"}, Problem(2, Fault.TIME)),
        ({"heads": []}, Problem(2, Fault.BACK, chain)),
        ({"heads": [{**head, "sequence": 1}]}, Problem(2, Fault.BACK, chain)),
        (
            {"heads": [{**json.loads(one)["statement"]["heads"][0], "hash": "2" * 64}]},
            Problem(2, Fault.BACK, chain),
        ),
        ({"heads": [head, head]}, Problem(2, Fault.UNREADABLE)),
        ({"number": True}, Problem(2, Fault.UNREADABLE)),
        ({"extra": 1}, Problem(2, Fault.UNREADABLE)),
    ):
        body = statements.canonical({**inner, **changed})
        assert problem((1, one), (2, statements.signed_line(body, key.sign(body)))) == fault, changed
    for line in (
        b"",
        b"[]",
        b"{}",
        b'{"statement":[],"signature":""}',
        b'{"statement":{},"signature":"zz"}',
        b"\xff",
    ):
        assert problem((1, line)) == Problem(1, Fault.UNREADABLE)


def signature_is_looked_at(module: Any, organisation: Organisation) -> None:
    paths = three(organisation)
    rewrite(paths[2], STRANGER)
    found = module.Held(heads.public_keys())
    for number, path in enumerate(paths, start=1):
        found.add(number, path.read_bytes())
    assert found.problem == (3, "the statement was not signed with our key", "")


def order_is_looked_at(module: Any, organisation: Organisation) -> None:
    one, _, last = (path.read_bytes() for path in three(organisation))
    found = module.Held(heads.public_keys())
    found.add(1, one)
    found.add(3, last)
    assert found.problem == (2, "the statement is missing", "")


@pytest.mark.parametrize(
    ("probe", "old", "new"),
    [
        (signature_is_looked_at, "if not is_genuine(self._keys, found.body, found.signature):", "if False:"),
        (
            order_is_looked_at,
            "self.problem = follows(before, self.last.digest if self.last else NOTHING_BEFORE, found.statement)",
            "self.problem = None",
        ),
    ],
)
def test_a_check_of_the_statements_that_is_taken_out_is_noticed(
    probe: Any, old: str, new: str, organisation: Organisation
) -> None:
    probe(statements, organisation)
    HeadStatement.objects.count()
    shutil.rmtree(settings.HEADS_DIR)
    with pytest.raises(AssertionError):
        probe(mutant("audit.statements", old, new), organisation)
