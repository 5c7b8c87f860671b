"""Every mutant in a process of its own, on a copy of the test database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from queue import Queue
from typing import Any

import psycopg
from psycopg import sql

from edatrs.core import embedded
from edatrs.core.embedded import postgres
from tests.mutants.child import PATIENCE
from tests.mutants.register import Mutant

ROOT = Path(__file__).parents[2]
_numbers = count(1)


class Runner:
    """Copies the test database `template`, which nobody may be connected to, and runs named tests on the copies."""

    def __init__(self, template: str) -> None:
        self.template = template
        self._here = threading.local()
        self._servers: list[subprocess.Popen[str]] = []

    def without(self, killer: str) -> dict[str, Any]:
        """The named test on the product as it is."""
        return self._run({"killer": killer}, Mutant("", "", "", killer))

    def with_mutant(self, mutant: Mutant) -> dict[str, Any]:
        """The named test with the control taken out."""
        job = {"killer": mutant.killer}
        if mutant.module:
            job |= {"module": mutant.module, "old": mutant.old, "new": mutant.new}
        return self._run(job, mutant)

    def _run(self, job: dict[str, str], mutant: Mutant) -> dict[str, Any]:
        with self._copy() as name:
            try:
                spoil(name, mutant)
            except (psycopg.Error, ValueError) as problem:
                return {"result": "broken", "found": [], "seconds": 0, "output": f"cannot be made: {problem}"}
            line = json.dumps(job | {"database": name}) + "\n"
            said = self._alone(line) if mutant.module else self._served(line)
        found: dict[str, Any] = (
            json.loads(said) if said.strip() else {"result": "broken", "found": [], "seconds": 0}
        )
        return found

    @contextmanager
    def _copy(self) -> Iterator[str]:
        name = f"{self.template}_m{os.getpid()}_{next(_numbers)}"
        with postgres.connect(embedded.run_dir(), "postgres") as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER owner").format(
                    sql.Identifier(name), sql.Identifier(self.template)
                )
            )
            try:
                yield name
            finally:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _alone(self, line: str) -> str:
        words = [sys.executable, "-m", "tests.mutants.child"]
        done = subprocess.run(
            words, cwd=ROOT, input=line, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return done.stdout.strip().rpartition("\n")[2]

    def _served(self, line: str) -> str:
        server: subprocess.Popen[str] | None = getattr(self._here, "server", None)
        if server is None:
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.mutants.child", "--serve"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._here.server = server
            self._servers.append(server)
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(line)
        server.stdin.flush()
        return server.stdout.readline()

    def close(self) -> None:
        """End the servers."""
        for server in self._servers:
            if server.stdin is not None:
                server.stdin.close()
            server.wait(PATIENCE)


def spoil(database: str, mutant: Mutant) -> None:
    """Take the control out of a database, as a superuser. Raises ValueError where the text is not in the function exactly once."""
    if not (mutant.sql or mutant.function):
        return
    with postgres.connect(embedded.run_dir(), database) as admin:
        if mutant.function:
            row = admin.execute("SELECT pg_get_functiondef(%s::regprocedure)", [mutant.function]).fetchone()
            whole = row[0] if row else ""
            if whole.count(mutant.old) != 1:
                raise ValueError(
                    f"{mutant.function}: {mutant.old!r} stands there {whole.count(mutant.old)} times"
                )
            admin.execute(whole.replace(mutant.old, mutant.new))
        if mutant.sql:
            admin.execute(mutant.sql)


def all_of(runner: Runner, jobs: list[Any], ask: Any, workers: int) -> dict[Any, dict[str, Any]]:
    """What `ask` says of each job, several at a time."""
    waiting: Queue[Any] = Queue()
    for job in jobs:
        waiting.put(job)
    found: dict[Any, dict[str, Any]] = {}

    def work() -> None:
        while not waiting.empty():
            try:
                job = waiting.get_nowait()
            except Exception:  # noqa: BLE001  # another took the last one
                return
            try:
                found[job] = ask(job)
            except Exception as problem:  # noqa: BLE001  # told with the others
                found[job] = {"result": "broken", "found": [], "seconds": 0, "output": repr(problem)}
            told = found[job]
            print(f"{told['result']} {told['seconds']} s {getattr(job, 'id', job)}", flush=True)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
