"""One named test alone, in a process and a database of its own: `python -m tests.mutants.child` with a job as JSON on a line of its input.

With `--serve` everything that does not change is imported once, and every line of the input is answered by a fork: for mutants that live
in the database alone.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from tests.mutants.register import install

PATIENCE = 240  # seconds


class Reporter:
    """What became of the test: passed, failed on an assertion, or broke on something else."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """Note the phase and what was raised in it."""
        outcome = yield
        report = outcome.get_result()
        raised = call.excinfo
        if report.when == "call" or report.outcome != "passed":
            said = "" if raised is None else str(raised.value).strip().partition("\n")[0][:200]
            kind = "" if raised is None else raised.typename
            self.found.append({"when": report.when, "outcome": report.outcome, "raised": kind, "said": said})


def work(job: dict[str, str]) -> dict[str, Any]:
    """Run the test of a job. `result`: passed, killed (an assertion, also one of pytest.raises), or broken."""
    os.environ["EDATRS_TEST_DATABASE"] = job["database"]
    if job.get("module"):
        install(job["module"], job["old"], job["new"])
    reporter, said = Reporter(), io.StringIO()
    began = time.monotonic()
    with redirect_stdout(said), redirect_stderr(said):
        code = pytest.main(
            ["-q", "-x", "-m", "", "-p", "no:cacheprovider", "-p", "no:randomly", job["killer"]],
            plugins=[reporter],
        )
    failed = [one for one in reporter.found if one["outcome"] != "passed"]
    if code == 0 and reporter.found and not failed:
        result = "passed"
    elif failed and all(
        one["when"] == "call" and one["raised"] in ("AssertionError", "Failed") for one in failed
    ):
        result = "killed"
    else:
        result = "broken"
    told = {"result": result, "found": failed, "seconds": round(time.monotonic() - began, 1)}
    if result == "broken":
        told["output"] = said.getvalue()[-3000:]
    return told


def answer(job: dict[str, str]) -> None:
    """Work, and say it on one line."""
    try:
        told = work(job)
    except BaseException:  # what breaks is told too, SystemExit of a mutant that cannot be made as well
        told = {"result": "broken", "found": [], "seconds": 0, "output": traceback.format_exc()[-3000:]}
    os.write(1, json.dumps(told).encode() + b"\n")


def serve() -> None:
    """Import once what every test needs, then a fork for each job."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.test")
    import django

    django.setup()
    import hypothesis  # noqa: F401  # for its time alone
    import pytest_django  # noqa: F401
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            answer(json.loads(line))
            os._exit(0)
        if os.waitpid(pid, 0)[1] != 0:  # it died before it could answer
            os.write(1, json.dumps({"result": "broken", "found": [], "seconds": PATIENCE}).encode() + b"\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        answer(json.loads(sys.stdin.readline()))
