#!/usr/bin/env python3
"""Check the trail of EDATRS caseload from outside, with the public key alone.

    python3 verify_trail.py --key KEY [--heads FILE_OR_FOLDER ...] [--export FILE]

KEY is the public key (64 hexadecimal digits, or a file that holds them). --heads takes the mails you kept (as text or .eml), files of
statements, or a folder of them. --export takes the export of your own organisation's chain (.jsonl or .jsonl.gz).

It finds entries that were changed, taken out, put in or put in another order; a chain that was cut at the end, written anew, or put back
from an older copy; and statements that somebody else signed. It says the first entry that is wrong. Leaves with 0 when all is well,
with 1 when something was found, with 2 when it could not read what it was given. Needs Python 3.9 or newer and nothing else; sends
nothing anywhere.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import email
import email.policy
import gzip
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

HEADS = "edatrs-trail-heads-1"
EXPORT = "edatrs-trail-export-1"
EXPORT_END = "edatrs-trail-export-end-1"
BLOCK = re.compile(r"-----BEGIN EDATRS TRAIL HEADS-----(.*?)-----END EDATRS TRAIL HEADS-----", re.DOTALL)
COLUMNS = [
    "act",
    "actor",
    "actor_id",
    "actor_label",
    "at",
    "chain",
    "details",
    "event_id",
    "id",
    "name",
    "organisation_id",
    "organisation_label",
    "roles",
    "sequence",
    "subject",
]


# ---- Ed25519 (RFC 8032): verifying only, nothing secret here, so it need not take the same time for all values ----------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple  # (X, Y, Z, T): x = X/Z, y = Y/Z, x * y = T/Z


def _x_of(y: int, odd: int) -> int | None:
    """The x of a point with this y, or None where there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    return P - x if x & 1 != odd else x


def _point(raw: bytes) -> Point | None:
    """A point (X, Y, Z, T) from its 32 bytes, or None."""
    y = int.from_bytes(raw, "little")
    odd, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, odd) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, p: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, p)
        p = _add(p, p)
        number >>= 1
    return found


def _bytes(p: Point) -> bytes:
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x_of(BASE_Y, 0), BASE_Y, 1, _x_of(BASE_Y, 0) * BASE_Y % P)


def is_genuine(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of the private key to `key` (32 bytes) signed these bytes."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, s = _point(key), int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], 1, P - a[3])
    return _bytes(_add(_times(s, BASE), _times(k, minus_a))) == signature[:32]


# ---- reading --------------------------------------------------------------------------------------------------------


class CannotRead(Exception):
    """What was given is not what it should be; the words say which file and what."""


def canonical(value: Any, ascii_only: bool) -> bytes:
    """The bytes that are hashed (entries: UTF-8) or signed (statements: ASCII)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice in one object could say one thing to us and another to somebody else."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def load(line: bytes) -> Any:
    """JSON, without anything that can be read in two ways. Raises ValueError."""
    return json.loads(line, object_pairs_hook=_refuse_twice)


def statement_lines(path: str) -> list[bytes]:
    """The statements in a file: as they are, or in the block of a mail. Raises CannotRead."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw.lstrip().startswith(b"{"):
        return [line for line in raw.splitlines() if line.strip()]
    blocks = BLOCK.findall(raw.decode("utf-8", "replace"))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    if mail.get("Content-Transfer-Encoding") or mail.is_multipart():
        parts = [part.get_content() for part in mail.walk() if part.get_content_type() == "text/plain"]
        blocks = BLOCK.findall("\n".join(parts)) or blocks
    if not blocks:
        raise CannotRead(f"{path}: there is no statement in it")
    try:
        return [base64.b64decode(re.sub(r"[\s>]", "", block), validate=True) for block in blocks]
    except binascii.Error:
        raise CannotRead(
            f"{path}: the block is damaged; save the mail as a file instead of copying it"
        ) from None


def statements_in(paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """(where, line) of every statement in files and folders."""
    for path in paths:
        names = [path]
        if os.path.isdir(path):
            inside = sorted(os.path.join(path, name) for name in os.listdir(path))
            names = [name for name in inside if os.path.isfile(name) and not name.endswith(".part")]
        for name in names:
            for line in statement_lines(name):
                yield name, line


def signed_thing(line: bytes, kind: str) -> tuple[dict[str, Any], bytes, bytes]:
    """(statement, its bytes, signature) of a line. Raises ValueError, KeyError, TypeError."""
    outer = load(line)
    if not isinstance(outer, dict) or set(outer) != {"statement", "signature"}:
        raise ValueError("not a signed line")
    inner = outer["statement"]
    if inner["kind"] != kind:
        raise ValueError("of another kind")
    return inner, canonical(inner, True), bytes.fromhex(outer["signature"])


# ---- checking -------------------------------------------------------------------------------------------------------


class Statement(NamedTuple):
    """A genuine statement: sequence and hash of the head of each chain."""

    number: int
    at: str
    previous: str
    restored: bool
    heads: dict[str, tuple[int, bytes]]
    labels: dict[str, str]
    digest: str

    @property
    def words(self) -> str:
        """As it is called in what was found."""
        return f"statement {self.number} of {self.at}"


class Statements:
    """The statements that are genuine, by number; what is wrong with them is in `found`."""

    def __init__(self, keys: Sequence[bytes], known_restores: set[int]) -> None:
        self.keys, self.known = keys, known_restores
        self.by_number: dict[int, Statement] = {}
        self.found: list[str] = []

    def signed(self, body: bytes, signature: bytes) -> bool:
        """Whether one of the keys signed these bytes."""
        return any(is_genuine(key, body, signature) for key in self.keys)

    def take(self, where: str, line: bytes) -> None:
        """One statement: is it ours, and is it the only one of its number?"""
        try:
            inner, body, signature = signed_thing(line, HEADS)
            now = Statement(
                number=int(inner["number"]),
                at=str(inner["at"]),
                previous=str(inner["previous"]),
                restored=bool(inner["restored"]),
                heads={
                    str(h["chain"]): (int(h["sequence"]), bytes.fromhex(h["hash"])) for h in inner["heads"]
                },
                labels={str(h["chain"]): str(h["organisation"]) for h in inner["heads"]},
                digest=hashlib.sha256(body).hexdigest(),
            )
        except (ValueError, KeyError, TypeError):
            self.found.append(f"{where}: this is no statement of the heads")
            return
        if not self.signed(body, signature):
            self.found.append(
                f"{where}: statement {now.number} was not signed with the key you gave: forged, or changed"
            )
            return
        held = self.by_number.setdefault(now.number, now)
        if held.digest != now.digest:
            self.found.append(
                f"{where}: there are two different statements {now.number}: somebody was shown another trail"
            )

    def in_order(self) -> list[Statement]:
        """The genuine ones by number."""
        return [self.by_number[number] for number in sorted(self.by_number)]

    def check_order(self) -> None:
        """Each names the one before it, none is older than the one before, and no chain goes back."""
        before: Statement | None = None
        for now in self.in_order():
            if now.restored and now.number not in self.known:
                self.found.append(
                    f"{now.words}: the operator said that the trail was put back from a backup. Ask why; if you know, "
                    f"add --restore-known {now.number}"
                )
            if before:
                self._pair(before, now)
            before = now

    def _pair(self, before: Statement, now: Statement) -> None:
        if now.number == before.number + 1 and now.previous != before.digest:
            self.found.append(f"{now.words} does not follow {before.words}: one was replaced or left out")
        if now.at < before.at:
            self.found.append(f"{now.words} is older than {before.words}")
        if now.restored or any(before.number < number <= now.number for number in self.known):
            return
        for chain, (sequence, hashed) in before.heads.items():
            label = before.labels[chain]
            entries, other = now.heads.get(chain, (0, b""))
            if entries < sequence:
                self.found.append(
                    f"{now.words}: the chain of {label} has {entries} entries, and had {sequence} in {before.words}: it was cut, or an "
                    "older copy was put back"
                )
            elif entries == sequence and other != hashed:
                self.found.append(
                    f"{now.words}: entry {sequence} of {label} is another than in {before.words}"
                )

    def anchors(self, chain: str) -> list[tuple[int, bytes, Statement]]:
        """(sequence, hash, statement) of a chain; what a restore took back is left out."""
        found: list[tuple[int, bytes, Statement]] = []
        before = 0
        unseen = [number for number in self.known if number not in self.by_number]
        for statement in self.in_order():
            if any(before < number < statement.number for number in unseen):
                found = []  # what that restore took back is not said in anything that we hold
            before = statement.number
            sequence, hashed = statement.heads.get(chain, (0, b""))
            if statement.restored:
                found = [old for old in found if old[0] <= sequence]
            if sequence:
                found.append((sequence, hashed, statement))
        return found


def open_export(path: str) -> IO[bytes]:
    """The lines of an export."""
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # type: ignore[return-value]


def check_export(path: str, held: Statements) -> tuple[list[str], list[str]]:
    """(what was found, notes): the entries up to the first bad one, then the end, then the statements. Raises CannotRead."""
    with open_export(path) as file:
        try:
            about = load(file.readline())
            chain = about["chain"]
            if about["kind"] != EXPORT:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise CannotRead(f"{path}: this is no export of the trail") from None
        hashes, end, bad = _entries(file, chain, held)
    if bad:
        return [bad], []
    if end is None:
        return [f"after entry {len(hashes)} the end is missing: the file was cut"], []
    last = hashes[-1] if hashes else bytes(32)
    if [end["chain"], end["sequence"], end["entries"], end["hash"]] != [
        chain,
        len(hashes),
        len(hashes),
        last.hex(),
    ]:
        return [
            f"the export ends with entry {len(hashes)}, and the system signed that it ends with entry {end['sequence']}: entries were "
            "taken out, put in or changed"
        ], []
    return _hold_against(chain, hashes, end["made"], held)


def _entries(file: IO[bytes], chain: str, held: Statements) -> tuple[list[bytes], dict[str, Any] | None, str]:
    """(hashes of the entries, the signed end, the first thing that is wrong)."""
    hashes: list[bytes] = []
    previous, end = bytes(32), None
    for line in file:
        number = len(hashes) + 1
        try:
            found = load(line)
            if "statement" in found and found["statement"]["kind"] == HEADS:
                held.take("the export", line)
                continue
            if "statement" in found:
                end, body, signature = signed_thing(line, EXPORT_END)
                if not held.signed(body, signature):
                    return (
                        hashes,
                        None,
                        "the end of the export was not signed with the key you gave: forged, or changed",
                    )
                continue
            row, hashed = found["entry"], bytes.fromhex(found["hash"])
            entry, sequence = canonical(row, False), row["sequence"]
            if set(found) != {"entry", "hash"} or sorted(row) != COLUMNS or type(sequence) is not int:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            return hashes, None, f"entry {number}: this line is no entry"
        if end is not None:
            return hashes, None, f"entry {sequence} stands after the end: it was put in"
        if sequence > number:
            return hashes, None, f"entry {number} is missing: taken out"
        if sequence < number:
            return hashes, None, f"entry {number}: entry {sequence} stands here, again or in another order"
        if row["chain"] != chain:
            return hashes, None, f"entry {number} belongs to another chain"
        previous = hashlib.sha256(previous + entry).digest()
        if previous != hashed:
            words = "was changed, put in, or put in another order: its hash is not that of what it says"
            return hashes, None, f"entry {number} {words}"
        hashes.append(hashed)
    return hashes, end, ""


def _hold_against(
    chain: str, hashes: list[bytes], made: str, held: Statements
) -> tuple[list[str], list[str]]:
    """The entries against what was signed while they were written."""
    notes, good = [f"the export was made {made}"], 0
    for sequence, hashed, statement in held.anchors(chain):
        if sequence > len(hashes) and statement.at > made:
            notes.append(f"{statement.words} is newer than the export: not held against it")
        elif sequence > len(hashes):
            return [
                f"entry {len(hashes) + 1} is missing: {statement.words} had {sequence} entries of this chain, and the export, made after "
                f"it, has {len(hashes)}: the end was cut, or an older copy was put back"
            ], notes
        elif hashes[sequence - 1] != hashed:
            return [
                f"entry {sequence} is not the one that {statement.words} signed: one from {good + 1} to {sequence} was changed and the "
                "chain written anew"
            ], notes
        else:
            good = max(good, sequence)
    if good:
        notes.append(
            f"entries 1 to {good} are those that were signed at the time; {len(hashes) - good} came after"
        )
    else:
        notes.append(
            "no statement speaks of these entries: they fit each other, and nothing outside proves them"
        )
    return [], notes


def keys_from(texts: Iterable[str]) -> list[bytes]:
    """Public keys from the command line: digits, or a file with them. Raises CannotRead."""
    found: list[bytes] = []
    for text in texts:
        if os.path.exists(text):
            with open(text, encoding="ascii", errors="replace") as file:
                text = file.read()
        digits = re.findall(r"\b[0-9a-fA-F]{64}\b", text)
        if not digits:
            raise CannotRead("--key: there is no public key of 64 hexadecimal digits in it")
        found += [bytes.fromhex(key) for key in digits]
    return found


def main(words: list[str] | None = None) -> int:
    """Check what the command line names, say what was found, give the exit code."""
    parser = argparse.ArgumentParser(
        description="Check the trail of EDATRS caseload with the public key alone."
    )
    add = parser.add_argument
    add(
        "--key",
        action="append",
        required=True,
        help="the public key, or a file with it; again for an older key",
    )
    add(
        "--heads",
        nargs="+",
        default=[],
        metavar="PATH",
        help="mails or statements that you kept, or a folder of them",
    )
    add("--export", metavar="FILE", help="the export of your chain")
    add(
        "--restore-known",
        nargs="+",
        type=int,
        default=[],
        metavar="N",
        help="statements after a restore that you know of",
    )
    options = parser.parse_args(words)
    try:
        if not options.heads and not options.export:
            raise CannotRead("give --heads, --export, or both")
        held = Statements(keys_from(options.key), set(options.restore_known))
        for where, line in statements_in(options.heads):
            held.take(where, line)
        found, notes = check_export(options.export, held) if options.export else ([], [])
        held.check_order()
    except (CannotRead, OSError, EOFError) as problem:
        print(f"could not be checked: {problem}")
        return 2
    found = held.found + found
    for newest in held.in_order()[-1:]:
        print(
            f"{len(held.by_number)} statements, the newest {newest.number} of {newest.at}, fingerprint {newest.digest}"
        )
    for note in notes:
        print(f"note: {note}")
    for what in found:
        print(f"FOUND: {what}")
    print(f"NOT WHOLE: {len(found)} found" if found else "WHOLE: nothing is wrong with what you gave")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
