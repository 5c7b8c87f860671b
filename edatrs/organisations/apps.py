"""The application of partners, their services, their people, and sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Partners, services, people, memberships, jobs."""

    name = "edatrs.organisations"
    label = "organisations"
    verbose_name = "Organisations and people"

    def ready(self) -> None:
        """Hand the table of roles down to the kernel, and what a partner that left may no longer do."""
        from edatrs.core.access import narrow, register_table
        from edatrs.organisations import left
        from edatrs.organisations.roles import ACTS

        register_table(ACTS)
        narrow(left.narrowed)
