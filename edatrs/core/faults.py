"""Named points at which a test kills the process: random kills miss the narrow windows (security.md, T5).

Off unless EDATRS_KILL_PLAN names a file of lines `point [count]`; the first line that matches is struck out and the process kills itself.
"""

from __future__ import annotations

import fcntl
import os
import signal

_PLAN = os.environ.get("EDATRS_KILL_PLAN", "")


def kill_point(name: str) -> None:
    """Die here with SIGKILL if the plan's first line names this point."""
    if not _PLAN:
        return
    with open(_PLAN, "r+", encoding="utf-8") as plan:
        fcntl.flock(plan, fcntl.LOCK_EX)
        lines = plan.read().splitlines()
        if not lines or lines[0].split()[0] != name:
            return
        plan.seek(0)
        plan.truncate()
        plan.write("".join(f"{line}\n" for line in lines[1:]))
        plan.flush()
        os.fsync(plan.fileno())
    with open(f"{_PLAN}.hit", "a", encoding="utf-8") as hits:
        hits.write(f"{name}\n")
    os.kill(os.getpid(), signal.SIGKILL)
