"""Valkey: the broker that wakes the workers. What it holds is only a hint; the truth is in PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import binaries, paths, processes
from .errors import Trouble, no_space

START_SECONDS = 60


class Server:
    """The Valkey of this state folder. Its owner holds the lock."""

    name = "Valkey"

    def __init__(self) -> None:
        """Find the program and make the folders. Raises Trouble, OSError."""
        self.process: subprocess.Popen[bytes] | None = None
        self.program = binaries.valkey()
        self.socket = paths.make_run_dir() / "valkey.sock"
        self.data = paths.state_dir() / "valkey"
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.log = paths.state_dir() / "log" / "valkey.log"

    def __str__(self) -> str:
        return "Valkey"

    def start(self) -> None:
        """Start the server and return when it answers. Raises Trouble, OSError."""
        try:
            self.launch()
        except Trouble:
            kept = self.data / "appendonlydir"
            if not kept.exists() or paths.full(self.data):
                raise
            # A broken file of hints must not keep the truth from being served: the sweeper sends what is due.
            aside = self.data / "appendonlydir.broken"
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(kept, aside)
            self.launch()

    def launch(self) -> None:
        """One try at starting. Raises Trouble."""
        processes.clear_out(self.data)
        self.socket.unlink(missing_ok=True)
        output, offset = processes.open_log(self.log)
        # It runs as ourselves, root or not: whoever reaches its socket may give the workers work, and as `nobody`
        # every other program of that account could.
        words: list[object] = [
            self.program,
            "--port",
            "0",
            "--unixsocket",
            self.socket,
            "--unixsocketperm",
            "700",
        ]
        words += ["--dir", self.data, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
        words += ["--daemonize", "no"]
        with output:
            self.process = processes.spawn(
                words, account=None, death_signal=signal.SIGTERM, stdout=output, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + START_SECONDS
        while not answers(self.socket):
            if self.process.poll() is not None or time.monotonic() > until:
                processes.stop(self.process, signal.SIGTERM)
                said = processes.tail_since(self.log, offset)
                raise explain(said, self.data, self.log)
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop in order: what was accepted is written."""
        if self.process:
            processes.stop(self.process, signal.SIGTERM)


def answers(socket: Path) -> bool:
    """Whether a server takes commands at this socket."""
    import redis

    try:
        with redis.Redis(unix_socket_path=str(socket), socket_timeout=5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def explain(said: str, data: Path, log: Path) -> Trouble:
    """Turn what Valkey said when it failed into trouble with a remedy."""
    if "No space left on device" in said or paths.full(data):
        return no_space(data)
    if "Permission denied" in said:
        return Trouble(data, "Valkey may not use it", "run as the account that owns it, or set EDATRS_STATE")
    return Trouble(
        data, "Valkey does not start", f"read {log}, or move the folder away: it holds no client data"
    )
