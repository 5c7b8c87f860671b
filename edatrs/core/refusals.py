"""Where refusals go: the trail hooks in here, in a transaction of its own, before the answer leaves.

If it cannot be written the exception goes through and the answer is a failure (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable

from edatrs.core.scope import Scope

Recorder = Callable[[Scope, Exception, str, str], None]
_recorders: list[Recorder] = []


def register(recorder: Recorder) -> None:
    """Take the trail's recorder."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def record(scope: Scope, raised: Exception, route: str, subject: str) -> None:
    """Write one refusal: who (the scope), what was raised, the name of the route, and the ids in the address. Raises without a recorder."""
    if not _recorders:
        raise RuntimeError(
            "a refusal cannot be recorded: the audit app is not installed, so nothing may be answered either"
        )
    for recorder in _recorders:
        recorder(scope, raised, route, subject)
