"""Passkeys as a second factor (WebAuthn): who needs one, what the browser is asked, and how its answer is checked.

The ceremony is `django-otp-webauthn`'s; its views are not used, because sign-in counts tries, keeps the trail and asks for the password
first. The authenticator must check the person (fingerprint, face or PIN) every time. A challenge lies in the session, is good for some
minutes and once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import UserVerificationRequirement

from edatrs.core import clock
from edatrs.organisations.choices import Role
from edatrs.organisations.models import AuthenticatorApp, User
from edatrs.organisations.selectors import memberships_by_date

# Those who can open doors for others (security.md, threat 10).
PASSKEY_ROLES = frozenset({Role.ORGANISATION_ADMINISTRATOR.value, Role.PLATFORM_SUPPORT.value})
LONGEST_ANSWER = 20_000
CHALLENGE_SECONDS = 15 * 60
REGISTER, CONFIRM = "passkey_register", "passkey_confirm"
# What the second factor of a session was: the one a passkey is needed for must have been given by one.
FACTOR = "second_factor"
PASSKEY = "passkey"


# Whatever a browser can send: an answer that the ceremony refuses, or that is of another shape altogether.
_WRONG = (
    WebAuthnException,
    OTPWebAuthnApiError,
    IntegrityError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


class BadAnswer(ValueError):
    """What the browser sent is no good answer to what it was asked."""


class Helper(WebAuthnHelper):
    """The ceremony as this site wants it."""

    def get_credential_display_name(self, user: Any) -> str:
        """The person's name: what the authenticator shows."""
        return str(user.full_name)

    def get_generate_registration_options_kwargs(self, *, user: Any) -> dict[str, Any]:
        """With the check of the person required."""
        found: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        found["authenticator_selection"].user_verification = UserVerificationRequirement.REQUIRED
        return found


def needs_passkey(roles: Iterable[str]) -> bool:
    """Whether one of the roles needs a passkey, where the setting says so."""
    return not PASSKEY_ROLES.isdisjoint(roles)


def must_have(user: User) -> bool:
    """Whether a person has, anywhere today, a role that needs a passkey on this installation."""
    if not settings.PASSKEY_REQUIRED:
        return False
    return needs_passkey(memberships_by_date(user, clock.today()).values_list("role", flat=True))


def is_missing(request: HttpRequest, roles: Iterable[str]) -> bool:
    """Whether somebody acts in a role that needs a passkey and has shown none in this session."""
    return settings.PASSKEY_REQUIRED and needs_passkey(roles) and request.session.get(FACTOR) != PASSKEY


def ask_for_it(request: HttpRequest) -> HttpResponseBase:
    """To one's passkeys, and back; what a page asked by itself gets a 401 with the address."""
    back = (
        request.get_full_path() if request.method == "GET" and not request.headers.get("HX-Request") else ""
    )
    address = reverse("organisations:passkey-needed")
    if back:
        address = f"{address}?{urlencode({'next': back}, safe='/')}"
    if request.headers.get("HX-Request") or request.headers.get("X-Autosave"):
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = address
        return answer
    return HttpResponseRedirect(address)


def of(user: User) -> list[WebAuthnCredential]:
    """The passkeys of a person, the oldest first."""
    return list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("pk"))


def second_factors(people: Iterable[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The kinds of second factor of each person, in words, by id. Two queries."""
    ids = list(people)
    found: dict[UUID, tuple[str, ...]] = {}
    kinds = (("Passkey", WebAuthnCredential), ("Authenticator app", AuthenticatorApp))
    for words, model in kinds:
        rows = model.objects.filter(user_id__in=ids, confirmed=True).values_list("user_id", flat=True)
        for pk in set(rows):
            found[pk] = (*found.get(pk, ()), words)
    return found


def _ask(request: HttpRequest, key: str) -> dict[str, Any]:
    """What to ask the browser. Tabs share a challenge as long as it is young."""
    user: Any = request.user
    kept = request.session.get(key)
    if (
        kept
        and kept["user"] == str(user.pk)
        and 0 <= clock.now().timestamp() - kept["at"] < CHALLENGE_SECONDS / 3
    ):
        options: dict[str, Any] = kept["options"]
        return options
    helper = Helper(request)
    begin = helper.register_begin if key == REGISTER else helper.authenticate_begin
    options, state = begin(user=user)
    request.session[key] = {
        "options": options,
        "state": state,
        "at": clock.now().timestamp(),
        "user": str(user.pk),
    }
    return options


def ask_to_register(request: HttpRequest) -> str:
    """What the browser is asked to make a passkey, as JSON."""
    return json.dumps(_ask(request, REGISTER))


def ask_to_confirm(request: HttpRequest) -> str:
    """What the browser is asked to show one, as JSON."""
    return json.dumps(_ask(request, CONFIRM))


def _take(request: HttpRequest, key: str) -> tuple[dict[str, Any], float]:
    """The state of what was asked, once, and when that was. Raises BadAnswer."""
    kept = request.session.pop(key, None)
    user: Any = request.user
    if not kept or kept["user"] != str(user.pk):
        raise BadAnswer("nothing was asked")
    if not 0 <= clock.now().timestamp() - kept["at"] < CHALLENGE_SECONDS:
        raise BadAnswer("asked too long ago")
    return kept["state"], kept["at"]


def _read(answer: str) -> dict[str, Any]:
    if not answer or len(answer) > LONGEST_ANSWER:
        raise BadAnswer("no answer")
    try:
        data = json.loads(answer)
    except ValueError:
        raise BadAnswer("is not JSON") from None
    if not isinstance(data, dict):
        raise BadAnswer("is not an object")
    return data


def register(request: HttpRequest, answer: str, name: str) -> WebAuthnCredential:
    """The passkey that was made, saved under a name, if the answer is good. Raises BadAnswer."""
    user: Any = request.user
    (state, _), data = _take(request, REGISTER), _read(answer)
    try:
        with transaction.atomic():  # a passkey that is known already breaks a constraint
            made: WebAuthnCredential = Helper(request).register_complete(user=user, state=state, data=data)
    except _WRONG as wrong:
        raise BadAnswer(type(wrong).__name__) from wrong
    made.name, made.confirmed = name, True
    made.save(update_fields=["name", "confirmed"])
    return made


def confirm(request: HttpRequest, answer: str) -> WebAuthnCredential:
    """The person's own passkey that was shown, if the answer is good. Raises BadAnswer.

    Sent twice at once, an answer counts once: the rows are locked, and a passkey that was used since it was asked has answered it.
    """
    user: Any = request.user
    (state, asked), data = _take(request, CONFIRM), _read(answer)
    used = {
        one.pk: one.last_used_at for one in WebAuthnCredential.objects.select_for_update().filter(user=user)
    }
    try:
        shown: WebAuthnCredential = Helper(request).authenticate_complete(user=user, state=state, data=data)
    except _WRONG as wrong:
        raise BadAnswer(type(wrong).__name__) from wrong
    before = used.get(shown.pk)
    if not shown.confirmed or (before is not None and before.timestamp() >= asked):
        raise BadAnswer("not in use" if not shown.confirmed else "used since")
    shown.last_used_at = clock.now()
    shown.save(update_fields=["last_used_at"])
    return shown
