"""Organisations, people with roles and a second factor, and clients of the test that are signed in."""

from __future__ import annotations

import datetime as dt
from functools import cache
from itertools import count
from typing import Any

import django_otp
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client

from edatrs.core import clock
from edatrs.core.views import SECOND_FACTOR_AT
from edatrs.organisations import idle
from edatrs.organisations.choices import OrganisationKind, Role
from edatrs.organisations.models import AuthenticatorApp, Membership, Organisation, User
from edatrs.organisations.models.sign_in import step_at
from edatrs.organisations.services.second_factor import new_secret

PASSWORD = "nine quiet herons by the weir"
_numbers = count(1)


@cache
def _hashed(password: str, memory_cost: int) -> str:
    """One hash for all people with the same password, as strong as the test asks for."""
    return make_password(password)


def make_organisation(slug: str = "", **fields: Any) -> Organisation:
    """A provider."""
    slug = slug or f"organisation-{next(_numbers)}"
    defaults = {"name": slug.replace("-", " ").title(), "kind": OrganisationKind.PROVIDER}
    return Organisation.objects.create(slug=slug, **{**defaults, **fields})


def make_person(
    *organisations: Organisation,
    role: str = Role.KEYWORKER,
    second_factor: bool = True,
    password: str | None = PASSWORD,
    **fields: Any,
) -> User:
    """A person with a role at each organisation since yesterday, a password and an authenticator app."""
    number = next(_numbers)
    defaults = {"email": f"person{number}@test.example", "full_name": f"Person {number}"}
    user = User(**{**defaults, **fields})
    user.password = _hashed(password, Argon2PasswordHasher.memory_cost) if password else make_password(None)
    user.save()
    for organisation in organisations:
        give(user, organisation, role)
    if second_factor:
        add_app(user)
    return user


def give(
    user: User, organisation: Organisation, role: str, *, since: int = -1, until: int | None = None
) -> Membership:
    """A role, from and until so many days from today."""
    today = clock.today()
    return Membership.objects.create(
        user=user,
        organisation=organisation,
        role=role,
        valid_from=today + dt.timedelta(days=since),
        valid_until=None if until is None else today + dt.timedelta(days=until),
    )


def add_app(user: User) -> AuthenticatorApp:
    """An authenticator app in use."""
    return AuthenticatorApp.objects.create(
        user=user, name="Authenticator app", confirmed=True, secret=new_secret(), created_at=clock.now()
    )


def code_of(user: User, *, steps: int = 0, confirmed: bool = True) -> str:
    """What the person's app shows now, or so many steps later."""
    app = AuthenticatorApp.objects.get(user=user, confirmed=confirmed)
    return app.code_at(step_at(clock.now()) + steps)


def sign_in(client: Client, user: User, *, second_factor: bool = True, fresh: bool = True) -> Client:
    """Sign the client in without the pages: with the password only, or with the second factor too."""
    user.refresh_from_db()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    now = clock.now().timestamp()
    session[idle.SIGNED_IN_AT] = session[idle.SEEN_AT] = now
    if second_factor:
        app = AuthenticatorApp.objects.filter(user=user, confirmed=True).first() or add_app(user)
        session[django_otp.DEVICE_ID_SESSION_KEY] = app.persistent_id
        session[SECOND_FACTOR_AT] = now if fresh else now - 24 * 60 * 60
    session.save()
    return client
