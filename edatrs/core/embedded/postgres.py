"""PostgreSQL: making the data folder, starting the server, getting over a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import binaries, keep, paths, processes, roles
from .errors import Trouble, no_space

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
# A fresh data folder with its first write-ahead log; with less, initdb would stop half-way.
NEEDED_BYTES = int(os.environ.get("EDATRS_PG_NEEDED_BYTES") or 100_000_000)
# Recovery after a kill replays at most max_wal_size, but a slow disk takes its time over it.
START_SECONDS = 300

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    # A statement over all tables of an organisation, as the tests make, locks each of them with its indexes.
    "max_locks_per_transaction": "256",
    "shared_buffers": "256MB",
    "effective_cache_size": "4GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "wal_level": "replica",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # costs more than it saves on the short queries of pages
    "log_timezone": "UTC",
    # What a failing statement held is client data, and a log is read by people who may not see it.
    # The first line of an error quotes a value too ("invalid input syntax for …"): what a statement did wrong is logged by who sent it.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
# For tests, whose data is worth nothing after a crash of the machine.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_init_zero": "off",
    # Between tests it would find every table empty, and plan the next test's questions for empty tables.
    "autovacuum": "off",
    "min_wal_size": "32MB",
}


def fast() -> bool:
    """Whether this server only serves tests."""
    return os.environ.get("EDATRS_PG_FAST") == "1"


class Server:
    """The PostgreSQL of this state folder. Its owner holds the lock."""

    name = "PostgreSQL"

    def __init__(self) -> None:
        """Find the programs and the data, making the data folder when there is none. Raises Trouble, OSError."""
        self.process: subprocess.Popen[bytes] | None = None
        found = binaries.postgres()
        self.run = paths.make_run_dir()
        root = paths.make_data_root()
        self.data = root / f"pg{found.major}"
        refuse_other_major(root, found)
        self.account = paths.service_account()
        self.programs = binaries.within_reach(found, self.account)
        self.log = paths.state_dir() / "log" / "postgres.log"
        if not (self.data / "PG_VERSION").exists():
            self.make_data()
        elif not keep.has_secret(f"pg-{SUPERUSER}"):
            raise Trouble(
                keep.secrets_dir() / f"pg-{SUPERUSER}",
                f"is missing, and only it opens the database in {self.data}",
                "put it back from your backup, or move that folder away to begin with an empty database",
            )

    def __str__(self) -> str:
        return f"PostgreSQL {self.programs.version}"

    def make_data(self) -> None:
        """Run initdb in a folder beside the real one and rename it when done: a kill leaves no half of it."""
        for left in self.data.parent.glob(f"{self.data.name}.new*"):
            shutil.rmtree(left, ignore_errors=True)
        # A name of its own: the initdb of a launcher that was killed may still be tidying up after itself.
        draft = self.data.with_name(f"{self.data.name}.new{os.getpid()}")
        if self.data.exists():
            if any(self.data.iterdir()):
                raise Trouble(self.data, "holds files but no PostgreSQL data", "move it away")
            self.data.rmdir()
        if shutil.disk_usage(draft.parent).free < NEEDED_BYTES:
            raise Trouble(
                draft.parent,
                f"no space left on the disk for a database ({NEEDED_BYTES // 1_000_000} MB)",
                "free some space, or set EDATRS_STATE to a folder on another disk",
            )
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.uid, self.account.gid)
        password = keep.secret(f"pg-{SUPERUSER}")
        reader, writer = os.pipe()
        try:
            if self.account:
                # /dev/fd/N is opened anew by the other account, which must own what it opens.
                os.fchown(reader, self.account.uid, self.account.gid)
            os.write(writer, password.encode() + b"\n")
            os.close(writer)
            options = ["--locale=C.UTF-8"]
            if self.programs.major >= 17:
                options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if fast():
                # Small segments: a test's database writes little, and 16 MB ones cost more than the rest of initdb.
                options += ["--no-sync", "--wal-segsize=1"]
            process = processes.spawn(
                [
                    self.programs.folder / "initdb",
                    "-D",
                    draft,
                    "-U",
                    SUPERUSER,
                    "-E",
                    "UTF8",
                    "-A",
                    "scram-sha-256",
                ]
                + [f"--pwfile=/dev/fd/{reader}", "--data-checksums", "--no-instructions", *options],
                account=self.account,
                death_signal=signal.SIGTERM,  # on which it ends its own children too
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(reader,),
            )
            said = process.communicate()[0].decode("utf-8", "replace")
        finally:
            os.close(reader)
        if process.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise explain(said, draft.parent, self.log, "initdb failed")
        os.rename(draft, self.data)

    def start(self) -> None:
        """Start the server and return when it answers. Raises Trouble, OSError."""
        processes.clear_out(self.data)
        # With nobody left in the folder its pid file is stale, and the pid in it may by now be somebody else's.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for left in (self.run / "pg").glob(f"{paths.PG_SOCKET}*"):
            left.unlink()
        settings = SETTINGS | (FAST_SETTINGS if fast() else {})
        words: list[object] = [self.programs.folder / "postgres", "-D", self.data, "-k", self.run / "pg"]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        output, offset = processes.open_log(self.log)
        with output:
            self.process = processes.spawn(
                words,
                account=self.account,
                death_signal=signal.SIGINT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + START_SECONDS
        while not answers(self.run, self.data):
            if self.process.poll() is not None:
                raise explain(
                    processes.tail_since(self.log, offset), self.data, self.log, "PostgreSQL stopped"
                )
            if time.monotonic() > until:
                raise Trouble(
                    self.data, f"PostgreSQL does not answer after {START_SECONDS} seconds", f"read {self.log}"
                )
            time.sleep(0.02)
        self.ensure_roles(offset)

    def ensure_roles(self, offset: int) -> None:
        """Roles, passwords and database. Raises Trouble."""
        import psycopg

        try:
            with connect(self.run, "postgres") as connection:
                roles.ensure_roles(connection, {role: keep.secret(f"pg-{role}") for role in roles.LOGINS})
            with connect(self.run, roles.DATABASE) as connection:
                roles.ensure_schema(connection)
        except psycopg.Error as error:
            said = f"{error} {processes.tail_since(self.log, offset)}"
            raise explain(said, self.data, self.log, f"PostgreSQL refused ({str(error).strip()})") from error

    def stop(self) -> None:
        """Stop in order: open transactions are rolled back, the data is written."""
        if self.process:
            processes.stop(self.process, signal.SIGINT, signal.SIGQUIT)


def connect(run: Path, database: str) -> psycopg.Connection[Any]:
    """A connection as the superuser, in autocommit. Raises psycopg.OperationalError, and Trouble."""
    import psycopg

    return psycopg.connect(
        host=str(run / "pg"),
        port=5432,
        user=SUPERUSER,
        password=keep.secret(f"pg-{SUPERUSER}"),
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def answers(run: Path, data: Path) -> bool:
    """Whether a server takes connections there. Raises Trouble when it refuses our password."""
    import psycopg

    try:
        connect(run, "postgres").close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Trouble(
                keep.secrets_dir() / f"pg-{SUPERUSER}",
                f"does not open the database in {data}",
                "put the file back from your backup, or move that folder away to begin with an empty database",
            ) from error
        return False
    return True


def refuse_other_major(root: Path, found: binaries.Postgres) -> None:
    """Raise Trouble when the data here is another PostgreSQL's: starting empty beside it would look like loss."""
    mine = f"pg{found.major}"
    folders = paths.data_folders(root)
    for folder in folders:
        major = (folder / "PG_VERSION").read_text().strip()
        if folder.name == mine and major != str(found.major):
            break
    else:
        if not folders or mine in [folder.name for folder in folders]:
            return
        folder = folders[0]
        major = (folder / "PG_VERSION").read_text().strip()
    raise Trouble(
        folder,
        f"was made by PostgreSQL {major}, and this is PostgreSQL {found.version}",
        f"set EDATRS_PG_BIN to the bin folder of a PostgreSQL {major}, or move the folder away to begin with an "
        "empty database",
    )


def explain(said: str, data: Path, log: Path, what: str) -> Trouble:
    """Turn what PostgreSQL said when it failed into trouble with a remedy."""
    if "No space left on device" in said or "Disk quota exceeded" in said or paths.full(data):
        return no_space(data)
    if "could not map anonymous shared memory" in said or "Cannot allocate memory" in said:
        return Trouble(
            "memory", "too little for PostgreSQL", "end other programs, or set DATABASE_URL to another server"
        )
    if "could not access directory" in said or "Permission denied" in said:
        return Trouble(
            data, "PostgreSQL may not use it", "run as the account that owns it, or set EDATRS_STATE"
        )
    reasons = [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line or "error:" in line]
    reason = f" ({reasons[0].split(':', 1)[1].strip()})" if reasons and ":" in reasons[0] else ""
    return Trouble(data, f"{what}{reason}", f"read {log}")
