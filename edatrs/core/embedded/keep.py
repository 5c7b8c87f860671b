"""Secrets of this installation: made once, kept in files that only their owner reads."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from .errors import Trouble, from_os_error
from .paths import make_state_dir, state_dir

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")


def secrets_dir() -> Path:
    """Where the secrets lie. A process may be given a folder with only its own: `EDATRS_SECRETS`."""
    named = os.environ.get("EDATRS_SECRETS")
    return Path(os.path.realpath(named)) if named else state_dir() / "secrets"


def has_secret(name: str) -> bool:
    """Whether the secret has been made."""
    return (secrets_dir() / name).exists()


def secret(name: str, nbytes: int = 32) -> str:
    """The secret of that name, as URL-safe text of `nbytes` random bytes; made when there is none.

    Two processes that ask at once get the same one. Raises Trouble when it can be neither read nor made.
    """
    if not NAME.match(name):
        raise ValueError(f"not a name for a secret: {name!r}")
    path = secrets_dir() / name
    try:
        return read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise from_os_error(error, path) from error
    draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        make_state_dir()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(nbytes) + "\n")
                file.flush()
                os.fsync(file.fileno())
            # A link, not a rename: it fails when somebody was first, and then theirs is the secret.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
        return read(path)
    except OSError as error:
        raise from_os_error(error, path) from error


def read(path: Path) -> str:
    """The text of a secret's file. Raises OSError, and Trouble when it is empty."""
    text = path.read_text().strip()
    if not text:
        raise Trouble(
            path, "is empty", "put it back from your backup; only if nothing was kept with it, remove it"
        )
    return text
