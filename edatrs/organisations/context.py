"""What every page's frame shows: who, for whom, and the areas the role may enter."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from edatrs.core import access, clock, registry
from edatrs.core.scope import scope_or_none
from edatrs.organisations import idle, left
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation

# The areas that a letter after g leads to. What is not in somebody's navigation leads nowhere.
SHORTCUTS = {
    "find": "/",
    "help": "?",
    "home": "g h",
    "my-caseload": "g c",
    "clients": "g l",
    "data-quality": "g q",
    "submissions": "g s",
    "import": "g i",
    "people": "g p",
}


def shortcuts_of(request: HttpRequest) -> dict[str, str]:
    """The keys of somebody signed in; none for who switched them off."""
    user: Any = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated and user.is_verified()
    return SHORTCUTS if signed_in and not user.shortcuts_off else {}


def idle_of(request: HttpRequest) -> dict[str, int] | None:
    """When this sign-in ends, for the page to warn in time; None for who is not signed in with both factors."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_verified():
        return None
    unused, long = idle.left(request)
    return {"unused": unused, "long": long, "warning": settings.SESSION_WARNING_SECONDS}


def frame(request: HttpRequest) -> dict[str, Any]:
    """`organisation`, `role_words`, `areas` (only what the role may enter), `idle`, `shortcuts`, `printed_at`, `demo`, `left_protocol`."""
    scope = scope_or_none()
    organisation = getattr(request, "organisation", None)
    areas = []
    if scope is not None and organisation is not None:
        areas = [
            {"key": key, "words": entry["words"], "url": entry["url"](organisation.slug)}
            for key, entry in registry.navigation
            if access.may(entry["act"], by=entry.get("by", access.OWN))
        ]
    roles = [Role(r).label for r in sorted(scope.roles)] if scope else []
    shortcuts = shortcuts_of(request)
    for area in areas:
        area["shortcut"] = shortcuts.get(area["key"], "")
    return {
        "idle": idle_of(request),
        "shortcuts": shortcuts,
        "controller": Organisation.objects.filter(is_controller=True).values_list("name", flat=True).first(),
        "organisation": organisation,
        "role_words": ", ".join(roles),
        "areas": areas,
        "finds_clients": scope is not None and organisation is not None and access.may("client.find"),
        "printed_at": clock.now(),
        "demo": settings.DEMO,
        "left_protocol": left.current() if scope is not None and organisation is not None else None,
    }
