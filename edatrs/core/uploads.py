"""How files come in: kept in memory up to a limit and never written to a disk in clear, whoever sends them and wherever."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers

# Of one file, in bytes. What is longer is read to its end and forgotten: the form then says that it was too large.
LONGEST_FILE = 20 * 1024 * 1024
# Of all files of one request together.
_LONGEST_REQUEST = 2 * LONGEST_FILE


class TooLarge(InMemoryUploadedFile):
    """Stands for a file that was longer than the limit: it holds nothing, and `size` is the least it had."""


class MemoryUploadHandler(FileUploadHandler):
    """Django's own handlers write what is large into a temporary file; this one has no such way."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._all = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file. No other handler gets it."""
        super().new_file(*args, **kwargs)
        self._held: io.BytesIO | None = io.BytesIO()
        self._size = 0
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece, or let go of the whole once it is too much."""
        self._size += len(raw_data)
        self._all += len(raw_data)
        if self._held is not None:
            if self._size > LONGEST_FILE or self._all > _LONGEST_REQUEST:
                self._held = None
            else:
                self._held.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The file, or what stands for one that was too large."""
        kind = InMemoryUploadedFile if self._held is not None else TooLarge
        held = self._held or io.BytesIO()
        held.seek(0)
        return kind(
            file=held,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=self._size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
