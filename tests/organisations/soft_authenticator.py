"""An authenticator in Python: makes passkeys and shows them as a browser would, for tests without one (WebAuthn level 3)."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    """Bytes as WebAuthn's JSON has them."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def data(encoded: str) -> bytes:
    """And back."""
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


class SoftAuthenticator:
    """One passkey. `verifies`: whether it checks the person; `origin`: where the browser says it is."""

    def __init__(self, origin: str = "http://localhost:8000", *, verifies: bool = True) -> None:
        self.origin, self.verifies = origin, verifies
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _authenticator(self, site: str, more: int = 0) -> bytes:
        self.count += 1
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(site.encode()).digest() + struct.pack(">BI", flags, self.count)

    def create(self, asked: dict[str, Any]) -> str:
        """The answer to a question to make one."""
        numbers = self.key.public_key().public_numbers()
        key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )
        held = bytes(16) + struct.pack(">H", len(self.id)) + self.id + key
        made = self._authenticator(asked["rp"]["id"], ATTESTED) + held
        return self._answer(
            clientDataJSON=text(self._client("webauthn.create", asked["challenge"])),
            attestationObject=text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": made})),
            transports=["internal"],
        )

    def get(self, asked: dict[str, Any]) -> str:
        """The answer to a question to show it."""
        client = self._client("webauthn.get", asked["challenge"])
        shown = self._authenticator(asked["rpId"])
        signature = self.key.sign(shown + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=text(client), authenticatorData=text(shown), signature=text(signature)
        )

    def _answer(self, **response: Any) -> str:
        whole = {"id": text(self.id), "rawId": text(self.id), "type": "public-key"}
        return json.dumps({**whole, "clientExtensionResults": {}, "response": response})
