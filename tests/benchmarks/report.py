"""The table of a run: figure, baseline, ratio, bound, verdict."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any

# Design section 10.
COPY_BOUND = 1.25
READY_BOUND = 8.0
LOAD_BOUND = 3.0
ROW_SECURITY_BOUND = 2.0
VALIDATION_BOUND = 12.0
PAGE_BOUND = 3.0
GROWTH_BOUND = 1.2
# "Memory does not grow with rows": what one run differs from the next by.
MEMORY_BOUND = 1.1


@dataclass
class Line:
    """One comparison. `processor` is the ratio of processor seconds, ours and PostgreSQL's, which a busy machine does not bend."""

    work: str
    figure: float
    baseline: float | None = None
    against: str = ""
    bound: float | None = None
    unit: str = "s"
    processor: float | None = None

    @property
    def ratio(self) -> float | None:
        """Figure by baseline."""
        return self.figure / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        """`ok`, or by how much it is over; nothing where no bound is set."""
        if self.bound is None or self.ratio is None:
            return ""
        return "ok" if self.ratio <= self.bound else f"over by {self.ratio - self.bound:.2f}"

    def cells(self) -> list[str]:
        """As the table shows them."""

        def number(value: float | None, end: str = "") -> str:
            return "" if value is None else f"{value:,.2f}{end}" if value < 100 else f"{value:,.0f}{end}"

        return [
            self.work,
            number(self.figure, f" {self.unit}"),
            number(self.baseline, f" {self.unit}"),
            self.against,
            number(self.ratio),
            "" if self.bound is None else f"<= {self.bound:g}",
            self.verdict,
            number(self.processor),
        ]


@dataclass
class Report:
    """What was found."""

    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=lambda: {"load_at_start": os.getloadavg()})
    raw: dict[str, Any] = field(default_factory=dict)
    # The extract that was built before the database had statistics.
    fresh: dict[str, Any] | None = None

    def load(self, size: int, note: str, costs: dict[str, dict[str, Any]]) -> None:
        """The load of a bundle."""
        self.raw[f"load {size}{note}"] = costs
        work = f"load, {size:,} episodes{note}"
        self._compare(work, costs["own"], costs["hand"], "hand-written COPY + INSERT … SELECT", LOAD_BOUND)
        self._compare(work, costs["own"], costs["bare"], "bare COPY of the files")
        self._compare(f"{work}, again: all unchanged", costs["again"], costs["own"], "the first load")
        if "fresh" in costs:
            self.fresh = costs["fresh"]
        self.lines.append(Line(f"{work}: memory, Python", costs["own"]["own_mb"], unit="MB"))
        self.lines.append(
            Line(
                f"{work}: memory, PostgreSQL",
                costs["own"]["backend_mb"],
                costs["hand"]["backend_mb"],
                "hand-written",
                unit="MB",
            )
        )

    def extract(self, size: int, costs: dict[str, dict[str, Any]]) -> None:
        """The extract of a service."""
        self.raw[f"extract {size}"] = costs
        rows = costs["file"]["facts"]["rows"]
        work = f"extract, {size:,} episodes ({rows:,} rows)"
        for name, key in (("file", "file"), ("whole job", "job")):
            self._compare(
                f"{work}: {name}", costs[key], costs["psql"], "psql COPY, owner, no row security", COPY_BOUND
            )
            self._compare(
                f"{work}: {name}", costs[key], costs["ready"], "psql COPY of ready rows", READY_BOUND
            )
        self._compare(
            f"{work}: its SELECT, row security on", costs["app"], costs["psql"], "off", ROW_SECURITY_BOUND
        )
        if self.fresh:
            self._compare(
                f"{work}: file, straight after the load",
                self.fresh,
                costs["file"],
                "when statistics are there",
            )
            self.fresh = None
        rate = rows / costs["file"]["seconds"]
        self.lines.append(Line(f"{work}: rows a second", rate, unit=""))

    def memory(self, small: int, big: int) -> None:
        """Whether memory grows from a small extract to a big one."""
        for name in ("file", "job"):
            less, more = self.raw[f"extract {small}"][name], self.raw[f"extract {big}"][name]
            work, against = f"extract, {big:,} episodes: {name}, memory", f"at {small:,} episodes"
            self.lines.append(
                Line(f"{work}, Python", more["own_mb"], less["own_mb"], against, MEMORY_BOUND, "MB")
            )
            self.lines.append(
                Line(f"{work}, PostgreSQL", more["backend_mb"], less["backend_mb"], against, None, "MB")
            )

    def pages(self, clients: int, found: dict[str, Any]) -> None:
        """The pages beside their bare views, and with row security beside without."""
        self.raw[f"pages {clients}"] = found
        ms, without = found["ms"], found["ms without row security"]
        for name in without:
            work = f"{name}, {clients:,} clients"
            self.lines.append(Line(work, ms[name], ms[f"bare {name}"], "a bare view", PAGE_BOUND, "ms"))
            self.lines.append(
                Line(f"{work}: row security on", ms[name], without[name], "off", ROW_SECURITY_BOUND, "ms")
            )
            plan = found["plans"][name]
            self.facts[f"{work}: queries"] = plan["queries"]
            self.facts[f"{work}: tables of clients read from end to end"] = (
                plan["read from end to end"] or "none"
            )

    def trail(self, costs: dict[str, dict[str, Any]]) -> None:
        """Verifying a chain, and writing it."""
        self.raw["trail"] = costs
        verify, read = costs["verify"], costs["read"]
        rows = verify["facts"]["rows"]
        work = f"trail, {rows:,} entries verified"
        self.lines.append(Line(work, verify["seconds"], read["seconds"], "read and hashed, nothing compared"))
        self.lines.append(
            Line(
                f"{work}: entries a second",
                rows / verify["seconds"],
                read["facts"]["rows"] / read["seconds"],
                "read and hashed",
                unit="",
            )
        )
        for chains, words in ((8, "8 chains"), (1, "one chain")):
            ours, bare = costs[f"audited {chains}"], costs[f"bare {chains}"]
            self.lines.append(
                Line(
                    f"trail, audited acts a second, 8 writers, {words}",
                    ours["facts"]["a second"],
                    bare["facts"]["a second"],
                    "bare INSERT and COMMIT, 8 writers",
                    unit="",
                )
            )

    def growth(self, small: int, big: int) -> None:
        """Whether a page gets slower with clients."""
        less, more = (self.raw[f"pages {n}"]["ms"] for n in (small, big))
        for name in ("list", "search", "client"):
            work, against = f"{name}, {big:,} clients", f"at {small:,} clients"
            self.lines.append(Line(work, more[name], less[name], against, GROWTH_BOUND, "ms"))

    def rules(self, size: int, cost: dict[str, Any], plans: dict[str, Any]) -> None:
        """Validation at one size."""
        self.raw[f"rules {size}"] = {"all": cost, "each": plans}

    def validation(self, small: int, big: int) -> None:
        """Validation at two sizes: all rules, and each."""
        less, more = self.raw[f"rules {small}"], self.raw[f"rules {big}"]
        bound = VALIDATION_BOUND if big == 10 * small else None
        work, against = f"validation, all rules at once, {big:,} episodes", f"at {small:,} episodes"
        self._compare(work, more["all"], less["all"], against, bound)
        self.raw["validation"] = [small, big]

    def _compare(
        self,
        work: str,
        cost: dict[str, Any],
        baseline: dict[str, Any],
        against: str,
        bound: float | None = None,
    ) -> None:
        used, base = (found["own_cpu"] + found["backend_cpu"] for found in (cost, baseline))
        line = Line(
            work,
            cost["seconds"],
            baseline["seconds"],
            against,
            bound,
            processor=used / base if base else None,
        )
        self.lines.append(line)

    def text(self) -> str:
        """For people."""
        heads = ["work", "ours", "baseline", "against", "ratio", "bound", "", "by processor"]
        rows = [heads, *(line.cells() for line in self.lines)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
        right = {1, 2, 4, 5, 7}
        table = [
            "  ".join(
                cell.rjust(width) if place in right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        table.insert(1, "-" * len(table[0]))
        return "\n".join(
            [
                "",
                *table,
                "",
                *self._rule_lines(),
                "",
                *(f"{key}: {value}" for key, value in self.facts.items()),
            ]
        )

    def _rule_lines(self) -> list[str]:
        if "validation" not in self.raw:
            return []
        small, big = self.raw["validation"]
        less, more = self.raw[f"rules {small}"]["each"], self.raw[f"rules {big}"]["each"]
        head = f"each rule alone, ms at {small:,} and {big:,} episodes, ratio, plan at {big:,} (xN: read so often)"
        lines = [
            f"{name}  {less[name]['ms']:7,.0f} {found['ms']:8,.0f} {found['ms'] / less[name]['ms']:6.1f}  {'; '.join(found['plan'])}"
            for name, found in more.items()
        ]
        return [head, "-" * len(head), *lines]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        lines = [asdict(line) | {"ratio": line.ratio, "verdict": line.verdict} for line in self.lines]
        return {"facts": self.facts, "table": lines, "raw": self.raw}
