"""A launcher with a state folder of its own, for the hardships that the services must survive."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from caseload.models import Episode
from edatrs.organisations.models import Job, Service
from edatrs.organisations.services import jobs
from ndtms.models import Submission
from tests.faults.turning import FIRST_DAY, SAMPLE, Turning, acting_for, ask, rows_of

PROJECT = Path(__file__).resolve().parents[2]
NOBODY = 65534


class Launcher:
    """Runs the launcher's commands on one state folder, as the current account or another."""

    def __init__(self, state: Path, uid: int | None = None, template: Path | None = None) -> None:
        self.state = state
        self.uid = uid
        self.template = template  # a finished state folder, to save making a database
        self.python = [sys.executable]
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "EDATRS_STATE": str(state),
            "EDATRS_PG_FAST": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def command(self, *words: str) -> list[str]:
        return [*self.python, "-m", "edatrs.core.embedded", *words]

    def options(self, env: dict[str, str]) -> dict[str, object]:
        account: dict[str, object] = {}
        if self.uid is not None:
            account = {"user": self.uid, "group": self.uid, "extra_groups": []}
        return {"cwd": PROJECT, "env": self.env | env, **account}

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload]
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self.options(env),
        )

    def popen(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # type: ignore[call-overload]
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self.options(env),
        )

    def starts(self) -> None:
        """A plain start works, says nothing on stderr, and the services answer."""
        if self.template and not self.state.exists():
            subprocess.run(["cp", "-a", self.template, self.state], check=True)
        result = self.run("start")
        assert (result.returncode, result.stderr) == (0, ""), result
        with self.connect() as connection:
            connection.execute("select 1")

    def refuses(self, *needles: str, command: Sequence[str] = ("start",), **env: str) -> str:
        """The command ends with code 1 and one line on stderr that holds every needle; returns the line."""
        result = self.run(*command, **env)
        assert result.returncode == 1, result
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        for needle in needles:
            assert needle in lines[0], f"{needle!r} is not in {lines[0]!r}"
        return lines[0]

    @property
    def status(self) -> dict[str, str]:
        return json.loads((self.state / "services.json").read_text())

    @property
    def supervisor(self) -> int:
        return int(self.status["pid"])

    @property
    def postmaster(self) -> int:
        return int((next(self.state.glob("pg*/postmaster.pid"))).read_text().split()[0])

    @property
    def sockets(self) -> Path:
        return Path(self.status["line"].rpartition(" ")[2])

    def connect(
        self, role: str = "owner", database: str = "caseload"
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.sockets / "pg"),
            user=role,
            password=(self.state / "secrets" / f"pg-{role}").read_text().strip(),
            dbname=database,
            autocommit=True,
        )

    def processes(self) -> list[str]:
        """The command lines of everything that runs for this state folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                ours = str(self.state) in line
                if "edatrs.core.embedded" in line:  # the supervisor names the folder only in its environment
                    ours = f"EDATRS_STATE={self.state}".encode() in (entry / "environ").read_bytes().split(
                        b"\0"
                    )
                elif line.startswith("postgres:"):  # a backend only by where it works
                    ours = os.readlink(entry / "cwd").startswith(str(self.state))
            except OSError:
                continue
            if ours:
                found.append(f"{entry.name} {line}")
        return found


def eventually(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds; fail when it does not in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def short_folder() -> Path:
    """A new folder with a short name, in memory where there is plenty of that: most of the time is file making."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000
    made = Path(tempfile.mkdtemp(prefix="ed-", dir=memory if roomy else "/tmp"))
    made.chmod(0o711)
    return made


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that PostgreSQL's account can walk to; pytest's own is private and long."""
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def finished() -> Iterator[Path]:
    """A state folder with a finished database, not running."""
    made = short_folder()
    launcher = Launcher(made / "s")
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    yield launcher.state
    shutil.rmtree(made)


@pytest.fixture
def launchers(folder: Path, finished: Path) -> Iterator[Callable[..., Launcher]]:
    """Makes launchers whose services are stopped and erased after the test.

    With `fresh` the first start makes the database; without, it finds one that was made and stopped before.
    """
    made: list[Launcher] = []

    def make(state: Path | None = None, uid: int | None = None, fresh: bool = False) -> Launcher:
        made.append(Launcher(state or folder / "s", uid, None if fresh else finished))
        return made[-1]

    yield make
    for launcher in made:
        if launcher.state.exists():
            if launcher.processes():
                os.kill(launcher.supervisor, signal.SIGTERM)
                eventually(lambda: not launcher.processes())  # noqa: B023  called at once
            if (launcher.state / "data-at").exists():
                launcher.run("erase", str(launcher.state))


@pytest.fixture
def launcher(launchers: Callable[..., Launcher]) -> Launcher:
    """A launcher whose state folder does not exist yet."""
    return launchers()


@pytest.fixture
def fresh(launchers: Callable[..., Launcher]) -> Launcher:
    """A launcher whose first start makes the database."""
    return launchers(fresh=True)


@pytest.fixture
def root() -> None:
    """Skip where only root can make the hardship."""
    if os.geteuid() != 0:
        pytest.skip("only root can do this")


@pytest.fixture
def ordinary(root: None, folder: Path, launchers: Callable[..., Launcher]) -> Launcher:
    """A launcher that root runs as an ordinary user with a folder of its own."""
    state = folder / "n"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    launcher = launchers(state, NOBODY, fresh=True)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    launcher.env |= {"PYTHONPATH": os.pathsep.join([*packages, str(PROJECT)]), "HOME": "/"}
    # Root's own Python may lie in root's private folder; then any other of the same version does.
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for program in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
        launcher.python = [program]
        try:
            if launcher.run("status").returncode == 3:
                return launcher
        except OSError:
            continue
    pytest.skip(f"an ordinary user can reach no {version} or not this project")


@pytest.fixture
def turning() -> list[Turning]:
    """The services of the sample, each with the episodes that would be sent if they agree."""
    call_command("load_partnership", stdout=io.StringIO(), stderr=io.StringIO())
    call_command("import_caseload", str(SAMPLE), stdout=io.StringIO(), stderr=io.StringIO())
    found = []
    for service in Service.objects.select_related("organisation").order_by("agency_code"):
        submission, _ = ask(service, FIRST_DAY)
        job = Job.objects.get(subject=submission)
        lease = jobs.claim(job.pk, at_once=True)
        if lease is None:
            continue
        jobs.work(lease)
        with acting_for(service):
            built = Submission.objects.select_related("content").get(pk=submission)
            if not built.content.carried:
                continue
            known = dict(
                Episode.objects.filter(pk__in=built.content.carried).values_list(
                    "episode_id", "registration__client_id_text"
                )
            )
            always = {row["CLIENTID"] for row in rows_of(built) if row["CONSENT"] == "N"}
        found.append(Turning(service, known, always))
    assert len(found) >= 3
    for one in found:
        one.turn(bear=False)
    return found
