"""Rules of the code that a reader would have to remember (style section 5), read off its syntax."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("edatrs", "audit", "caseload", "consent", "ndtms")
# Marking text as safe, where what is marked was made by format_html: file -> how often.
REVIEWED_SAFE = {"edatrs/core/templatetags/page.py": 1}
MARKS_SAFE = {"mark_safe", "SafeString", "SafeText", "SafeData"}
PAST_THE_MANAGER = {"raw", "extra", "RawSQL", "as_manager"}
# Builds a queryset without a manager, which nothing narrows: (file, name) -> why.
REVIEWED_QUERYSETS = {
    ("edatrs/core/managers.py", "TenantQuerySet"): "the manager itself",
    ("caseload/models/sharing.py", "TenantQuerySet"): "managers of rows that two organisations see",
    (
        "caseload/shared.py",
        "ReachedQuerySet",
    ): "what others share, each function of it narrowed (test_sharing_matrix)",
}


@cache
def tracked() -> tuple[str, ...]:
    """The files of the repository, also where it was unpacked without git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
    left_out = {".venv", "node_modules", "build", "var", "screenshots", "__pycache__", ".hypothesis"}
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in left_out]
        found += [str((Path(folder) / name).relative_to(ROOT)) for name in files]
    return tuple(found)


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    """Every Python file of our apps, parsed."""
    names = [
        name for name in tracked() if name.endswith(".py") and name.startswith(tuple(f"{o}/" for o in OURS))
    ]
    return tuple((name, ast.parse((ROOT / name).read_text(encoding="utf-8"))) for name in names)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """(last name, call) of everything called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            yield name, node


def names(tree: ast.Module) -> Iterator[str]:
    """Every name that is read or imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.split(".")[-1]


def constants(tree: ast.Module) -> set[str]:
    """Names that stand for a text written in the file."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_there_is_something_to_read() -> None:
    assert len(sources()) > 80
    assert {name.split("/")[0] for name, _ in sources()} == set(OURS)


def test_no_page_gives_up_the_form_token() -> None:
    assert [
        name for name, tree in sources() if {"csrf_exempt", "requires_csrf_token"} & set(names(tree))
    ] == []


def test_nothing_marks_data_as_safe() -> None:
    found: dict[str, int] = {}
    for name, tree in sources():
        number = sum(called in MARKS_SAFE for called, _ in calls(tree))
        if number:
            found[name] = number
    assert found == REVIEWED_SAFE


def test_markup_is_written_in_the_file_and_never_put_together() -> None:
    loose = []
    for name, tree in sources():
        known = constants(tree)
        for called, node in calls(tree):
            if called in ("format_html", "format_html_join"):
                markup = node.args[0 if called == "format_html" else 1]
                written = isinstance(markup, ast.Constant) or (
                    isinstance(markup, ast.Name) and markup.id in known
                )
                if not written:
                    loose.append(f"{name}:{node.lineno}")
    assert loose == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"\|\s*safe(seq)?\b",
        r"autoescape\s+off",
        r"\{%\s*debug",
        r"\bhx-on",
        r"\bon\w+\s*=\s*[\"']",
        r"javascript:",
    ],
)
def test_templates_escape_everything_and_run_nothing(pattern: str) -> None:
    templates = [
        name for name in tracked() if name.startswith("templates/") and name.endswith((".html", ".txt"))
    ]
    assert len(templates) > 20
    assert [name for name in templates if re.search(pattern, (ROOT / name).read_text(encoding="utf-8"))] == []


def test_no_query_goes_past_the_manager() -> None:
    found = []
    for name, tree in sources():
        if "/migrations/" in name:
            continue
        found += [f"{name}: {called}" for called, _ in calls(tree) if called in PAST_THE_MANAGER]
        found += [
            f"{name}: {called}"
            for called, _ in calls(tree)
            if called.endswith("QuerySet")
            and (name, called) not in REVIEWED_QUERYSETS
            and not (name == "audit/models/trail.py" and called == "TrailQuerySet")
        ]
    assert found == []


def test_views_ask_selectors_and_services_and_speak_no_sql() -> None:
    views = [
        (name, tree)
        for name, tree in sources()
        if "/views" in name or name.endswith(("views.py", "pages.py"))
    ]
    assert len(views) > 8
    spoken = {name for name, tree in views if {"cursor", "RawSQL"} & set(names(tree))}
    # Readiness asks as which role the process is connected.
    assert spoken == {"edatrs/core/pages.py"}


def test_nothing_is_filtered_ordered_or_named_by_what_somebody_typed() -> None:
    """No `filter(**request.GET.dict())`, no `order_by(request.GET["sort"])` (security.md, Web)."""
    found = []
    for name, tree in sources():
        for called, node in calls(tree):
            if called in (
                "filter",
                "exclude",
                "annotate",
                "alias",
                "order_by",
                "values",
                "values_list",
                "update",
                "create",
            ):
                given = [*node.args, *(k.value for k in node.keywords)]
                typed = {n.attr for part in given for n in ast.walk(part) if isinstance(n, ast.Attribute)} & {
                    "GET",
                    "POST",
                }
                if typed:
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def test_only_the_kernel_opens_what_it_keeps() -> None:
    """guardian, Celery and the settings of row security are each behind one module."""
    for word, allowed in {
        "guardian.shortcuts": {"edatrs/core/guardian.py"},
        # Reads every chain in turn, as the role verifier.
        "set_config('app.": {
            "audit/verification.py",
            "caseload/migrations/0009_sharing.py",  # notes for the rest of the transaction whom the person may not find
            "caseload/migrations/0013_linking.py",  # the same; and asks as each of several organisations, and puts back whose turn it was
        },
        'set_config("app.': set(),
    }.items():
        found = {name for name, _ in sources() if word in (ROOT / name).read_text(encoding="utf-8")}
        assert found == allowed, word


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    private = re.compile(
        rb"registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org/simple|index-url|/root/\.|/home/[a-z]+/|(?<![\w.])/work/\w|"
        rb"file:///|127\.0\.0\.1:\d{4,5}/simple"
    )
    here = Path(__file__).relative_to(ROOT).as_posix()
    looked_for_here = {here, "tests/architecture/test_deployment_files.py"}
    found = [
        f"{name}: {match[0].decode()}"
        for name in tracked()
        if name not in looked_for_here and (match := private.search((ROOT / name).read_bytes()))
    ]
    assert found == []


def test_every_module_and_service_says_what_it_is() -> None:
    without = [
        name
        for name, tree in sources()
        if tree.body and not ast.get_docstring(tree) and "/migrations/" not in name
    ]
    assert without == []
