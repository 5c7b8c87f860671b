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
        from ndtms import quality, selectors  # importing quality registers its kind of job
        from ndtms.services import imports, submissions  # noqa: F401  # importing registers their kinds of job

        registry.after_episodes_changed.add("ndtms.quality", quality.check_episodes)
        registry.held_nationally.add("ndtms", selectors.held_of)
        registry.withdrawals_told.add("ndtms", selectors.withdrawals_told)
        registry.navigation.add(
            "data-quality",
            {
                "words": "Data quality",
                "url": lambda slug: f"/o/{slug}/data-quality/",
                "act": "quality.list",
            },
        )
        registry.navigation.add(
            "submissions",
            {
                "words": "Submissions",
                "url": lambda slug: f"/o/{slug}/submissions/",
                "act": "submissions.view",
            },
        )
        registry.navigation.add(
            "import",
            {"words": "Import", "url": lambda slug: f"/o/{slug}/import/", "act": "import.caseload"},
        )
