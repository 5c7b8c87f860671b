"""`migrate`, as the owner of the tables."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from edatrs.core.owner import as_owner


class Command(migrate.Command):
    """Django's own, connected as `owner`."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """As Django's."""
        with as_owner(options["database"]):
            return super().handle(*args, **options)
