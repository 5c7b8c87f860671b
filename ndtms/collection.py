"""What the national collection will do with a file, and which episodes it may hold afterwards (contract section 6).

Pure: judged episodes in, lists out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from caseload.dataset.transforms import identifier_sort_key

Entry = list[str]


@dataclass(frozen=True, slots=True)
class JudgedEpisode:
    """One episode of the service as the extract judged it. `in_reach`: open, or ended inside the window (any, in a full extract).

    What the national collection calls a client is the CLIENTID: one person registered twice at a service is two of them.
    """

    episode: str
    client: str
    client_id: str
    episode_id: str
    verdict: str
    rules: tuple[str, ...]
    held: bool
    in_reach: bool


@dataclass
class Outlook:
    """What will happen, each entry [agency, client id, episode id] in the order of the file; and the ids behind it."""

    new: list[Entry] = field(default_factory=list)
    replaced: int = 0
    removed_by_consent: list[Entry] = field(default_factory=list)
    missing: list[Entry] = field(default_factory=list)
    # Agreed episodes that go because another episode of the client is withdrawn, by why the file does not carry them.
    removed_though_agreed: dict[str, str] = field(default_factory=dict)
    carried: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def preview(self) -> dict[str, object]:
        """As `preview_load` prints it."""
        return {
            "new": self.new,
            "replaced": self.replaced,
            "removed_by_consent": self.removed_by_consent,
            "missing": self.missing,
        }


def in_file_order(episodes: Iterable[JudgedEpisode]) -> list[JudgedEpisode]:
    """By client id, then episode id: digits as numbers, before all others."""
    return sorted(
        episodes, key=lambda e: (identifier_sort_key(e.client_id), identifier_sort_key(e.episode_id))
    )


def outlook(agency: str, episodes: Iterable[JudgedEpisode]) -> Outlook:
    """(a) every episode sent is added or replaced; (b) of a client with an N row every held episode that the file does not carry is
    removed, whatever its age; (c) a held episode in reach that the file does not carry, of a client without an N row, is missing.
    """
    rows = in_file_order(episodes)
    withdrawn = {row.client_id for row in rows if row.verdict == "withdrawn"}
    found = Outlook()
    for row in rows:
        entry = [agency, row.client_id, row.episode_id]
        if row.verdict == "sent":
            found.carried.append(row.episode)
            if row.held:
                found.replaced += 1
            else:
                found.new.append(entry)
        elif row.held and row.client_id in withdrawn:
            found.removed.append(row.episode)
            found.removed_by_consent.append(entry)
            if row.verdict in {"out_of_window", "held_back"}:
                found.removed_though_agreed[row.episode_id] = row.verdict
        elif row.held and row.in_reach:
            found.missing.append(entry)
    return found


def manifest_counts(episodes: Iterable[JudgedEpisode]) -> dict[str, object]:
    """The counts of the manifest and what is held back, by episode id with its rules (contract section 3)."""
    rows = in_file_order(episodes)
    verdicts = [row.verdict for row in rows]
    return {
        "episodes_sent": verdicts.count("sent"),
        "withdrawn_clients": len({row.client_id for row in rows if row.verdict == "withdrawn"}),
        "declined_omitted": verdicts.count("declined"),
        "not_asked": verdicts.count("not_asked"),
        "out_of_window": verdicts.count("out_of_window"),
        "held_back": {row.episode_id: list(row.rules) for row in rows if row.verdict == "held_back"},
    }
