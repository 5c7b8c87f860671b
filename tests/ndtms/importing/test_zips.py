"""What may be in a zip: told by what it unpacks to, refused in words that name the place and the remedy, and nothing kept."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.models import AuditEvent
from edatrs.core import uploads
from ndtms import zipped
from ndtms.models import ImportFile, ImportRun
from ndtms.zipped import BadZip, files_of
from tests.ndtms.importing import bring

HEADER = b"client_key,agency_code,client_id,reference\n"


def made(*entries: tuple[Any, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of entries, in order, twice the same name if so wished."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, raw in entries:
            archive.writestr(name, raw)
    return out.getvalue()


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    """A symbolic link, as zip programs on Unix write it."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    return info, target.encode()


def encrypted() -> bytes:
    """A zip that says that its file has a password."""
    raw = bytearray(made(("clients.csv", b"a,b\n")))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def lying(size: int) -> bytes:
    """A bomb whose headers say that it is small."""
    raw = bytearray(made(("clients.csv", b"0" * size)))
    directory = raw.index(b"PK\x01\x02")
    raw[22:26] = raw[directory + 24 : directory + 28] = struct.pack("<I", 10)
    return bytes(raw)


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "not a zip": (lambda: b"client_key,nhs_number\n", "no_zip", "This is not a zip"),
    "a zip behind something else": (
        lambda: b"MZ" + made(("clients.csv", b"a\n")),
        "no_zip",
        "This is not a zip",
    ),
    "empty": (lambda: made(), "empty", "holds no files"),
    "cut off": (lambda: made(("clients.csv", HEADER * 99))[:-30], "damaged", "damaged or cut off"),
    "a name that climbs": (
        lambda: made(("../clients.csv", HEADER)),
        "name",
        "../clients.csv has a name that leads out",
    ),
    "a name that climbs from inside": (
        lambda: made(("a/../../clients.csv", HEADER)),
        "name",
        "leads out of the zip",
    ),
    "an absolute name": (
        lambda: made(("/etc/clients.csv", HEADER)),
        "name",
        "/etc/clients.csv has a name that leads out",
    ),
    "a backslash": (lambda: made(("..\\clients.csv", HEADER)), "name", "leads out of the zip"),
    "a drive": (lambda: made(("C:clients.csv", HEADER)), "name", "leads out of the zip"),
    "a folder": (lambda: made(("bundle/clients.csv", HEADER)), "folder", "bundle/clients.csv is in a folder"),
    "an empty folder": (lambda: made(("bundle/", b"")), "folder", "bundle/ is in a folder"),
    "twice": (
        lambda: made(("clients.csv", HEADER), ("clients.csv", HEADER)),
        "twice",
        "clients.csv is in the zip twice",
    ),
    "a link": (lambda: made(link("clients.csv", "/etc/passwd")), "no_file", "clients.csv is a link"),
    "an unknown file": (lambda: made(("notes.txt", b"x")), "unknown", "notes.txt is not a file of a bundle"),
    "another case": (
        lambda: made(("Clients.CSV", HEADER)),
        "unknown",
        "Clients.CSV is not a file of a bundle",
    ),
    "a zip in it": (
        lambda: made(("clients.csv", made(("clients.csv", HEADER)))),
        "nested",
        "clients.csv is itself a zip",
    ),
    "another packing": (
        lambda: made(("clients.csv", HEADER), method=zipfile.ZIP_LZMA),
        "method",
        "Make an ordinary zip",
    ),
    "a password": (encrypted, "encrypted", "clients.csv is protected by a password"),
    "a bomb": (lambda: made(("clients.csv", b"0" * 5_000_000)), "bomb", "clients.csv unpacks to far more"),
    "a bomb that lies": (lambda: lying(5_000_000), "damaged", "clients.csv in the zip is damaged"),
    "very many files": (lambda: made(*((f"{n}.csv", b"") for n in range(51))), "too_many", "51 files"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_zip_is_refused_with_place_and_remedy(name: str) -> None:
    make, why, words = BAD[name]
    with pytest.raises(BadZip) as refused:
        files_of(make())
    assert refused.value.why == why
    assert words in refused.value.lines[0]
    assert all(line.rstrip().endswith(".") and line.isprintable() for line in refused.value.lines)


def test_what_is_too_large_when_unpacked_is_refused_before_it_is_unpacked_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipped, "MOST_UNPACKED", 3 * 1024 * 1024)
    raw = made(("clients.csv", os.urandom(2_000_000)), ("episodes.csv", os.urandom(2_000_000)))
    read = 0
    whole = zipfile.ZipExtFile.read

    def counted(self: Any, n: int = -1) -> bytes:
        nonlocal read
        found = whole(self, n)
        read += len(found)
        return found

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    with pytest.raises(BadZip, match=r"more than 3 MB together when unpacked \(episodes.csv") as refused:
        files_of(raw)
    assert refused.value.why == "too_large"
    assert read < 3 * 1024 * 1024 + 100_000


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(BadZip) as refused:
        files_of(made(("../a", b""), ("b/c.csv", b""), ("d.txt", b"")))
    assert len(refused.value.lines) == 3


def test_a_good_zip_is_read_as_it_is() -> None:
    files = files_of(made(("clients.csv", b"a,b\r\n1,2\r\n")))
    assert list(files) == ["clients.csv"]
    for _ in range(2):
        with files["clients.csv"].open("rb") as stream:
            assert stream.readline() == b"a,b\r\n" and stream.read() == b"1,2\r\n"


@pytest.mark.django_db(transaction=True)
class TestThroughThePage:
    """The same through HTTP: 422, the words at the field, nothing kept, and the refusal on the trail."""

    @pytest.mark.parametrize("name", ["not a zip", "a name that climbs", "a bomb", "a password", "empty"])
    def test_the_words_stand_at_the_field_and_nothing_is_kept(self, name: str) -> None:
        organisation = bring.provider(("E1", "adult"))
        make, why, words = BAD[name]
        answer = bring.send(bring.browser_of(organisation), organisation, make())
        page = answer.content.decode()
        assert answer.status_code == 422 and page.count(words) == 2, "in the summary and at the field"
        self.nothing_is_kept(organisation)
        with bring.acting_for(organisation):
            [event] = AuditEvent.objects.filter(name="ndtms.import_refused")
            assert event.details["why"] == why

    def test_no_file_an_empty_one_and_one_that_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        organisation = bring.provider(("E1", "adult"))
        browser = bring.browser_of(organisation)
        answer = browser.post(
            bring.address(organisation), {"form_id": "c0ffee00-0000-4000-8000-000000000000"}
        )
        assert answer.status_code == 422 and "Choose the zip to import" in answer.content.decode()
        answer = bring.send(browser, organisation, b"")
        assert answer.status_code == 422 and "The file is empty" in answer.content.decode()
        monkeypatch.setattr(uploads, "LONGEST_FILE", 1000)
        answer = bring.send(browser, organisation, b"PK\x03\x04" + os.urandom(300_000))
        assert answer.status_code == 422 and "The file is larger than" in answer.content.decode()
        self.nothing_is_kept(organisation)

    def test_no_upload_is_written_to_a_disk_in_clear(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Django's own handlers would put this into a temporary file."""
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        made_files: list[Any] = []
        monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *a, **k: made_files.append(a) or 1 / 0)
        organisation = bring.provider(("E1", "adult"))
        answer = bring.send(bring.browser_of(organisation), organisation, os.urandom(6_000_000))
        assert answer.status_code == 422
        assert made_files == [] and list(tmp_path.iterdir()) == []

    @staticmethod
    def nothing_is_kept(organisation: Any) -> None:
        with bring.acting_for(organisation):
            assert not ImportRun.objects.exists() and not ImportFile.objects.exists()
