"""Encrypted columns: AES-GCM with the version of the key in front, so that keys can be changed while people work.

Keys come from settings.FIELD_KEYS (version -> secret) and are outside the database (design section 4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models


class Undecipherable(ValueError):
    """A stored value that none of our keys opens: a key is missing or the value was tampered with."""


def _key(version: str) -> bytes:
    try:
        secret = settings.FIELD_KEYS[version]
    except KeyError:
        raise Undecipherable(
            f"there is no field key of version {version}: set EDATRS_FIELD_KEY_{version}"
        ) from None
    return hashlib.sha256(b"edatrs-field-key:" + secret.encode()).digest()


def encrypt(text: str) -> str:
    """`version:base64(nonce + ciphertext)` under the current key."""
    version = settings.FIELD_KEY_CURRENT
    nonce = os.urandom(12)
    sealed = AESGCM(_key(version)).encrypt(nonce, text.encode(), version.encode())
    return f"{version}:{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str) -> str:
    """What `encrypt` took. Raises Undecipherable."""
    version, _, body = stored.partition(":")
    raw = base64.b64decode(body)
    try:
        return AESGCM(_key(version)).decrypt(raw[:12], raw[12:], version.encode()).decode()
    except InvalidTag:
        raise Undecipherable("a stored value does not open with its key") from None


def encrypt_bytes(raw: bytes) -> bytes:
    """`version:` + nonce + ciphertext under the current key: for files, which are not made longer by an encoding."""
    version = settings.FIELD_KEY_CURRENT
    nonce = os.urandom(12)
    return version.encode() + b":" + nonce + AESGCM(_key(version)).encrypt(nonce, raw, version.encode())


def decrypt_bytes(stored: bytes) -> bytes:
    """What `encrypt_bytes` took. Raises Undecipherable."""
    version, _, body = bytes(stored).partition(b":")
    try:
        return AESGCM(_key(version.decode("ascii", "replace"))).decrypt(body[:12], body[12:], version)
    except (InvalidTag, ValueError) as problem:
        if isinstance(problem, Undecipherable):
            raise
        raise Undecipherable("a stored file does not open with its key") from None


def seal(raw: bytes, about: str) -> bytes:
    """Bytes under the current key, bound to what they are about (an id): put elsewhere they do not open."""
    version = settings.FIELD_KEY_CURRENT
    nonce = os.urandom(12)
    return (
        version.encode()
        + b":"
        + nonce
        + AESGCM(_key(version)).encrypt(nonce, raw, f"{version}:{about}".encode())
    )


def unseal(stored: bytes, about: str) -> bytes:
    """What `seal` took. Raises Undecipherable."""
    head, _, body = bytes(stored).partition(b":")
    version = head.decode("ascii", errors="replace")
    try:
        return AESGCM(_key(version)).decrypt(body[:12], body[12:], f"{version}:{about}".encode())
    except (InvalidTag, ValueError):
        raise Undecipherable("a stored file does not open with its key") from None


def keyed_hash(purpose: str, text: str) -> str:
    """A keyed, one-way digest in hex: equal texts of one purpose are equal, and nobody without the key can try words."""
    key = hashlib.sha256(b"edatrs-hash-key:" + settings.HASH_KEY.encode()).digest()
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):
    """Text that the database never sees in clear."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return None if value is None else encrypt(str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Decrypt on the way out."""
        return None if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Only emptiness can be asked of a column that is encrypted anew each time."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
