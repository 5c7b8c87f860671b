"""`flush`, as the owner of the tables: transactional tests empty the database between them."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from edatrs.core.owner import as_owner


class Command(flush.Command):
    """Django's own, connected as `owner`."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """As Django's."""
        with as_owner(options["database"]):
            return super().handle(*args, **options)
