"""An export and the mailed statements are verified by the one file alone; every damage is found."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client as Browser

from audit import heads, mails, statements
from audit.chain import link
from audit.verifier import verify_trail
from tests.audit.outside import STRANGER, check, files, rewrite, sign
from tests.audit.stand_alone.place import (
    Place,
    _left,
    cut,
    cut_before_the_end,
    damaged,
    deleted,
    edited,
    end_forged,
    in_database,
    inserted,
    reordered,
    said,
)
from tests.audit.test_signed_heads import put_back
from tests.audit.vandal import Vandal
from tests.factories.audit import record_events
from tests.factories.organisations import make_organisation, make_person, sign_in


def test_a_whole_export_with_the_statements_is_whole(place: Place, capsys: Any) -> None:
    path = place.export()
    assert check("--export", path, "--heads", settings.HEADS_DIR) == 0
    words = said(capsys)
    assert (
        "WHOLE: nothing is wrong" in words
        and "entries 1 to 40 are those that were signed at the time; 10 came after" in words
    )
    assert check("--export", path) == 0, "the newest statement is in the export itself"
    assert "entries 1 to 40" in said(capsys)
    packed = place.folder / "trail.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert check("--export", packed) == 0
    key = place.folder / "key.txt"
    key.write_bytes(place.browser.get(f"/o/{place.organisation.slug}/trail/key.txt").content)
    assert verify_trail.main(["--key", str(key), "--export", str(path)]) == 0


def test_it_needs_the_standard_library_alone_and_is_what_the_page_hands_out(place: Place) -> None:
    path = place.export()
    answer = place.browser.get(f"/o/{place.organisation.slug}/trail/verifier/download/")
    program = place.folder / "verify_trail.py"
    program.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert 'filename="verify_trail.py"' in answer["Content-Disposition"]
    words = [
        sys.executable,
        "-I",
        "-S",
        str(program),
        "--key",
        heads.public_key().hex(),
        "--export",
        str(path),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=place.folder, env={})
    assert (done.returncode, done.stderr) == (0, "") and "WHOLE" in done.stdout
    program.with_suffix(".key").write_text("no key")
    for wrong in (
        [*words[:-2]],
        [*words[:5], "zz", *words[6:]],
        [*words[:-1], str(program)],
        [*words[:-1], str(place.folder / "nothing")],
        [*words[:-2], "--heads", str(program)],
    ):
        done = subprocess.run(wrong, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "could not be checked" in done.stdout, wrong


def test_the_form_is_the_documented_one(place: Place) -> None:
    lines = [json.loads(line) for line in place.export().read_bytes().splitlines()]
    assert lines[0]["kind"] == "edatrs-trail-export-1" and lines[0]["chain"] == place.chain
    assert len(lines) == 1 + 50 + 2
    previous = bytes(32)
    for line in lines[1:-2]:
        text = json.dumps(line["entry"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(previous + text.encode()).digest()
        assert line["hash"] == previous.hex()
    assert (
        lines[-2]["statement"]["kind"] == "edatrs-trail-export-end-1"
        and lines[-2]["statement"]["sequence"] == 50
    )
    assert lines[-1]["statement"]["kind"] == "edatrs-trail-heads-1"


def with_its_hash(lines: list[bytes]) -> None:
    edited(lines)
    inner = json.loads(lines[7])
    before = bytes.fromhex(json.loads(lines[6])["hash"])
    inner["hash"] = link(before, verify_trail.canonical(inner["entry"], False)).hex()
    lines[7] = json.dumps(inner).encode() + b"\n"


def cut_in_a_line(lines: list[bytes]) -> None:
    lines[40:] = [lines[40][:30]]


def added_after_the_end(lines: list[bytes]) -> None:
    lines.append(lines[7])


def said_twice(lines: list[bytes]) -> None:
    lines[7] = lines[7].replace(b'"actor":"person"', b'"actor":"worker","actor":"person"')


DAMAGES = (
    (edited, "entry 7 was changed, put in, or put in another order"),
    (with_its_hash, "entry 8 was changed, put in, or put in another order"),
    (deleted, "entry 7 is missing: taken out"),
    (inserted, "entry 8: entry 7 stands here, again or in another order"),
    (reordered, "entry 7 is missing: taken out"),
    (cut, "after entry 39 the end is missing: the file was cut"),
    (
        cut_before_the_end,
        "the export ends with entry 39, and the system signed that it ends with entry 50",
    ),
    (cut_in_a_line, "entry 40: this line is no entry"),
    (added_after_the_end, "entry 7 stands after the end: it was put in"),
    (end_forged, "the end of the export was not signed with the key you gave"),
    (said_twice, "entry 7: this line is no entry"),
)


def test_a_file_that_was_changed_on_the_way_is_found(place: Place, capsys: Any) -> None:
    path = place.export()
    for change, words in DAMAGES:
        assert check("--export", damaged(path, change)) == 1, change
        output = said(capsys)
        assert f"FOUND: {words}" in output and "NOT WHOLE: 1 found" in output, change


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("edited", "entry 15 was changed"),
        ("deleted", "entry 15 is missing: taken out"),
        ("inserted", "entry 16 was changed, put in"),
        ("reordered", "entry 15 was changed, put in, or put in another order"),
        ("rewritten", "entry 20 is not the one that statement 1 of"),
        ("truncated", "entry 31 is missing: statement 2 of"),
    ],
)
def test_what_was_done_in_the_database_is_found_in_the_export(
    place: Place, owner_connection: Any, capsys: Any, kind: str, words: str
) -> None:
    assert check("--export", place.export(), "--heads", settings.HEADS_DIR) == 0
    in_database(place, owner_connection, kind)
    try:
        path = place.export("after.jsonl")
    finally:
        Vandal.__exit__(_left(owner_connection))
    assert check("--export", path, "--heads", settings.HEADS_DIR) == 1
    assert f"FOUND: {words}" in said(capsys)


def test_a_restored_backup_is_found_by_the_mails_alone(
    place: Place, owner_connection: Any, capsys: Any
) -> None:
    """The folder of the system was put back too: only what a partner kept is left."""
    kept = mail_of(place, mails.text_of(statements.read(files()[1].read_bytes())))
    vandal = put_back(owner_connection, place.organisation.pk, 25, 1)
    try:
        files()[1].unlink()
        path = place.export()
        assert check("--export", path) == 0, "from inside all is well"
        assert check("--export", path, "--heads", kept) == 1
        assert "FOUND: entry 26 is missing: statement 2 of" in said(capsys)
        sign()
        later = mail_of(place, mails.text_of(statements.read(files()[-1].read_bytes())), "later.txt")
        assert check("--heads", kept, later) == 1
        assert "there are two different statements 2: somebody was shown another trail" in said(capsys)
    finally:
        vandal.__exit__()


def test_a_chain_that_went_back_shows_in_the_mails_of_two_days(
    place: Place, owner_connection: Any, capsys: Any
) -> None:
    vandal = put_back(owner_connection, place.organisation.pk, 25, 2)
    try:
        call_command("sign_heads", "--after-restore")
        capsys.readouterr()
        assert check("--heads", settings.HEADS_DIR) == 1
        assert "statement 3 of" in (words := said(capsys)) and "put back from a backup. Ask why" in words
        assert check("--heads", settings.HEADS_DIR, "--restore-known", "3") == 0
        assert check("--heads", settings.HEADS_DIR, "--restore-known", "3", "--export", place.export()) == 0
        rewrite(files()[2], heads.private_key(), restored=False)
        assert check("--heads", settings.HEADS_DIR) == 1
        assert "the chain of open-road has 25 entries, and had 40 in statement 2" in said(capsys)
        files()[2].unlink()
        record_events(place.organisation.pk, 1)
        # Somebody who kept only the mails before and after it, and knows of it.
        known = ("--restore-known", "3", "--export", place.export(), "--heads", settings.HEADS_DIR)
        assert check(*known) == 0
    finally:
        vandal.__exit__()


def test_statements_that_are_forged_replaced_or_out_of_order_are_found(place: Place, capsys: Any) -> None:
    one, two = files()
    was = two.read_bytes()
    for change, key, words in (
        ({}, STRANGER, "statement 2 was not signed with the key you gave: forged, or changed"),
        ({"at": "2030-01-01T00:00:00.000000Z"}, None, "statement 2 was not signed with the key you gave"),
        ({"previous": "0" * 64}, heads.private_key(), "does not follow statement 1"),
        ({"at": "2020-01-01T00:00:00.000000Z"}, heads.private_key(), "is older than statement 1"),
        ({"heads": []}, heads.private_key(), "the chain of open-road has 0 entries, and had 20"),
    ):
        rewrite(two, key, **change)
        assert check("--heads", one, two) == 1
        assert words in said(capsys), words
        two.write_bytes(was)
    two.write_bytes(b'{"signature":"00","statement":{"kind":"edatrs-trail-heads-1"}}')
    assert check("--heads", one, two) == 1 and "this is no statement of the heads" in said(capsys)
    two.write_bytes(was)
    other = heads.private_key()
    copy = place.folder / "shown-to-another.heads"
    copy.write_bytes(was)
    rewrite(copy, other, at="2030-01-01T00:00:00.000000Z")
    assert check("--heads", one, two, copy) == 1
    assert "there are two different statements 2: somebody was shown another trail" in said(capsys)
    assert check("--heads", one, two, two) == 0


def mail_of(place: Place, text: str, name: str = "mail.txt") -> Path:
    path = place.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_mails_are_read_as_they_are_kept(place: Place, capsys: Any) -> None:
    text = mails.text_of(statements.read(files()[0].read_bytes()))
    quoted = mail_of(
        place,
        "On Monday Anna wrote:\n" + "".join(f"> {line}\r\n" for line in text.splitlines()),
        "quoted.txt",
    )
    made = EmailMessage()
    made["Subject"], made["From"] = "Fwd: EDATRS trail", "dpo@openroad.example"
    made.set_content("See below – é\n" + text, cte="base64")
    made.add_attachment(b"x", maintype="application", subtype="octet-stream")
    eml = place.folder / "kept.eml"
    eml.write_bytes(made.as_bytes())
    printable = EmailMessage()
    printable["Subject"] = "x"
    printable.set_content(text + "é", cte="quoted-printable")
    other = place.folder / "other.eml"
    other.write_bytes(printable.as_bytes())
    folder = place.folder / "mails"
    folder.mkdir()
    for path in (quoted, eml, other):
        assert check("--heads", path) == 0, path
        path.rename(folder / path.name)
    assert check("--heads", folder) == 0
    assert "1 statements, the newest 1 of" in said(capsys)
    broken = mail_of(
        place, text.replace("BEGIN EDATRS TRAIL HEADS-----\n", "BEGIN EDATRS TRAIL HEADS-----\n!")
    )
    assert check("--heads", broken) == 2 and "the block is damaged" in said(capsys)
    line = base64.b64encode(b'{"signature":"","statement":[]}').decode()
    empty = mail_of(place, f"{statements.BEGIN}\n{line}\n{statements.END}")
    assert check("--heads", empty) == 1


def test_an_export_that_is_older_than_a_statement_is_not_blamed(place: Place, capsys: Any) -> None:
    path = place.export()
    record_events(place.organisation.pk, 5)
    sign()
    assert check("--export", path, "--heads", settings.HEADS_DIR) == 0
    assert "is newer than the export: not held against it" in said(capsys)


def test_another_organisations_export_proves_nothing_and_says_so(
    place: Place, capsys: Any, tmp_path: Path
) -> None:
    other = make_organisation("phoenix")
    browser = sign_in(Browser(), make_person(other, role="information_governance"))
    record_events(other.pk, 3)
    answer = browser.post("/o/phoenix/trail/export/download/")
    path = tmp_path / "phoenix.jsonl"
    path.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert place.chain.encode() not in b"".join(path.read_bytes().splitlines(keepends=True)[:-1])
    assert check("--export", path) == 0
    assert "nothing outside proves them" in said(capsys)
