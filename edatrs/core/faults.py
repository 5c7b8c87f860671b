"""Named points at which a test kills or stops the process: random kills miss the narrow windows (security.md, T5).

Off unless EDATRS_KILL_PLAN names a file of lines `point [KILL|STOP]`: only the first line is looked at, whoever arrives at its point
strikes it out, writes `point pid` to `<plan>.hit` and sends itself the signal.
"""

from __future__ import annotations

import fcntl
import os
import signal

_PLAN = os.environ.get("EDATRS_KILL_PLAN", "")


def kill_point(name: str) -> None:
    """Die (or stop) here if the plan's first line names this point."""
    if not _PLAN:
        return
    with open(_PLAN, "r+", encoding="utf-8") as plan:
        fcntl.flock(plan, fcntl.LOCK_EX)
        lines = plan.read().splitlines()
        wanted, how = (*lines[0].split(), "KILL")[:2] if lines else ("", "")
        if wanted != name:
            return
        plan.seek(0)
        plan.truncate()
        plan.write("".join(f"{line}\n" for line in lines[1:]))
        plan.flush()
        with open(f"{_PLAN}.hit", "a", encoding="utf-8") as hits:
            hits.write(f"{name} {os.getpid()}\n")
    os.kill(os.getpid(), signal.Signals[f"SIG{how}"])
