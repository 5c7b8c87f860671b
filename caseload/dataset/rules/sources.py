"""The lines of rules section 10 as data: which of our rules answers for each, how sure its source is, and what holds where no rule does.

The level in a line is the one that section 10 proposes. Ours is the contract's (section 4): only E01 to E11 hold an episode back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from caseload.dataset.reader import DATA_FOLDER, read_rows

# The contract decides, or the dictionary says it: no line of section 10 is needed.
DECIDED = "decided"
# From the least sure on.
CONFIDENCES = ("low", "medium", "high", DECIDED)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of section 10. `ids` are our rules; `otherwise` says what no rule asks about, and why."""

    rule: str
    level: str
    source: str
    confidence: str
    ids: tuple[str, ...]
    otherwise: str


@cache
def source_lines() -> tuple[SourceLine, ...]:
    """Section 10, line by line. Raises DataFileError."""
    return tuple(
        SourceLine(
            row["rule"],
            row["level"],
            row["source"],
            row["confidence"],
            tuple(row["ids"].split()),
            row["otherwise"],
        )
        for row in read_rows(DATA_FOLDER, "validation")
    )


def lines_of(rule_id: str) -> tuple[SourceLine, ...]:
    """The lines that a rule answers for."""
    return tuple(line for line in source_lines() if rule_id in line.ids)


def confidence_of(rule_id: str) -> str:
    """How sure the least sure of its lines is; `decided` for a rule that comes from the contract or the dictionary alone."""
    found = [line.confidence for line in lines_of(rule_id)]
    return min(found, key=CONFIDENCES.index, default=DECIDED)
