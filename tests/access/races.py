"""A right is taken away while four people read by it: who asked after the commit and got an answer (T7)."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client as Browser

from caseload.models import Client, ClientIdentity
from caseload.services import emergency, grants, protection
from consent.sharing import services as sharing
from consent.uploads import SignedForm
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Membership, Organisation, User
from edatrs.organisations.services import people, sign_in
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person
from tests.factories.organisations import sign_in as signed_in
from tests.factories.sharing import make_agreement, make_emergency, party

READERS = 4
PATIENCE = 30.0
WORD = b"RACEWORD"


@dataclass
class Race:
    """One right, who reads by it, where, and the act that takes it away."""

    what: str
    path: str
    reader: User
    remove: Callable[[], Any]


@dataclass
class Told:
    """What came of a race."""

    before: int = 0
    late: int = 0
    refused: int = 0


class Ground:
    """Two organisations with people in them; each race has a client and a reader of its own."""

    def __init__(self) -> None:
        self.ours, self.theirs = make_organisation(), make_organisation()
        self.agreement = make_agreement(self.ours, self.theirs)
        for organisation in (self.ours, self.theirs):
            make_service(organisation)
        self.worker = make_person(self.ours, role="team_manager")
        self.administrator = make_person(self.theirs, role="organisation_administrator")
        self.manager = make_person(self.theirs, role="team_manager")
        self.reader = make_person(self.theirs)

    def acting(self, organisation: Organisation, person: User, *roles: str) -> Any:
        """A scope of a person, as a request has it."""
        return open_scope(
            actor=Actor.PERSON,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_id=person.pk,
            person_label=person.full_name,
            roles=frozenset(roles),
        )

    def client(self, organisation: Organisation) -> Client:
        """A client with the word on the page."""
        with acting_for(organisation, actor=Actor.OPERATOR):
            client = make_client()
            make_part(ClientIdentity, client, forename="Kim", surname=WORD.decode())
            make_episode(registration=make_registration(client=client))
        return client

    def race(self, what: str) -> Race:
        """A race of a kind."""
        kind: Race = getattr(self, what.replace(" ", "_"))(what)
        return kind

    # ---- shared by consent -----------------------------------------------------------------------------------

    def _shared(self, what: str, take: Callable[[Any, Client], Any]) -> Race:
        client = self.client(self.ours)
        with self.acting(self.ours, self.worker, "team_manager"):
            given = sharing.record_consent(
                client=client,
                answer="given",
                recipient=self.theirs,
                recipient_name="",
                purposes="To plan together",
                categories=["identity"],
                decided_on=clock.today(),
                acting_user=self.worker,
                ends="open",
                told_who_sees=True,
                told_notice=True,
                notice_version="1",
                way="paper",
                signature=SignedForm("pdf", b"%PDF-1.4 %%EOF"),  # type: ignore[arg-type]
            )

        def remove() -> None:
            with self.acting(self.ours, self.worker, "team_manager"):
                take(given, client)

        return Race(what, f"/o/{self.theirs.slug}/shared/{client.pk}/", self.reader, remove)

    def consent_withdrawn(self, what: str) -> Race:
        return self._shared(
            what,
            lambda given, _: sharing.end_consent(consent=given, kind="withdrawn", acting_user=self.worker),
        )

    def record_restricted(self, what: str) -> Race:
        return self._shared(what, lambda _, client: grants.withdraw_all(client=client))

    def record_sensitive(self, what: str) -> Race:
        return self._shared(
            what,
            lambda _, client: protection.flag_sensitive(
                client=client, kind="staff", reason="Invented", acting_user=self.worker
            ),
        )

    def partner_left(self, what: str) -> Race:
        """The last day of a notice is over: another pair each time, since no notice is taken back here."""
        ours = make_organisation()
        make_service(ours)
        agreement = make_agreement(ours, self.theirs)
        client = self.client(ours)
        with acting_for(ours, actor=Actor.OPERATOR):
            terms = {"identity": grants.Term(clock.today())}
            grants.set_grants(client=client, holder_id=self.theirs.pk, terms=terms)
        yesterday = clock.today() - dt.timedelta(days=1)
        return Race(
            what,
            f"/o/{self.theirs.slug}/shared/{client.pk}/",
            self.reader,
            lambda: party(
                agreement,
                ours,
                notice_received_on=yesterday - dt.timedelta(days=28),
                leaves_on=yesterday,
            ),
        )

    def emergency_ended(self, what: str) -> Race:
        client = self.client(self.ours)
        with self.acting(self.theirs, self.reader, "keyworker"):
            opened = make_emergency(client, self.reader, ["identity"])

        def remove() -> None:
            with self.acting(self.theirs, self.reader, "keyworker"):
                emergency.end_access(pk=opened.pk, acting_user=self.reader)

        return Race(what, f"/o/{self.theirs.slug}/emergency/{client.pk}/", self.reader, remove)

    # ---- people ----------------------------------------------------------------------------------------------

    def _own(self, what: str, take: Callable[[User, Client], Any], by: User, *roles: str) -> Race:
        """A client of one's own, read by somebody who loses the right."""
        client, person = self.client(self.theirs), make_person(self.theirs)

        def remove() -> None:
            with self.acting(self.theirs, by, *roles):
                take(person, client)

        return Race(what, f"/o/{self.theirs.slug}/clients/{client.pk}/", person, remove)

    def user_disabled(self, what: str) -> Race:
        return self._own(
            what,
            lambda person, _: people.disable(person_id=person.pk, acting_user=self.administrator),
            self.administrator,
            "organisation_administrator",
        )

    def role_removed(self, what: str) -> Race:
        def end(person: User, client: Client) -> None:
            people.end_role(
                person_id=person.pk,
                membership_id=Membership.objects.get(user=person).pk,
                last_day=None,
                acting_user=self.administrator,
            )

        return self._own(what, end, self.administrator, "organisation_administrator")

    def role_changed(self, what: str) -> Race:
        def change(person: User, client: Client) -> None:
            """Now somebody who sees no client."""
            people.end_role(
                person_id=person.pk,
                membership_id=Membership.objects.get(user=person).pk,
                last_day=None,
                acting_user=self.administrator,
            )
            people.give_role(
                person_id=person.pk,
                role="organisation_administrator",
                valid_from=clock.today(),
                valid_until=None,
                acting_user=self.administrator,
            )

        return self._own(what, change, self.administrator, "organisation_administrator")

    def sessions_ended(self, what: str) -> Race:
        """The password was changed from elsewhere."""

        def change(person: User, client: Client) -> None:
            sign_in.set_password(user=person, password="seven slow barges under willows", by="own")

        return self._own(what, change, self.administrator, "organisation_administrator")

    def conflict_declared(self, what: str) -> Race:
        return self._own(
            what,
            lambda person, client: protection.declare_conflict(
                client_id=client.pk, person=person.pk, reason="Invented", acting_user=self.manager
            ),
            self.manager,
            "team_manager",
        )


KINDS = (
    "consent withdrawn",
    "record restricted",
    "record sensitive",
    "partner left",
    "emergency ended",
    "user disabled",
    "role removed",
    "role changed",
    "sessions ended",
    "conflict declared",
)


@dataclass
class Moment:
    """When the right was gone, on the clock of this process; never, as long as it stands."""

    removed: float = float("inf")
    over: bool = False


@dataclass(eq=False)
class Reader(threading.Thread):
    """Somebody at a screen of their own who asks for the page again and again; each answer with the time at which it was asked for."""

    browser: Browser
    path: str
    race: Moment
    asked: list[tuple[float, bool]] = field(default_factory=list)
    wrong: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        try:
            while True:
                began = time.monotonic()
                answer = self.browser.get(self.path)
                if answer.status_code not in (200, 302, 404):
                    raise AssertionError(f"{self.path} answers {answer.status_code}")
                self.asked.append((began, WORD in answer.content.upper()))
                if self.race.over or began > self.race.removed:
                    return  # one question after the removal is enough
        except BaseException as problem:  # noqa: BLE001  # handed to the test
            self.wrong.append(problem)
        finally:
            connection.close()


def run(race: Race, dice: random.Random) -> Told:
    """Read with four, remove at some moment, and read on. Raises what a reader raised."""
    moment = Moment()
    readers = [
        Reader(signed_in(Browser(raise_request_exception=False), race.reader), race.path, moment)
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    try:
        _until(lambda: all(reader.asked or reader.wrong for reader in readers))
        time.sleep(dice.random() * 0.03)
        race.remove()
        moment.removed = time.monotonic()
    except BaseException:
        moment.over = True
        raise
    finally:
        for reader in readers:
            reader.join(PATIENCE)
    for reader in readers:
        assert not reader.is_alive(), "a reader got no answer"
        if reader.wrong:
            raise reader.wrong[0]
    told = Told()
    for began, got in (one for reader in readers for one in reader.asked):
        told.before += got and began <= moment.removed
        told.late += got and began > moment.removed
        told.refused += not got and began > moment.removed
    return told


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "a reader got no answer"
        time.sleep(0.002)
