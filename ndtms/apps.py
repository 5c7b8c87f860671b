"""Import, extract, submissions."""

from __future__ import annotations

from django.apps import AppConfig


class NdtmsConfig(AppConfig):
    """Import, extract, submissions."""

    name = "ndtms"
    verbose_name = "NDTMS"

    def ready(self) -> None:
        """Register the kinds of job and the area in the navigation."""
        from edatrs.core import registry
        from ndtms.services import submissions  # noqa: F401  # importing registers its kind of job

        registry.navigation.add(
            "submissions",
            {
                "words": "Submissions",
                "url": lambda slug: f"/o/{slug}/submissions/",
                "act": "submissions.view",
            },
        )
