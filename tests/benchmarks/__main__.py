"""`make bench`: our work and its baselines side by side in one run, against the bounds of design section 10.

    python -m tests.benchmarks [--sizes 100000,600000] [--clients 30000,300000] [--only load,extract,rules,pages,trail] [--repeats 3]

Every figure is a median of interleaved repeats where they are affordable. A bound that is missed is printed, not an error: this is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.test")

SIZES = "100000,600000"
PARTS = ("load", "extract", "rules", "pages", "trail")
# Entries of the chain that is verified.
ENTRIES = 200_000
CLIENTS = "30000,300000"
AGENCY = "E1001"
# The load of a bundle that is spread over several organisations is measured too, at the smallest size.
AGENCIES = 8
# A load is repeated up to this size, everything else always.
AFFORDABLE = 150_000
OUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def main() -> None:
    """Measure what the command line asks for, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--sizes", default=os.environ.get("SIZES") or SIZES, help="episodes, with commas between"
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--clients", default=CLIENTS, help="clients of the pages, with commas between")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    import django

    django.setup()
    from edatrs.core import embedded
    from tests.benchmarks import world
    from tests.benchmarks.report import Report

    run = Run(Report(), options.repeats, set(options.only.split(",")))
    state = embedded.state_dir()
    run.folder = Path(tempfile.mkdtemp(prefix="bench-bundles-", dir=state if state.is_dir() else None))
    try:
        say("making and migrating the database that the others are copied from")
        world.make_template()
        sizes = sorted({int(size) for size in options.sizes.split(",")})
        if run.parts - {"pages", "trail"}:
            run.sizes(sizes)
        if "trail" in run.parts:
            run.trail(ENTRIES)
        if "pages" in run.parts:
            run.pages(sorted({int(size) for size in options.clients.split(",")}))
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)
        for name in (*run.databases, world.TEMPLATE):
            world.drop(name)
    run.report.facts |= facts()
    print(run.report.text(), flush=True)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(run.report.as_dict(), indent=1))
    say(f"written to {OUT}")


class Run:
    """One run of the benchmarks; holds what must be tidied up."""

    folder: Path

    def __init__(self, report: Any, repeats: int, parts: set[str]) -> None:
        self.report = report
        self.repeats = repeats
        self.parts = parts
        self.databases: list[str] = []

    def sizes(self, sizes: list[int]) -> None:
        """Everything at every size, then what compares two sizes."""
        validated = (sizes[-1] // 10, sizes[-1])
        for size in sizes:
            bundle = self.bundle(size, 1)
            database = self.load(size, bundle) if "load" in self.parts else self.loaded(size, bundle)
            if "extract" in self.parts:
                self.extract(size, database)
            if "rules" in self.parts and size in validated:
                self.rules(size, database)
            shutil.rmtree(bundle)
            self.drop(database)
        if "load" in self.parts:
            self.drop(
                self.load(
                    sizes[0],
                    self.bundle(sizes[0], AGENCIES),
                    note=f", {AGENCIES} services of 6 organisations",
                )
            )
        if "rules" in self.parts and validated[0] not in sizes:
            database = self.loaded(validated[0], self.bundle(validated[0], 1))
            self.rules(validated[0], database)
            self.drop(database)
        if "extract" in self.parts and len(sizes) > 1:
            self.report.memory(sizes[0], sizes[-1])
        if "rules" in self.parts:
            self.report.validation(*validated)

    def load(self, size: int, bundle: Path, note: str = "") -> str:
        """The load beside a hand-written one and a bare COPY; gives the database that ours filled."""
        from tests.benchmarks import world

        costs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(self.repeats if size <= AFFORDABLE else 1):
            bare, by_hand, own = (self.name(kind, size) for kind in ("bare", "hand", "own"))
            self.make(bare)
            costs["bare"].append(self.child("copy_files", database=bare, folder=str(bundle)))
            self.drop(bare)
            self.make(by_hand)
            world.strip(by_hand)
            costs["hand"].append(self.child("load_by_hand", database=by_hand, folder=str(bundle)))
            written = world.contents(by_hand)
            self.drop(by_hand)
            self.make(own)
            costs["own"].append(self.child("load", database=own, folder=str(bundle)))
            if written != world.contents(own):
                raise SystemExit("the hand-written load and ours did not write the same: not comparable")
            if not note and "extract" in self.parts:
                costs["fresh"].append(self.child("build_file", database=own, agency=AGENCY, kind="full"))
            world.settle(own)
            costs["again"].append(self.child("load", database=own, folder=str(bundle)))
            if costs["again"][-1]["facts"]["created"] or costs["again"][-1]["facts"]["updated"]:
                raise SystemExit("the same bundle a second time was not all unchanged")
        self.report.load(size, note, {name: middle(found) for name, found in costs.items()})
        return own

    def extract(self, size: int, database: str) -> None:
        """The extract beside psql: as the owner without row security, as `app` with it, and of rows that stand ready."""
        from tests.benchmarks import world

        world.settle(database)
        world.lift_row_security(database)
        of = {"database": database, "agency": AGENCY, "kind": "full"}
        self.child("make_ready", **of)
        costs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(self.repeats):
            costs["psql"].append(self.child("copy_by_psql", **of))
            costs["file"].append(self.child("build_file", **of))
            costs["ready"].append(self.child("copy_ready", database=database))
            costs["job"].append(self.child("build_job", **of))
            costs["app"].append(self.child("copy_by_psql", role="app", **of))
        self.report.extract(size, {name: middle(found) for name, found in costs.items()})

    def rules(self, size: int, database: str) -> None:
        """All rules in one statement, and each by itself with its plan."""
        from tests.benchmarks import world

        world.settle(database)
        costs = [self.child("rules", database=database, agency=AGENCY) for _ in range(self.repeats)]
        plans = self.child("rule_plans", database=database, agency=AGENCY)
        self.report.rules(size, middle(costs), plans["facts"])

    def pages(self, sizes: list[int]) -> None:
        """List, search and client page at every number of clients."""
        for size in sizes:
            database = self.make(self.name("pages", size))
            self.child("make_people", database=database, clients=str(size))
            self.report.pages(size, self.child("pages", database=database, clients=str(size))["facts"])
            self.drop(database)
        if len(sizes) > 1:
            self.report.growth(sizes[0], sizes[-1])

    def trail(self, entries: int) -> None:
        """A chain verified beside read, and audited acts beside bare rows, by eight writers."""
        database = self.make(self.name("trail", entries))
        self.child("make_trail", database=database, rows=str(entries))
        costs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(self.repeats):
            costs["read"].append(self.child("read_trail", database=database))
            costs["verify"].append(self.child("verify_trail", database=database))
            for chains in (8, 1):
                costs[f"audited {chains}"].append(
                    self.child("write_audited", database=database, chains=str(chains))
                )
                costs[f"bare {chains}"].append(
                    self.child("write_bare", database=database, chains=str(chains))
                )
        self.report.trail({name: middle(found) for name, found in costs.items()})
        self.drop(database)

    def loaded(self, size: int, bundle: Path) -> str:
        """A database with our load of a bundle in it."""
        name = self.make(self.name("own", size))
        self.child("load", database=name, folder=str(bundle))
        return name

    def bundle(self, size: int, agencies: int) -> Path:
        """A bundle on disk."""
        folder = self.folder / f"{size}-{agencies}"
        words = [
            sys.executable,
            "-m",
            "tests.oracle.big_bundle",
            str(folder),
            "--episodes",
            str(size),
            "--agencies",
            str(agencies),
        ]
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
        return folder

    def name(self, kind: str, size: int) -> str:
        """A database's name."""
        return f"edatrs_bench_{kind}_{size}"

    def make(self, name: str) -> str:
        """A fresh database."""
        from tests.benchmarks import world

        self.databases.append(name)
        world.make(name)
        world.settle(name)
        return name

    def drop(self, name: str) -> None:
        """Throw a database away."""
        from tests.benchmarks import world

        world.drop(name)

    def child(self, task: str, **words: str) -> dict[str, Any]:
        """Run a task in a process of its own."""
        ran = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.child", task, json.dumps(words)],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise SystemExit(f"{task}: ended with {ran.returncode}")
        cost: dict[str, Any] = json.loads(ran.stdout)
        say(f"{words['database'].removeprefix('edatrs_bench_'):>12} {task:<13} {cost['seconds']:8.2f} s")
        return cost


def middle(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; of memory the most."""
    found = {
        key: statistics.median(cost[key] for cost in costs) for key in ("seconds", "own_cpu", "backend_cpu")
    }
    found |= {key: max(cost[key] for cost in costs) for key in ("own_mb", "backend_mb")}
    return found | {
        "facts": costs[-1]["facts"],
        "repeats": len(costs),
        "all": [cost["seconds"] for cost in costs],
    }


def facts() -> dict[str, Any]:
    """What it ran on."""
    from tests.benchmarks import world

    with world.owner("postgres") as connected:
        settings = dict(
            connected.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name IN "
                "('server_version', 'fsync', 'shared_buffers', 'work_mem', 'max_wal_size', 'jit')"
            ).fetchall()
        )
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": model[0].partition(":")[2].strip() if model else "",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
        "python": sys.version.split()[0],
        "postgresql": settings,
        "load_at_end": os.getloadavg(),
    }


def say(line: str) -> None:
    """Tell what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
