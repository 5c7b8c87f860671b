"""Real Celery workers on a Valkey of the test's own, to be killed, stopped and starved; and kinds of job that do as they are told.

The worker process imports this module (`celery -A tests.faults.worker`), and so does the test: the kinds of job are known to both.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from celery.signals import worker_init
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings

from edatrs.celery import app
from edatrs.core.embedded import binaries
from edatrs.core.faults import kill_point
from edatrs.core.tasks import JobRefused, job_kind

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0
SCRIPTS = "EDATRS_TEST_SCRIPTS"
TRANSPORT = "EDATRS_TEST_TRANSPORT"

if os.environ.get(TRANSPORT):  # in a worker that a test started
    app.conf.broker_transport_options = app.conf.broker_transport_options | json.loads(os.environ[TRANSPORT])


@worker_init.connect
def _read_up(**kwargs: Any) -> None:
    """Read what every child would read for itself, so that killing many of them is quick."""
    from caseload.dataset import reader, transforms

    reader.load_dictionary()
    transforms.sql_initial("x")
    transforms.sql_has_initial("x")


# ---- jobs that do as they are told


def _play(lease: Any) -> None:
    """Do what the script of the job says, then leave one effect: a task in the product, tied to the job."""
    from edatrs.organisations.models import Task

    folder = Path(os.environ[SCRIPTS])
    script = json.loads((folder / f"{lease.subject}.json").read_text())
    with open(folder / f"{lease.subject}.log", "a", encoding="utf-8") as log:
        log.write(f"{os.getpid()} {lease.attempt}\n")
    kill_point("playing")
    if lease.attempt <= script.get("deaf_until", 0):
        time.sleep(script["deaf_seconds"])
    until = time.monotonic() + script.get("seconds", 0)
    while time.monotonic() < until:
        lease.progress(1, 2, "waiting")
        time.sleep(0.02)
    if script.get("sleep_in_sql"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [script["sleep_in_sql"]])
    if lease.attempt <= script.get("raise_until", 0):
        raise RuntimeError("as the script says")
    if script.get("refuse"):
        raise JobRefused(script["refuse"])
    with transaction.atomic():
        lease.publish()
        kill_point("locked")
        if not Task.objects.filter(link=str(lease.subject)).exists():
            Task.objects.create(
                unique_key=str(uuid.uuid4()),
                organisation_id=lease.organisation_id,
                role="keyworker",
                words="effect",
                link=str(lease.subject),
                created_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
            )
    kill_point("played")


def _say_failed(lease: Any, words: str) -> None:
    with open(Path(os.environ[SCRIPTS]) / f"{lease.subject}.failed", "a", encoding="utf-8") as said:
        said.write(f"{words}\n")


PLAY, SHORT = "tests.play", "tests.short"
job_kind(PLAY, timeout=dt.timedelta(minutes=5), attempts=3, failed=_say_failed)(_play)
job_kind(SHORT, timeout=dt.timedelta(seconds=1), attempts=2, failed=_say_failed)(_play)


class Plays:
    """Scripts of the jobs of a test, and what became of them."""

    def __init__(self, folder: Path, organisation_id: UUID) -> None:
        self.folder = folder
        self.organisation_id = organisation_id
        folder.mkdir(exist_ok=True)

    def ask(self, *, kind: str = PLAY, **script: Any) -> UUID:
        """Write a job with this script; its id is also its subject's."""
        from edatrs.organisations.services import jobs

        subject = uuid.uuid4()
        (self.folder / f"{subject}.json").write_text(json.dumps(script))
        jobs.enqueue(
            kind=kind,
            organisation_id=self.organisation_id,
            subject=subject,
            unique_key=f"{kind}:{subject}",
            requested_by=None,
        )
        return subject

    def job(self, subject: UUID) -> Any:
        """Its row as it stands."""
        from edatrs.organisations.models import Job

        return Job.objects.get(subject=subject)

    def times_begun(self, subject: UUID) -> int:
        """How often a handler began on it."""
        log = self.folder / f"{subject}.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def said_failed(self, subject: UUID) -> list[str]:
        """What was said when it was given up."""
        said = self.folder / f"{subject}.failed"
        return said.read_text().splitlines() if said.exists() else []

    def effects(self) -> Counter[str]:
        """How many effects each job left."""
        from edatrs.organisations.models import Task

        return Counter(Task.objects.filter(words="effect").values_list("link", flat=True))


# ---- the broker


class Broker:
    """A Valkey of the test's own, without persistence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self.url = f"redis+socket://{self.socket}?virtual_host=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        words = [binaries.valkey(), "--port", "0", "--unixsocket", self.socket, "--dir", self.folder]
        words += ["--save", "", "--appendonly", "no", "--logfile", self.folder / "valkey.log"]
        self.process = subprocess.Popen([str(word) for word in words])
        eventually(lambda: self.socket.exists() and self.client().ping(), "Valkey answers")

    def client(self) -> Any:
        """A plain connection."""
        import redis

        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)

    def flush(self) -> None:
        """Lose every message."""
        self.client().flushall()

    def send(self, number: signal.Signals) -> None:
        """Stop it, let it go on, or kill it."""
        assert self.process is not None
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait()
            self.socket.unlink(missing_ok=True)

    def stop(self) -> None:
        """The end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.send(signal.SIGKILL)


# ---- the workers


def address_of_test_database() -> str:
    """The test database as the role `app`, as workers read it."""
    found = connection.settings_dict
    options = {"host": found["HOST"], **found.get("OPTIONS", {})}
    options = {name: value for name, value in options.items() if isinstance(value, str) and value}
    who = f"{quote(found['USER'], safe='')}:{quote(found['PASSWORD'], safe='')}"
    port = f":{found['PORT']}" if found["PORT"] else ""
    return f"postgresql://{who}@{port}/{quote(found['NAME'], safe='')}?{urlencode(options)}"


class Worker:
    """A Celery worker: one parent, its children, all in one process group."""

    def __init__(self, number: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.number = number
        self.process = process
        self.log = log

    @property
    def children(self) -> list[int]:
        """The pool, by process id."""
        pid = self.process.pid
        try:
            return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    @property
    def ready(self) -> bool:
        """Whether it takes work. Raises AssertionError when it has ended instead."""
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        assert self.process.poll() is None, f"the worker ended: {said[-2000:]}"
        return " ready." in said

    def kill_parent(self) -> None:
        """SIGKILL to the parent alone; the children find out by themselves."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """SIGKILL to all of it."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def finish(self) -> None:
        """The ordinary end: it finishes what it has begun."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.end()


class Crew:
    """The workers of a test."""

    def __init__(self, folder: Path, broker: Broker, *, lease: float) -> None:
        self.folder = folder
        self.broker = broker
        self.lease = lease
        self.plan = folder / "plan"
        self.hit_file = folder / "plan.hit"
        self.scripts = folder / "scripts"
        self.workers: list[Worker] = []
        self.scripts.mkdir()
        self.set_plan([])

    def set_plan(self, points: Iterable[str]) -> None:
        """At which points processes are to die (or stop), in this order."""
        beside = self.plan.with_suffix(".new")
        beside.write_text("".join(f"{point}\n" for point in points))
        os.replace(beside, self.plan)

    def planned(self) -> int:
        """How many kills are still to come."""
        return len(self.plan.read_text().split("\n")) - 1

    def hits(self) -> list[tuple[str, int]]:
        """Where processes died so far, and which."""
        if not self.hit_file.exists():
            return []
        return [
            (point, int(pid))
            for point, pid in (line.split() for line in self.hit_file.read_text().splitlines())
        ]

    def start(
        self, *, concurrency: int = 2, transport: dict[str, Any] | None = None, wait: bool = True
    ) -> Worker:
        """Start a worker, and wait until it takes work."""
        number = len(self.workers) + 1
        log = self.folder / f"worker-{number}.log"
        env = dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "edatrs.settings.test",
            "DATABASE_URL": address_of_test_database(),
            "REDIS_URL": self.broker.url,
            "EDATRS_EXTRACT_DIR": str(settings.EXTRACT_DIR),
            "EDATRS_JOB_LEASE_SECONDS": str(self.lease),
            "EDATRS_KILL_PLAN": str(self.plan),
            "EDATRS_LOG_LEVEL": "INFO",
            SCRIPTS: str(self.scripts),
            TRANSPORT: json.dumps(transport or {}),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        words = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "tests.faults.worker",
            "worker",
            "-c",
            str(concurrency),
        ]
        words += [
            "-n",
            f"w{number}@test",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "-l",
            "INFO",
        ]
        with open(log, "wb") as out:
            process = subprocess.Popen(
                words, cwd=PROJECT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        worker = Worker(number, process, log)
        self.workers.append(worker)
        if wait:
            eventually(lambda: worker.ready, "the worker is ready")
        return worker

    def end(self) -> None:
        """The end of all of them."""
        for worker in self.workers:
            worker.end()


# What somebody waited for in vain: then the last words of the workers are told.
_waited_in_vain: list[str] = []


def eventually(
    what: Callable[[], Any],
    words: str,
    *,
    within: float = PATIENCE,
    meanwhile: Callable[[], Any] | None = None,
) -> None:
    """Wait until it is true, doing something meanwhile."""
    until = time.monotonic() + within
    while not what():
        if time.monotonic() >= until:
            _waited_in_vain.append(words)
            raise AssertionError(f"not within {within:.0f} s: {words}")
        if meanwhile is not None:
            meanwhile()
        time.sleep(0.05)


@contextmanager
def crew(*, lease: float = 1.0) -> Iterator[Crew]:
    """A broker and a crew, gone afterwards. The test's own process sends to this broker meanwhile."""
    from edatrs.organisations.services import jobs

    folder = Path(tempfile.mkdtemp(prefix="crew-"))  # short, for the socket
    broker = Broker(folder)
    broker.start()
    people = Crew(folder, broker, lease=lease)
    before = {name: os.environ.get(name) for name in ("CELERY_BROKER_URL", SCRIPTS)}
    os.environ |= {"CELERY_BROKER_URL": broker.url, SCRIPTS: str(people.scripts)}
    jobs._broker_away_until = 0.0
    _waited_in_vain.clear()
    try:
        with override_settings(JOB_LEASE_SECONDS=lease):
            yield people
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        people.end()
        broker.stop()
        jobs._broker_away_until = 0.0
        if _waited_in_vain:
            for log in sorted(folder.glob("worker-*.log")):
                print(f"---- {log.name}\n{log.read_text(errors='replace')[-6000:]}")
        shutil.rmtree(folder, ignore_errors=True)
