"""Starting, starting twice, stopping; and what a started server holds."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from .conftest import Launcher, eventually

LOGINS = ("owner", "app", "aggregate", "report", "verifier", "destroyer")


def test_started_twice_says_so_and_leaves_the_first_alone(launcher: Launcher) -> None:
    launcher.starts()
    first = launcher.supervisor
    again = launcher.run("start")
    assert (again.returncode, again.stderr) == (0, "")
    assert "already running" in again.stdout
    assert launcher.supervisor == first


def test_started_three_times_at_once_runs_once(fresh: Launcher) -> None:
    starting = [fresh.popen("start") for _ in range(3)]
    said = [process.communicate(timeout=60) for process in starting]
    assert [process.returncode for process in starting] == [0, 0, 0], said
    assert sum("already running" in out for out, _ in said) == 2
    assert sum("edatrs.core.embedded run" in line for line in fresh.processes()) == 1


def test_run_beside_a_running_one_is_refused(launcher: Launcher) -> None:
    launcher.starts()
    launcher.refuses("running", "make stop", command=["run"])
    launcher.starts()


def test_stop_ends_everything_and_start_keeps_the_data(launcher: Launcher) -> None:
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("create table kept as select 1 as n")
    assert launcher.run("stop").stdout == "stopped\n"
    assert not launcher.processes()
    assert launcher.run("status").returncode == 3
    assert launcher.run("stop").stdout == "not running\n"
    launcher.starts()
    with launcher.connect() as connection:
        assert connection.execute("select n from kept").fetchone() == (1,)


def test_every_role_has_its_own_password_and_no_way_round_row_security(fresh: Launcher) -> None:
    fresh.starts()
    passwords = {role: (fresh.state / "secrets" / f"pg-{role}").read_text() for role in LOGINS}
    assert len(set(passwords.values())) == len(LOGINS)
    for role in LOGINS:
        with fresh.connect(role) as connection:
            assert connection.execute("select current_user").fetchone() == (role,)
    with fresh.connect() as connection:
        rights = connection.execute(
            "select rolname, rolcanlogin, rolcreatedb, rolsuper or rolbypassrls or rolcreaterole"
            " from pg_roles where rolname = any(%s)",
            [[*LOGINS, "matcher"]],
        ).fetchall()
        assert sorted(rights) == sorted(
            [(role, True, role == "owner", False) for role in LOGINS] + [("matcher", False, False, False)]
        )
        connection.execute("create function f() returns int language sql as 'select 1'")
        # As a migration does it: the functions' owner may create only for that moment.
        connection.execute("grant create on schema public to matcher")
        connection.execute("alter function f() owner to matcher")
        connection.execute("revoke create on schema public from matcher")
    with fresh.connect("app") as connection:
        connection.execute("create temporary table t (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table public.t (n int)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=str(fresh.state / "run" / "pg"), user="owner", password="x", dbname="caseload")


def test_secrets_are_for_their_owner_only(launcher: Launcher) -> None:
    launcher.starts()
    for path in [launcher.state / "secrets", *(launcher.state / "secrets").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    words = "\n".join(launcher.processes())
    assert not any(path.read_text().strip() in words for path in (launcher.state / "secrets").iterdir())


def test_valkey_takes_commands_and_nothing_listens_on_the_network(launcher: Launcher) -> None:
    launcher.starts()
    with redis.Redis(unix_socket_path=str(launcher.state / "run" / "valkey.sock")) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
    with launcher.connect() as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_failing_statements_leave_no_client_data_in_the_log(launcher: Launcher) -> None:
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("create table u (name text unique)")
        connection.execute("insert into u values ('Zebedee')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into u values ('Zebedee')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("select 'Zebedee'::integer")  # the first line of this error quotes the value
    with launcher.connect("postgres", database="postgres") as superuser:
        superuser.execute("select pg_reload_conf()")
    log = launcher.state / "log" / "postgres.log"
    eventually(lambda: "received SIGHUP" in log.read_text())  # written after them
    assert "Zebedee" not in log.read_text()


def test_two_checkouts_run_beside_each_other(folder: Path, launchers: Callable[..., Launcher]) -> None:
    one, two = launchers(folder / "one"), launchers(folder / "two")
    one.starts()
    two.starts()
    assert one.run("stop").returncode == 0
    assert two.run("status").returncode == 0


def test_addresses_in_the_environment_win(launcher: Launcher) -> None:
    result = launcher.run(
        "start", DATABASE_URL="postgresql://db.example/x", REDIS_URL="redis://redis.example"
    )
    assert (result.returncode, result.stdout) == (0, "DATABASE_URL and REDIS_URL are set: nothing to start\n")
    assert launcher.run("start", DATABASE_URL="postgresql://db.example/x").returncode == 0
    assert not list(launcher.state.glob("pg*"))


def test_roles_on_another_server(folder: Path, launchers: Callable[..., Launcher]) -> None:
    launcher, other = launchers(folder / "server"), launchers(folder / "client")
    launcher.starts()
    with launcher.connect("postgres", database="postgres") as connection:
        connection.execute("drop database caseload")
        for role in (*LOGINS, "matcher"):
            connection.execute(f"drop role {role}")
        # A managed server's administrator is no superuser.
        connection.execute("create role boss login createdb createrole password 'boss'")
    url = f"postgresql://boss:boss@/postgres?host={launcher.state}/run/pg"
    for _ in range(2):
        result = other.run("roles", "--url", url)
        assert (result.returncode, result.stderr) == (0, "")
        secrets = [path.read_text().strip() for path in (other.state / "secrets").iterdir()]
        assert not any(secret in result.stdout for secret in secrets)
    other_app = (other.state / "secrets" / "pg-app").read_text().strip()
    psycopg.connect(
        host=f"{launcher.state}/run/pg", user="app", password=other_app, dbname="caseload"
    ).close()
    result = other.run("roles", EDATRS_ADMIN_URL=url, EDATRS_APP_PASSWORD="given")
    assert (result.returncode, result.stderr) == (0, "")
    psycopg.connect(host=f"{launcher.state}/run/pg", user="app", password="given", dbname="caseload").close()
    other.refuses("EDATRS_ADMIN_URL", "failed", command=["roles", "--url", url.replace(":boss", ":wrong")])
    other.refuses("EDATRS_ADMIN_URL", "is not set", command=["roles"])
