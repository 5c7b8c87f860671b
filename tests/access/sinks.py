"""Every place beside the record itself into which something of a client could run over, read as bytes (T4)."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import caches
from django.db import connection
from django.utils.module_loading import import_string

from audit.models import AuditEvent
from edatrs.core import embedded
from edatrs.organisations.models import Job, Organisation, OutboundMail, SignInAttempt, Task
from ndtms.models import Submission
from tests.core.world import acting_for, in_sql

POSTGRES_LOG = embedded.state_dir() / "log" / "postgres.log"


class Addresses(HTMLParser):
    """Everything in a page that a browser keeps in its history or sends on: addresses, and the title."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._title = tag == "title"
        for name, value in attrs:
            if name in ("href", "action", "src", "formaction", "content") or name.startswith("hx-"):
                self.found.append(unescape(value or ""))

    def handle_data(self, data: str) -> None:
        if self._title:
            self.found.append(data)
            self._title = False


class Sinks:
    """Gathers while pages are asked for, and reads what lies still at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = io.StringIO()
        self.addresses: list[str] = []
        self.cookies: list[str] = []
        self._server_log_at = POSTGRES_LOG.stat().st_size if POSTGRES_LOG.exists() else 0

    def see(self, answer: Any) -> None:
        """An answer: where it leads, what it sets, and which addresses stand in it."""
        self.addresses.append(unquote_plus(answer.headers.get("Location", "")))
        for morsel in answer.cookies.values():
            self.cookies.append(_opened_cookie(morsel.value))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            self.addresses += map(unquote_plus, Addresses(answer.content.decode()).found)

    def read(self) -> dict[str, str]:
        """What each holds now, as text."""
        return {
            "logs": self.log.getvalue(),
            "server log": _since(POSTGRES_LOG, self._server_log_at),
            "addresses, titles and redirections": "\n".join(
                a for a in self.addresses if not a.startswith("mailto:")
            ),
            "cookies": "\n".join(self.cookies),
            "Valkey": _valkey(),
            "mail handed over": "\n".join(str(sent.message()) + sent.body for sent in mail.outbox),
            "mail waiting": "\n".join(
                f"{row.unique_key} {row.subject} {row.text}" for row in OutboundMail.objects.all()
            ),
            "jobs": _rows(Job),
            "tasks": _rows(Task),
            "tries to sign in": _rows(SignInAttempt),
            "sessions": json.dumps([row.get_decoded() for row in Session.objects.all()], default=str),
            "sealed columns": _sealed(),
            "trail": "\n".join(_trail()),
            "cache": str([getattr(cache, "_cache", {}) for cache in caches.all(initialized_only=True)]),
            "temporary files": "\n".join(_files(self.folder / "temp")),
            "private store": "\n".join(self._store()),
            "heads outside": "\n".join(_files(Path(settings.HEADS_DIR))),
        }

    def _store(self) -> Iterator[str]:
        """Files of the extract folder that no built submission owns: what a dead attempt left behind."""
        own: set[str] = set()
        for organisation in Organisation.objects.all():
            with acting_for(organisation):
                own |= set(Submission.objects.exclude(stored_as="").values_list("stored_as", flat=True))
        return _files(Path(settings.EXTRACT_DIR), own)


@contextmanager
def watched(sinks: Sinks) -> Iterator[None]:
    """Everything that is logged goes into the sinks too, as production writes it and at the lowest level; temporary files to a folder."""
    line = settings.LOGGING["formatters"]["line"]
    handler = logging.StreamHandler(sinks.log)
    handler.setFormatter(import_string(line["()"])(line["format"]))
    for name in settings.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    root, level, folder = logging.getLogger(), logging.getLogger().level, tempfile.tempdir
    (sinks.folder / "temp").mkdir(exist_ok=True)
    tempfile.tempdir = str(sinks.folder / "temp")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        tempfile.tempdir = folder


def _opened_cookie(value: str) -> str:
    """A cookie as its reader would: as it is, and unpacked where it is packed."""
    packed = value.strip('"').split(":")[0]
    try:
        return value + base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        return value


def valkey() -> redis.Redis:
    """The broker's own database."""
    address = urlsplit(settings.CELERY_BROKER_URL)
    number = int(parse_qs(address.query).get("virtual_host", ["0"])[0])
    return redis.Redis(unix_socket_path=address.path, db=number)


def _valkey() -> str:
    """Every key and its bytes, and the values that are lists or maps (what Celery packs is base64)."""
    server, found = valkey(), []
    for key in server.scan_iter():
        dumped = server.dump(key) or b""
        kind = server.type(key)
        values: list[bytes] = []
        if kind == b"list":
            values = server.lrange(key, 0, -1)
        elif kind == b"hash":
            values = [*server.hgetall(key).values()]
        found.append(f"{key!r} {dumped!r} {values!r}")
        for value in values:
            for body in re.findall(rb'"body": "([^"]+)"', value):
                found.append(base64.b64decode(body).decode(errors="replace"))
    return "\n".join(found)


def _rows(model: Any) -> str:
    return "\n".join(row[0] for row in in_sql(f'SELECT t::text FROM "{model._meta.db_table}" t'))


def _sealed() -> str:
    """Columns that are kept encrypted, as they lie in the database."""
    found = []
    for table in ("organisations_outboundmail", "organisations_draft", "organisations_leaverdraft"):
        for organisation in Organisation.objects.all():
            with acting_for(organisation), connection.cursor() as cursor:
                cursor.execute(f'SELECT t::text FROM "{table}" t')
                found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def _trail() -> Iterator[str]:
    for organisation in Organisation.objects.all():
        with acting_for(organisation, "information_governance"):
            for event in AuditEvent.objects.all():
                yield f"{event.name} {event.subject} {event.details}"


def _files(folder: Path, but: set[str] | frozenset[str] = frozenset()) -> Iterator[str]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and path.name not in but:
            yield path.name + path.read_bytes().decode(errors="replace")


def _since(path: Path, offset: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")
