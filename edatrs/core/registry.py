"""What must be gathered from every app is filled in by each app at start-up: panels, bundles, drafts, jobs.

A registry is a named dictionary that refuses two entries under one key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries by key, in the order they were filled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: dict[str, T] = {}

    def add(self, key: str, entry: T) -> T:
        """Fill in an entry. Raises ValueError on a key that is taken by another."""
        held = self._entries.get(key)
        if held is not None and held is not entry and held != entry:
            raise ValueError(f"{self.name}: '{key}' is taken")
        self._entries[key] = entry
        return entry

    def register(self, key: str) -> Callable[[T], T]:
        """`add` as a decorator."""
        return lambda entry: self.add(key, entry)

    def get(self, key: str) -> T:
        """The entry. Raises LookupError naming the registry."""
        try:
            return self._entries[key]
        except KeyError:
            raise LookupError(f"{self.name}: nothing is registered as '{key}'") from None

    def keys(self) -> list[str]:
        """All keys."""
        return list(self._entries)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(self._entries.items())


jobs: Registry[Any] = Registry("jobs")
navigation: Registry[Any] = Registry("navigation")
# Parts of the record of a client (sub-navigation), and what apps add to the overview: a function of (client, slug) giving a template's
# name and its context.
client_parts: Registry[Any] = Registry("client parts")
client_panels: Registry[Any] = Registry("client panels")
# Where the timeline of a client comes from (`caseload.timeline.Source`): episodes, consent, what else apps know with a date.
timeline: Registry[Any] = Registry("sources of the timeline")
# Kinds of what needs attention in a caseload (`caseload.attention.Kind`): safeguarding, risk and appointments add theirs.
attention: Registry[Any] = Registry("kinds of attention")
# What entries of the trail are about: each knows the ids behind a number that somebody types (`find(text)`), and what to call ids
# (`labels(ids)`). The trail itself knows no client.
trail_subjects: Registry[Any] = Registry("what entries of the trail are about")
# What somebody who leaves must hand over, counted by the apps that hold it (`organisations.services.leavers.Work`).
leaver_work: Registry[Any] = Registry("what a leaver hands over")
# What follows when a partner knows a client (act sharing.ask): functions of (client, slug) giving {"words", "url"} of a page, or None.
known_elsewhere_next: Registry[Callable[[Any, str], dict[str, str] | None]] = Registry(
    "known elsewhere: next"
)
# What may be done next with a record that a partner shares: likewise.
shared_record_next: Registry[Callable[[Any, str], dict[str, str] | None]] = Registry("shared record: next")
# What is done, in the same transaction, after episodes changed or what their rules read did: functions of a list of episode ids.
after_episodes_changed: Registry[Callable[[list[Any]], None]] = Registry("after episodes changed")
# What ends when a person signs out, is disabled or signed out everywhere: functions of the person's id.
after_signing_out: Registry[Callable[[Any], None]] = Registry("after signing out")
# What the national collection may hold, for pages below ndtms: a function of a list of episode ids, giving since when by id (absent: it
# may hold nothing of that episode).
held_nationally: Registry[Callable[[list[Any]], dict[Any, Any]]] = Registry("what is held nationally")
# How far withdrawals went on their way to the national collection, for pages below ndtms: functions of when each was recorded, by episode
# id, giving `Told` by id (absent: no file carries it yet).
withdrawals_told: Registry[Callable[[dict[Any, dt.datetime]], dict[Any, Told]]] = Registry(
    "how far withdrawals went"
)
# Requests of partners to see a client, for pages and services below whoever keeps them: each has `open_asks(client)`, giving
# `edatrs.core.registry.Ask`, and `answered(ask_id, consent)`, called in the transaction that answers.
sharing_asks: Registry[Any] = Registry("requests for sharing")
# What is done, in the same transaction, after two clients of an organisation were merged or a merge was undone: functions of their ids.
after_clients_merged: Registry[Callable[[list[Any]], None]] = Registry(
    "after clients were merged or unmerged"
)
# What is done, in the same transaction, when a list of clients is taken out for somebody outside: functions of a `ListGiven`.
after_list_given: Registry[Callable[[ListGiven], None]] = Registry("after a list was given to somebody")


@dataclass(frozen=True)
class Told:
    """How far a withdrawal went: the file that carries it, when it was built and loaded, and when a list of mismatches showed it."""

    file_name: str
    built_at: dt.datetime
    taken: bool = False
    loaded_at: dt.datetime | None = None
    resolved_on: dt.date | None = None


@dataclass(frozen=True)
class ListGiven:
    """A list of clients that was taken out as a file for somebody outside: who is in it, which parts, and on what ground."""

    download_id: UUID
    client_ids: tuple[UUID, ...]
    categories: tuple[str, ...]
    recipient: str
    purpose: str
    lawful_ground: str
    given_on: dt.date


@dataclass(frozen=True)
class Ask:
    """A partner asks to see parts of a client's record, and waits for an answer."""

    pk: UUID
    organisation_id: UUID
    categories: tuple[str, ...]
    purpose: str
    asked_at: dt.datetime
    by_label: str
    answer_by: dt.date | None = None
    link: str = ""


def list_given(given: ListGiven) -> None:
    """Say that a list was taken out for somebody outside. Raises LookupError where nobody logs disclosures: then it must not leave."""
    listeners = list(after_list_given)
    if not listeners:
        raise LookupError("nobody logs what is given to others")
    for _, listener in listeners:
        listener(given)


def clients_merged(client_ids: list[Any]) -> None:
    """Say that these clients of the organisation acted for were merged, or taken apart again."""
    for _, listener in after_clients_merged:
        listener(client_ids)


def signed_out(user_id: Any) -> None:
    """Say that every sign-in of a person, or the one at hand, has ended."""
    for _, listener in after_signing_out:
        listener(user_id)


def episodes_changed(episode_ids: list[Any]) -> None:
    """Say that these episodes of the organisation acted for changed. Services below ndtms call this; they know nobody who listens."""
    for _, listener in after_episodes_changed:
        listener(episode_ids)
