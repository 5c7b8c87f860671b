"""What every page's frame shows: who, for whom, and the areas the role may enter."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from edatrs.core import access, clock, registry
from edatrs.core.scope import scope_or_none
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation


def frame(request: HttpRequest) -> dict[str, Any]:
    """`organisation`, `scope_roles`, `areas` (only what the role may enter), `printed_at`, `demo`."""
    scope = scope_or_none()
    organisation = getattr(request, "organisation", None)
    areas = []
    if scope is not None and organisation is not None:
        areas = [
            {"key": key, "words": entry["words"], "url": entry["url"](organisation.slug)}
            for key, entry in registry.navigation
            if access.may(entry["act"])
        ]
    roles = [Role(r).label for r in sorted(scope.roles)] if scope else []
    return {
        "controller": Organisation.objects.filter(is_controller=True).values_list("name", flat=True).first(),
        "organisation": organisation,
        "role_words": ", ".join(roles),
        "areas": areas,
        "finds_clients": scope is not None and organisation is not None and access.may("client.find"),
        "printed_at": clock.now(),
        "demo": settings.DEMO,
    }
