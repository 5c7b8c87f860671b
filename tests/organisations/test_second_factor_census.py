"""No page of an organisation is reached without the second factor: every route, every way to be half signed in, every method."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core.checks import walk_routes
from edatrs.organisations.models import Organisation, PasswordLink, User
from edatrs.organisations.services import outbox, password_links
from tests.factories.organisations import PASSWORD, make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
NEW = "eleven slow barges at dusk"
VALUES = {"slug": "some-text", "uuid": str(uuid.uuid4()), "int": "1", "str": "text", "path": "a/b"}


def addresses(organisation: Organisation) -> Iterator[str]:
    """Every route under /o/ with something in each place."""
    for route, _ in walk_routes():
        if route.startswith("o/"):
            filled = route.replace("<slug:organisation>", organisation.slug)
            yield "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda m: VALUES.get(m[1] or "str", "text"), filled)


def own_pages() -> Iterator[str]:
    """The pages about oneself that need both factors."""
    yield from ("/organisation/", "/account/", "/account/password/", "/account/recovery-codes/")
    yield from ("/account/passkeys/", "/account/passkeys/needed/", "/account/passkeys/1/remove/")
    yield from ("/account/sign-out-everywhere/", "/set-up/recovery-codes/", "/set-up/recovery-codes.txt")


def by_password(organisation: Organisation) -> tuple[Client, User]:
    user = make_person(organisation, role="organisation_administrator")
    client = Client()
    assert client.post("/sign-in/", {"email": user.email, "password": PASSWORD}).status_code == 302
    return client, user


def by_reset(organisation: Organisation) -> tuple[Client, User]:
    client, user = Client(), make_person(organisation, role="organisation_administrator")
    client.post("/cannot-sign-in/", {"email": user.email})
    outbox.send_due()
    link = re.search(r"/new-password/\S+", str(mail.outbox[-1].body))
    assert link
    assert client.post(link[0], {"password": NEW, "again": NEW}).status_code == 302
    assert client.post("/sign-in/", {"email": user.email, "password": NEW}).status_code == 302
    return client, user


def by_invitation(organisation: Organisation) -> tuple[Client, User]:
    client = Client()
    user = make_person(organisation, role="organisation_administrator", password=None, second_factor=False)
    _, link = password_links.make(user=user, purpose=PasswordLink.Purpose.INVITATION)
    assert client.post("/" + link.split("/", 3)[3], {"password": NEW, "again": NEW}).status_code == 302
    assert client.post("/sign-in/", {"email": user.email, "password": NEW}).url == "/set-up/"
    return client, user


def without_an_app(organisation: Organisation) -> tuple[Client, User]:
    user = make_person(organisation, role="organisation_administrator", second_factor=False)
    client = Client()
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    client.get("/set-up/")
    return client, user


def after_a_reset_by_an_administrator(organisation: Organisation) -> tuple[Client, User]:
    user = make_person(organisation, role="organisation_administrator")
    client = sign_in(Client(), user)
    user.authenticatorapp_set.all().delete()
    return client, user


def with_somebody_elses_app(organisation: Organisation) -> tuple[Client, User]:
    user, other = make_person(organisation, role="organisation_administrator"), make_person(organisation)
    client = sign_in(Client(), user)
    session = client.session
    session["otp_device_id"] = other.authenticatorapp_set.get().persistent_id
    session.save()
    return client, user


def with_a_passkey_not_shown(organisation: Organisation) -> tuple[Client, User]:
    client, user = without_an_app(organisation)
    WebAuthnCredential.objects.create(user=user, credential_id=b"1", public_key=b"", aaguid="")
    return client, user


def with_somebody_elses_passkey(organisation: Organisation) -> tuple[Client, User]:
    client, user = with_a_passkey_not_shown(organisation)
    theirs = WebAuthnCredential.objects.create(
        user=make_person(organisation), credential_id=b"2", public_key=b"", aaguid=""
    )
    session = client.session
    session["otp_device_id"] = theirs.persistent_id
    session["second_factor"] = "passkey"
    session.save()
    return client, user


def with_an_app_in_set_up(organisation: Organisation) -> tuple[Client, User]:
    client, user = without_an_app(organisation)
    session = client.session
    session["otp_device_id"] = user.authenticatorapp_set.get(confirmed=False).persistent_id
    session.save()
    return client, user


def anonymous(organisation: Organisation) -> tuple[Client, None]:
    return Client(), None


WAYS = [
    anonymous,
    by_password,
    by_reset,
    by_invitation,
    without_an_app,
    after_a_reset_by_an_administrator,
    with_somebody_elses_app,
    with_an_app_in_set_up,
    with_a_passkey_not_shown,
    with_somebody_elses_passkey,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_page_of_an_organisation_opens_without_the_second_factor(way: object) -> None:
    organisation = make_organisation("here")
    client, _ = way(organisation)  # type: ignore[operator]  # one of WAYS
    seen = 0
    for address in [*addresses(organisation), *own_pages()]:
        for method in ("get", "head", "post", "put", "patch", "delete", "options"):
            response = getattr(client, method)(address)
            seen += 1
            assert response.status_code == 302, f"{method} {address}"
            assert response.url.startswith(("/sign-in/", "/confirm/", "/set-up/")), f"{method} {address}"
    assert seen > 100


def test_the_census_would_see_a_page_that_opens() -> None:
    organisation = make_organisation("here")
    client = sign_in(Client(), make_person(organisation, role="organisation_administrator"))
    assert any(client.get(address).status_code == 200 for address in addresses(organisation))


def test_sending_a_method_in_another_header_changes_nothing() -> None:
    client, user = by_password(make_organisation("here"))
    response = client.post("/o/here/people/", headers={"X-HTTP-Method-Override": "GET", "X-Autosave": "1"})
    assert response.status_code == 401 and response["HX-Redirect"].startswith("/sign-in/")
