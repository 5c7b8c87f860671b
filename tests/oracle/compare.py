"""Compares what the product gave with what the oracle says, cell by cell; each difference is one sentence."""

import csv
import io


def read_extract(raw):
    """Rows of an extract as lists of cells; fails on a byte order mark, and on line ends other than CRLF."""
    assert not raw.startswith(b"\xef\xbb\xbf"), "byte order mark"
    assert raw.endswith(b"\r\n"), "the last line has no CRLF"
    return list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))


def extract_differences(raw, submission, limit=20):
    """Differences between the bytes of an extract and a Submission; CMSID aside."""
    rows = read_extract(raw)
    if rows[0] != submission.header:
        return [f"header: {rows[0]} instead of {submission.header}"]
    found = []
    if len(rows) - 1 != len(submission.rows):
        found.append(f"{len(rows) - 1} rows instead of {len(submission.rows)}")
    for number, (cells, expected) in enumerate(zip(rows[1:], submission.rows, strict=False), 1):
        if len(cells) != len(submission.header):
            found.append(f"row {number}: {len(cells)} cells")
            continue
        for name, cell in zip(submission.header, cells, strict=True):
            if name != "CMSID" and cell != expected[name]:
                key = [expected[column] for column in ("AGNCY", "CLIENTID", "EPISODID") if column in expected]
                found.append(f"row {number} {key} {name}: {cell!r} instead of {expected[name]!r}")
        if len(found) > limit:
            break
    return found


def manifest_differences(manifest, preview, submission):
    """Differences of manifest and preview; what only the product can know (submission, sha256) aside."""
    found = []
    for part, ours, theirs in (
        ("manifest", submission.manifest, manifest),
        ("preview", submission.preview, preview),
    ):
        for key in ours:
            if key != "submission" and theirs.get(key) != ours[key]:
                found.append(f"{part} {key}: {theirs.get(key)!r} instead of {ours[key]!r}")
    return found


def count_differences(answer, expected):
    """Differences between two answers of import_caseload; a file that one of them leaves out counts as zeros."""
    found = []
    for kind in ("created", "updated", "unchanged"):
        for file in sorted(set(answer[kind]) | set(expected[kind])):
            if answer[kind].get(file, 0) != expected[kind].get(file, 0):
                found.append(
                    f"{kind} {file}: {answer[kind].get(file, 0)} instead of {expected[kind].get(file, 0)}"
                )
    return found
