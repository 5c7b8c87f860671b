"""The verifier that partners run: one file, the public key alone. What it must find in exports, mailed heads and statements."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management import call_command
from django.test import Client as Browser

from audit import heads, mails, statements
from audit.chain import Row, canonical, link, seal
from audit.services import audit_key
from audit.verification import _reader, read_rows
from audit.verifier import verify_trail
from edatrs.organisations.models import Organisation
from tests.audit.mutants import mutant
from tests.audit.outside import STRANGER, check, files, rewrite, sign
from tests.audit.test_signed_heads import put_back
from tests.audit.vandal import Vandal
from tests.factories.audit import head_of, record_events
from tests.factories.organisations import make_organisation, make_person, sign_in

# RFC 8032, section 7.1, tests 1 to 3: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


# ---- Ed25519 in plain Python ------------------------------------------------------------------------------------------


def test_the_vectors_of_the_rfc() -> None:
    for key, message, signature in VECTORS:
        assert verify_trail.is_genuine(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


def test_it_says_what_cryptography_says_of_right_and_damaged_signatures() -> None:
    dice = random.Random(8032)
    for number in range(60):
        key = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), dice.randbytes(number * 5)
        signature = key.sign(message)
        assert verify_trail.is_genuine(public, message, signature)
        for damaged in (public, message or b"x", signature):
            raw = bytearray(damaged)
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            what = {public: 0, message: 1, signature: 2}.get(damaged, 1)
            asked = [public, message, signature]
            asked[what] = bytes(raw)
            assert not verify_trail.is_genuine(*asked), (number, what)
            assert not statements.is_genuine([asked[0]], asked[1], asked[2])


def test_a_second_form_of_a_signature_and_points_that_are_none_are_refused() -> None:
    key = STRANGER.public_key().public_bytes_raw()
    signature = STRANGER.sign(b"x")
    s = int.from_bytes(signature[32:], "little") + verify_trail.L
    assert not verify_trail.is_genuine(key, b"x", signature[:32] + s.to_bytes(32, "little"))
    for not_a_point in (
        (verify_trail.P + 1).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        b"\xff" * 32,
    ):
        assert not verify_trail.is_genuine(not_a_point, b"x", signature)
    for key_, signature_ in ((key[:-1], signature), (key, signature[:-1]), (key, b""), (b"", signature)):
        assert not verify_trail.is_genuine(key_, b"x", signature_)


# ---- exports and heads ------------------------------------------------------------------------------------------------


class Place:
    """An organisation with a chain that was signed twice and grew on, and a governance officer who exports it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.organisation: Organisation = make_organisation("open-road", emails=["dpo@openroad.example"])
        self.officer = make_person(self.organisation, role="information_governance")
        self.browser = sign_in(Browser(), self.officer)
        record_events(self.organisation.pk, 20, label='Zoë “Mac” O’Hara \\ "x" 漢字 😀')
        sign()
        record_events(self.organisation.pk, 20)
        sign()
        record_events(self.organisation.pk, 10)

    @property
    def chain(self) -> str:
        return str(self.organisation.pk)

    def export(self, name: str = "trail.jsonl") -> Path:
        answer = self.browser.post(f"/o/{self.organisation.slug}/trail/export/download/")
        assert answer.status_code == 200
        path = self.folder / name
        path.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
        return path

    def rewritten(self, rows: list[Any], key: bytes) -> Iterator[Any]:
        """Numbered, linked and sealed anew."""
        previous = bytes(32)
        for number, old in enumerate(rows, start=1):
            row = old._replace(sequence=number, previous=previous)
            previous = link(previous, canonical(row))
            yield row._replace(hash=previous, mac=seal(key, previous))


@pytest.fixture
def place(transactional_db: None, tmp_path: Path) -> Place:
    return Place(tmp_path)


def said(capsys: Any) -> str:
    return str(capsys.readouterr().out)


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


def damaged(path: Path, change: Any) -> Path:
    """The export with its lines changed."""
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    other = path.with_name("damaged.jsonl")
    other.write_bytes(b"".join(lines))
    return other


def edited(lines: list[bytes]) -> None:
    lines[7] = lines[7].replace(b'"actor":"person"', b'"actor":"worker"')


def with_its_hash(lines: list[bytes]) -> None:
    edited(lines)
    inner = json.loads(lines[7])
    before = bytes.fromhex(json.loads(lines[6])["hash"])
    inner["hash"] = link(before, verify_trail.canonical(inner["entry"], False)).hex()
    lines[7] = json.dumps(inner).encode() + b"\n"


def deleted(lines: list[bytes]) -> None:
    del lines[7]


def inserted(lines: list[bytes]) -> None:
    lines.insert(7, lines[7])


def reordered(lines: list[bytes]) -> None:
    lines[7], lines[8] = lines[8], lines[7]


def cut(lines: list[bytes]) -> None:
    del lines[40:]


def cut_before_the_end(lines: list[bytes]) -> None:
    del lines[40:-2]


def cut_in_a_line(lines: list[bytes]) -> None:
    lines[40:] = [lines[40][:30]]


def added_after_the_end(lines: list[bytes]) -> None:
    lines.append(lines[7])


def end_forged(lines: list[bytes]) -> None:
    del lines[46:-2]
    last = json.loads(lines[45])
    inner = json.loads(lines[-2])["statement"] | {"entries": 45, "sequence": 45, "hash": last["hash"]}
    body = statements.canonical(inner)
    lines[-2] = statements.signed_line(body, STRANGER.sign(body))


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


def in_database(place: Place, connection: Any, kind: str) -> None:
    """A superuser, with the key of the seals where that helps."""
    with _reader() as reader:
        rows = [Row(*row) for row in read_rows(reader, place.organisation.pk)]
    vandal = Vandal(connection)
    vandal.__enter__()
    if kind == "edited":
        vandal.edit(place.chain, 15, "actor_label", "Somebody Else")
    elif kind == "deleted":
        vandal.execute("DELETE FROM audit_auditevent WHERE chain = %s AND sequence = 15", [place.chain])
    elif kind == "inserted":
        vandal.execute(
            "UPDATE audit_auditevent SET sequence = sequence + 1000 WHERE chain = %s AND sequence > 15",
            [place.chain],
        )
        vandal.execute(
            "UPDATE audit_auditevent SET sequence = sequence - 999 WHERE chain = %s AND sequence > 1000",
            [place.chain],
        )
        columns = ", ".join(name for name in Row._fields if name not in ("id", "sequence"))
        vandal.execute(
            f"INSERT INTO audit_auditevent (id, sequence, {columns}) SELECT 99999999, 16, {columns} FROM audit_auditevent "
            "WHERE chain = %s AND sequence = 15",
            [place.chain],
        )
        # With the key of the seals: else nothing more could be written, not even that this is exported.
        head = head_of([rows[-1]._replace(sequence=len(rows) + 1)], audit_key())
        vandal.execute(
            "UPDATE audit_chainhead SET sequence = sequence + 1, mac = %s WHERE chain = %s",
            [head.mac, place.chain],
        )
    elif kind == "reordered":
        for old, new in ((15, 999), (16, 15), (999, 16)):
            vandal.execute(
                "UPDATE audit_auditevent SET sequence = %s WHERE chain = %s AND sequence = %s",
                [new, place.chain, old],
            )
    elif kind == "rewritten":
        rows[14] = rows[14]._replace(actor_label="Somebody Else")
        made = list(place.rewritten(rows, audit_key()))
        vandal.put(place.chain, made, head_of(made, audit_key()))
    elif kind == "truncated":
        vandal.execute("DELETE FROM audit_auditevent WHERE chain = %s AND sequence > 30", [place.chain])
        vandal.put(place.chain, rows[:30], head_of(rows[:30], audit_key()))


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


def _left(connection: Any) -> Vandal:
    """The vandal of `in_database`, to be put right."""
    return Vandal(connection)


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


# ---- mutants ----------------------------------------------------------------------------------------------------------


EXPORT_CHECKS = (
    ("if previous != hashed:", "if False:", edited),
    ("if sequence > number:", "if False:", deleted),
    (
        "return _bytes(_add(_times(s, BASE), _times(k, minus_a))) == signature[:32]",
        "return True",
        end_forged,
    ),
    ("if end is None:", "if False:", cut),
    ("!= [chain, len(hashes), len(hashes), last.hex()]:", "is None:", cut_before_the_end),
)


def test_a_check_of_the_export_that_is_taken_out_is_noticed(place: Place, capsys: Any) -> None:
    whole = place.export()
    for old, new, change in EXPORT_CHECKS:
        path = damaged(whole, change)
        noticed(verify_trail, path, change, capsys)
        with pytest.raises(AssertionError):
            noticed(mutant("audit.verifier.verify_trail", old, new), path, change, capsys)


def noticed(module: Any, path: Path, change: Any, capsys: Any) -> None:
    """The verifier finds what was done to the file, and says it."""
    try:
        code = module.main(["--key", heads.public_key().hex(), "--export", str(path)])
    except TypeError:  # what is missing was needed further on
        code = 0
    words = said(capsys)
    expected = {edited: "entry 7 was changed", deleted: "entry 7 is missing"}.get(change, "FOUND")
    assert code == 1 and expected in words


HEADS_CHECKS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("if not self.signed(body, signature):", "if False:", {}, "stranger"),
    (
        "if now.number == before.number + 1 and now.previous != before.digest:",
        "if False:",
        {"previous": "0" * 64},
        "ours",
    ),
    ("if now.at < before.at:", "if False:", {"at": "2020-01-01T00:00:00.000000Z"}, "ours"),
    ("            if entries < sequence:", "            if False:", {"heads": []}, "ours"),
)


def test_a_check_of_the_heads_that_is_taken_out_is_noticed(place: Place) -> None:
    def seen(module: Any) -> None:
        assert module.main(["--key", heads.public_key().hex(), "--heads", str(settings.HEADS_DIR)]) == 1

    was = files()[1].read_bytes()
    for old, new, changed, key in HEADS_CHECKS:
        rewrite(files()[1], STRANGER if key == "stranger" else heads.private_key(), **changed)
        seen(verify_trail)
        with pytest.raises(AssertionError):
            seen(mutant("audit.verifier.verify_trail", old, new))
        files()[1].write_bytes(was)


@pytest.mark.parametrize("old", ["elif hashes[sequence - 1] != hashed:", "elif sequence > len(hashes):"])
def test_an_export_must_agree_with_the_heads_or_it_is_noticed(
    place: Place, owner_connection: Any, old: str
) -> None:
    in_database(place, owner_connection, "rewritten" if "hashed" in old else "truncated")
    try:
        path = place.export()
    finally:
        Vandal.__exit__(_left(owner_connection))

    def seen(module: Any) -> None:
        try:
            code = module.main(["--key", heads.public_key().hex(), "--export", str(path)])
        except IndexError:
            code = 0
        assert code == 1

    seen(verify_trail)
    with pytest.raises(AssertionError):
        seen(mutant("audit.verifier.verify_trail", old, "elif False:"))


def test_the_file_is_one_and_imports_nothing_of_ours() -> None:
    text = Path(verify_trail.__file__).read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
        )
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= set(sys.stdlib_module_names) and "socket" not in imported and "urllib" not in imported
    assert os.path.getsize(verify_trail.__file__) < 40_000
