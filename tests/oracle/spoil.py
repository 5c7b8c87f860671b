"""Ways to spoil a small good bundle, and what must then be reported; the table itself is bad_bundles.CASES."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import dictionary

GOOD = {
    "services.csv": """agency_code,name,organisation,dataset
E1001,Essex STaRS,eput-essex-stars,adult
E2001,Young people's service,the-childrens-society,yp
E3001,Custody,peabody,cjit
""",
    "clients.csv": ",".join(dictionary.CLIENT_COLUMNS)
    + """
K1,,Ms,Zoë,Nowak,1980-03-24,F,A,GBR,,,NN,,,,"1 High Street
Flat 2",,Maldon,CM9 1EX,07700 900001,k1@mail.example
K2,,Mr,John,O'Brien,2009-05-01,M,B,GBR,,,,,,,2 High Street,,Maldon,CM9 1EX,,
K3,,Mr,Paul,Smith,1990-07-08,M,A,POL,,,,,,,"3, High Street",,Harlow,CM20 8GR,,
""",
    "registrations.csv": """client_key,agency_code,client_id,reference
K1,E1001,101,"first
reference"
K2,E1001,102,r2
K2,E2001,102,
K3,E3001,A7,r4
""",
    "episodes.csv": """agency_code,client_id,episode_id,REFLD,TRIAGED,DISD,DISRSN,DRUG1,DRUG1AGE,RFLS
E1001,101,1,2025-01-05,2025-01-09,2025-06-01,80,1011,19,4
E1001,101,2,2026-02-05,2026-02-09,,,7000,20,4
E1001,102,3,2026-03-05,2026-03-09,,,5000,15,3
E2001,102,1,2026-04-05,2026-04-09,,,5000,14,16
E3001,A7,1,,,,,1011,30,
""",
    "consents.csv": """agency_code,client_id,episode_id,decision,decided_on,method
E1001,101,1,Y,2025-01-09,oral
E1001,101,1,N,2025-03-09,written
E1001,102,3,Y,2026-03-09,written
E2001,102,1,Y,2026-04-09,oral
E3001,A7,1,Y,2026-05-09,oral
""",
    "interventions.csv": """agency_code,client_id,episode_id,MODID,MODAL,REFMODDT,FAOMODDT,MODST
E1001,101,1,m1,94,2025-01-09,2025-01-10,2025-01-11
E1001,102,3,m1,95,2026-03-09,2026-03-10,
""",
    "reviews.csv": """agency_code,client_id,episode_id,SUBMID,SUBMODDT,PSYMOTI
E1001,101,1,s1,2025-01-20,Y
E1001,102,3,s1,2026-03-20,N
""",
    "time_in_treatment.csv": """agency_code,client_id,episode_id,TITID,TITDATE,TITREAT
E1001,101,1,t1,2025-01-20,1
E1001,102,3,t1,2026-03-20,2
""",
    "tops.csv": """agency_code,client_id,episode_id,TOPID,TOPDATE,TRSTAGE,ALCUSE
E1001,101,1,o1,2025-01-20,S,NA
E1001,102,3,o1,2026-03-20,S,28
""",
    "client_information_reviews.csv": """agency_code,client_id,episode_id,CIRID,CIRDATE
E1001,101,1,c1,2025-01-20
E1001,102,3,c1,2026-03-20
""",
}
PROBLEM = re.compile(r"([^:]+):([0-9]*): *([^:]*): *(.*)", re.DOTALL)


class Expected(NamedTuple):
    """A problem that must be reported; None for a line or the columns means that any will do."""

    file: str
    line: int | None
    columns: tuple | None

    def matches(self, problem):
        """Whether a reported `(file, line, column)` is this one."""
        file, line, column = problem
        return (
            file == self.file and self.line in (None, line) and (not self.columns or column in self.columns)
        )


@dataclass(frozen=True)
class Case:
    """One spoilt bundle. `outcome`: refused, loaded, or either (loaded, or refused with these problems)."""

    name: str
    spoil: Callable
    expected: tuple = ()
    exact: bool = True  # whether any further problem would be wrong; not where one mistake leads to others
    first: bool = False  # whether the good bundle has to be loaded before
    outcome: str = "refused"

    def make(self, folder):
        """Writes the good bundle into a folder and spoils it."""
        folder = good_bundle(folder)
        self.spoil(folder)
        return folder

    def complaints(self, problems):
        """What is wrong with the reported problems: a list of sentences, empty when all is well."""
        found = [as_problem(problem) for problem in problems]
        if not found and self.outcome != "refused":
            return []
        if self.outcome == "loaded":
            return [f"{self.name}: should load, but: {found}"]
        missing = [want for want in self.expected if not any(want.matches(problem) for problem in found)]
        extra = [problem for problem in found if not any(want.matches(problem) for want in self.expected)]
        return [f"{self.name}: not reported: {want}; reported: {found[:9]}" for want in missing] + [
            f"{self.name}: not a problem: {problem}" for problem in extra if self.exact
        ]


def as_problem(problem):
    """`(file, line, column)` of a reported problem, whichever form it has."""
    if isinstance(problem, str):
        file, line, column, _ = PROBLEM.fullmatch(problem).groups()
        return Path(file).name, int(line or 0), column
    return problem[0], problem[1], problem[2] or ""


def good_bundle(folder):
    """Writes the good bundle and returns its folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in GOOD.items():
        (folder / file).write_bytes(text.encode("utf-8"))
    return folder


# Ways to spoil


def replace(file, old, new):
    """Replaces the first occurrence of some bytes, which must be there."""
    old, new = (part.encode() if isinstance(part, str) else part for part in (old, new))

    def spoil(folder):
        raw = (folder / file).read_bytes()
        assert old in raw, (file, old)
        (folder / file).write_bytes(raw.replace(old, new, 1))

    return spoil


def with_line(file, line, change):
    """Changes one physical line, which must be a record of its own."""

    def spoil(folder):
        lines = (folder / file).read_text(encoding="utf-8").split("\n")
        lines[line - 1] = change(lines[line - 1])
        (folder / file).write_bytes("\n".join(lines).encode("utf-8"))

    return spoil


def append(file, text):
    """Adds text to the end of a file."""

    def spoil(folder):
        with open(folder / file, "ab") as handle:
            handle.write(text.encode("utf-8"))

    return spoil


def whole(file, raw):
    """Gives a file other bytes altogether; None removes it."""

    def spoil(folder):
        (folder / file).unlink() if raw is None else (folder / file).write_bytes(raw)

    return spoil


def every_file(change):
    """Changes the bytes of each file."""

    def spoil(folder):
        for path in folder.iterdir():
            path.write_bytes(change(path.read_bytes()))

    return spoil


def both(*spoilers):
    """Several spoilings, one after the other."""

    def spoil(folder):
        for one in spoilers:
            one(folder)

    return spoil


def header(file):
    """Columns of a file of the good bundle."""
    return GOOD[file].split("\n", 1)[0].split(",")


def add_column(file, column, value=""):
    """Adds a column at the end of a file; not to the records of files that have one over two lines."""
    names = header(file)
    steps = [replace(file, ",".join(names) + "\n", ",".join([*names, column]) + "\n")]
    if file not in ("clients.csv", "registrations.csv"):
        count = GOOD[file].count("\n")
        steps += [with_line(file, line, lambda text: f"{text},{value}") for line in range(2, count + 1)]
    return both(*steps)


def cell(file, line, column, value, exact=True, columns=None, first=False, outcome="refused"):
    """A case: one cell of a record on one line gets another value."""
    position = header(file).index(column)

    def change(text):
        cells = text.split(",")
        cells[position] = value
        return ",".join(cells)

    expected = (Expected(file, line, columns or (column,)),)
    name = f"{file}:{line} {column}={value[:30]!r}" + (" after a first load" if first else "")
    return Case(name, with_line(file, line, change), expected, exact, first, outcome)


def whole_file(name, file, spoil, line=None):
    """A case in which a file as such is wrong, and others may be reported because of it."""
    return Case(name, spoil, (Expected(file, line, None),), exact=False)


def garbage(size, file="episodes.csv", seed=1, head=b""):
    """A case with a big file of random bytes after an optional head; two megabytes of noise, repeated."""

    def spoil(folder):
        block = random.Random(seed).randbytes(min(size, 2**21))
        with open(folder / file, "wb") as handle:
            handle.write(head)
            for _ in range(size // len(block)):
                handle.write(block)
            handle.write(block[: size % len(block)])

    return whole_file(f"{size} bytes of garbage in {file}" + " after a header" * bool(head), file, spoil)


def wide_line(size, file="clients.csv"):
    """A case with one endless line and no line break."""
    return whole_file(
        f"one line of {size} bytes", file, lambda folder: (folder / file).write_bytes(b"x" * size)
    )


def many_bad_lines(count, file="tops.csv"):
    """A case with a problem on every line; the first and the last must be reported."""

    def spoil(folder):
        with open(folder / file, "a", encoding="utf-8") as handle:
            handle.writelines(f"E1001,101,1,x{number},2026-02-30,S,0\n" for number in range(count))

    lines = (4, count + 3) if count > 1 else (4,)
    expected = tuple(Expected(file, line, ("TOPDATE",)) for line in lines)
    return Case(f"{count} bad lines in {file}", spoil, expected, exact=False)
