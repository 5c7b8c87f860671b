"""What holds for every page of sign-in and of people: one heading, nothing inline, our tone, nothing kept by the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from edatrs.organisations.models import PasswordLink
from edatrs.organisations.services import password_links, second_factor
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db


class Reader(HTMLParser):
    """What a page says, its headings, what stands inline in it, and its fields without a label."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.headings = 0
        self.inline: list[str] = []
        self.fields: set[str] = set()
        self.labels: set[str] = set()
        self.ids: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._silent = tag in ("script", "style")
        self.headings += tag == "h1"
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.fields.add(str(given.get("id")))
        if tag == "label":
            self.labels.add(str(given.get("for")))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def pages() -> Iterator[tuple[str, Any]]:
    """Every page, as somebody who may see it, plain and with errors."""
    here = make_organisation("here")
    administrator = make_person(here, make_organisation("there"), role="organisation_administrator")
    person = make_person(here, full_name="Zebedee Quill")
    fresh = make_person(here, second_factor=False)
    out, half, new = Client(), sign_in(Client(), administrator, second_factor=False), Client()
    sign_in(new, fresh, second_factor=False)
    desk = sign_in(Client(), administrator)
    _, link = password_links.make(user=person, purpose=PasswordLink.Purpose.RESET)
    link = "/" + link.split("/", 3)[3]
    of_person = f"/o/here/people/{person.pk}/"
    role = f"{of_person}roles/{person.memberships.get().pk}/end/"
    second_factor.new_recovery_codes(user=administrator)
    for client, address in (
        (out, "/sign-in/"),
        (out, "/cannot-sign-in/"),
        (out, link),
        (half, "/confirm/"),
        (new, "/set-up/"),
        (desk, "/organisation/"),
        (desk, "/account/password/"),
        (desk, "/o/here/people/invite/"),
        (desk, of_person),
        (desk, role),
        (desk, f"{of_person}second-factor/"),
    ):
        yield address, client.get(address)
        yield f"{address} with errors", client.post(address, {})
    desk.post("/account/recovery-codes/")
    for client, address in (
        (out, "/sign-in/?ended=idle"),
        (out, "/cannot-sign-in/?sent=1"),
        (out, "/new-password/none/"),
        (desk, "/account/"),
        (desk, "/set-up/"),
        (desk, "/set-up/recovery-codes/"),
        (desk, "/o/here/"),
        (desk, "/o/here/people/"),
        (desk, f"/o/here/people/{administrator.pk}/"),
        (desk, f"{of_person}disable/"),
    ):
        yield address, client.get(address)


def test_every_page_keeps_the_rules_of_pages() -> None:
    seen = 0
    for address, response in pages():
        seen += 1
        assert response.status_code in (200, 410), address
        body = response.content.decode()
        reader = Reader()
        reader.feed(body)
        said = " ".join(reader.words)
        assert reader.headings == 1, address
        assert not reader.inline, address
        assert reader.fields <= reader.labels, address
        assert len(reader.ids) == len(set(reader.ids)), address
        assert not re.search(r"!|\b(please|oops|sorry)\b", said, re.I), address
        title = re.search(r"<title>(.*?)</title>", body, re.S)
        assert title and "Quill" not in title[1], address
        if address.endswith("with errors"):
            assert title[1].startswith("Error: "), address
            assert "There is a problem" in said, address
        assert response["Cache-Control"] == "no-store", address
        assert "'unsafe" not in response["Content-Security-Policy"], address
    assert seen == 32
