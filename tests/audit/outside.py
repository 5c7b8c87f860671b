"""What lies outside the database in a test: statements signed as the system signs them, and what a partner does with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit import heads, statements
from audit.statements import Signed
from audit.verifier import verify_trail

STRANGER = Ed25519PrivateKey.from_private_bytes(b"somebody else's key, 32 bytes ok")


def sign() -> Signed:
    """A statement now, whether it is due or not."""
    made = heads.sign()
    assert made is not None
    return made


def files() -> list[Path]:
    """The statements outside, by number."""
    return [path for _, path in heads.outside(Path(settings.HEADS_DIR))]


def rewrite(path: Path, key: Ed25519PrivateKey | None = None, **changed: Any) -> None:
    """Another statement in the place of one: with the signature that was there, or signed by a key."""
    outer = json.loads(path.read_bytes())
    body = statements.canonical({**outer["statement"], **changed})
    path.write_bytes(
        statements.signed_line(body, key.sign(body) if key else bytes.fromhex(outer["signature"]))
    )


def check(*words: str | Path) -> int:
    """The stand-alone verifier with our public key; its exit code."""
    return verify_trail.main(["--key", heads.public_key().hex(), *map(str, words)])
