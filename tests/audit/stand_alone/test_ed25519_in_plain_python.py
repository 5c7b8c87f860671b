"""Ed25519 in the one-file verifier: RFC 8032, and what cryptography says of the same signatures."""

from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import statements
from audit.verifier import verify_trail
from tests.audit.outside import STRANGER

# RFC 8032, section 7.1, tests 1 to 3: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


def test_the_vectors_of_the_rfc() -> None:
    for key, message, signature in VECTORS:
        assert verify_trail.is_genuine(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


def test_it_says_what_cryptography_says_of_right_and_damaged_signatures() -> None:
    dice = random.Random(8032)
    for number in range(60):
        key = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), dice.randbytes(number * 5)
        signature = key.sign(message)
        assert verify_trail.is_genuine(public, message, signature)
        for damaged in (public, message or b"x", signature):
            raw = bytearray(damaged)
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            what = {public: 0, message: 1, signature: 2}.get(damaged, 1)
            asked = [public, message, signature]
            asked[what] = bytes(raw)
            assert not verify_trail.is_genuine(*asked), (number, what)
            assert not statements.is_genuine([asked[0]], asked[1], asked[2])


def test_a_second_form_of_a_signature_and_points_that_are_none_are_refused() -> None:
    key = STRANGER.public_key().public_bytes_raw()
    signature = STRANGER.sign(b"x")
    s = int.from_bytes(signature[32:], "little") + verify_trail.L
    assert not verify_trail.is_genuine(key, b"x", signature[:32] + s.to_bytes(32, "little"))
    for not_a_point in (
        (verify_trail.P + 1).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        b"\xff" * 32,
    ):
        assert not verify_trail.is_genuine(not_a_point, b"x", signature)
    for key_, signature_ in ((key[:-1], signature), (key, signature[:-1]), (key, b""), (b"", signature)):
        assert not verify_trail.is_genuine(key_, b"x", signature_)
