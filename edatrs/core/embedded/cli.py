"""`python -m edatrs.core.embedded start|stop|status|run|roles|erase`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence

from . import keep, paths, postgres, processes, roles, supervisor, valkey
from .errors import Trouble, from_os_error

# Longer than the supervisor gives PostgreSQL, so that its reason is heard.
PATIENCE = postgres.START_SECONDS + 30
NOT_RUNNING = 3  # what init scripts answer for "status" of something that does not run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every failure is exit code 1 and one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m edatrs.core.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "start", help="start PostgreSQL and Valkey in the background; return when they answer"
    )
    commands.add_parser("stop", help="stop them")
    commands.add_parser("status", help=f"say whether they run; exit code {NOT_RUNNING} when not")
    erase_parser = commands.add_parser("erase", help="stop them; remove their data and all secrets for ever")
    erase_parser.add_argument(
        "folder", help="the state folder, named again so that no other is erased by mistake"
    )
    run_parser = commands.add_parser("run", help="run them in the foreground until Ctrl-C")
    run_parser.add_argument("--report", type=int, help=argparse.SUPPRESS)
    roles_parser = commands.add_parser("roles", help="create the roles and the database on another server")
    roles_parser.add_argument(
        "--url",
        default=os.environ.get("EDATRS_ADMIN_URL"),
        help="postgresql://administrator@host/postgres; better in EDATRS_ADMIN_URL, which no process list shows",
    )
    options = parser.parse_args(arguments)
    try:
        match options.command:
            case "start":
                return start()
            case "stop":
                return stop()
            case "status":
                return status()
            case "erase":
                return erase(options.folder)
            case "roles":
                return make_roles(options.url)
        return run(options.report)
    except Trouble as trouble:
        problem = str(trouble)
    except OSError as error:
        problem = str(from_os_error(error, paths.state_dir()))
    except ImportError as error:
        problem = str(Trouble(f"Python package {error.name}", "is not installed", "run make setup"))
    except KeyboardInterrupt:
        problem = "interrupted"
    print(f"services: {problem}", file=sys.stderr)
    return 1


def start() -> int:
    """Start the supervisor in the background and wait until the servers answer. Raises Trouble, OSError."""
    if not supervisor.wanted():
        print("DATABASE_URL and REDIS_URL are set: nothing to start")
        return 0
    until, told = time.monotonic() + PATIENCE, False
    while time.monotonic() < until:
        with supervisor.lock() as free:
            pass
        if free:
            verdict, line = launch()
            if verdict == supervisor.READY:
                print(line)
                return 0
            if verdict == supervisor.FAILED:
                raise SaidTrouble(line)
        elif supervisor.status().get("phase") == supervisor.READY and answering():
            print(f"already running: {supervisor.status().get('line', '')}")
            return 0
        elif not told:
            told = True
            print("another start or stop is under way; waiting for it", flush=True)
        time.sleep(0.1)
    raise Trouble(
        "services", f"another start has not finished after {PATIENCE} seconds", "make stop, then start again"
    )


class SaidTrouble(Trouble):
    """Trouble that the supervisor has already put into its line."""

    def __init__(self, line: str) -> None:
        Exception.__init__(self, line)


def launch() -> tuple[str, str]:
    """Start a supervisor and wait for its report. Raises Trouble when it ends without one."""
    log = paths.make_state_dir() / "log" / "supervisor.log"
    reader, writer = os.pipe()
    output, _ = processes.open_log(log)
    with output:
        child = subprocess.Popen(
            [sys.executable, "-m", "edatrs.core.embedded", "run", "--report", str(writer)],
            cwd=paths.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer,),
            start_new_session=True,
        )
    os.close(writer)
    with open(reader) as pipe:
        said = pipe.read()  # ends when the supervisor has closed its end, or died
    if not said:
        raise Trouble(
            "services",
            "the supervisor was ended while it started",
            f"start again; if it happens again read {log}",
        )
    verdict, line = json.loads(said)
    if verdict != supervisor.READY:
        child.wait()  # whoever is told that it failed finds nothing running
    return verdict, line


def run(report: int | None) -> int:
    """Be the supervisor: of `start` when `report` is its pipe, else in the foreground."""
    if report is not None:
        os.set_inheritable(report, False)

    def tell(verdict: str, line: str) -> None:
        nonlocal report
        if report is not None:
            try:
                os.write(report, json.dumps([verdict, line]).encode())
                os.close(report)
            except BrokenPipeError:
                pass  # the one who asked has gone; the servers run all the same
            report = None
        elif verdict == supervisor.READY:
            print(line, flush=True)
        else:
            said = line or "are running or being started already; make stop first"
            print(f"services: {said}", file=sys.stderr, flush=True)

    try:
        return supervisor.supervise(tell)
    except Exception as error:  # the last resort: whoever started us waits for a line
        traceback.print_exc()
        problem = Trouble(
            "services",
            f"unexpected {type(error).__name__} ({error})",
            "read log/supervisor.log and report it",
        )
        tell(supervisor.FAILED, str(problem))
        return 1


def answering() -> bool:
    """Whether each server that should run takes connections. Raises Trouble."""
    wanted, run_dir = supervisor.wanted(), paths.run_dir()
    return (valkey.Server not in wanted or valkey.answers(run_dir / "valkey.sock")) and (
        postgres.Server not in wanted or postgres.answers(run_dir, paths.data_root())
    )


def running() -> bool:
    """Whether a supervisor holds the lock. Raises OSError, Trouble."""
    if not paths.state_dir().exists():
        return False
    with supervisor.lock() as free:
        return not free


def stop(patience: float = 60.0) -> int:
    """Stop the supervisor and with it the servers. Raises Trouble, OSError."""
    if not running():
        print("not running")
        return 0
    began, asked, killed = time.monotonic(), False, False
    pid, born = 0, ""
    # Until the lock is free and the process gone: the lock is let go a moment before the end.
    while running() or (pid and supervisor.birth_of(pid) == born):
        said = supervisor.status()
        pid, born = said.get("pid", 0), said.get("born", "")
        # The status may be an earlier supervisor's, and its pid by now somebody else's.
        if pid and supervisor.birth_of(pid) == born:
            if not asked:
                os.kill(pid, signal.SIGTERM)
                asked = True
            elif not killed and time.monotonic() - began > patience:
                os.kill(pid, signal.SIGKILL)  # its children get their death signal
                killed = True
        if time.monotonic() - began > patience + 10:
            raise Trouble(
                paths.state_dir() / "services.lock",
                f"process {pid}, which does not end, holds it",
                f"end process {pid}",
            )
        time.sleep(0.05)
    print("stopped")
    return 0


def status() -> int:
    """Say whether the servers run and answer."""
    if not running():
        said = supervisor.status()
        reason = f" (last time: {said['line']})" if said.get("phase") == supervisor.FAILED else ""
        print(f"not running{reason}")
        return NOT_RUNNING
    phase = supervisor.status().get("phase", supervisor.STARTING)
    if phase == supervisor.READY and answering():
        print(f"running: {supervisor.status().get('line', '')}")
        return 0
    print(f"{phase}, not answering yet")
    return 1


def erase(folder_named: str) -> int:
    """Stop, and remove what the launcher made, by its own names: EDATRS_STATE may be a folder of other things too."""
    if os.path.realpath(folder_named) != str(paths.state_dir()):
        raise Trouble(
            folder_named,
            f"is not the state folder, which is {paths.state_dir()}",
            "name that, or set EDATRS_STATE",
        )
    stop()
    state, root, run_dir = paths.state_dir(), paths.data_root(), paths.run_dir()
    if not (state / "services.lock").exists():
        print("nothing to erase")
        return 0
    for folder in [*root.glob("pg[0-9]*"), state / "valkey", state / "secrets", run_dir / "pg"]:
        shutil.rmtree(folder, ignore_errors=True)
    logs = [
        state / "log" / f"{name}{end}"
        for name in ("postgres", "valkey", "supervisor")
        for end in (".log", ".old.log")
    ]
    notes = [state / name for name in ("data-at", "services.json", "services.lock")]
    for file in [run_dir / "valkey.sock", *logs, *notes]:
        file.unlink(missing_ok=True)
    for folder in (run_dir, root, state / "log", state):
        try:
            folder.rmdir()
        except OSError:
            pass  # missing already, or it holds what others put there
    print("erased")
    return 0


def make_roles(url: str | None) -> int:
    """Create roles and database on the server at `url`. Raises Trouble.

    A password is taken from EDATRS_<ROLE>_PASSWORD, else from the secrets folder, where a missing one is made.
    """
    import psycopg

    if not url:
        raise Trouble(
            "EDATRS_ADMIN_URL", "is not set", "set it, or give --url postgresql://administrator@host/postgres"
        )
    passwords = {
        role: os.environ.get(f"EDATRS_{role.upper()}_PASSWORD") or keep.secret(f"pg-{role}")
        for role in roles.LOGINS
    }
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=20) as connection:
            roles.ensure_roles(connection, passwords)
        with psycopg.connect(url, autocommit=True, connect_timeout=20, dbname=roles.DATABASE) as connection:
            roles.ensure_schema(connection)
    except psycopg.Error as error:
        raise Trouble(
            "the server of EDATRS_ADMIN_URL",
            str(error).strip() or "refused",
            "check the address, and that its account may create roles and databases",
        ) from error
    print(f"roles {', '.join(roles.LOGINS)} and database {roles.DATABASE} are ready")
    return 0
