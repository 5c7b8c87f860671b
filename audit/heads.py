"""Signing the heads of all chains, and getting them out of the database: a file for each statement, a row, and a mail a day to partners.

A statement is made at least every 15 minutes, and after 1,000 entries. The file is fsynced and renamed before the row is committed: a
process that dies in between leaves a file without a row, which the next run takes over. Nothing is signed that contradicts what was signed
before: then the signing stops, and the page says since when.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from audit import chain, mails, statements
from audit.models import HeadStatement
from audit.models.trail import PARTNERSHIP_CHAIN
from audit.services import INSTANT, audit_key, head_from
from audit.statements import NOTHING_BEFORE, Signed, SignedHead, Statement
from edatrs.core import clock, trail
from edatrs.core.faults import kill_point
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation

log = logging.getLogger(__name__)
# One is made a minute before it must be: the clock that starts us ticks once a minute.
EVERY = dt.timedelta(minutes=14)
AFTER_ENTRIES = 1_000
# From then on the page says that no signed head has left.
LATE_AFTER = dt.timedelta(minutes=30)
_LOCK = 7_034_001  # pg_advisory_xact_lock: one signer at a time
_NAME = re.compile(r"(\d{12})\.heads")
_ALL_HEADS = f"SELECT chain::text, sequence, hash, mac, {INSTANT} FROM audit_chainhead ORDER BY chain"  # noqa: S608  # fixed text


class SigningRefused(RuntimeError):
    """The heads are not signed, because they contradict what was signed before, or do not bear our seal. The words say what and where."""


@lru_cache(maxsize=4)
def _private_key(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"edatrs-heads-key:" + text.encode()).digest())


def private_key() -> Ed25519PrivateKey:
    """The key that signs. Raises ImproperlyConfigured where there is none worth the name."""
    text = str(settings.HEADS_KEY or "")
    if len(text) < 32:
        raise ImproperlyConfigured(
            "set EDATRS_HEADS_KEY to at least 32 characters; it must not lie in the database"
        )
    return _private_key(text)


def public_key() -> bytes:
    """The public key that partners hold, 32 bytes. Raises ImproperlyConfigured."""
    return statements.public_bytes(private_key())


def public_keys() -> list[bytes]:
    """The public key of today and those that signed before it. Raises ImproperlyConfigured."""
    try:
        old = [bytes.fromhex(key) for key in settings.HEADS_OLD_KEYS]
    except ValueError:
        raise ImproperlyConfigured(
            "EDATRS_HEADS_OLD_KEYS: public keys in hexadecimal digits, with commas"
        ) from None
    return [public_key(), *old]


def folder() -> Path:
    """Where statements are kept outside the database; made when first needed, for this account alone."""
    settings.HEADS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(settings.HEADS_DIR)


def outside(where: Path) -> list[tuple[int, Path]]:
    """(number, file) of every statement in a folder, by number."""
    if not where.is_dir():
        return []
    return sorted(
        (int(found[1]), where / found[0]) for name in os.listdir(where) if (found := _NAME.fullmatch(name))
    )


def line_of(row: HeadStatement) -> bytes:
    """A row as the line that is in the file."""
    return statements.signed_line(row.body.encode("ascii"), bytes(row.signature))


def is_due(now: dt.datetime) -> bool:
    """Whether a statement must be made: none yet, the last too long ago, or too many entries since."""
    last = HeadStatement.objects.first()
    if last is None or now - last.at >= EVERY:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(sum(sequence), 0) FROM audit_chainhead")
        entries = int(cursor.fetchone()[0])
    # Fewer than were signed: they went back, and the signing says so.
    return entries - last.entries >= AFTER_ENTRIES or entries < last.entries


def sign_if_due() -> Signed | None:
    """Make a statement when it is time; None when it is not, or when another process has just made one. Raises as `sign`."""
    return sign(only_if_due=True) if is_due(clock.now()) else None


def sign(*, only_if_due: bool = False, restored: bool = False, actor: Actor = Actor.WORKER) -> Signed | None:
    """Sign the heads as they are now, write the file and the row.

    `restored`: the operator says that the trail was put back from a backup; then it may be shorter than it was signed, and everybody who
    checks the statements is told. Raises SigningRefused, OSError (disk full), ImproperlyConfigured.
    """
    with open_scope(actor=actor, person_label=actor.value) as scope:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            # Not the scope's: whoever waited for the lock would sign with a time before the last statement's.
            cursor.execute("SELECT clock_timestamp()")
            now = scope.fixed or cursor.fetchone()[0]
        last = _level()
        if only_if_due and not is_due(now):
            return None
        statement = Statement(
            number=(last.statement.number if last else 0) + 1,
            at=chain.instant(now),
            previous=last.digest if last else NOTHING_BEFORE,
            heads=tuple(_heads()),
            key=public_key().hex(),
            restored=restored,
        )
        wrong = statements.follows(last.statement if last else None, statement.previous, statement)
        if wrong is not None:
            raise SigningRefused(
                f"statement {wrong.number}: {wrong.fault}{f' ({_label(wrong.chain)})' if wrong.chain else ''}"
            )
        signed = statements.sign(private_key(), statement)
        _keep(signed)
        _write(signed)
        if restored:
            trail.record("audit.restored", details={"number": statement.number})
    return signed


def _heads() -> Iterator[SignedHead]:
    """The heads of all chains, each with our seal. Raises SigningRefused."""
    key = audit_key()
    labels = {str(pk): slug for pk, slug in Organisation.objects.values_list("pk", "slug")}
    labels[str(PARTNERSHIP_CHAIN)] = "partnership"
    with connection.cursor() as cursor:
        cursor.execute(_ALL_HEADS)
        found = [head_from(row) for row in cursor.fetchall()]
    for head in found:
        label = labels.get(head.chain, "unknown")
        if head.mac != chain.seal(key, chain.head_bytes(head.chain, head.sequence, head.hash, head.at)):
            raise SigningRefused(f"the head of the chain of {label} is not sealed with our key")
        yield SignedHead(head.chain, label, head.sequence, head.hash.hex(), head.at)


def _label(chain_id: str) -> str:
    return Organisation.objects.filter(pk=chain_id).values_list("slug", flat=True).first() or chain_id


def _level() -> Signed | None:
    """The last statement, after the folder and the table were made to hold the same. Raises SigningRefused where they contradict.

    A file without a row: the process died before COMMIT, or the database was put back; a row without a file: the folder was lost.
    """
    files = dict(outside(folder()))
    rows = {row.number: row for row in HeadStatement.objects.filter(number__gte=max(files, default=0))}
    newest_row = max(rows, default=0) or (HeadStatement.objects.values_list("number", flat=True).first() or 0)
    newest_file = max(files, default=0)
    last: Signed | None = None
    if newest_row:
        row = rows.get(newest_row) or HeadStatement.objects.get(number=newest_row)
        last = _read(newest_row, line_of(row))
        beside = min(newest_row, newest_file)
        if beside and files[beside].read_bytes() != line_of(HeadStatement.objects.get(number=beside)):
            raise SigningRefused(f"statement {beside} is another in the folder than in the database")
    for number in range(newest_file + 1, newest_row + 1):
        _write(_read(number, line_of(HeadStatement.objects.get(number=number))))
    for number in range(newest_row + 1, newest_file + 1):
        if number not in files:
            raise SigningRefused(f"statement {number} is missing in the folder and in the database")
        found = _read(number, files[number].read_bytes())
        wrong = statements.follows(
            last.statement if last else None, last.digest if last else NOTHING_BEFORE, found.statement
        )
        if wrong is not None:
            raise SigningRefused(f"statement {wrong.number}: {wrong.fault}")
        _keep(found)
        last = found
    return last


def _read(number: int, line: bytes) -> Signed:
    """A statement of ours. Raises SigningRefused."""
    try:
        found = statements.read(line)
    except statements.Unreadable as problem:
        raise SigningRefused(f"statement {number}: {problem}") from problem
    if found.statement.number != number or not statements.is_genuine(
        public_keys(), found.body, found.signature
    ):
        raise SigningRefused(f"statement {number}: {statements.Fault.SIGNATURE}")
    return found


def _keep(signed: Signed) -> None:
    HeadStatement.objects.create(
        number=signed.statement.number,
        at=signed.statement.instant,
        entries=signed.statement.entries,
        body=signed.body.decode("ascii"),
        signature=signed.signature,
    )
    kill_point("heads-kept")


def _write(signed: Signed) -> None:
    """The file of a statement: temporary, fsync, rename, fsync of the folder. Never over one that is there."""
    target = folder() / f"{signed.statement.number:012d}.heads"
    part = target.with_suffix(".part")
    if target.exists():
        raise SigningRefused(f"statement {signed.statement.number} is in the folder already")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(statements.signed_line(signed.body, signed.signature))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    kill_point("heads-written")


def run() -> None:
    """What the clock starts every minute: sign when it is due, mail once a day. A refusal is told to the governance officers."""
    try:
        sign_if_due()
    except SigningRefused as refused:
        log.error("the heads of the trail were not signed: %s", refused)
        mails.alarm()
    last = HeadStatement.objects.first()
    if last is not None:
        mails.send_daily(statements.read(line_of(last)))
