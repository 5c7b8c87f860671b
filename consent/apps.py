"""Consent to NDTMS and consent to share, as acts with evidence."""

from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """Consent to NDTMS and consent to share, as acts with evidence."""

    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        """Register the part of the record."""
        from consent.asks.selectors import Asks
        from consent.sharing import list_disclosures, services
        from consent.timeline import register_source
        from consent.views import asks
        from edatrs.core import registry

        register_source()
        registry.sharing_asks.add("consent.asks", Asks)
        registry.known_elsewhere_next.add("consent.asks", asks.known_next)
        registry.shared_record_next.add("consent.asks", asks.shared_next)
        registry.navigation.add(
            "requests",
            {
                "words": "Requests",
                "url": lambda slug: f"/o/{slug}/requests/",
                "act": "consent.share.record",
            },
        )
        registry.client_parts.add(
            "consent",
            {"words": "Consent", "route": "consent:ndtms", "act": "consent.ndtms.record", "category": ""},
        )
        registry.client_parts.add(
            "sharing", {"words": "Sharing", "route": "consent:sharing", "act": "grant.view", "category": ""}
        )
        registry.after_episodes_changed.add("consent.sharing", services.episodes_changed)
        registry.after_clients_merged.add("consent.sharing", services.push_all)
        registry.after_list_given.add("consent.sharing", list_disclosures.disclose_list)
