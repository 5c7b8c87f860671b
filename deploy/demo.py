"""`make demo`: set up, start everything as our children, load the sample partnership, serve until Ctrl-C.

The port is looked at before anything else is done. Whatever ends us, even kill -9, ends the children.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import common
import set_up

HOST = "127.0.0.1"
# Set once the set-up is done and we run again inside the virtual environment.
INSIDE = "EDATRS_DEMO_INSIDE"


def main() -> int:
    """Serve the demo; returns the exit code. Exits with one line when it cannot."""
    port = port_from(os.environ.get("PORT") or "8000")
    if os.environ.get(INSIDE) != "1":
        refuse_busy(port)
        set_up.main()
        sys.stdout.flush()
        os.execve(common.PYTHON, [str(common.PYTHON), __file__], os.environ | {INSIDE: "1"})  # noqa: S606
    env = os.environ | {
        "EDATRS_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "edatrs.settings.local"),
        "EDATRS_BASE_URL": f"http://localhost:{port}",
    }
    # Raised in the middle of whatever we wait for; the `finally` below stops the children in order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    children: list[tuple[str, subprocess.Popen[str]]] = []
    try:
        return serve(port, env, children)
    except KeyboardInterrupt:
        common.say("\nStopping")
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        for _, child in reversed(children):
            common.stop(child, patience=20)


def serve(port: int, env: dict[str, str], children: list[tuple[str, subprocess.Popen[str]]]) -> int:
    """Start everything in order and watch it. Children are added to the list as they start."""
    state = Path(env.get("EDATRS_STATE") or common.PROJECT / "var")
    if not services_run(env):
        children.append(("services", common.start_services(env)))
    manage = [common.PYTHON, "manage.py"]
    for words in (
        ["migrate", "-v", "0"],
        ["check", "--database", "default"],  # row security and rights stand, or nothing is served
        ["collectstatic", "--noinput", "-v", "0"],
    ):
        if code := run([*manage, *words], env, children):
            return code
    celery = [common.PYTHON, "-m", "celery", "-A", "edatrs"]
    programs = {
        "web": [common.PYTHON, "-m", "gunicorn", "edatrs.wsgi", "--bind", f"{HOST}:{port}", "--workers", "2"]
        + ["--threads", "4", "--timeout", "120", "--no-control-socket"],
        "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--schedule", state / "celerybeat-schedule"],
    }
    for name, program in programs.items():
        children.append((name, start(name, program, env, state)))
    wait_for(port, children, state)
    common.say(f"Serving on http://localhost:{port}/; loading the sample partnership")
    if code := run([*manage, "demo", "--port", port], env, children):
        return code
    common.say("Ctrl-C stops it")
    while True:
        time.sleep(0.5)
        refuse_dead(children, state)


def run(words: list[object], env: dict[str, str], children: list[tuple[str, subprocess.Popen[str]]]) -> int:
    """Run a command to its end, out of reach of Ctrl-C: that is for us, and we end it like the other children."""
    command = subprocess.Popen(
        [str(word) for word in words],
        cwd=common.PROJECT,
        env=env,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=common.end_with_parent,
    )
    children.append(("command", command))
    code = command.wait()
    children.pop()
    return code


def start(name: str, words: list[object], env: dict[str, str], state: Path) -> subprocess.Popen[str]:
    """Start one program; what it says goes to its log."""
    with (state / "log" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [str(word) for word in words],
            cwd=common.PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
            preexec_fn=common.end_with_parent,
        )


def wait_for(
    port: int, children: list[tuple[str, subprocess.Popen[str]]], state: Path, patience: float = 60
) -> None:
    """Wait until the site answers anything at all. Exits with one line when it does not."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        refuse_dead(children, state)
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/livez", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    common.fail("web", f"does not answer on port {port}", f"read {state / 'log' / 'web.log'}")


def refuse_dead(children: list[tuple[str, subprocess.Popen[str]]], state: Path) -> None:
    """Exit with one line when a child has ended by itself."""
    for name, child in children:
        if child.poll() is not None:
            common.fail(
                name,
                f"ended with {child.returncode}",
                f"read {state / 'log'}/{name}.log, then make demo again",
            )


def services_run(env: dict[str, str]) -> bool:
    """Whether `make services` has started them, or addresses in the environment make them unnecessary."""
    if env.get("DATABASE_URL") and env.get("REDIS_URL"):
        return True
    words = [str(common.PYTHON), "-m", "edatrs.core.embedded", "status"]
    return (
        subprocess.run(words, cwd=common.PROJECT, env=env, check=False, stdout=subprocess.DEVNULL).returncode
        == 0
    )


def port_from(text: str) -> int:
    """The port as a number. Exits with one line when it is none."""
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    common.fail("PORT", f"{text!r} is no port", "PORT=8001 make demo")


def refuse_busy(port: int) -> None:
    """Exit with one line when something else listens on the port, or we may not."""
    with socket.socket() as probe:
        # As gunicorn does: a port that was ours a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError as error:
            other = port + 1 if port < 65535 else 8001
            other = max(other, 8001)
            common.fail(f"port {port}", f"cannot be used ({error.strerror})", f"PORT={other} make demo")


def interrupt(*_: object) -> None:
    """Signal handler: leave whatever is being waited for."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
