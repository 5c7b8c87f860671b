"""What the frame of every page leads to: how long the sign-in lasts, shortcuts, help, privacy notice, accessibility."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse

from edatrs.core import clock
from edatrs.core.views import PublicView
from edatrs.organisations import idle
from edatrs.organisations.models import Organisation
from edatrs.organisations.services import people
from edatrs.organisations.views import common

# Topics of the help, in the order of the list: address, and the words of the link.
TOPICS = {
    "consent": "NDTMS consent: ask, record, withdraw",
    "find": "Find a client, register one, put two records together",
    "top": "Outcome forms (TOP)",
    "drafts": "Drafts, time-out and no connection",
    "conflict": "When somebody saved before you",
    "import": "Import a caseload",
    "sharing": "Consent to share, and who can see what",
    "asks": "Ask a partner, refer, transfer",
    "links": "Link a record with a partner’s",
    "emergency": "Emergency access",
    "exports": "Export a list",
    "agreements": "Agreements between organisations",
    "trail": "The trail, and how to check it",
}


class StayView(common.SignedInView):
    """How long this sign-in lasts. A POST is use and puts the end off; a GET, sent by the page itself with X-Autosave, is not."""

    extends_session = False

    def get(self, request: HttpRequest) -> HttpResponse:
        """The seconds that are left."""
        return self._left(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Somebody types, or says that they are here."""
        request.session[idle.SEEN_AT] = clock.now().timestamp()
        return self._left(request)

    @staticmethod
    def _left(request: HttpRequest) -> HttpResponse:
        unused, long = idle.left(request)
        return JsonResponse({"unused": unused, "long": long})


class ShortcutsView(PublicView):
    """The keys, and one's own switch for them."""

    public_because = "a list of keys, and a switch of one's own"
    template_name = "help/keyboard_shortcuts.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Switch them on or off."""
        user: Any = request.user
        if not (user.is_authenticated and user.is_verified()):
            return common.to("sign-in", next=request.path)
        off = request.POST.get("shortcuts") == "off"
        people.switch_shortcuts(acting_user=user, off=off)
        messages.success(request, f"Keyboard shortcuts are {'off' if off else 'on'}.")
        return HttpResponseRedirect(reverse("keyboard-shortcuts"))


class HelpView(PublicView):
    """What this is, whom to ask, and what to check before a live submission."""

    public_because = "help is for everyone"
    template_name = "help/index.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self.page(request, topics=TOPICS, idle_minutes=settings.SESSION_IDLE_SECONDS // 60)


class HelpTopicView(PublicView):
    """One topic of the help."""

    public_because = "help is for everyone"

    def get(self, request: HttpRequest, topic: str) -> HttpResponse:
        """The page. Raises Http404 for what is no topic."""
        if topic not in TOPICS:
            raise Http404
        self.template_name = f"help/topics/{topic}.html"  # type: ignore[misc]  # of this request: one of ours
        return self.page(
            request,
            heading=TOPICS[topic],
            topics={key: words for key, words in TOPICS.items() if key != topic},
            idle_minutes=settings.SESSION_IDLE_SECONDS // 60,
            warning_minutes=settings.SESSION_WARNING_SECONDS // 60,
            longest_hours=settings.SESSION_COOKIE_AGE // 3600,
        )


class PrivacyView(PublicView):
    """Who is responsible, what is kept and why, what leaves, and what somebody can ask for; from what the system knows."""

    public_because = "a privacy notice is for everyone"
    template_name = "help/privacy.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        partners = list(Organisation.objects.order_by("name"))
        return self.page(
            request, partners=partners, controllers=[partner for partner in partners if partner.is_controller]
        )


class AccessibilityView(PublicView):
    """How accessible this is, and what to do where it is not."""

    public_because = "an accessibility statement is for everyone"
    template_name = "help/accessibility.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self.page(request)
