"""Where things lie: the state folder, the sockets, PostgreSQL's data.

Everything is worked out from `EDATRS_STATE` (default: `var` in the project), so that a client and the
launcher find the same places without asking each other.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from .errors import Trouble

PROJECT = Path(__file__).resolve().parents[3]
# Linux keeps a socket's address in 108 bytes, the last of them a NUL.
SOCKET_LIMIT = 107
PG_SOCKET = ".s.PGSQL.5432"
# Only root ever needs it: PostgreSQL runs as another account, which cannot walk into root's own folders.
SYSTEM_FOLDER = Path("/var/lib/edatrs")
SHORT_FOLDERS = Path("/tmp")  # noqa: S108  the name below carries a hash, and the owner is checked before use


@dataclass(frozen=True)
class Account:
    """The unprivileged account that PostgreSQL runs as when we are root."""

    name: str
    uid: int
    gid: int


def state_dir() -> Path:
    """The folder of everything that a run leaves behind; it need not exist yet."""
    return Path(os.path.realpath(os.environ.get("EDATRS_STATE") or PROJECT / "var"))


def make_state_dir() -> Path:
    """Create the state folder when missing. Raises OSError, and Trouble when it is somebody else's."""
    state = state_dir()
    # As root PostgreSQL's account walks through it; what is secret lies in a 0700 folder inside.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    state.mkdir(mode=mode, parents=True, exist_ok=True)
    owner = state.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        # What root writes there its owner could no longer read, nor replace.
        raise Trouble(
            state,
            f"belongs to the account {name_of(owner)}, and this is root",
            "run as that account, or set EDATRS_STATE to a folder of your own",
        )
    (state / "log").mkdir(mode=0o700, exist_ok=True)
    return state


def name_of(uid: int) -> str:
    """An account's name, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def run_dir() -> Path:
    """The folder of the sockets: `run` in the state folder, or a short one where that cannot serve."""
    named = os.environ.get("EDATRS_RUN")
    if named:
        return Path(os.path.abspath(named))
    state = state_dir()
    usual = state / "run"
    account = service_account()
    if fits(usual) and not (account and barrier(state, account)):
        return usual
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
    return SHORT_FOLDERS / f"edatrs-{digest}"


def known_run_dir() -> Path:
    """The run folder as a client uses it. Raises Trouble when somebody else sits there waiting for passwords."""
    run = run_dir()
    if run.exists():
        refuse_foreign(run)
    return run


def fits(run: Path) -> bool:
    """Whether a socket in this run folder has an address that Linux takes."""
    return len(os.fsencode(run / "pg" / PG_SOCKET)) <= SOCKET_LIMIT


def make_run_dir() -> Path:
    """Create the run folder and the folders inside it. Raises Trouble when it is too long or not ours."""
    run, account = run_dir(), service_account()
    if not fits(run):
        raise Trouble(
            run,
            f"too long for a socket ({SOCKET_LIMIT} bytes at most)",
            "set EDATRS_RUN to a shorter folder of your own",
        )
    root = os.geteuid() == 0
    run.mkdir(mode=0o711 if root else 0o700, parents=True, exist_ok=True)
    refuse_foreign(run)
    if account and (closed := barrier(run, account)):
        raise Trouble(
            closed,
            f"the account {account.name}, which PostgreSQL runs as, cannot enter it",
            f"set EDATRS_RUN to a folder that it can reach, or chmod o+x {closed}",
        )
    pg = run / "pg"
    pg.mkdir(mode=0o711 if root else 0o700, exist_ok=True)
    if account:
        os.chown(pg, account.uid, account.gid)
    return run


def leave_run_dir() -> None:
    """Remove the run folder when it was one of the short ones: nobody would look for it there."""
    run = run_dir()
    if run.parent != SHORT_FOLDERS:
        return
    for file in [run / "valkey.sock", *(run / "pg").glob(f"{PG_SOCKET}*")]:
        file.unlink(missing_ok=True)
    for folder in (run / "pg", run):
        try:
            folder.rmdir()
        except OSError:
            pass  # missing, or it holds what others put there


def refuse_foreign(run: Path) -> None:
    """Raise Trouble when somebody else made this folder: /tmp is everybody's, and names can be guessed."""
    info = os.lstat(run)
    owners = {0, os.geteuid()}
    try:
        owners.add(state_dir().stat().st_uid)
    except OSError:
        pass  # no state folder yet: then only we and root may own the run folder
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in owners or info.st_mode & 0o022:
        raise Trouble(
            run,
            "is not a folder that only this account can write",
            "remove it, or set EDATRS_RUN to a short folder of your own",
        )


def service_account() -> Account | None:
    """Who PostgreSQL runs as: None for ourselves; as root the data's owner, else `postgres`, else `nobody`.

    Raises Trouble when root has nobody to become.
    """
    if os.geteuid() != 0:
        return None
    for folder in data_folders(data_root()):
        info = folder.stat()
        if info.st_uid != 0:
            return Account(name_of(info.st_uid), info.st_uid, info.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise Trouble(
        "account postgres",
        "PostgreSQL refuses to run as root, and there is neither this account nor nobody",
        "run as an ordinary user, or set DATABASE_URL",
    )


def barrier(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path`, itself included, that the account cannot enter."""
    real = Path(os.path.realpath(path))
    for folder in [*reversed(real.parents), real]:
        try:
            info = folder.stat()
        except FileNotFoundError:
            return None  # what is missing is made by us, open enough
        if info.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif info.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not info.st_mode & needed:
            return folder
    return None


def data_root() -> Path:
    """The folder that holds PostgreSQL's data folders: the state folder, or where `data-at` in it points."""
    try:
        return Path((state_dir() / "data-at").read_text().strip())
    except FileNotFoundError:
        return state_dir()


def make_data_root() -> Path:
    """Find or make a place for the data that PostgreSQL's account can walk to. Raises Trouble, OSError."""
    state, account, root = state_dir(), service_account(), data_root()
    if root != state and not root.is_dir():
        raise Trouble(
            root,
            f"is missing, and {state / 'data-at'} says that the data is there",
            "put the folder back, or remove that file to begin with an empty database",
        )
    closed = account and barrier(root, account)
    if not account or not closed:
        return root
    if data_folders(root):
        raise Trouble(
            closed,
            f"the account {account.name}, which owns the data in {root}, cannot enter it",
            f"chmod o+x {closed}",
        )
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:8]
    # A random part: a state folder that was removed by hand leaves its data, which must never be mixed in.
    elsewhere = SYSTEM_FOLDER / f"{digest}-{secrets.token_hex(4)}"
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)
    elsewhere.mkdir(mode=0o711)
    write_whole(state / "data-at", f"{elsewhere}\n")
    return elsewhere


def data_folders(root: Path) -> list[Path]:
    """The data folders that PostgreSQL has filled, newest major first."""
    found = []
    for marker in root.glob("pg*/PG_VERSION") if os.access(root, os.R_OK | os.X_OK) else []:
        if marker.parent.name[2:].isdigit():
            found.append(marker.parent)
    return sorted(found, key=lambda folder: int(folder.name[2:]), reverse=True)


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a small file in one step: a reader, or a kill, sees the old text or the new. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def full(folder: Path) -> bool:
    """Whether the disk of a folder is so full that a server cannot even write to its log why it stopped."""
    usage = os.statvfs(folder)
    return usage.f_bavail * usage.f_frsize < 1_000_000
