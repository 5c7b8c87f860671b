"""What the tests of episodes share: somebody signed in, a client with an episode, addresses, and forms filled as a browser would."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client as Browser

from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ConfidentialityExplained,
    Episode,
)
from edatrs.organisations.models import Organisation, Service, User
from tests.core.world import acting_for
from tests.factories.caseload import (
    make_act_of_episode,
    make_client,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.organisations import make_organisation, make_person, sign_in


@dataclass
class Home:
    """An organisation with a service, a client with an open episode, and somebody signed in."""

    organisation: Organisation
    service: Service
    client: Client
    episode: Episode
    person: User
    browser: Browser

    def at(self, rest: str = "", *, episode: Episode | None = None) -> str:
        """An address of the episode."""
        found = episode or self.episode
        return f"/o/{self.organisation.slug}/clients/{found.client_id}/episodes/{found.pk}/{rest}"

    def of_client(self, rest: str = "") -> str:
        """An address of the client."""
        return f"/o/{self.organisation.slug}/clients/{self.client.pk}/{rest}"

    def get(self, rest: str = "") -> str:
        """A page of the episode, as text."""
        answer = self.browser.get(self.at(rest))
        assert answer.status_code == 200, (rest, answer.status_code)
        return text_of(answer)

    def fresh(self) -> Episode:
        """The episode as it is now."""
        with acting_for(self.organisation):
            return Episode.objects.select_related("service", "registration").get(pk=self.episode.pk)

    def rows(self, model: Any, **where: Any) -> list[Any]:
        """Rows of the organisation."""
        with acting_for(self.organisation):
            return list(model.objects.filter(**where))

    def form(self, rest: str, **typed: Any) -> dict[str, Any]:
        """The form at an address as a browser would send it, with what is typed over it."""
        return fields_of(self.get(rest)) | typed

    def post(self, rest: str, **typed: Any) -> Any:
        """Open a form, type, send."""
        return self.browser.post(self.at(rest), self.form(rest, **typed))


def make_home(*, dataset: str = "adult", role: str = "keyworker", **fields: Any) -> Home:
    """A home; `fields` are the episode's."""
    organisation = make_organisation()
    service = make_service(organisation, dataset=dataset)
    client, episode = make_one(organisation, service, **fields)
    person = make_person(organisation, role=role, full_name="Kay One")
    return Home(organisation, service, client, episode, person, sign_in(Browser(), person))


def make_one(organisation: Organisation, service: Service, **fields: Any) -> tuple[Client, Episode]:
    """A client with every part and an episode that NDTMS would take."""
    defaults: dict[str, Any] = {"drug_1": "1011", "consent": "Y", "consent_on": dt.date(2026, 4, 6)}
    with acting_for(organisation):
        client = make_client()
        born = dt.date(1984, 4, 6)
        make_part(ClientIdentity, client, forename="Ana", surname="Ferreira", date_of_birth=born, sex="F")
        for part in (ClientContact, ClientEquality, ClientDisability):
            make_part(part, client)
        registration = make_registration(client=client, service=service)
        episode = make_episode(registration=registration, **{**defaults, **fields})
        make_act_of_episode(ConfidentialityExplained, episode)
    return client, episode


def text_of(answer: Any) -> str:
    """A page as text."""
    return str(answer.content.decode())


def date_of(name: str, day: dt.date | None) -> dict[str, str]:
    """The three boxes of a date."""
    parts = (day.day, day.month, day.year) if day else ("", "", "")
    return {f"{name}_{key}": str(part) for key, part in zip(("day", "month", "year"), parts, strict=True)}


_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


def fields_of(page: str) -> dict[str, Any]:
    """The fields of the main form of a page, as a browser without JavaScript would send them."""
    forms = re.findall(r"<form\b[^>]*>(.*?)</form>", page.partition('<main class="app-main"')[2], re.S)
    inside = max(forms, key=len)
    found: dict[str, Any] = {}
    for attributes in re.findall(r"<input\b([^>]*)>", inside, re.S):
        given = {k: html.unescape(v) for k, v in _ATTRIBUTE.findall(attributes)}
        name, kind = given.get("name"), given.get("type", "text")
        if not name or (kind in ("radio", "checkbox") and "checked" not in given):
            continue
        value = given.get("value", "on" if kind == "checkbox" else "")
        if name in found:
            held = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*held, value]
        else:
            found[name] = value
    for attributes, content in re.findall(r"<select\b([^>]*)>(.*?)</select>", inside, re.S):
        given = {k: html.unescape(v) for k, v in _ATTRIBUTE.findall(attributes)}
        chosen = re.search(r'<option value="([^"]*)"[^>]*\bselected', content)
        found[given["name"]] = html.unescape(chosen[1]) if chosen else ""
    for attributes, content in re.findall(r"<textarea\b([^>]*)>(.*?)</textarea>", inside, re.S):
        given = {k: html.unescape(v) for k, v in _ATTRIBUTE.findall(attributes)}
        found[given["name"]] = html.unescape(content).removeprefix("\n")
    return found


def problems_of(page: str) -> list[str]:
    """The lines of the error summary."""
    summary = page.partition("govuk-error-summary__body")[2].partition("</ul>")[0]
    return [
        html.unescape(re.sub(r"<[^>]+>", "", line)).strip()
        for line in re.findall(r"<li>(.*?)</li>", summary, re.S)
    ]
