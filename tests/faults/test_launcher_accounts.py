"""As root, as an ordinary user, and in folders that belong to somebody else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NOBODY, Launcher


def test_as_root_postgres_runs_as_an_unprivileged_account(root: None, launcher: Launcher) -> None:
    launcher.starts()
    assert os.stat(f"/proc/{launcher.postmaster}").st_uid != 0
    assert os.stat(f"/proc/{launcher.supervisor}").st_uid == 0
    secrets = launcher.state / "secrets"
    assert (secrets.stat().st_uid, stat.S_IMODE(secrets.stat().st_mode)) == (0, 0o700)


def test_as_root_below_a_private_folder(root: None, folder: Path, launchers: Callable[..., Launcher]) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    launcher = launchers(private / "state", fresh=True)
    launcher.starts()
    data = Path((launcher.state / "data-at").read_text().strip())
    assert data.parent == Path("/var/lib/edatrs")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700  # nobody's folders are opened up for us
    assert launcher.run("stop").returncode == 0
    # The folder that the state points to is gone: said in one line, never replaced by an empty database unseen.
    os.rename(data, f"{data}.away")
    launcher.refuses(str(data), "data-at", "put the folder back")
    os.rename(f"{data}.away", data)
    launcher.starts()
    launcher.refuses(str(folder), "is not the state folder", command=["erase", str(folder)])
    assert launcher.run("erase", str(launcher.state)).returncode == 0
    assert not data.exists()
    assert not launcher.state.exists()


def test_as_root_data_whose_way_was_closed_afterwards(
    root: None, folder: Path, launchers: Callable[..., Launcher]
) -> None:
    launcher = launchers(folder / "later" / "state", fresh=True)
    launcher.starts()
    assert launcher.run("stop").returncode == 0
    (folder / "later").chmod(0o700)
    launcher.refuses(str(folder / "later"), "chmod o+x")
    (folder / "later").chmod(0o711)
    launcher.starts()


def test_as_an_ordinary_user(ordinary: Launcher) -> None:
    ordinary.starts()
    for pid in (ordinary.postmaster, ordinary.supervisor):
        assert os.stat(f"/proc/{pid}").st_uid == NOBODY
    assert stat.S_IMODE((ordinary.state / "secrets").stat().st_mode) == 0o700
    assert ordinary.run("stop").returncode == 0


def test_root_in_an_ordinary_users_state(ordinary: Launcher) -> None:
    as_root = Launcher(ordinary.state)
    as_root.refuses(str(ordinary.state), "nobody", "EDATRS_STATE")
    ordinary.starts()


def test_an_ordinary_user_in_roots_state(ordinary: Launcher, launcher: Launcher, folder: Path) -> None:
    launcher.starts()
    ordinary.refuses(str(launcher.state), "may not use it", "EDATRS_STATE", EDATRS_STATE=str(launcher.state))
    assert launcher.run("status").returncode == 0
    closed = folder / "closed"
    closed.mkdir(mode=0o755)
    ordinary.refuses(str(closed), "EDATRS_STATE", EDATRS_STATE=str(closed / "state"))


def test_sockets_in_a_folder_that_somebody_else_made_first(ordinary: Launcher, folder: Path) -> None:
    squatted = folder / "squatted"
    squatted.mkdir()
    squatted.chmod(0o777)
    ordinary.refuses(str(squatted), "EDATRS_RUN", EDATRS_RUN=str(squatted))
    ordinary.starts()


@pytest.mark.parametrize("name", ["log", "services.lock", "secrets"])
def test_a_file_where_a_folder_belongs(launcher: Launcher, name: str) -> None:
    launcher.state.mkdir()
    in_the_way = launcher.state / name
    if name == "services.lock":
        in_the_way.mkdir()
    else:
        in_the_way.touch()
    launcher.refuses(str(in_the_way), "move it away")
    in_the_way.rename(launcher.state / "moved")
    launcher.starts()
