"""A signature drawn on screen, as the page sends it: a PNG in a data address. Pure."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib

from consent.choices import FileKind
from consent.uploads import SignedForm

PREFIX = "data:image/png;base64,"
MOST_CHARACTERS = 400_000
_HEAD = b"\x89PNG\r\n\x1a\n"
_WIDEST, _HIGHEST = 4000, 2000
AGAIN = "The signature did not arrive whole. Clear it and let the client sign again"
EMPTY = "Nothing is drawn. Let the client sign on the line, or choose another way"


class NotASignature(ValueError):
    """What was sent is no drawing; the message says what to do."""


def read_signature(text: str) -> SignedForm:
    """The drawing. Raises NotASignature: not a PNG of a canvas, cut short, too large, or nothing is drawn on it."""
    if not text.startswith(PREFIX) or len(text) > MOST_CHARACTERS:
        raise NotASignature(AGAIN)
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        drawn = _is_drawn(raw)
    except (binascii.Error, ValueError, struct.error, zlib.error):
        raise NotASignature(AGAIN) from None
    if not drawn:
        raise NotASignature(EMPTY)
    return SignedForm(FileKind.PNG, raw)


def _is_drawn(raw: bytes) -> bool:
    """Whether any pixel of a canvas (8 bits, red green blue alpha, not interlaced) is not clear. Raises ValueError on any other picture."""
    if not raw.startswith(_HEAD):
        raise ValueError("not a PNG")
    at, packed, row, height, ended = len(_HEAD), b"", 0, 0, False
    while at < len(raw) and not ended:
        length, kind = struct.unpack(">I4s", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            if (
                (bits, colour, interlaced) != (8, 6, 0)
                or not 0 < width <= _WIDEST
                or not 0 < height <= _HIGHEST
            ):
                raise ValueError("not the picture of a canvas")
            row = 1 + 4 * width
        elif kind == b"IDAT":
            packed += body
        ended = kind == b"IEND"
        at += 12 + length
    if not ended or not row:
        raise ValueError("cut short")
    pixels = zlib.decompressobj().decompress(packed, row * height)
    if len(pixels) != row * height:
        raise ValueError("cut short")
    # The first byte of a row says how it is packed; a clear canvas is zeros whichever way.
    return any(any(pixels[start + 1 : start + row]) for start in range(0, len(pixels), row))
