"""What is recorded in one place, as a form reads it, and what a save against a newer version finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models


def _nothing(row: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Recorded:
    """The values of one form by the names of its fields. `version` 0: nothing yet. `read` gives the values of the row or of an earlier
    version of it (None: of no row).
    """

    about: str
    values: dict[str, Any]
    version: int
    act: UUID | None
    row: models.Model | None = None
    read: Callable[[Any], dict[str, Any]] = field(default=_nothing, repr=False, compare=False)

    @property
    def category(self) -> str:
        """What it is about: the category, of a client's details."""
        return self.about

    def at(self, version: int) -> dict[str, Any]:
        """The values at a version; what they are now where that version is not kept. One query."""
        if self.row is None or version == self.version:
            return dict(self.values)
        if version <= 0:
            return self.read(None)
        history: Any = self.row.history  # type: ignore[attr-defined]  # tracked models all
        earlier = history.filter(version=version).first()
        return self.read(earlier) if earlier else dict(self.values)


class Stale(RuntimeError):
    """Somebody saved a newer version after the form was opened. `now` is what stands, `then` what stood when it was opened."""

    def __init__(self, now: Recorded, then: dict[str, Any]) -> None:
        super().__init__("a newer version was saved")
        self.now = now
        self.then = then


def changes(now: Recorded, values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """What a save has to write: the values that differ from the recorded ones. Raises Stale.

    A newer version that says the same as the one the form was opened at, in the fields of this form, is no conflict.
    """
    changed = {
        name: value for name, value in values.items() if name in now.values and value != now.values[name]
    }
    if changed and version != now.version:
        then = now.at(version)
        if any(then.get(name) != value for name, value in now.values.items()):
            raise Stale(now, then)
    return changed
