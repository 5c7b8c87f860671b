"""Child processes that cannot outlive us, and finding what an earlier run left."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .errors import Trouble
from .paths import Account

PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child of a fork must not load libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
# Nothing of our environment reaches the servers: no secrets, no PGDATA, no locale of the person who starts them.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}


def die_with_parent(sig: int) -> Callable[[], None]:
    """What a child runs before its program, so that it gets `sig` when the thread that started it ends."""
    parent = os.getpid()

    def before_exec() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return before_exec


def spawn(
    command: Sequence[object], *, account: Account | None, death_signal: int, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a server as the account, in a session of its own. Raises Trouble when it cannot be started."""
    if account:
        options.update(user=account.uid, group=account.gid, extra_groups=[])
    words = [str(word) for word in command]
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",  # ours may be a folder that the account cannot enter
            start_new_session=True,  # Ctrl-C reaches us alone: we stop them in order
            preexec_fn=die_with_parent(death_signal),
            **options,
        )
    except PermissionError as error:
        who = f"as the account {account.name}" if account else "by this account"
        raise Trouble(
            words[0], f"may not be run {who}", "run as an ordinary user, or set DATABASE_URL and REDIS_URL"
        ) from error
    except OSError as error:
        raise Trouble(
            words[0], f"cannot be run ({error.strerror})", "install it anew with make setup"
        ) from error


def processes_in(folder: Path) -> list[int]:
    """The processes whose working folder this is: PostgreSQL's all work in their data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:
            continue  # gone, or somebody else's
    return found


def clear_out(folder: Path, patience: float = 20.0) -> None:
    """Wait until no process works in the folder any more, and end those that do not go by themselves.

    Called with the lock held, so they belong to a launcher that was killed.
    """
    began = time.monotonic()
    signals = [(patience / 2, signal.SIGQUIT), (patience, signal.SIGKILL)]
    while pids := processes_in(folder):
        if signals and time.monotonic() - began > signals[0][0]:
            _, sig = signals.pop(0)
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
        elif not signals and time.monotonic() - began > patience + 10:
            raise Trouble(folder, f"process {pids[0]} still works in it", f"end process {pids[0]}")
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], *signals: int, patience: float = 20.0) -> None:
    """End a child: each signal in turn, waiting in between, the last resort SIGKILL."""
    for sig in [*signals, signal.SIGKILL]:
        if process.poll() is not None:
            return
        process.send_signal(sig)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def tail_since(log: Path, offset: int) -> str:
    """What was written to a log since `offset`, at most the last 8,000 bytes of it."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - 8000))
        return file.read().decode("utf-8", "replace")


def open_log(log: Path, keep: int = 10_000_000) -> tuple[Any, int]:
    """Open a server's log for appending, setting a long one aside; with the offset at which this run begins."""
    try:
        if log.stat().st_size > keep:
            os.replace(log, log.with_suffix(".old.log"))
    except FileNotFoundError:
        pass
    file = open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")  # noqa: SIM115  given to a child
    return file, file.seek(0, os.SEEK_END)
