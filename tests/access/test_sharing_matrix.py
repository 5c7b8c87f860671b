"""What a partner shares, asked in every state of a grant, an agreement and an emergency access, by every role, category by category (T1).

Cell: state × role × category, judged by whether the category's own word is anywhere in the answer. `sharing_states.csv` and `access.csv`
are the oracle; both were written from the protocol and the design. With both walls, and with each alone, nothing closed is shown; with
neither, what only the walls kept away comes through.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client as Browser

from caseload import selectors_shared, shared, shared_page
from caseload.choices import Category
from caseload.models import Client, Episode, EpisodeItems
from caseload.services.clients import COLUMNS as COLUMNS_OF
from edatrs.core import access, clock, refusals
from edatrs.core.managers import TenantManager, TenantQuerySet
from edatrs.core.scope import Actor
from edatrs.organisations.models import Organisation, User
from tests.access.tables import ROLES, letters, read
from tests.core.world import acting_for, row_security_off
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import (
    make_agreement,
    make_emergency,
    make_grant,
    make_sensitive,
    party,
)

BOTH, SCOPE, ROW_SECURITY, NEITHER = "both walls", "scope alone", "row security alone", "neither"
DAY = dt.timedelta(days=1)
WORD = re.compile(r"WORD\d{5}[A-Z]+", re.IGNORECASE)
COLUMNS = {"identity": "forename", "contact": "town", "equality": "religion", "disability": "disability_1"}


@pytest.fixture(params=[BOTH, SCOPE, ROW_SECURITY, NEITHER])
def mode(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Which walls stand; row security goes down before the test's transaction begins."""
    with ExitStack() as down:
        if request.param in (SCOPE, NEITHER):
            with django_db_blocker.unblock():
                down.enter_context(row_security_off())
        yield request.param


@pytest.fixture
def _scope_down(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wall of shared records says yes to everything; role × act stays on."""
    if mode not in (ROW_SECURITY, NEITHER):
        return

    def everything(self: Any) -> Any:
        return TenantQuerySet(self.model, using=self._db)

    def all_categories(client_id: Any, by: str) -> frozenset[str]:
        return frozenset(c for c in Category.values if by in access.letters("client.view", c))

    def all_clients() -> QuerySet[Client]:
        return shared.ReachedQuerySet(Client).filter(voided_at__isnull=True)

    monkeypatch.setattr(TenantManager, "get_queryset", everything)
    monkeypatch.setattr(shared, "categories_of", all_categories)
    monkeypatch.setattr(selectors_shared, "shared_clients", all_clients)


class World:
    """The receiving organisation with somebody in every role, and a client of another organisation for each state."""

    def __init__(self) -> None:
        self.today = clock.today()
        self.ours, self.third = make_organisation("receiver"), make_organisation("third")
        self.people = {role: make_person(self.ours, role=role) for role in ROLES}
        self.colleague = make_person(self.ours, role="clinician")
        self.sessions = {role: sign_in(Browser(), person) for role, person in self.people.items()}
        self.clients: dict[tuple[str, str], Client] = {}
        self.words: dict[str, str] = {}
        self.holders: dict[str, Organisation] = {}
        for line in read("sharing_states.csv"):
            if line["open"] == "only":
                for category in Category.values:
                    self._make(line["state"], category)
            else:
                self._make(line["state"], "")

    def _make(self, state: str, category: str) -> None:
        """A holder of its own for each state, so that an agreement is in one state only."""
        holder = self.holders.get(state)
        if holder is None:
            holder = self.holders[state] = make_organisation(f"holder-{state.replace('_', '-')}")
            make_service(holder)
            self._agree(state, holder)
        with acting_for(holder, actor=Actor.OPERATOR):
            client = self._record(state, category)
            self._grant(state, category, client)
        self.clients[state, category] = client
        if state.startswith("emergency"):
            self._break_glass(state, category, client)

    def _agree(self, state: str, holder: Organisation) -> None:
        """The agreement between the two, as the state says."""
        yesterday, tomorrow = self.today - DAY, self.today + DAY
        if state in ("no_agreement", "emergency_no_agreement"):
            return
        fields: dict[str, Any] = {
            "draft": {"status": "draft"},
            "for_approval": {"status": "for_approval"},
            "approved_tomorrow": {"approved_on": tomorrow},
            "agreement_ended": {"ended_on": yesterday},
        }.get(state, {})
        agreement = make_agreement(self.ours, holder, self.third, **fields)
        of_party: dict[str, Any] = {
            "holder_unsigned": {"signed_on": None, "signed_by": None, "signed_as": ""},
            "holder_signs_tomorrow": {"signed_on": tomorrow},
            "notice_over": {"notice_received_on": yesterday - 28 * DAY, "leaves_on": yesterday},
            "notice_last_day": {"notice_received_on": self.today - 28 * DAY, "leaves_on": self.today},
        }.get(state, {})
        if of_party:
            party(agreement, holder, **of_party)
        if state == "second_agreement":
            agreement.ended_on = yesterday
            agreement.save()
            make_agreement(self.ours, holder)

    def _record(self, state: str, category: str) -> Client:
        """A client with a word of its own in every category."""
        client = make_client(voided_at=clock.now() if state == "voided" else None)
        registration = make_registration(client=client)
        for part in Category.values:
            word = self._word(state, category, part)
            if part in COLUMNS:
                make_part(COLUMNS_OF[part][0], client, **{COLUMNS[part]: word})
            elif part == Category.TREATMENT:
                episode = make_episode(registration=registration, triaged_on=None)
                Episode.objects.filter(pk=episode.pk).update(drug_1=word)
            else:
                item = (
                    next(
                        i
                        for i in shared_page.recorded_items()
                        if i.entity == "episode" and i.category == part
                    )
                    if any(i.entity == "episode" and i.category == part for i in shared_page.recorded_items())
                    else None
                )
                if item is not None:
                    EpisodeItems.objects.create(
                        client=client,
                        episode=self._episode(registration),
                        category=part,
                        items={item.name: word},
                    )
                else:
                    self.words.pop(word)
        return client

    def _episode(self, registration: Any) -> Episode:
        held = Episode.objects.filter(registration=registration).first()
        return held or make_episode(registration=registration, triaged_on=None)

    def _word(self, state: str, category: str, part: str) -> str:
        word = f"WORD{len(self.words):05d}{part[:6].upper()}"
        self.words[word] = part
        self._last = word
        self.by_client = getattr(self, "by_client", {})
        self.by_client[state, category, part] = word
        return word

    def _grant(self, state: str, category: str, client: Client) -> None:
        if state in ("none",) or state.startswith("emergency"):
            return
        fields: dict[str, Any] = {
            "last_day": {"valid_until": self.today},
            "first_day": {"valid_from": self.today},
            "not_yet": {"valid_from": self.today + DAY},
            "expired": {"valid_until": self.today - DAY},
            "suspended": {"suspended_at": clock.now()},
        }.get(state, {})
        holder = self.third if state == "other_holder" else self.ours
        make_grant(client, holder, [category] if category else Category.values, **fields)
        if state in ("sensitive", "named_here"):
            make_sensitive(client, *(self.people.values() if state == "named_here" else ()))

    def _break_glass(self, state: str, category: str, client: Client) -> None:
        now = clock.now()
        minutes = dt.timedelta(minutes=1)
        fields: dict[str, Any] = {
            "emergency_ended": {
                "ended_at": now - minutes,
                "opened_at": now - 9 * minutes,
                "ends_at": now + 9 * minutes,
            },
            "emergency_over": {"opened_at": now - 60 * minutes, "ends_at": now},
            "emergency_not_begun": {"opened_at": now + minutes, "ends_at": now + 9 * minutes},
        }.get(state, {})
        where = self.third if state == "emergency_of_other_organisation" else self.ours
        with acting_for(where, actor=Actor.OPERATOR):
            people: list[User] = (
                [self.colleague] if state == "emergency_of_colleague" else list(self.people.values())
            )
            for person in people:
                make_emergency(client, person, [category] if category else Category.values, **fields)
        if state == "emergency_sensitive":
            with acting_for(self.holders[state], actor=Actor.OPERATOR):
                make_sensitive(client)

    def wanted(self, state: str, category: str, part: str, role: str, by: str, opened: str) -> bool:
        """What the two tables say of one cell."""
        if by not in letters()["client.view", part].get(role, ""):
            return False
        return opened == "yes" or (opened == "only" and part == category)


ADDRESS = {"S": "shared", "B": "emergency"}


@pytest.mark.usefixtures("_scope_down", "db")
def test_every_state_of_sharing_by_every_role(
    mode: str, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """All cells; what is wrong is told together."""
    monkeypatch.setattr(refusals, "_recorders", [lambda scope, raised, route, subject: None])
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with clock.frozen(clock.now()):
        world = World()
        lists = {
            role: {
                found.upper() for found in WORD.findall(browser.get("/o/receiver/shared/").content.decode())
            }
            for role, browser in world.sessions.items()
        }
        for line in read("sharing_states.csv"):
            for (state, category), client in world.clients.items():
                if state != line["state"]:
                    continue
                for role, browser in world.sessions.items():
                    answer = browser.get(f"/o/receiver/{ADDRESS[line['by']]}/{client.pk}/")
                    seen = {found.upper() for found in WORD.findall(answer.content.decode())}
                    for part in Category.values:
                        word = world.by_client[state, category, part]
                        if word not in world.words:
                            continue
                        wanted = world.wanted(state, category, part, role, line["by"], line["open"])
                        shown = word in seen or (line["by"] == "S" and word in lists[role])
                        counts["cells"] += 1
                        counts["open" if wanted else "closed"] += 1
                        may = line["by"] in letters()["client.view", part].get(role, "")
                        if not wanted and may:
                            counts["closed by the walls alone"] += 1
                            counts["closed by the walls alone, shown"] += shown
                        if mode == NEITHER and may:
                            continue
                        if shown != wanted:
                            wrong.append(
                                f"{state} {category} {role}: {part} is {'shown' if shown else 'not shown'}"
                            )
    print(f"\n{mode}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    for what, number in counts.items():
        record_property(what, number)
    assert wrong == [], f"{len(wrong)} wrong, the first:\n" + "\n".join(wrong[:20])
    assert counts["open"] > 150 and counts["closed by the walls alone"] > 300
    if mode == NEITHER:
        assert counts["closed by the walls alone, shown"] >= 0.95 * counts["closed by the walls alone"]
