"""Every control has a mutant, and every mutant is killed by a named test that runs alone and fails on an assertion (issue 4, Shows).

In the normal run: nothing that decides who sees what is without a line in the register, and every line still fits the product. In the long
run (`make mutants`): each one is made in a copy of the database or of a module, in a process of its own, and its test is asked.
"""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import importlib.util
import os
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models

from caseload.models import SharingGrant
from edatrs.core import database_lint
from tests.core.world import managers
from tests.mutants.register import KINDS, Mutant, lines, mutants, states
from tests.mutants.runner import ROOT, Runner, all_of

# The lines of the table of states in access.md.
STATES = {"grant", "membership", "left", "sensitive", "conflict", "restricted", "gone", "again"}
# A date of a grant that decides nothing: when the row was made.
DECIDES_NOTHING = {"created_at"}
# Where the clocks of the trail, of emergency access, of consent and of the protocol stand.
CLOCKS = (
    "audit.heads",
    "caseload.services.emergency",
    "consent.sharing.rules",
    "consent.sharing.reminders",
    "consent.asks.rules",
    "caseload.linked",
    "edatrs.organisations.protocol",
)
# What a chain, and a signed statement of the heads, is made of.
OF_A_CHAIN = {"sequence", "previous", "hash", "mac", "chain", "head", "flush", "grants", "reconciliation"}
OF_A_STATEMENT = {"signature", "number", "previous", "at", "heads", "seal", "signed", "outside"}


def held_policies() -> list[tuple[str, str]]:
    """(table, policy) of the catalogue."""
    with connection.cursor() as cursor:
        return [(row[0], row[1]) for row in database_lint.policies(cursor)]


def of(kind: str) -> set[str]:
    """What the lines of a kind are about."""
    return {line["of"] for line in lines() if line["kind"] == kind}


@cache
def source(module: str) -> str:
    """The text of a module."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return Path(spec.origin).read_text(encoding="utf-8")


@cache
def names_of_tests(path: str) -> set[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_says_what_it_takes_out_and_who_notices() -> None:
    wrong = []
    for line in lines():
        by_module = {"module", "old", "new"} <= set(line) and not {"function", "functions", "sql"} & set(line)
        by_database = "module" not in line and ("sql" in line or {"old", "new"} <= set(line))
        path, _, name = line["killer"].partition("::")
        if line["kind"] not in KINDS or by_module is by_database:
            wrong.append(f"{line['id']}: kind or way")
        elif not (ROOT / path).is_file() or name.partition("[")[0] not in names_of_tests(path):
            wrong.append(f"{line['id']}: there is no test {line['killer']}")
        elif line.get("module") and source(line["module"]).count(line["old"]) != 1:
            wrong.append(
                f"{line['id']}: its text stands {source(line['module']).count(line['old'])} times in {line['module']}"
            )
    assert wrong == []
    assert [name for name, number in Counter(line["id"] for line in lines()).items() if number > 1] == []


@pytest.mark.django_db
def test_every_text_to_replace_stands_in_its_function_of_the_database() -> None:
    wrong = []
    with connection.cursor() as cursor:
        for mutant in mutants(held_policies()):
            if mutant.function:
                cursor.execute("SELECT pg_get_functiondef(%s::regprocedure)", [mutant.function])
                if cursor.fetchone()[0].count(mutant.old) != 1:
                    wrong.append(mutant.id)
    assert wrong == []


@pytest.mark.django_db
def test_every_policy_of_the_catalogue_has_its_mutant() -> None:
    """Permissive and restrictive, of every table: a new table comes in by its policy's name, a new name needs a line."""
    named = {(mutant.table, mutant.policy) for mutant in mutants(held_policies()) if mutant.kind == "policy"}
    assert set(held_policies()) - named == set()
    assert len(named) > 100


def test_every_manager_of_an_organisations_rows_has_its_mutant() -> None:
    assert {manager.__name__ for manager in managers()} - of("manager") == set()


def test_every_date_of_a_grant_has_its_mutant_in_each_wall() -> None:
    dates = {f.name for f in SharingGrant._meta.fields if isinstance(f, models.DateField)} - DECIDES_NOTHING
    by_scope = {line["of"] for line in lines() if line["kind"] == "column" and line.get("module")}
    by_rows = {line["of"] for line in lines() if line["kind"] == "column" and not line.get("module")}
    assert dates == {"valid_from", "valid_until", "suspended_at"}
    assert dates - by_scope == set() and dates - by_rows == set()


def test_every_line_of_the_table_of_states_has_its_mutant_or_a_reason() -> None:
    assert {state["line"] for state in states()} == STATES
    built = {state["key"] for state in states() if state["built"] == "yes"}
    assert built - of("state") == set()
    assert of("state") <= {state["key"] for state in states()}
    assert all(len(state["built"]) > 30 for state in states() if state["built"] != "yes"), "a reason in words"


@pytest.mark.django_db
def test_the_chain_and_the_signature_of_its_heads_have_their_mutants() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal "
            "AND tgrelid IN ('audit_auditevent'::regclass, 'audit_chainhead'::regclass)"
        )
        triggers = {row[0] for row in cursor.fetchall()}
    assert OF_A_CHAIN | triggers <= of("chain")
    assert of("head") >= OF_A_STATEMENT


def test_every_clock_has_its_mutant() -> None:
    """Each number that is a time, by its name, and each column of a day that decides when two organisations share."""
    clocks = {
        (name, constant)
        for name in CLOCKS
        for constant, value in vars(importlib.import_module(name)).items()
        if constant.isupper() and not constant.startswith("_") and isinstance(value, int | dt.timedelta)
    }
    taken = {
        (line["module"], line["old"].partition(" ")[0])
        for line in lines()
        if line["kind"] == "clock" and line.get("module")
    }
    assert clocks - taken == set()
    assert len(clocks) >= 11
    text = " ".join(
        line["old"] for line in lines() if line.get("function") == "organisations_partners_in_force()"
    )
    for column in (
        "approved_on",
        "ended_on",
        "ours.signed_on",
        "theirs.signed_on",
        "ours.leaves_on",
        "theirs.leaves_on",
    ):
        assert column in text


@pytest.mark.long
def test_every_mutant_is_killed_by_its_named_test(django_db_setup: None, django_db_blocker: Any) -> None:
    """EDATRS_MUTANTS names some by parts of their ids, with commas; EDATRS_MUTANTS_AT_ONCE says how many run beside each other (2)."""
    with django_db_blocker.unblock():
        every = mutants(held_policies())
        template = str(connection.settings_dict["NAME"])
        connection.close()
    wanted = os.environ.get("EDATRS_MUTANTS", "").split(",")
    chosen = [mutant for mutant in every if any(part in mutant.id for part in wanted)]
    at_once = int(os.environ.get("EDATRS_MUTANTS_AT_ONCE", "2"))
    runner, began = Runner(template), time.monotonic()
    try:
        killers = sorted({mutant.killer for mutant in chosen})
        before = all_of(runner, killers, runner.without, at_once)
        after = all_of(runner, chosen, runner.with_mutant, at_once)
    finally:
        runner.close()
    tell(chosen, before, after, time.monotonic() - began)
    assert {killer: told for killer, told in before.items() if told["result"] != "passed"} == {}
    assert {mutant.id: told for mutant, told in after.items() if told["result"] != "killed"} == {}
    assert len(after) == len(chosen) > 0


def tell(
    chosen: list[Mutant], before: dict[str, dict[str, Any]], after: dict[Mutant, dict[str, Any]], took: float
) -> None:
    """The figures, and every mutant that lives."""
    killed = [mutant for mutant in chosen if after[mutant]["result"] == "killed"]
    print()
    for kind in KINDS:
        some = [mutant for mutant in chosen if mutant.kind == kind]
        print(f"{kind}: {sum(mutant in killed for mutant in some)} of {len(some)} killed")
    for mutant in chosen:
        if mutant not in killed:
            told = after[mutant]
            print(f"{mutant.id}: {told['result']} {told['found']} {told.get('output', '')[-400:]}")
    for killer, told in before.items():
        if told["result"] != "passed":
            print(
                f"without a mutant: {killer}: {told['result']} {told['found']} {told.get('output', '')[-400:]}"
            )
    passed = sum(told["result"] == "passed" for told in before.values())
    print(f"{passed} of {len(before)} named tests pass alone on the product as it is")
    print(f"mutants: {len(killed)} of {len(chosen)} killed, {took:.0f} s")
