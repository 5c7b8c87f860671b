"""The list of mismatches is read as a whole or not at all, and every problem names its line and what to do."""

from __future__ import annotations

import pytest

from ndtms import mismatch_file
from ndtms.mismatch_file import BadMismatchFile, MismatchLine, read

HEAD = "agency_code,client_id,episode_id,kind\n"


def problems(text: str | bytes, agency: str = "E1001") -> list[str]:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(BadMismatchFile) as bad:
        read(raw, name="list.csv", agency_code=agency)
    return bad.value.lines


def test_a_list_is_read_whatever_its_line_ends_order_and_mark() -> None:
    wanted = [MismatchLine(2, "C-1", "E1", "missing"), MismatchLine(3, "C, 2", "E2", "differs")]
    text = HEAD + 'E1001,C-1,E1,missing\nE1001,"C, 2",E2,differs\n'
    for raw in (text.encode(), text.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text.encode()):
        assert read(raw, name="l", agency_code="E1001") == wanted
    turned = "kind,episode_id,client_id,agency_code\nmissing,E1,C-1,E1001\n\n"
    assert read(turned.encode(), name="l", agency_code="E1001") == wanted[:1]
    assert read(HEAD.encode(), name="l", agency_code="E1001") == [], "nothing differs"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "list.csv:1: agency_code: is missing in the heading"),
        ("agency_code,client_id,episode_id\n", "list.csv:1: kind: is missing in the heading"),
        ("agency_code,client_id,client_id,episode_id,kind\n", "list.csv:1: client_id: stands twice"),
        ("agency_code,client_id,episode_id,kind,name\n", "list.csv:1: name: is not known"),
        (HEAD + "E1001,C,E\n", "list.csv:2: 3 cells where the heading has 4"),
        (HEAD + "E1001,,E,missing\n", "list.csv:2: client_id: is empty"),
        (HEAD + "E1001,C,E,gone\n", "list.csv:2: kind: gone is not known. It is one of missing, not-taken"),
        (HEAD + "E9999,C,E,missing\n", "list.csv:2: agency_code: E9999 is another agency code than E1001"),
        (HEAD + "E1001,C,E,missing\nE1001,C,E,missing\n", "list.csv:3: the same as line 2"),
        (HEAD + f"E1001,{'C' * 101},E,missing\n", "list.csv:2: client_id: longer than 100 characters"),
        (HEAD + 'E1001,"C,E,missing\n', "list.csv:2: no CSV"),
        (HEAD.encode() + b"E1001,\xff,E,missing\n", "list.csv:2: not UTF-8"),
        (HEAD + "E1001,\0,E,missing\n", "list.csv:2: holds a zero byte"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str | bytes, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_every_problem_is_told_at_once_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(HEAD + "E9999,,E,gone\nE1001,C,E,missing\nE1001,C,,missing\n")
    assert [line.split(": ")[0] + ":" + line.split(": ")[1] for line in found] == [
        "list.csv:2:client_id",
        "list.csv:2:agency_code",
        "list.csv:2:kind",
        "list.csv:4:episode_id",
    ]
    assert len(problems(HEAD + "E1001,,E,missing\n" * 1000)) == mismatch_file.MOST_PROBLEMS
    monkeypatch.setattr(mismatch_file, "MOST_LINES", 2)
    many = HEAD + "".join(f"E1001,C,E{n},missing\n" for n in range(3))
    assert problems(many) == ["list.csv:4: more than 2 lines. Send one agency code at a time"]
    monkeypatch.setattr(mismatch_file, "MOST_BYTES", 10)
    assert "larger than" in problems(HEAD)[0]
