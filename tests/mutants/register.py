"""The register of mutants: what is taken out of the product, and the named test that notices (issue 4, Shows; T26).

`register.toml` says it in lines; a line with `{table}` in its SQL is one mutant for each table that has the policy of that name. What must
have a line is asked of the catalogue, of the classes and of `states.csv` (test_mutants.py), so that nothing new is left out unseen.
"""

from __future__ import annotations

import csv
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

HERE = Path(__file__).parent
KINDS = ("state", "policy", "manager", "column", "chain", "head", "clock", "history", "extract")


@dataclass(frozen=True)
class Mutant:
    """One control taken out: a piece of a module or of a database function replaced, or SQL run in a copy of the database."""

    id: str
    kind: str
    of: str
    killer: str
    module: str = ""
    function: str = ""
    old: str = ""
    new: str = ""
    sql: str = ""
    table: str = ""
    policy: str = ""


@cache
def lines() -> list[dict[str, Any]]:
    """The lines as they are written."""
    found: list[dict[str, Any]] = tomllib.loads((HERE / "register.toml").read_text(encoding="utf-8"))[
        "mutant"
    ]
    return found


@cache
def states() -> list[dict[str, str]]:
    """The lines of the table of states in access.md, each taken apart into what it says."""
    with open(HERE / "states.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mutants(policies: Iterable[tuple[str, str]]) -> list[Mutant]:
    """Every mutant; `policies` are (table, policy) as the catalogue has them. A line of one table comes before the one of all tables."""
    held = sorted(policies)
    named = {(line["table"], line["policy"]) for line in lines() if line.get("table")}
    found = []
    for line in lines():
        fields = {key: value for key, value in line.items() if key != "functions"}
        if line["kind"] == "policy" and not line.get("table"):
            for table, policy in held:
                if policy == line["policy"] and (table, policy) not in named:
                    more = {
                        "id": f"{line['id']}:{table}",
                        "table": table,
                        "sql": line["sql"].format(table=table),
                    }
                    found.append(Mutant(**(fields | more)))
        elif "functions" in line:
            found += [
                Mutant(
                    **(
                        fields
                        | {"id": f"{line['id']}:{name.partition('(')[0]}{number or ''}", "function": name}
                    )
                )
                for number, name in enumerate(line["functions"])
            ]
        else:
            found.append(Mutant(**fields))
    return found


class Mutated(importlib.machinery.SourceFileLoader):
    """Loads a module of ours with one piece of its source replaced; the text must stand there exactly once."""

    def __init__(self, name: str, path: str, old: str, new: str) -> None:
        super().__init__(name, path)
        self.old, self.new = old, new

    def get_code(self, fullname: str) -> CodeType:
        """Compiled anew: nothing of it is kept."""
        source = self.get_data(self.path).decode()
        if source.count(self.old) != 1:
            raise SystemExit(f"{fullname}: {self.old!r} stands there {source.count(self.old)} times")
        return compile(source.replace(self.old, self.new), self.path, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    """Puts one module's mutant in its place, whoever imports it."""

    def __init__(self, module: str, old: str, new: str) -> None:
        self.module, self.old, self.new = module, old, new

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        """The module's own place, with our loader."""
        if name != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{name}: there is no such module")
        return importlib.util.spec_from_loader(name, Mutated(name, spec.origin, self.old, self.new))


def install(module: str, old: str, new: str) -> None:
    """From now on `module` is its mutant. It must not have been imported yet."""
    if module in sys.modules:
        raise SystemExit(f"{module} was imported before its mutant was made")
    sys.meta_path.insert(0, Finder(module, old, new))
