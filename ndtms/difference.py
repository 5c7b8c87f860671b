"""What changed from one file of an agency code to the next, client by client. Pure: two streams of rows in, changes out, memory flat.

Both files are in the order of the contract (section 5): by client id, then episode id, a client's withdrawal row after its episodes.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from caseload.dataset.reader import LIST_OF_ENTITY, load_dictionary
from caseload.dataset.transforms import identifier_sort_key

Row = Mapping[str, str]
NEW, GONE, CHANGED, SAME, WITHDRAWN, NO_LONGER_WITHDRAWN = (
    "new",
    "gone",
    "changed",
    "same",
    "withdrawn",
    "no_longer_withdrawn",
)
NEEDED = ("AGNCY", "CLIENTID", "EPISODID", "CONSENT")
# They say which software wrote the file and for whom, nothing of the episode.
_OF_THE_FILE = {"CMSID", "AGNCY", "CONSENT", "CLIENTID", "EPISODID"}


class NotComparable(ValueError):
    """One of the files has no columns of an extract; the message says which and what to do."""


@dataclass(frozen=True)
class Change:
    """An episode, or with an empty `episode_id` a withdrawal row. `items`: (header, before, after) of the episode itself; `lists`: (name of
    the list, entries before, entries now, how many of these are not as before) of each list that is not the same.
    """

    kind: str
    client_id: str
    episode_id: str
    items: tuple[tuple[str, str, str], ...] = ()
    lists: tuple[tuple[str, int, int, int], ...] = ()


@dataclass
class Difference:
    """The counts of all changes, and the first of those that are none of `SAME`."""

    counts: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    columns_gone: tuple[str, ...] = ()
    columns_new: tuple[str, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether more changed than is listed."""
        return sum(number for kind, number in self.counts.items() if kind != SAME) > len(self.changes)


def compare(before: Iterable[str], after: Iterable[str], *, most: int) -> Difference:
    """Compare two files line by line. Columns that only one of them has (another letter) are told once and compared nowhere.

    Raises NotComparable.
    """
    old, new = csv.DictReader(before), csv.DictReader(after)
    for which, reader in (("earlier", old), ("later", new)):
        if missing := [name for name in NEEDED if name not in (reader.fieldnames or ())]:
            raise NotComparable(f"The {which} file has no column {missing[0]}, so it cannot be compared")
    had, has = list(old.fieldnames or ()), list(new.fieldnames or ())
    both = [name for name in has if name in had and name not in _OF_THE_FILE]
    found = Difference(
        columns_gone=tuple(name for name in had if name not in has),
        columns_new=tuple(name for name in has if name not in had),
    )
    for change in changes(old, new, both):
        found.counts[change.kind] += 1
        if change.kind != SAME and len(found.changes) < most:
            found.changes.append(change)
    return found


def changes(before: Iterable[Row], after: Iterable[Row], columns: list[str]) -> Iterator[Change]:
    """Every episode and withdrawal row of two files, in their order, each with what became of it."""
    per_list = _by_list(columns)
    left, right = _grouped(before), _grouped(after)
    old, new = next(left, None), next(right, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None  # noqa: S101  # one of the two is there
            yield _alone(old[1], NO_LONGER_WITHDRAWN, GONE)
            old = next(left, None)
        elif old is None or new[0] < old[0]:
            yield _alone(new[1], WITHDRAWN, NEW)
            new = next(right, None)
        else:
            yield _both(old[1], new[1], per_list)
            old, new = next(left, None), next(right, None)


def _grouped(rows: Iterable[Row]) -> Iterator[tuple[Any, list[Row]]]:
    for key, some in groupby(rows, key=_key):
        yield key, list(some)


def _key(row: Row) -> Any:
    withdrawal = row["CONSENT"] == "N"
    return identifier_sort_key(row["CLIENTID"]), withdrawal, identifier_sort_key(row["EPISODID"])


def _alone(rows: list[Row], withdrawal: str, episode: str) -> Change:
    first = rows[0]
    kind = withdrawal if first["CONSENT"] == "N" else episode
    return Change(kind, first["CLIENTID"], first["EPISODID"])


def _by_list(columns: list[str]) -> dict[str, list[str]]:
    """The columns by the list they belong to; '' for those of the client and the episode."""
    found: dict[str, list[str]] = {"": []}
    known = {item.name: item for item in load_dictionary().items}
    for name in columns:
        item = known.get(name)
        found.setdefault(LIST_OF_ENTITY.get(item.entity, "") if item else "", []).append(name)
    return found


def _both(old: list[Row], new: list[Row], per_list: dict[str, list[str]]) -> Change:
    first = new[0]
    items = tuple((name, old[0][name], first[name]) for name in per_list[""] if old[0][name] != first[name])
    lists = []
    for name, columns in per_list.items():
        if not name:
            continue
        was, now = (_entries(rows, columns) for rows in (old, new))
        if was != now:
            lists.append((name, was.total(), now.total(), (now - was).total()))
    kind = CHANGED if items or lists else SAME
    return Change(kind, first["CLIENTID"], first["EPISODID"], items, tuple(lists))


def _entries(rows: list[Row], columns: list[str]) -> Counter[tuple[str, ...]]:
    found = Counter(tuple(row[name] for name in columns) for row in rows)
    del found[("",) * len(columns)]
    return found
