"""The kernel: no models, but commands and checks that Django must find."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Kernel without models."""

    name = "edatrs.core"
    label = "core"

    def ready(self) -> None:
        """Register the system checks."""
        from edatrs.core import checks  # noqa: F401  # registering is its effect, and Django asks for it here
