"""The export of an organisation's own chain: JSON lines that its governance officer can check with `audit/verifier/verify_trail.py` alone.

One line says what it is, one line is one entry with its hash, one line says where the chain ended and is signed, and the last is the newest
signed statement of the heads, where there is one. Every entry is in the canonical form that is hashed (`audit.chain`).
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from typing import IO

from django.db import connection

from audit import chain, heads, statements
from audit.chain import NOTHING_BEFORE, Row
from audit.models import HeadStatement
from audit.verification import read_rows
from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation, current_scope

IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True)
class Export:
    """A file that is not on any disk under a name: in memory, beyond a limit unlinked."""

    file: IO[bytes]
    name: str
    rows: int


def export_chain() -> Export:
    """The whole chain of the organisation acted for, as it stands in the database now; that it was exported is an entry.

    Nothing is verified and nothing left out: what is wrong with the chain must show outside. Raises ScopeMissing.
    """
    organisation, scope = current_organisation(), current_scope()
    made = chain.instant(clock.now())
    newest = HeadStatement.objects.first()  # before the rows, so that they reach as far as it says
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # handed to the answer, which closes it
    hasher, size = hashlib.sha256(), 0

    def write(line: bytes) -> None:
        nonlocal size
        file.write(line)
        hasher.update(line)
        size += len(line)

    about = {"chain": str(organisation), "made": made, "organisation": scope.organisation_label}
    write(statements.canonical({**about, "kind": statements.EXPORT}) + b"\n")
    rows, sequence, last = 0, 0, NOTHING_BEFORE
    for found in read_rows(connection.connection, organisation):
        row = Row(*found)
        write(b'{"entry":' + chain.canonical(row) + b',"hash":"' + row.hash.hex().encode() + b'"}\n')
        rows, sequence, last = rows + 1, row.sequence, row.hash
    end = {**about, "entries": rows, "hash": last.hex(), "kind": statements.EXPORT_END, "sequence": sequence}
    body = statements.canonical(end)
    write(statements.signed_line(body, heads.private_key().sign(body)))
    if newest is not None:
        write(heads.line_of(newest))
    file.seek(0)
    trail.record("audit.exported", details={"rows": rows, "sha256": hasher.hexdigest(), "bytes": size})
    return Export(file, f"trail-{scope.organisation_label}-{made[:10]}.jsonl", rows)
