"""Kill -9 of anything at any time: nothing is left behind, nothing committed is lost, the next start works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from edatrs.core.embedded import processes

from .conftest import PROJECT, Launcher, eventually


def test_supervisor_killed_leaves_no_process_and_no_loss(launcher: Launcher) -> None:
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("create table kept as select 1 as n")
    os.kill(launcher.supervisor, signal.SIGKILL)
    eventually(lambda: not launcher.processes())
    assert launcher.run("status").returncode == 3
    launcher.starts()
    with launcher.connect() as connection:
        assert connection.execute("select n from kept").fetchone() == (1,)


def test_supervisor_killed_under_load_restarts_at_once(launcher: Launcher) -> None:
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("create table many as select generate_series(1, 100000) as n")
        os.kill(launcher.supervisor, signal.SIGKILL)
        launcher.starts()  # while the old servers may still be on their way out
    with launcher.connect() as connection:
        assert connection.execute("select count(*) from many").fetchone() == (100000,)


def test_postgres_killed_comes_back_by_itself(launcher: Launcher) -> None:
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("set synchronous_commit = on")  # as it is outside the tests
        connection.execute("create table kept as select 1 as n")
    killed = launcher.postmaster
    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        try:
            with launcher.connect() as connection:
                return connection.execute("select n from kept").fetchone() == (1,)
        except (psycopg.OperationalError, OSError):
            return False

    eventually(back)
    assert launcher.postmaster != killed
    launcher.starts()


def test_both_killed_together(launcher: Launcher) -> None:
    launcher.starts()
    for pid in (launcher.postmaster, launcher.supervisor):
        os.kill(pid, signal.SIGKILL)
    launcher.starts()


def test_services_of_a_script_that_is_killed_end_with_it(launcher: Launcher) -> None:
    """`make test` and `make demo` start them in this way."""
    script = subprocess.Popen(
        [sys.executable, "-c", "import common, os, time; common.start_services(os.environ); time.sleep(600)"],
        env=launcher.env | {"PYTHONPATH": str(PROJECT / "deploy"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert script.stdout
    assert "answer in" in script.stdout.readline()
    assert launcher.run("status").returncode == 0
    script.kill()
    script.communicate()
    eventually(lambda: not launcher.processes())
    launcher.starts()


@pytest.mark.parametrize("hardened", [False, True])
def test_what_an_earlier_run_left_in_the_data_folder_is_ended(folder: Path, hardened: bool) -> None:
    # Said either way: a shell that starts the tests in the background has SIGQUIT ignored, and a child inherits that.
    code = (
        f"import signal, time; signal.signal(signal.SIGQUIT, signal.{'SIG_IGN' if hardened else 'SIG_DFL'}); "
    )
    left = subprocess.Popen(
        [sys.executable, "-c", code + "print(flush=True); time.sleep(60)"], cwd=folder, stdout=subprocess.PIPE
    )
    assert left.stdout
    left.stdout.readline()
    # It is our child, so its end is seen only once we have asked for it.
    threading.Thread(target=left.wait, daemon=True).start()
    # One that ends when asked is waited for; one that does not is killed.
    processes.clear_out(folder, patience=0.4 if hardened else 40)
    eventually(lambda: left.returncode == (-signal.SIGKILL if hardened else -signal.SIGQUIT))


def test_one_that_keeps_dying_is_given_up_with_a_reason(launcher: Launcher) -> None:
    launcher.starts()
    first = launcher.supervisor
    for _ in range(4):
        eventually(lambda: launcher.status["phase"] == "ready")
        os.kill(launcher.postmaster, signal.SIGKILL)
        eventually(lambda: launcher.status["phase"] != "ready")
    eventually(lambda: launcher.status["phase"] == "failed")
    assert launcher.status["phase"] == "failed"
    assert "PostgreSQL: died 4 times" in launcher.status["line"]
    assert "postgres.log" in launcher.status["line"]
    eventually(lambda: not launcher.processes())
    launcher.starts()
    assert launcher.supervisor != first


@pytest.mark.parametrize("delay", [0.2, 0.4, 0.7])
def test_killed_while_it_makes_the_database(fresh: Launcher, delay: float) -> None:
    process = fresh.popen("run")
    time.sleep(delay)
    process.kill()
    process.communicate()
    eventually(lambda: not fresh.processes())
    fresh.starts()
    assert not list(fresh.state.glob("pg*.new*"))


def test_start_tells_when_its_supervisor_is_killed(fresh: Launcher) -> None:
    starting = fresh.popen("start")
    eventually(lambda: (fresh.state / "services.json").exists())
    os.kill(fresh.supervisor, signal.SIGKILL)
    _, stderr = starting.communicate(timeout=30)
    if starting.returncode == 0:
        pytest.skip("it was ready before the kill came")
    assert starting.returncode == 1
    assert len(stderr.splitlines()) == 1
    assert "start again" in stderr
    fresh.starts()


def test_stale_pid_file_that_names_a_living_process(launcher: Launcher) -> None:
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    # A process of PostgreSQL's own account that has the old pid: after a reboot that happens.
    owner = next(launcher.state.glob("pg*")).stat()
    account = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    sleeper = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **account)  # type: ignore[arg-type]
    try:
        data = next(launcher.state.glob("pg*"))
        (data / "postmaster.pid").write_text(f"{sleeper.pid}\n{data}\n1\n5432\n\n\n0 0\nready\n")
        os.chown(data / "postmaster.pid", owner.st_uid, owner.st_gid)
        launcher.starts()
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_stop_never_signals_a_process_that_inherited_the_pid(launcher: Launcher) -> None:
    launcher.starts()
    os.kill(launcher.supervisor, signal.SIGKILL)
    eventually(lambda: not launcher.processes())
    status = launcher.state / "services.json"
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        status.write_text(status.read_text().replace(str(launcher.supervisor), str(sleeper.pid)))
        assert launcher.run("stop").stdout == "not running\n"
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_broken_broker_file_does_not_keep_the_database_from_being_served(launcher: Launcher) -> None:
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    kept = launcher.state / "valkey" / "appendonlydir"
    for path in kept.iterdir():
        path.write_bytes(b"\0garbage\n" * 100)
    launcher.starts()
    assert (launcher.state / "valkey" / "appendonlydir.broken").is_dir()
