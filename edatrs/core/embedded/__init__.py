"""Real PostgreSQL and Valkey with nothing installed by hand, and the secrets of this installation.

Settings ask here for addresses and secrets; `python -m edatrs.core.embedded start` runs the servers.
Nothing in this package imports Django: it runs before there are settings.
"""

from __future__ import annotations

from .errors import Trouble
from .keep import secret
from .paths import PG_SOCKET, known_run_dir, run_dir, state_dir
from .roles import DATABASE, LOGINS, ensure_roles

__all__ = [
    "PG_SOCKET",
    "Trouble",
    "database",
    "ensure_roles",
    "redis_socket",
    "redis_url",
    "run_dir",
    "secret",
    "state_dir",
]


def database(role: str = "app") -> dict[str, str]:
    """Django's connection settings of the embedded server for one of its roles.

    Reads only that role's password. Raises ValueError for an unknown role, Trouble when its
    password cannot be read.
    """
    if role not in LOGINS:
        raise ValueError(f"no such database role: {role!r}")
    return {
        "NAME": DATABASE,
        "HOST": str(known_run_dir() / "pg"),
        "PORT": "5432",
        "USER": role,
        "PASSWORD": secret(f"pg-{role}"),
    }


def redis_socket() -> str:
    """The path of Valkey's socket."""
    return str(known_run_dir() / "valkey.sock")


def redis_url() -> str:
    """Valkey's address as Celery reads it."""
    return f"redis+socket://{redis_socket()}?virtual_host=0"
