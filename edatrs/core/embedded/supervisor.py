"""The small process that owns the servers: it holds the lock, starts them, brings back one that dies, stops them.

The lock is the truth about whether services run; the status file beside it only says what they are doing.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import paths, postgres, valkey
from .errors import Trouble, from_os_error

STARTING, READY, STOPPING, FAILED = "starting", "ready", "stopping", "failed"
# One that dies more often than this within a minute will not get well by being started again.
RESTARTS_A_MINUTE = 3


@contextmanager
def lock(patience: float = 0.0) -> Iterator[bool]:
    """Take the lock of the state folder, or say that somebody else has it. Raises OSError, Trouble.

    The file stays for ever: removing a locked file would let two hold "the" lock. A kill releases it.
    """
    descriptor = os.open(
        paths.make_state_dir() / "services.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        yield taken(descriptor, time.monotonic() + patience)
    finally:
        os.close(descriptor)


def taken(descriptor: int, until: float) -> bool:
    """Whether the lock could be taken before that moment."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)


def status_file() -> Path:
    """Where the supervisor says what it is doing."""
    return paths.state_dir() / "services.json"


def status() -> dict[str, Any]:
    """What the last supervisor said: pid, born, phase, line. Empty when there was none."""
    try:
        said = json.loads(status_file().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def say(phase: str, line: str = "") -> None:
    """Write the status. Raises OSError."""
    paths.write_whole(
        status_file(),
        json.dumps({"pid": os.getpid(), "born": birth_of(os.getpid()), "phase": phase, "line": line}) + "\n",
    )


def birth_of(pid: int) -> str:
    """When a process began, in the kernel's ticks: with the pid it names one process for certain. "" if gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def wanted() -> list[Callable[[], postgres.Server | valkey.Server]]:
    """The servers to run: an address in the environment wins over an embedded server."""
    found: list[Callable[[], postgres.Server | valkey.Server]] = []
    if not os.environ.get("REDIS_URL"):
        found.append(valkey.Server)
    if not os.environ.get("DATABASE_URL"):
        found.append(postgres.Server)
    return found


def supervise(report: Callable[[str, str], None]) -> int:
    """Run the servers until a signal asks to stop; returns the exit code.

    `report` is told ("ready", line), ("failed", line), or ("busy", "") when another supervisor has the lock.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        # A little patience: `status` and `stop` hold the lock for the instant in which they look at it.
        with lock(0.5) as held:
            if not held:
                report("busy", "")
                return 1
            return hold(report, stopping)
    except OSError as error:
        report(FAILED, str(from_os_error(error, paths.state_dir())))
    except Trouble as trouble:
        report(FAILED, str(trouble))
    return 1


def hold(report: Callable[[str, str], None], stopping: threading.Event) -> int:
    """With the lock held: start, watch, stop. Raises OSError only while saying so on a full disk."""
    servers: list[postgres.Server | valkey.Server] = []
    failure = ""
    try:
        say(STARTING)
        for make in wanted():
            if not stopping.is_set():
                servers.append(make())
                servers[-1].start()
        line = f"{' and '.join(str(server) for server in reversed(servers))} answer in {paths.run_dir()}"
        say(READY, line)
        report(READY, line)
        watch(servers, stopping)
    except Trouble as trouble:
        failure = str(trouble)
    except OSError as error:
        failure = str(from_os_error(error, paths.state_dir()))
    try:
        say(STOPPING)
    except OSError:
        pass  # a full disk; the lock says what matters
    for server in reversed(servers):
        server.stop()
    paths.leave_run_dir()
    try:
        say(FAILED if failure else "stopped", failure)
    except OSError:
        pass
    if failure:
        report(FAILED, failure)
    return 1 if failure else 0


def watch(servers: list[postgres.Server | valkey.Server], stopping: threading.Event) -> None:
    """Start again what died, until asked to stop. Raises Trouble when one keeps dying, OSError."""
    deaths: dict[str, list[float]] = {server.name: [] for server in servers}
    while not stopping.wait(0.25):
        for server in servers:
            if server.process is None or server.process.poll() is None:
                continue
            print(
                f"{server.name} ended with {server.process.returncode}; starting it again",
                file=sys.stderr,
                flush=True,
            )
            now = time.monotonic()
            recent = [then for then in deaths[server.name] if now - then < 60]
            deaths[server.name] = [*recent, now]
            if len(recent) >= RESTARTS_A_MINUTE:
                raise Trouble(
                    server.name, f"died {len(recent) + 1} times within a minute", f"read {server.log}"
                )
            line = status().get("line", "")
            say(STARTING)
            server.start()
            say(READY, line)
