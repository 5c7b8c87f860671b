"""A sensitive record, and a client with whom somebody has a conflict of interest: at every address and on every list like no record (T1).

Everything about the client of `world.make_side` is asked for by people who may not find it: at every address of routes.csv that names a
client it answers as for a client that is nowhere, byte by byte, and none of its words and ids is on any page without a client in its
address. With both walls, and with each alone; with neither it comes through, or the test is blind.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import models
from django.test import Client as Browser

from caseload import hidden
from caseload.models import Client, ClientIdentity, Episode, NamedTeamMember, Registration
from caseload.services import search_index
from edatrs.core import refusals
from edatrs.core.scope import Actor
from edatrs.organisations.models import User
from tests.access import tables
from tests.access.world import Side, make_side
from tests.core.world import acting_for, histories, row_security_off, tenant_models
from tests.factories.caseload import make_episode
from tests.factories.ndtms import make_content, make_submission
from tests.factories.organisations import make_person, sign_in
from tests.factories.sharing import make_conflict, make_sensitive

BOTH, SCOPE, ROW_SECURITY, NEITHER = "both walls", "scope alone", "row security alone", "neither"
OUTSIDE = ("keyworker", "team_manager", "ndtms_administrator", "information_governance")
NHS = "9990142076"
MARKED = re.compile(r"CANARYMINE\d{10}")  # a whole word: cut ones are of several rows
SEARCHES = ("quillfeather", "Zebulon Quillfeather", NHS)
# Where the officer is told about sensitive records and conflicts, by number; and files, which are asked for below.
OF_THE_OFFICER = "o/<slug:organisation>/protection/"


@pytest.fixture(params=[BOTH, SCOPE, ROW_SECURITY, NEITHER])
def mode(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Which walls stand; row security goes down before the test's transaction begins."""
    with ExitStack() as down:
        if request.param in (SCOPE, NEITHER):
            with django_db_blocker.unblock():
                down.enter_context(row_security_off())
        yield request.param


@pytest.fixture
def _managers_down(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The managers leave nobody out."""
    if mode in (ROW_SECURITY, NEITHER):
        monkeypatch.setattr(hidden, "hidden_clients", frozenset)


class Scene:
    """An organisation with somebody in every role and a row of everything about one client, whom they may not find."""

    def __init__(self) -> None:
        self.side: Side = make_side("own-side", "CANARYMINE")
        self.people: dict[str, User] = {role: self.side.people[role] for role in OUTSIDE}
        with acting_for(self.side.organisation, actor=Actor.OPERATOR):
            self.client = Client.objects.get(pk=self.side.objects["client"])
            ClientIdentity.objects.filter(client=self.client).update(
                forename="Zebulon", surname="Quillfeather", nhs_number=NHS
            )
            registration = Registration.objects.get(client=self.client)
            make_episode(registration=registration, triaged_on=None)
            search_index.refresh([self.client.pk])
            named = Episode.objects.filter(client=self.client).first()
            assert named is not None
            self.client_id = registration.client_id_text
            self.file = self._file(registration, named)
            self.colleague = self.side.people["keyworker"].pk  # whose caseload the client is in
            self.secrets = self._secrets()
            self.named = make_person(self.side.organisation, role="keyworker", full_name="In the team")
            make_sensitive(self.client, self.named)
        self.sessions = {role: sign_in(Browser(), person) for role, person in self.people.items()}

    def _file(self, registration: Registration, episode: Episode) -> uuid.UUID:
        """A built file whose kept preview names the client in every list."""
        submission = make_submission()
        entry = [submission.agency_code, registration.client_id_text, episode.episode_id]
        make_content(
            submission,
            held_back={episode.episode_id: ["E01"]},
            preview={
                "new": [entry],
                "replaced": 0,
                "removed_by_consent": [entry],
                "missing": [entry],
                "removed_though_agreed": {episode.episode_id: "out_of_window"},
            },
        )
        made: uuid.UUID = submission.pk
        return made

    def _secrets(self) -> re.Pattern[str]:
        """Every word and id that is about the client and nobody else."""
        found = {"Quillfeather", "Zebulon", NHS, str(self.client.pk), f">{self.client}<", self.client_id}
        own = {f.name for f in Client._meta.get_fields()}
        assert "person" in own
        for model in tenant_models():
            if model in histories() or not any(f.name == "client" for f in model._meta.fields):
                continue
            for row in model.objects.filter(client_id=self.client.pk):
                found |= set(MARKED.findall(str(_texts(row))))
                if isinstance(row.pk, uuid.UUID):
                    found.add(str(row.pk))
        return re.compile("|".join(map(re.escape, sorted(found))), re.IGNORECASE)

    def leaks(self, answer: Any, *, typed: str = "") -> set[str]:
        """What of the client is in an answer, beside what was asked."""
        text = b"".join(answer) if answer.streaming else answer.content
        return {word for word in self.secrets.findall(text.decode()) if word.lower() not in typed.lower()}


def _texts(row: models.Model) -> list[Any]:
    return [getattr(row, field.attname) for field in row._meta.concrete_fields]


def addresses(side: Side, client: uuid.UUID) -> Iterator[tuple[tables.Line, str]]:
    """Every address that names a client of one's own, each with its line; the other objects in it are that client's."""
    for line in tables.lines().values():
        objects = dict(line.objects)
        if objects.get("pk") != "client" or line.method not in ("GET", "POST") or 405 in line.answers:
            continue
        path = "/" + line.route.replace("<slug:organisation>", side.organisation.slug)
        for name, kind in objects.items():
            value = client if name == "pk" else side.objects[kind]
            path = re.sub(rf"<(\w+:)?{name}>", str(value), path)
        yield line, path


def lists(role: str) -> Iterator[str]:
    """Every page of an organisation without an object in its address that a role may read."""
    for line in tables.lines().values():
        plain = line.of_organisation and not line.objects and line.method == "GET" and 200 in line.answers
        if plain and line.may(role) and line.route != OF_THE_OFFICER and not line.fresh:
            yield "/" + line.route.replace("<slug:organisation>", "own-side")


def bare(answer: Any, *ids: Any) -> str:
    """A page without what each asking changes."""
    text = answer.content.decode()
    for pk in ids:
        text = text.replace(str(pk), "")
    return re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]+"', "", text)


@pytest.mark.usefixtures("_managers_down", "db")
def test_a_record_one_may_not_find_is_nowhere(
    mode: str, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """First of a team one is not in; then of a team one is in, with a conflict of interest."""
    monkeypatch.setattr(refusals, "_recorders", [lambda scope, raised, route, subject: None])
    scene = Scene()
    roles = OUTSIDE if mode == BOTH else OUTSIDE[1:3]
    methods = ("GET", "POST") if mode == BOTH else ("GET",)
    wrong, asked = _ask(scene, {role: scene.sessions[role] for role in roles}, methods)
    manager, browser = scene.people["team_manager"], scene.sessions["team_manager"]
    page = f"/o/own-side/clients/{scene.client.pk}/"
    with acting_for(scene.side.organisation, actor=Actor.OPERATOR):
        NamedTeamMember.objects.create(client=scene.client, user=manager)
    assert b"QUILLFEATHER" in browser.get(page).content, "found by who is in the team"
    with acting_for(scene.side.organisation, actor=Actor.OPERATOR):
        make_conflict(scene.client, manager)
        hidden.ask_again()  # one transaction holds the whole test: what was noted in it is of before
    more, others = _ask(scene, {"team_manager": browser}, ("GET",))
    wrong, asked = wrong + [f"conflict: {line}" for line in more], asked + others
    _say(mode, wrong, asked, record_property)


def _say(mode: str, wrong: list[str], asked: int, record_property: Any) -> None:
    print(f"\n{mode}: {asked} questions, {len(wrong)} answers that tell")
    record_property("questions", asked)
    record_property("answers that tell", len(wrong))
    if mode != NEITHER:
        assert wrong == [], f"{len(wrong)} of {asked}:\n" + "\n".join(wrong[:30])
        return
    of_lists = set(wrong)
    for page in (
        "clients/",
        "caseload/waiting/",
        "allocation/",
        "data-quality/",
        "search",
        "allocation-run",
        "file",
    ):
        assert any(page in address for address in of_lists), f"{page}: with no wall it tells of the client"
    assert len(wrong) > asked / 3, "with no wall most questions tell"


def _ask(scene: Scene, sessions: dict[str, Browser], methods: tuple[str, ...]) -> tuple[list[str], int]:
    wrong, asked, nowhere = [], 0, uuid.uuid4()
    client = scene.client.pk
    for role, browser in sessions.items():
        for (line, path), (_, absent) in zip(
            addresses(scene.side, client), addresses(scene.side, nowhere), strict=True
        ):
            if not line.may(role) or line.fresh or line.method not in methods:
                continue
            data = {"client": str(client)}
            asked += 1
            there = browser.get(path) if line.method == "GET" else browser.post(path, data)
            if there.status_code != 404:
                wrong.append(f"{role} {path} {line.method}: {there.status_code}")
                continue
            gone = browser.get(absent) if line.method == "GET" else browser.post(absent, {"client": nowhere})
            if bare(there, client) != bare(gone, nowhere):
                wrong.append(f"{role} {path} {line.method}: {there.status_code}")
        for path in lists(role):
            answer = browser.get(path)
            asked += 1
            if found := scene.leaks(answer):
                wrong.append(f"{role} {path}: {sorted(found)[:3]}")
        asked += _asked_by_post(scene, role, browser, wrong)
    return wrong, asked


def _asked_by_post(scene: Scene, role: str, browser: Browser, wrong: list[str]) -> int:
    """Search, merge, registration, and what stored things tell."""
    asks: list[tuple[str, str, Any, str]] = []
    if role != "information_governance":
        asks += [
            ("search", "/o/own-side/clients/", {"q": typed}, typed) for typed in (*SEARCHES, scene.client_id)
        ]
    if role in ("keyworker", "team_manager"):
        asks.append(("shared", "/o/own-side/shared/", {"q": "quillfeather"}, "quillfeather"))
    if role in ("keyworker", "team_manager"):
        form = {
            "forename": "Somebody",
            "surname": "Else",
            "service": scene.side.service_id,
            "form_id": str(uuid.uuid4()),
            "client_id_text": "NEW1",
            "nhs_number": NHS,
            "step": "check",
        }
        asks.append(("register", "/o/own-side/clients/new/", form, " ".join(form.values())))
    if role == "team_manager":
        second = scene.side.objects["second"]
        for typed in (scene.client_id, "Quillfeather"):
            data = {"client": str(second), "other": typed}
            asks.append(("merge-find", f"/o/own-side/clients/{second}/merge/", data, typed))
        asks.append(("merge", f"/o/own-side/clients/{second}/merge/{scene.client.pk}/", None, ""))
        run = scene.side.objects["run"]
        whose = f"/o/own-side/caseload/allocation/?of={scene.colleague}"
        asks.append(("allocation/", whose, None, ""))
        asks.append(("allocation-run", f"/o/own-side/caseload/allocation/{run}/", None, ""))
    if role == "ndtms_administrator":
        asks.append(("file", f"/o/own-side/submissions/{scene.file}/", None, ""))
    if role == "information_governance":
        for typed in (scene.client_id, str(scene.client)):
            asks.append(("trail", f"/o/own-side/trail/?about={typed}", None, typed))
    for name, path, data, typed in asks:
        answer = browser.post(path, data) if data is not None else browser.get(path)
        if (
            data is not None
            and name != "register"
            and answer.status_code >= 400
            and answer.status_code != 422
        ):
            wrong.append(f"{role} {name} did not answer: {answer.status_code}")
        if name == "search" and answer.status_code == 200 and str(scene.client.pk) in answer.content.decode():
            wrong.append(f"{role} {name}: {typed} is found")
        elif found := scene.leaks(answer, typed=f"{typed} {path}"):
            wrong.append(f"{role} {name}: {sorted(found)[:3]}")
    return len(asks)
