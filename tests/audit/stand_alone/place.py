"""Exports and statements as a partner holds them, and the damage done to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.test import Client as Browser

from audit import statements
from audit.chain import Row, canonical, link, seal
from audit.services import audit_key
from audit.verification import _reader, read_rows
from edatrs.organisations.models import Organisation
from tests.audit.outside import STRANGER, sign
from tests.audit.vandal import Vandal
from tests.factories.audit import head_of, record_events
from tests.factories.organisations import make_organisation, make_person, sign_in


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


def said(capsys: Any) -> str:
    return str(capsys.readouterr().out)


def damaged(path: Path, change: Any) -> Path:
    """The export with its lines changed."""
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    other = path.with_name("damaged.jsonl")
    other.write_bytes(b"".join(lines))
    return other


def edited(lines: list[bytes]) -> None:
    lines[7] = lines[7].replace(b'"actor":"person"', b'"actor":"worker"')


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


def end_forged(lines: list[bytes]) -> None:
    del lines[46:-2]
    last = json.loads(lines[45])
    inner = json.loads(lines[-2])["statement"] | {"entries": 45, "sequence": 45, "hash": last["hash"]}
    body = statements.canonical(inner)
    lines[-2] = statements.signed_line(body, STRANGER.sign(body))


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


def _left(connection: Any) -> Vandal:
    """The vandal of `in_database`, to be put right."""
    return Vandal(connection)
