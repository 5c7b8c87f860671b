"""Every page is asked for and every form of a client is sent; then no word of a client lies anywhere but in the record (T4).

Words are in every text of a client's rows, and what is typed into the forms is a word too. In logs at their lowest level, the server's log,
Valkey, mail, cookies, sessions, addresses, titles, jobs, tasks, tries to sign in, the trail, sealed columns, the cache, temporary files and
what lies beside the published files: 0. Pages that fail, with exceptions that quote a row, are among them.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from caseload.models import Client
from edatrs.core import logs
from edatrs.core.scope import Actor
from edatrs.core.views import OrganisationView
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job
from edatrs.organisations.services import jobs, outbox
from tests.access.filling import filled, form_for
from tests.access.matrix import NONE, OWN, Cell, Matrix
from tests.access.sinks import Sinks, valkey, watched
from tests.access.tables import ROLES, Line, lines
from tests.access.world import Side, World, make_world
from tests.core.world import acting_for, histories, tenant_models

pytestmark = pytest.mark.django_db(transaction=True)
WORD = re.compile(r"CANARY(?:MINE|ELSE|TYPE)\d{10}", re.IGNORECASE)
TYPED = "CANARYTYPE0000000001"
# Forms whose texts are about people who work here, or agreements: what is typed there is meant to be mailed and shown.
OF_STAFF = ("people/", "leavers/", "agreements/", "signatories/", "contacts/", "access-review/")


def words_of_clients(side: Side) -> set[str]:
    """Every marked word that stands in a row about a client."""
    found: set[str] = set()
    with acting_for(side.organisation, actor=Actor.OPERATOR):
        for model in tenant_models():
            about = model is Client or any(f.name == "client" for f in model._meta.fields)
            if about and model not in histories():
                for row in model.objects.all():
                    texts = [getattr(row, f.attname) for f in row._meta.concrete_fields]
                    found |= {word.upper() for word in WORD.findall(str(texts))}
    return found


class Walk:
    """Goes through the pages of one's own organisation, by one role that may or by all of them."""

    def __init__(self, world: World, sinks: Sinks, *, everybody: bool) -> None:
        self.world, self.sinks, self.everybody = world, sinks, everybody
        self.matrix = Matrix.__new__(
            Matrix
        )  # its addresses alone: it looks for foreign rows, which is not asked here
        self.matrix.world = world
        self.counts: Counter[str] = Counter()

    def _asked(self, method: str) -> list[tuple[Line, str, str]]:
        found = []
        for line in lines().values():
            if line.method != method or not line.of_organisation or not line.offered:
                continue
            roles = [role for role in ROLES if line.may(role)]
            for role in roles if self.everybody else roles[:1]:
                cell = Cell(line, role, OWN, OWN if line.objects else NONE)
                found.append((line, role, self.matrix._path(cell)[0]))
        return found

    def _browser(self, role: str) -> Browser:
        return self.world.browser(role)

    def look(self) -> None:
        """Every page that can be read."""
        for _, role, path in self._asked("GET"):
            answer = self._browser(role).get(path)
            self.sinks.see(answer)
            self.counts[f"read, {answer.status_code}"] += 1

    def send(self) -> None:
        """Every form of a client: kept as a draft, sent with a word in each text, and sent in one box too long."""
        for line, role, path in self._asked("POST"):
            if any(part in line.route for part in OF_STAFF):
                continue
            browser = self._browser(role)
            page = browser.get(path)
            form = (
                form_for(page.content.decode(), path)
                if page.status_code == 200 and not page.streaming
                else None
            )
            data: dict[str, list[str]] = {}
            for name, value in filled(form, TYPED) if form else []:
                data.setdefault(name, []).append(value)
            data.setdefault("q", [TYPED])
            self.sinks.see(browser.post(path, data | {"_draft": ["keep"]}))
            answer = browser.post(path, data)
            self.sinks.see(answer)
            self.counts[f"sent, {answer.status_code}"] += 1

    def fail(self, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages that end in an exception which quotes a row."""
        original = OrganisationView.page

        def page(view: Any, request: Any, **context: Any) -> Any:
            original(view, request, **context)
            word = words[self.counts["failed"] % len(words)]
            self.counts["failed"] += 1
            if self.counts["failed"] % 3 == 0:
                raise KeyError(word)
            with connection.cursor() as cursor:
                if self.counts["failed"] % 3 == 1:
                    cursor.execute("SELECT %s::int", [word])
                cursor.execute(
                    "INSERT INTO organisations_user (SELECT * FROM organisations_user WHERE full_name LIKE 'CANARY%%' LIMIT 1)"
                )

        with monkeypatch.context() as patch:
            patch.setattr(OrganisationView, "page", page)
            for _, role, path in self._asked("GET")[:: 5 if not self.everybody else 1]:
                self.sinks.see(self._browser(role).get(path))


def swept(sinks: Sinks, secret: set[str]) -> dict[str, Counter[str]]:
    """The words found, by sink."""
    found = {}
    for name, text in sinks.read().items():
        words = Counter(word.upper() for word in WORD.findall(text))
        # Of colleagues and organisations much is meant to be told; of clients and of what is typed about them nothing.
        strict = name in ("logs", "server log", "Valkey", "temporary files", "cache")
        mine = Counter({w: n for w, n in words.items() if strict or w in secret})
        if mine:
            found[name] = mine
    return found


@pytest.fixture
def empty_broker() -> Any:
    server = valkey()
    server.flushdb()
    yield server
    server.flushdb()


@pytest.mark.usefixtures("empty_broker")
@pytest.mark.parametrize(
    "everybody", [False, pytest.param(True, marks=pytest.mark.long)], ids=["one role", "all"]
)
def test_no_word_of_a_client_runs_over(
    everybody: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    sinks = Sinks(tmp_path)
    with watched(sinks):
        world = make_world()
        secret = words_of_clients(world.own) | words_of_clients(world.other) | {TYPED}
        walk = Walk(world, sinks, everybody=everybody)
        walk.look()
        walk.send()
        walk.fail(sorted(secret), monkeypatch)
        outbox.send_due()
        for job in Job.objects.filter(state=JobState.QUEUED):
            try:
                jobs.run(job.pk)
            except Exception:
                logging.getLogger("celery").exception("a job failed")
        found = swept(sinks, secret)
        keys = valkey().dbsize()
    print(
        f"\nT4: {len(secret):,} words of clients, {sum(walk.counts.values()):,} answers ({dict(walk.counts)}), "
        f"{len(sinks.log.getvalue()):,} characters of log, {keys} keys in Valkey, {len(sinks.addresses):,} addresses: "
        f"{sum(map(Counter.total, found.values()))} words found"
    )
    record_property("words", len(secret))
    assert found == {}, "\n".join(f"{name}: {dict(words.most_common(5))}" for name, words in found.items())
    assert len(secret) > 300 and walk.counts["read, 200"] > 60 and walk.counts["failed"] > 10 and keys > 0
    assert "Traceback" in sinks.log.getvalue(), "the exceptions did reach the log"


def test_a_plain_log_an_address_a_mail_and_a_job_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutants: each sink holds a word, and the sweep says which."""
    monkeypatch.setattr(logs.WithoutContent, "format", logging.Formatter.format)
    sinks = Sinks(tmp_path)
    with watched(sinks):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s::int", [TYPED])
        except Exception:
            logging.getLogger("django.request").exception("Internal Server Error")
        (tmp_path / "temp" / "left").write_text(TYPED)
        outbox.post(unique_key="1", to="a@b.example", subject="About", text=f"About {TYPED}")
        outbox.send_due()
        valkey().set("left", TYPED)
        sinks.addresses.append(f"/o/here/?q={TYPED}")
        assert set(swept(sinks, {TYPED})) == {
            "logs",
            "temporary files",
            "mail waiting",
            "mail handed over",
            "Valkey",
            "addresses, titles and redirections",
        }
        valkey().delete("left")
