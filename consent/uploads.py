"""A signed form that is sent in: what it may be, told by its bytes. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from consent.choices import FileKind

MOST_BYTES = 5 * 1024 * 1024
MOST_WORDS = "5 MB"
# First bytes, and bytes that must stand at the end (white space after them is allowed): a file cut short is refused.
_MARKS: dict[FileKind, tuple[bytes, bytes]] = {
    FileKind.PDF: (b"%PDF-", b"%%EOF"),
    FileKind.PNG: (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    FileKind.JPEG: (b"\xff\xd8\xff", b"\xff\xd9"),
}
CONTENT_TYPES = {FileKind.PDF: "application/pdf", FileKind.PNG: "image/png", FileKind.JPEG: "image/jpeg"}
ENDINGS = {FileKind.PDF: "pdf", FileKind.PNG: "png", FileKind.JPEG: "jpg"}
# Scanners and cameras add a little after the end mark.
_TAIL = 2048


class NotAForm(ValueError):
    """The file cannot be kept; the message says why and what to do."""


@dataclass(frozen=True)
class SignedForm:
    """A file that may be kept."""

    kind: FileKind
    raw: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()


def read_form(raw: bytes) -> SignedForm:
    """The file as a signed form. Raises NotAForm: too long, empty, cut short, or nothing that we take, whatever its name says."""
    if not raw:
        raise NotAForm("The file is empty. Choose the scan or photo of the signed form.")
    if len(raw) > MOST_BYTES:
        raise NotAForm(
            f"The file is larger than {MOST_WORDS}. Scan it again with a lower resolution, or as black and white."
        )
    for kind, (begin, end) in _MARKS.items():
        if raw.startswith(begin):
            if end not in raw[-_TAIL:]:
                raise NotAForm("The file is cut short. Scan or save it again, then choose it once more.")
            return SignedForm(kind, raw)
    raise NotAForm("The file is not a PDF, PNG or JPEG. Save the scan or photo as one of these.")
