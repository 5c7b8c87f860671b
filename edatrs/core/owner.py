"""Commands that change tables run as the owner of the tables, never as the role that serves requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections

from edatrs.settings.base import database


@contextmanager
def as_owner(alias: str = "default") -> Iterator[None]:
    """Connect as `owner` for the length of a command; the name of the database (a test's, perhaps) stays."""
    connection = connections[alias]
    before = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD", "HOST", "PORT")}
    owner = database(settings.DATABASE_OWNER_ROLE)
    connection.close()
    connection.settings_dict.update({key: owner.get(key, "") for key in before})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
