"""What the scripts of this folder share. Plain Python 3.11: it runs before anything is installed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = PROJECT / "build"


def fail(resource: object, problem: str, remedy: str) -> NoReturn:
    """End with exit code 1 and one line: the resource, what is wrong, the remedy."""
    print(" ".join(f"{resource}: {problem}; {remedy}".split()), file=sys.stderr, flush=True)
    raise SystemExit(1)


def say(line: str) -> None:
    """Tell what is being done."""
    print(line, flush=True)


def digest(*parts: Path | str) -> str:
    """A hash over files and words: what a stamp holds, so that work is done again only when its input changed."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def fresh(stamp: Path, value: str) -> bool:
    """Whether the stamp says that this very work was finished."""
    try:
        return stamp.read_text() == value
    except OSError:
        return False


def run(words: Sequence[object], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program in the project folder and return its exit code; 127 when there is no such program."""
    try:
        return subprocess.run([str(word) for word in words], cwd=PROJECT, env=env, check=False).returncode
    except OSError as error:
        print(f"{words[0]}: cannot be run ({error.strerror})", file=sys.stderr, flush=True)
        return 127


@contextmanager
def alone() -> Iterator[None]:
    """Let one set-up at a time work in this checkout; a second one waits."""
    try:
        descriptor = os.open(PROJECT / ".setup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        fail(
            PROJECT,
            f"cannot be written ({error.strerror})",
            "run as its owner, or clone it to a folder of your own",
        )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def end_with_parent() -> None:
    """For a child, before its program: be told to stop when the script that started it ends, even by kill -9."""
    import ctypes
    import signal

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # 1 is PR_SET_PDEATHSIG


def start_services(env: Mapping[str, str]) -> subprocess.Popen[str]:
    """Run the embedded PostgreSQL and Valkey as our child; returns when they answer.

    The launcher has said why, in one line, when we exit here with code 1.
    """
    services = subprocess.Popen(
        [PYTHON, "-m", "edatrs.core.embedded", "run"],
        cwd=PROJECT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; they are stopped after what uses them
        preexec_fn=end_with_parent,
    )
    line = services.stdout.readline() if services.stdout else ""
    if not line:
        services.wait()
        raise SystemExit(1)
    say(line.rstrip())
    return services


def stop(process: subprocess.Popen[str], patience: float = 60.0) -> None:
    """Ask a child to end and wait for it; in the end insist."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
