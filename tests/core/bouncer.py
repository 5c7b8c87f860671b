"""PgBouncer in front of the test database: Debian's own package, unpacked beside the tests and never installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from edatrs.core.embedded import paths, processes

# With what it needs beside the C library; whatever of these the machine has already is the same file twice.
PACKAGES = ("pgbouncer", "libevent-2.1-7", "libc-ares2")
PORT = 6432
SERVERS = 2


@cache
def program() -> tuple[Path, str]:
    """The program, and the folder of its libraries ("" where the machine's own serve).

    `EDATRS_PGBOUNCER` names it, or it is installed, or Debian's package is unpacked into a folder that the next run finds again. Skips the
    test, with the reason, where there is none to be had: then what it would show is not shown.
    """
    named = os.environ.get("EDATRS_PGBOUNCER") or shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if named:
        return Path(named), ""
    kept = _cache()
    if not (kept / "usr/sbin/pgbouncer").exists():
        _unpack(kept)
    libraries = next((kept / "usr/lib").glob("*-linux-gnu"), kept)
    return kept / "usr/sbin/pgbouncer", str(libraries)


def _cache() -> Path:
    """Where it is kept between runs: as root where the account that it runs as can walk to."""
    if os.geteuid() == 0:
        return paths.SYSTEM_FOLDER / "pgbouncer"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edatrs" / "pgbouncer"


def _unpack(kept: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        pytest.skip("blocked: no PgBouncer here and no Debian to take one from; set EDATRS_PGBOUNCER")
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=kept.parent, prefix=".new-"))
    try:
        said = _download(draft)
        if said and os.geteuid() == 0:  # perhaps a new machine, which has no lists yet
            _run(["apt-get", "-qq", "update"], draft)
            said = _download(draft)
        packages = list(draft.glob("*.deb"))
        if len(packages) < len(PACKAGES):
            pytest.skip(f"blocked: Debian's PgBouncer cannot be had here ({said[-200:]})")
        for package in packages:
            _run(["dpkg", "-x", str(package), str(draft / "root")], draft)
        for folder in (draft / "root", *(p for p in (draft / "root").rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        try:
            os.rename(draft / "root", kept)
        except OSError:
            if not kept.exists():  # else another worker was faster
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _download(folder: Path) -> str:
    """What apt-get says when it fails; empty: it has not."""
    return _run(["apt-get", "-qq", "-o", "Acquire::http::Timeout=15", "download", *PACKAGES], folder)


def _run(words: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "no answer in two minutes"
    return (done.stderr or f"ended with {done.returncode}") if done.returncode else ""


@contextmanager
def running() -> Iterator[dict[str, Any]]:
    """PgBouncer in transaction mode with two connections to the test database; the settings by which Django goes through it.

    Skips the test where it cannot be had.
    """
    found, libraries = program()
    there = connection.settings_dict
    account = paths.service_account()
    folder = Path(tempfile.mkdtemp(prefix="pgb-", dir="/tmp"))
    (folder / "users").write_text(f'"{there["USER"]}" "{there["PASSWORD"]}"\n')
    (folder / "ini").write_text(
        f"""[databases]
* = host={there["HOST"]} port={there["PORT"] or 5432}
[pgbouncer]
pool_mode = transaction
default_pool_size = {SERVERS}
max_client_conn = 100
unix_socket_dir = {folder}
listen_port = {PORT}
auth_type = scram-sha-256
auth_file = {folder}/users
query_wait_timeout = 60
"""
    )
    for path in (folder / "users", folder / "ini", folder):
        path.chmod(0o700 if path == folder else 0o600)
        if account:
            os.chown(path, account.uid, account.gid)
    with (folder / "log").open("wb") as log:
        server = processes.spawn(
            ["/usr/bin/env", f"LD_LIBRARY_PATH={libraries}", found, folder / "ini"],
            account=account,
            death_signal=signal.SIGTERM,
            stdout=log,
            stderr=log,
        )
    through = {**there, "HOST": str(folder), "PORT": str(PORT), "DISABLE_SERVER_SIDE_CURSORS": True}
    try:
        _wait(server, through, folder / "log")
        yield through
    finally:
        processes.stop(server, signal.SIGINT, patience=5)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], through: dict[str, Any], log: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(
                host=through["HOST"],
                port=through["PORT"],
                dbname=through["NAME"],
                user=through["USER"],
                password=through["PASSWORD"],
            ).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PgBouncer does not answer: {log.read_text()[-1000:]}")
            time.sleep(0.05)
