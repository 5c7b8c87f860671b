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
        from ndtms import quality  # importing registers its kind of job
        from ndtms.services import submissions  # noqa: F401  # importing registers its kind of job

        registry.after_episodes_changed.add("ndtms.quality", quality.check_episodes)
        registry.navigation.add(
            "submissions",
            {
                "words": "Submissions",
                "url": lambda slug: f"/o/{slug}/submissions/",
                "act": "submissions.view",
            },
        )
