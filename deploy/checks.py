"""`make test`, `test-long`, `matrix`, `mutants`, `bench`, `lint`, `screenshots`: set up, services of their own, run, stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import common
import set_up

PY: list[object] = [common.PYTHON]
# The one list of what is checked without running the application's tests.
LINT: list[tuple[str, list[object]]] = [
    ("ruff check", [*PY, "-m", "ruff", "check", "--quiet", "."]),
    ("ruff format", [*PY, "-m", "ruff", "format", "--check", "--quiet", "."]),
    ("import-linter", [common.VENV / "bin" / "lint-imports", "--no-logo"]),
    ("mypy", [*PY, "-m", "mypy", "--no-error-summary"]),
]
MIGRATIONS: list[object] = [*PY, "manage.py", "makemigrations", "--check", "--dry-run", "-v", "1"]
DEPLOY: list[object] = [*PY, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
# Three at once on two cores: tests that wait for processes they kill, and for a browser, leave a core idle.
TEST: list[object] = [*PY, "-m", "pytest", "-n", "3", "--dist", "worksteal", "-q"]
LONG: list[object] = [*PY, "-m", "pytest", "-q", "-s", "-m", "long"]
MATRIX: list[object] = [
    *TEST,
    "-m",
    "",
    "tests/access/test_access_matrix.py",
    "-k",
    "test_matrix and (whole or neither)",
]
MUTANTS: list[object] = [*LONG, "tests/mutants/test_mutants.py"]
BENCH: list[object] = [*PY, "-m", "tests.benchmarks"]
SCREENSHOTS: list[object] = [*PY, "-m", "tests.browser.screenshots"]

# `check --deploy` runs with production's settings; nothing of this is connected to, and none of it is a secret.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "edatrs.settings.production",
    "EDATRS_SECRET_KEY": "only-for-check-deploy-0123456789-abcdefghijklmnopqrstuvwxyz-ABC",
    "EDATRS_AUDIT_KEY": "only-for-check-deploy-audit-0123456789abcdef",
    "EDATRS_HEADS_KEY": "only-for-check-deploy-heads-0123456789abcdef",
    "EDATRS_FIELD_KEY_1": "only-for-check-deploy-field-0123456789abcdef",
    "EDATRS_HASH_KEY": "only-for-check-deploy-hash-0123456789abcdef",
    "EDATRS_HOSTS": "caseload.example",
    "EDATRS_ORIGINS": "https://caseload.example",
    "EDATRS_BASE_URL": "https://caseload.example",
    "DATABASE_URL": "postgresql://app@db.example/caseload",
    "REDIS_URL": "redis://redis.example:6379/0",
}
# Debian's Chromium as tests use it.
SHELL = "chromium-headless-shell"
# Never a real server or a real state: tests make and drop databases.
NOT_FOR_TESTS = ("DATABASE_URL", "REDIS_URL", "EDATRS_RUN", "EDATRS_SECRETS", "EDATRS_DEMO")


def main(target: str, rest: list[str]) -> int:
    """Run one target and return its exit code."""
    # A kill of this script must still stop the services and remove their folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    set_up.main()
    if target == "lint":
        return closing(failures(LINT, dict(os.environ)))
    if target == "bench":
        with services(fast=False) as env:  # what is measured must be what runs in earnest
            return common.run([*BENCH, *rest], env=env)
    if target == "screenshots":
        with services() as env:
            return common.run([*SCREENSHOTS, *rest], env=with_browser(env))
    if target == "matrix":
        with services() as env:
            return common.run([*MATRIX, *rest], env=env)
    if target == "mutants":
        with services() as env:
            return common.run([*MUTANTS, *rest], env=env)
    if target == "test-long":
        with services() as env:
            return common.run([*LONG, *rest], env=with_browser(env))
    with services() as env:
        failed = failures(LINT, env)
        failed += failures([("check --deploy", DEPLOY)], dict(env) | PRODUCTION)
        failed += failures([("makemigrations --check", MIGRATIONS)], env)
        began = time.monotonic()
        code = common.run([*TEST, *rest], env=with_browser(env))
        common.say(f"pytest: {'ok' if code == 0 else f'ended with {code}'}, {time.monotonic() - began:.0f} s")
        return closing(failed) or code


def failures(checks: list[tuple[str, list[object]]], env: Mapping[str, str]) -> list[str]:
    """Run checks one after the other, all of them; the names of those that failed."""
    failed = []
    for name, words in checks:
        began = time.monotonic()
        code = common.run(words, env=env)
        common.say(f"{name}: {'ok' if code == 0 else 'FAILED'}, {time.monotonic() - began:.0f} s")
        if code != 0:
            failed.append(name)
    return failed


def closing(failed: list[str]) -> int:
    """Say what failed, once more and last; the exit code."""
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr, flush=True)
    return 1 if failed else 0


@contextmanager
def services(*, fast: bool = True) -> Iterator[dict[str, str]]:
    """An environment with a PostgreSQL and a Valkey of its own, gone afterwards.

    Their folder is short (sockets) and can be walked by the account that PostgreSQL runs as when we are root.
    """
    env = {name: value for name, value in os.environ.items() if name not in NOT_FOR_TESTS}
    state = Path(tempfile.mkdtemp(prefix="edatrs-test-", dir="/tmp"))  # noqa: S108  mkdtemp makes it ours
    state.chmod(0o711 if os.geteuid() == 0 else 0o700)
    env |= {"EDATRS_STATE": str(state), "EDATRS_PG_FAST": "1" if fast else "0"}
    env.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.test")
    try:
        running = common.start_services(env)
        try:
            yield env
        finally:
            common.stop(running)
    finally:
        # First what the launcher put elsewhere, then the folder with whatever the tests left in it.
        erase: list[object] = [*PY, "-m", "edatrs.core.embedded", "erase", state]
        subprocess.run(
            [str(word) for word in erase], cwd=common.PROJECT, env=env, check=False, stdout=subprocess.DEVNULL
        )
        shutil.rmtree(state, ignore_errors=True)


def with_browser(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with EDATRS_CHROMIUM, installing Debian's Chromium when we may.

    Its headless shell is preferred: the same browser without windows, in two thirds of the time. Without either the browser tests fail and
    say what to install: they are never skipped unseen.
    """
    may = os.geteuid() == 0 and shutil.which("apt-get") and not os.environ.get("EDATRS_CHROMIUM")
    if may and not shutil.which(SHELL):
        common.say("Installing Chromium's headless shell for the browser tests")
        if install_package(SHELL) != 0 and not find_chromium():
            install_package("", "update")
            if install_package(SHELL) != 0:
                install_package("chromium")
    found = find_chromium()
    if not found:
        print(
            f"Chromium: not found, so the browser tests will fail; apt-get install {SHELL}, or set EDATRS_CHROMIUM",
            file=sys.stderr,
            flush=True,
        )
    return dict(env) | {"EDATRS_CHROMIUM": found or ""}


def install_package(name: str, act: str = "install") -> int:
    """Run apt-get without questions and without patience for a network that is not there; its exit code."""
    words: list[object] = [
        "apt-get",
        "-qq",
        "-o=Dpkg::Use-Pty=0",
        "-o=Acquire::Retries=0",
        "-o=Acquire::http::Timeout=20",
        act,
    ]
    words += ["-y", "--no-install-recommends", name, "fonts-liberation"] if name else []
    return common.run(words, env=dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"})


def find_chromium() -> str | None:
    """The browser that EDATRS_CHROMIUM names, else one on PATH."""
    named = os.environ.get("EDATRS_CHROMIUM")
    names = [named] if named else [SHELL, "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
