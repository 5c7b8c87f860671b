"""Each check of the one-file verifier taken out is noticed."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from audit import heads
from audit.verifier import verify_trail
from tests.audit.mutants import mutant
from tests.audit.outside import STRANGER, files, rewrite
from tests.audit.stand_alone.place import (
    Place,
    _left,
    cut,
    cut_before_the_end,
    damaged,
    deleted,
    edited,
    end_forged,
    in_database,
    said,
)
from tests.audit.vandal import Vandal

EXPORT_CHECKS = (
    ("if previous != hashed:", "if False:", edited),
    ("if sequence > number:", "if False:", deleted),
    (
        "return _bytes(_add(_times(s, BASE), _times(k, minus_a))) == signature[:32]",
        "return True",
        end_forged,
    ),
    ("if end is None:", "if False:", cut),
    ("!= [chain, len(hashes), len(hashes), last.hex()]:", "is None:", cut_before_the_end),
)


def test_a_check_of_the_export_that_is_taken_out_is_noticed(place: Place, capsys: Any) -> None:
    whole = place.export()
    for old, new, change in EXPORT_CHECKS:
        path = damaged(whole, change)
        noticed(verify_trail, path, change, capsys)
        with pytest.raises(AssertionError):
            noticed(mutant("audit.verifier.verify_trail", old, new), path, change, capsys)


def noticed(module: Any, path: Path, change: Any, capsys: Any) -> None:
    """The verifier finds what was done to the file, and says it."""
    try:
        code = module.main(["--key", heads.public_key().hex(), "--export", str(path)])
    except TypeError:  # what is missing was needed further on
        code = 0
    words = said(capsys)
    expected = {edited: "entry 7 was changed", deleted: "entry 7 is missing"}.get(change, "FOUND")
    assert code == 1 and expected in words


HEADS_CHECKS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("if not self.signed(body, signature):", "if False:", {}, "stranger"),
    (
        "if now.number == before.number + 1 and now.previous != before.digest:",
        "if False:",
        {"previous": "0" * 64},
        "ours",
    ),
    ("if now.at < before.at:", "if False:", {"at": "2020-01-01T00:00:00.000000Z"}, "ours"),
    ("            if entries < sequence:", "            if False:", {"heads": []}, "ours"),
)


def test_a_check_of_the_heads_that_is_taken_out_is_noticed(place: Place) -> None:
    def seen(module: Any) -> None:
        assert module.main(["--key", heads.public_key().hex(), "--heads", str(settings.HEADS_DIR)]) == 1

    was = files()[1].read_bytes()
    for old, new, changed, key in HEADS_CHECKS:
        rewrite(files()[1], STRANGER if key == "stranger" else heads.private_key(), **changed)
        seen(verify_trail)
        with pytest.raises(AssertionError):
            seen(mutant("audit.verifier.verify_trail", old, new))
        files()[1].write_bytes(was)


@pytest.mark.parametrize("old", ["elif hashes[sequence - 1] != hashed:", "elif sequence > len(hashes):"])
def test_an_export_must_agree_with_the_heads_or_it_is_noticed(
    place: Place, owner_connection: Any, old: str
) -> None:
    in_database(place, owner_connection, "rewritten" if "hashed" in old else "truncated")
    try:
        path = place.export()
    finally:
        Vandal.__exit__(_left(owner_connection))

    def seen(module: Any) -> None:
        try:
            code = module.main(["--key", heads.public_key().hex(), "--export", str(path)])
        except IndexError:
            code = 0
        assert code == 1

    seen(verify_trail)
    with pytest.raises(AssertionError):
        seen(mutant("audit.verifier.verify_trail", old, "elif False:"))


def test_the_file_is_one_and_imports_nothing_of_ours() -> None:
    text = Path(verify_trail.__file__).read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
        )
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= set(sys.stdlib_module_names) and "socket" not in imported and "urllib" not in imported
    assert os.path.getsize(verify_trail.__file__) < 40_000
