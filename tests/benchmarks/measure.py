"""What a piece of work cost: wall and processor seconds, and the most memory that we and our PostgreSQL backend held."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")
_PAUSE = 0.05
MEGABYTE = 1 << 20


@dataclass
class Cost:
    """Wall seconds; processor seconds of our side and of the PostgreSQL backend; peaks in megabytes.

    `own_mb` is the whole resident memory of our process. `backend_mb` is the backend's own (anonymous) memory: what it shares with the
    other backends, the buffers, is not its own. Nothing is known of parallel workers, which are processes of their own.
    """

    seconds: float = 0.0
    own_cpu: float = 0.0
    backend_cpu: float = 0.0
    own_mb: float = 0.0
    backend_mb: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@contextmanager
def watch(backend: Callable[[], int | None], *, children: bool = False) -> Iterator[Cost]:
    """Measure the block. `backend` gives the pid of the PostgreSQL backend as soon as it is known; `children`: the work is done by
    programs that the block starts and waits for.
    """
    cost = Cost()
    stop = threading.Event()
    start = backend()
    before = _cpu(start) if start else 0.0
    last = [before]

    def sample() -> None:
        while not stop.wait(_PAUSE):
            pid = backend()
            cost.own_mb = max(cost.own_mb, _status("self", "VmRSS"))
            if pid:
                cost.backend_mb = max(cost.backend_mb, _status(pid, "RssAnon"))
                last[0] = _cpu(pid) or last[0]

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    usage = _own_cpu(children)
    began = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - began
        cost.own_cpu = _own_cpu(children) - usage
        stop.set()
        thread.join()
        pid = backend()
        cost.backend_cpu = ((_cpu(pid) if pid else 0.0) or last[0]) - before


def _own_cpu(children: bool) -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu(pid: int) -> float:
    """Processor seconds of a process; 0 when it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / _TICK


def _status(pid: int | str, name: str) -> float:
    """A figure of /proc/PID/status in megabytes; 0 when the process is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024 / MEGABYTE
    except OSError:
        pass
    return 0.0
