"""`demo [--port N]`: fill the demonstration: the Essex partnership, a sample caseload, people to sign in as, one extract by the worker."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import time
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from caseload.models import Allocation, AllocationKind, Client, Episode
from caseload.services import allocation
from consent.sharing import demo as sharing_demo
from edatrs.core import clock, embedded
from edatrs.core.scope import Actor, Scope, open_scope
from edatrs.organisations import directory
from edatrs.organisations.choices import ClearanceKind, JobState, Role
from edatrs.organisations.models import Clearance, Job, Organisation, User
from edatrs.organisations.services import agreement_demo, clearances
from edatrs.organisations.services.people import add_person
from ndtms.caseload_import import import_caseload
from ndtms.choices import ExtractKind
from ndtms.models import Submission
from ndtms.services import submissions

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
# The later bundle is the first one two weeks on; bundle-2 stands for another partnership and re-uses agency codes and client ids.
BUNDLES = ("bundle-1", "bundle-1-later")
EXTRACT_OF = "E1001"
PATIENCE = 120
# Clients of a keyworker at the start: as many as fill a screen and a half.
CASELOAD = 34
# So many organisations share, so many clients each, with the next one.
SHARING, SHARED = 3, 6
NAMES = {
    Role.KEYWORKER: "Amara Lindqvist",
    Role.CLINICIAN: "Tomasz Abernathy",
    Role.TEAM_MANAGER: "Grace Okonjo",
    Role.NDTMS_ADMINISTRATOR: "Graham Tull",
    Role.ORGANISATION_ADMINISTRATOR: "Joanne Fairley",
    Role.INFORMATION_GOVERNANCE: "Imran Sadiq",
    Role.COMMISSIONER: "Helen Marsh",
    Role.PLATFORM_SUPPORT: "Ines Coulter",
}


class Command(BaseCommand):
    """Safe to repeat: what is there stays."""

    help = "Fill the demonstration and print its sign-ins (demo mode only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The port that the site serves on, to print the address."""
        parser.add_argument("--port", default="8000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, add people, build, print."""
        if not settings.DEMO:
            raise CommandError(
                "the demonstration is filled in demo mode only: set EDATRS_DEMO=1 or run make demo"
            )
        (settings.STATE_DIR / "demo").touch()
        call_command("load_partnership", stdout=self.stderr)
        for name in BUNDLES:
            self._load(SAMPLE / name)
        password = "demo-" + embedded.secret("demo_password", 9)
        people = self._people(password)
        self._agreements(password, people)
        self._allocate(people)
        self._share(people)
        built = self._build()
        self._print(options["port"], password, people, built)

    def _load(self, folder: Path) -> None:
        loaded = import_caseload(folder)
        new = sum(loaded.created.values())
        self.stderr.write(f"{folder.name}: {new:,} lines new, {sum(loaded.unchanged.values()):,} unchanged")

    def _people(self, password: str) -> list[tuple[Organisation, str, User]]:
        """One invented person per role and organisation."""
        people = []
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            for organisation in Organisation.objects.order_by("name"):
                for role, _ in directory.roles_of_kind(organisation):
                    email = f"{role.replace('_', '-')}@{organisation.slug}.example"
                    user = add_person(
                        email=email,
                        name=NAMES[Role(role)],
                        organisation=organisation,
                        role=role,
                        password=password,
                        totp_secret=_secret(email),
                    )
                    self._clear(user, organisation, role)
                    people.append((organisation, role, user))
                organisation.required_clearances = ClearanceKind.values
                organisation.save(update_fields=["required_clearances"])
        return people

    def _agreements(self, password: str, people: list[tuple[Organisation, str, User]]) -> None:
        """The sharing agreements, and who signed for each partner."""
        signatories = {}
        role = Role.INFORMATION_GOVERNANCE
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            for organisation in Organisation.objects.filter(slug__in=agreement_demo.SIGNATORIES):
                email = f"signatory@{organisation.slug}.example"
                signatories[organisation.slug] = user = add_person(
                    email=email,
                    name=agreement_demo.SIGNATORIES[organisation.slug][0],
                    organisation=organisation,
                    role=role,
                    password=password,
                    totp_secret=_secret(email),
                )
                self._clear(user, organisation, role)
                people.append((organisation, role, user))
            agreement_demo.fill(signatories)

    @staticmethod
    def _clear(user: User, organisation: Organisation, role: str) -> None:
        """Everybody is trained and checked; the training of the clinicians ends soon. What was recorded since stays."""
        if Clearance.objects.filter(user=user, organisation=organisation).exists():
            return
        today = clock.today()
        left = dt.timedelta(days=20 if role == Role.CLINICIAN else 250)
        clearances.write(
            person=user,
            organisation=organisation,
            kind=ClearanceKind.TRAINING,
            done_on=today + left - dt.timedelta(days=364),
            valid_until=today + left,
        )
        clearances.write(
            person=user,
            organisation=organisation,
            kind=ClearanceKind.BACKGROUND_CHECK,
            done_on=today - dt.timedelta(days=200),
            valid_until=today + dt.timedelta(days=895),
        )

    def _allocate(self, people: list[tuple[Organisation, str, User]]) -> None:
        """The team manager gives the keyworker a caseload, the latest referrals first. Nothing where anybody has one already."""
        managers = {o.pk: user for o, role, user in people if role == Role.TEAM_MANAGER}
        for organisation, role, keyworker in people:
            manager = managers.get(organisation.pk)
            if role != Role.KEYWORKER or manager is None:
                continue
            with _as(organisation, manager, Role.TEAM_MANAGER):
                open_ones = Episode.objects.filter(discharged_on__isnull=True, voided_at__isnull=True)
                latest = open_ones.order_by("-referred_on", "pk").values_list("client_id", flat=True)
                clients = tuple(dict.fromkeys(latest))[:CASELOAD]
                if not clients or Allocation.objects.exists():
                    continue
                wish = allocation.Wish(
                    clients,
                    AllocationKind.KEYWORKER,
                    keyworker,
                    clock.today(),
                    None,
                    "Start of the demonstration",
                )
                shown = allocation.plan(wish).stamp
                allocation.allocate(wish=wish, shown=shown, run_id=uuid4(), acting_user=manager)

    def _share(self, people: list[tuple[Organisation, str, User]]) -> None:
        """Clients of the first keyworkers let the next partner see parts of their record."""
        by_role = {(o.pk, role): user for o, role, user in people}
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            holders = [o for o, role, _ in people if role == Role.KEYWORKER]
        for organisation, recipient in pairwise([*holders[:SHARING], holders[0]]):
            keyworker = by_role[organisation.pk, Role.KEYWORKER]
            manager = by_role.get((organisation.pk, Role.TEAM_MANAGER))
            if manager is None:
                continue
            with _as(organisation, keyworker, Role.KEYWORKER):
                mine = Allocation.objects.filter(keyworker=keyworker).order_by("pk").values("client_id")
                clients = list(
                    Client.objects.filter(pk__in=mine, voided_at=None).order_by("record_number")[:SHARED]
                )
                consents = sharing_demo.ask(
                    clients=clients, recipient=recipient, keyworker=keyworker, witness=manager
                )
            with _as(organisation, manager, Role.TEAM_MANAGER):
                sharing_demo.hear(consents=consents, witness=manager)

    def _build(self) -> Submission:
        """Ask for an extract and wait until a worker has built it."""
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            order = submissions.check_order(
                agency_code=EXTRACT_OF,
                dataset=None,
                letter=None,
                kind=ExtractKind.REPORTING.value,
                as_of=clock.today(),
            )
        organisation = order.service.organisation
        asker = User.objects.get(email=f"ndtms-administrator@{organisation.slug}.example")
        with open_scope(
            actor=Actor.PERSON,
            organisation_id=organisation.pk,
            organisation_label=organisation.slug,
            person_id=asker.pk,
            person_label=asker.full_name,
        ):
            under_way = submissions.same_work(order)
            job = under_way or submissions.ask_for_extract(order=order, acting_user=asker)[1]
        until = time.monotonic() + PATIENCE
        while job.state in (JobState.QUEUED, JobState.RUNNING):
            if time.monotonic() > until:
                raise CommandError("the worker has not built the extract: is it running? See its log")
            time.sleep(0.2)
            job = Job.objects.get(pk=job.pk)
        with open_scope(actor=Actor.OPERATOR, organisation_id=organisation.pk, person_label="operator"):
            return Submission.objects.get(pk=job.subject)

    def _print(
        self, port: str, password: str, people: list[tuple[Organisation, str, User]], built: Submission
    ) -> None:
        write = self.stdout.write
        write("")
        write(f"{'Organisation':<38} {'Role':<32} Sign in as")
        for organisation, role, user in people:
            write(f"{organisation.name[:37]:<38} {Role(role).label:<32} {user.email}")
        write("")
        write(f"Password of everyone: {password}")
        write("One-time code:        .venv/bin/python manage.py demo_code EMAIL")
        counts = built.manifest
        write(f"Extract by the worker: {built.file_name or built.problem}, {json.dumps(counts)}")
        slug = built.service.organisation.slug
        write(
            f"Open http://localhost:{port}/ or, as its NDTMS administrator, http://localhost:{port}/o/{slug}/submissions/"
        )


def _as(organisation: Organisation, person: User, role: Role) -> AbstractContextManager[Scope]:
    """The scope of a person in one role."""
    return open_scope(
        actor=Actor.PERSON,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk,
        person_label=person.full_name,
        roles=frozenset({role.value}),
    )


def _secret(email: str) -> str:
    """The authenticator secret of a demo person: of this installation, the same each time."""
    digest = hashlib.sha256(f"{embedded.secret('demo_totp', 32)}:{email}".encode()).digest()
    return base64.b32encode(digest[:20]).decode()
