"""Who may do what, asked of every route: with both walls, with each one alone, and with neither (T1).

With both, and with either alone, no byte of another organisation reaches anybody, what is foreign answers like what is not there, and
nothing foreign is changed. With neither, what only the walls kept away must come through: otherwise the questions were blind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection
from django.db.models import BooleanField, CharField, JSONField, TextField, Value

from audit.models.trail import TrailManager, TrailQuerySet
from caseload import selectors_shared, shared
from caseload.choices import Category
from caseload.models import Client, EmergencyAccess
from caseload.services import openings
from edatrs.core import access, clock, refusals
from edatrs.core.managers import TenantManager, TenantQuerySet
from edatrs.organisations import agreements, directory
from edatrs.organisations.models import Agreement, AuthorisedRole, Membership, Service, Task, User
from tests.access.matrix import ABSENT, NONE, OTHER, OWN, Answer, Cell, Matrix, cells, expected, foreign_bytes
from tests.access.tables import ROLES, lines
from tests.access.world import World, make_side, make_world
from tests.core.world import acting_for, row_security_off, tenant_models

BOTH, MANAGERS, ROW_SECURITY, NEITHER = "both walls", "managers alone", "row security alone", "neither"


# With both walls every method is asked of everybody: by parts, so that they run beside each other.
PARTS = 4
# `make matrix`: with both walls nothing is spared, and with less than both every method is asked.
WHOLE, WHOLE_PARTS = "whole", 16


def _whole() -> list[str]:
    both = [f"{BOTH}, {WHOLE}, part {n}" for n in range(WHOLE_PARTS)]
    return [
        *both,
        *(f"{mode}, {WHOLE}, part {n}" for mode in (MANAGERS, ROW_SECURITY) for n in range(4)),
    ]


@pytest.fixture(
    params=[
        *(f"{BOTH}, part {n}" for n in range(PARTS)),
        MANAGERS,
        ROW_SECURITY,
        NEITHER,
        *(pytest.param(part, marks=pytest.mark.long) for part in _whole()),
    ]
)
def part(request: pytest.FixtureRequest) -> str:
    """Which walls stand, and which part of the routes is asked."""
    return str(request.param)


@pytest.fixture
def mode(part: str, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Which walls stand. Row security is taken down before the test's transaction begins, and put up after it has ended."""
    mode = part.partition(",")[0]
    with ExitStack() as down:
        if mode in (MANAGERS, NEITHER):
            with django_db_blocker.unblock():
                down.enter_context(row_security_off())
        yield mode


@pytest.fixture
def _managers_down(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Managers that narrow nothing; with neither wall the filters that pages without client data stand on go too."""

    def everything(self: Any) -> Any:
        return TenantQuerySet(self.model, using=self._db)

    if mode in (ROW_SECURITY, NEITHER):
        # Every state of a grant and of an emergency access is asked in test_sharing_matrix.
        monkeypatch.setattr(
            shared,
            "categories_of",
            lambda client_id, by: frozenset(
                c for c in Category.values if by in access.letters("client.view", c)
            ),
        )
        monkeypatch.setattr(
            selectors_shared, "shared_clients", lambda: shared.ReachedQuerySet(Client).filter(voided_at=None)
        )
        monkeypatch.setattr(TenantManager, "get_queryset", everything)
        monkeypatch.setattr(
            TrailManager, "get_queryset", lambda self: TrailQuerySet(self.model, using=self._db)
        )
    if mode == NEITHER:
        # A third wall, which is not asked here: a foreign key with the organisation in it refuses to note who opened a foreign client.
        monkeypatch.setattr(openings, "note_opened", lambda **noted: None)
        # Whose caseload it is: the page's own filter, proven in tests/ndtms/quality/test_desk.py.
        monkeypatch.setattr("ndtms.desk.sees_all", lambda: True)
        for module in ("edatrs.organisations.forms.people", "ndtms.views.submissions"):
            monkeypatch.setattr(f"{module}.services_of", lambda organisation_id: Service.objects.all())
        with_factor = Value(True, output_field=BooleanField())
        everybody = User.objects.annotate(has_second_factor=with_factor)
        roles = Membership.objects.prefetch_related("services")
        for name, unfiltered in {
            "people_of": lambda organisation_id: everybody,
            "memberships_at": lambda organisation_id, people=None: (
                roles if people is None else roles.filter(user__in=people)
            ),
            "membership_of": lambda organisation_id, person, pk: Membership.objects.get(pk=pk),
            "tasks_of": lambda user, organisation_id, roles: Task.objects.all(),
        }.items():
            monkeypatch.setattr(directory, name, unfiltered)
        # Of agreements: which are seen, who writes them, and whose part it is.
        monkeypatch.setattr(agreements, "visible", lambda organisation_id: Agreement.objects.all())
        monkeypatch.setattr(agreements, "leads", lambda agreement, organisation_id: True)
        monkeypatch.setattr(
            agreements,
            "own_party",
            lambda agreement, organisation_id: next(iter(agreement.parties.all()), None),
        )
        signatories = AuthorisedRole.objects.select_related("user")
        monkeypatch.setattr(agreements, "signatories_of", lambda organisation_id: signatories)


class Judge:
    """Keeps what was wrong, and how many cells there were of each kind."""

    def __init__(self, world: World, mode: str) -> None:
        self.world, self.mode = world, mode
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()
        self.not_there: dict[tuple[Any, ...], bytes] = {}
        self.nothing: dict[str, bytes] = {}
        self.blind: list[str] = []

    def say(self, cell: Cell, what: str) -> None:
        """Something was wrong."""
        self.wrong.append(f"{cell}: {what}")

    def see(self, cell: Cell, answer: Answer, changed: bool, refused: int) -> None:
        """Judge one answer."""
        self.counts["cells"] += 1
        leak = foreign_bytes(self.world, cell, answer)
        if not leak and cell.object == OTHER and cell.address == OWN:
            leak = self._unlike_absence(cell, answer)
        if changed:
            leak = leak or "rows of the other organisation were changed"
        if cell.denied_by_organisation:
            self.counts["denied reads"] += 1
            self.counts["denied reads that leak"] += bool(leak)
            self.counts[f"denied reads, {cell.line.guard}"] += 1
            self.counts[f"denied reads that leak, {cell.line.guard}"] += bool(leak)
        if cell.write_denied_by_organisation:
            self.counts["denied writes"] += 1
            # With neither wall a foreign key that carries the organisation may still stop one: it had come as far as that.
            through = bool(leak) or (self.mode == NEITHER and answer.status == 500)
            self.counts["denied writes that come through"] += through
            self.counts["denied writes that only a foreign key stops"] += through and not leak
            if self.mode == NEITHER and not through:
                self.blind.append(str(cell))
        if self.mode == NEITHER and cell.denied_by_organisation and not leak:
            self.blind.append(str(cell))
        if self.mode == NEITHER:
            if not cell.line.may(cell.role) or cell.address != OWN:
                self._judge(cell, answer, refused)  # role × act stays on
                if leak:
                    self.say(cell, f"leaks {leak} past the role")
            return
        self.counts["leaks"] += bool(leak)
        if leak:
            self.say(cell, f"leaks {leak}")
        self._judge(cell, answer, refused)

    def told(self, cell: Cell, answer: Answer, on_trail: int) -> None:
        """What shows anything of a client is on the trail, once: one event, whatever the page shows (T10, completeness)."""
        mine = self.world.own.mark.encode()
        asked = cell.line.guard == "walls" and cell.line.method == "GET" and cell.line.of_people
        if asked and answer.status == 200 and mine in answer.body:
            self.counts["pages that show people"] += 1
            if on_trail != 1:
                self.say(cell, f"shows people and leaves {on_trail} entries on the trail")

    def _judge(self, cell: Cell, answer: Answer, refused: int) -> None:
        """The status, where it leads, and that whatever is not there answers alike and is on the trail."""
        statuses, leads = expected(cell)
        if answer.status not in statuses:
            self.say(cell, f"answers {answer.status} and not {sorted(statuses)}")
        if leads and f"Location: {leads}".encode() not in answer.head:
            self.say(cell, f"does not lead to {leads}")
        if b"Cache-Control: no-store" not in answer.head and b"no-store" not in answer.head:
            self.say(cell, "may be kept by a browser")
        if cell.line.of_organisation and refused != (answer.status == 404):
            self.say(cell, f"{refused} refusals on the trail")
        if cell.role and cell.foreign_ids and answer.status == 302 and "service" in _fields(cell):
            self.say(cell, "took another organisation's service")
        if answer.status == 404:
            told = self.nothing.setdefault("HEAD" if cell.line.method == "HEAD" else "", answer.bare)
            if told != answer.bare:
                unlike = set(answer.bare.splitlines()) ^ set(told.splitlines())
                self.say(cell, f"is not there in other bytes: {sorted(unlike)}")
        mine = self.world.own.mark.encode() in answer.body
        if cell.line.guard and cell.line.method == "GET" and answer.status == 200 and not mine:
            # Says only that nothing is being built; is the scan of a form, in which no word stands.
            if cell.line.route.endswith(("<uuid:pk>/progress/", "/signed-form/")):
                return
            # A caseload in which nothing fails: in JSON no header names the organisation.
            if cell.role == "keyworker" and cell.line.route.endswith("/api/quality/work-list/"):
                return
            self.say(cell, "shows nothing of one's own: the question is blind")

    def _unlike_absence(self, cell: Cell, answer: Answer) -> str:
        """Whether a foreign object answers otherwise than one that is not there."""
        absent = self.not_there.get((cell.line, cell.who, cell.foreign_ids))
        return "" if absent is None or absent == answer.bare else "its existence"


def _fields(cell: Cell) -> set[str]:
    return (
        {"service"}
        if cell.line.route.endswith(("/submissions/", "/invite/", "/people/<uuid:pk>/"))
        else set()
    )


def _asked(part: str, mode: str) -> list[Cell]:
    whole = f", {WHOLE}" in part
    parts = (WHOLE_PARTS if mode == BOTH else 4) if whole else PARTS if mode == BOTH else 1
    routes = sorted({route for route, _ in lines()})
    mine = set(routes[int(part.rpartition(" ")[2]) :: parts] if parts > 1 else routes)
    every = cells(every_method=whole or mode == BOTH, whole=whole and mode == BOTH)
    return [cell for cell in every if cell.line.route in mine]


def _is_nowhere(cell: Cell) -> bool:
    return cell.object == ABSENT and cell.address == OWN


def _ask_everything(part: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> Judge:
    world = make_world()
    judge, matrix = Judge(world, mode), Matrix(world)
    refused: list[str] = []
    # That the trail writes a refusal, and that nothing is answered when it cannot, is shown beside the trail and in test_fail_closed.
    monkeypatch.setattr(refusals, "_recorders", [lambda scope, raised, route, subject: refused.append(route)])
    matrix.forget = refused.clear
    # First what is not there: how that answers is what foreign objects are compared with.
    wanted = sorted(_asked(part, mode), key=lambda cell: not _is_nowhere(cell))
    for cell in wanted:
        refused.clear()
        answer, changed = matrix.ask(cell)
        if _is_nowhere(cell):
            judge.not_there[cell.line, cell.who, cell.foreign_ids] = answer.bare
        judge.see(cell, answer, changed, len(refused))
        judge.told(cell, answer, matrix.on_trail)
    assert {cell.role for cell in wanted} >= set(ROLES) and {NONE, OWN, OTHER} <= {c.object for c in wanted}
    return judge


# No mark of the database: it would begin the transaction before the walls are taken down, and they could not be put up before it ends.
@pytest.mark.first
@pytest.mark.usefixtures("_managers_down", "db")
def test_matrix(part: str, mode: str, monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    """Every cell; all that is wrong is told together."""
    with clock.frozen(
        clock.now()
    ):  # an answer must not differ from another because time went by between them
        judge = _ask_everything(part, mode, monkeypatch)
    counts = judge.counts
    print(f"\n{part}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items()))
    for what, number in counts.items():
        record_property(what, number)
    kinds = Counter(wrong.split(": ", 1)[1][:90] for wrong in judge.wrong)
    assert judge.wrong == [], f"{kinds.most_common(12)}\n{len(judge.wrong)} wrong, the first: " + "\n".join(
        judge.wrong[:20]
    )
    if mode == NEITHER:
        print("questions that see nothing:", *judge.blind, sep="\n  ")
        assert counts["denied reads that leak, walls"] >= 0.95 * counts["denied reads, walls"] > 0
        assert counts["denied reads that leak, page"] >= 0.95 * counts["denied reads, page"] > 0
        # One service looks a third time by itself (people.end_role).
        assert counts["denied writes that come through"] >= 0.9 * counts["denied writes"] > 0
    else:
        assert counts["leaks"] == 0
    assert connection.in_atomic_block


def test_there_are_enough_questions() -> None:
    """At least 40,000 in the four modes together here, and 250,000 by `make matrix` (issue 4)."""
    here = [cells(every_method=True), *(cells(every_method=False) for _ in (MANAGERS, ROW_SECURITY, NEITHER))]
    whole = [
        cells(every_method=True, whole=True),
        *(cells(every_method=True) for _ in (MANAGERS, ROW_SECURITY)),
        cells(every_method=False),
    ]
    every = list(cells(every_method=True, whole=True))
    assert len(set(every)) == len(every), "one question is counted twice"
    assert sum(1 for mode in here for _ in mode) >= 40_000
    assert sum(1 for mode in whole for _ in mode) >= 250_000


# Neither free text nor anybody's: codes, names of files, and what the database makes of them.
CODES = {
    "dataset",
    "kind",
    "state",
    "decision",
    "method",
    "origin",
    "consent",
    "category",
    "letter",
    "understanding",
    "competence",
    "wish",
    "moved",  # ids
    "written",  # ids and numbers of versions
    "lines",  # ids and codes
    "roles",  # codes
    "before",  # ids and dates
    "tasks",  # ids
    "filters",  # choices of a filter
    "since",  # days by rule
    "counts",
    "overruled",
    "ended",
    "answer",
    "ends",
    "way",
    "ground",
    "outcome",
    "standing",
    "condition",
    "lawful_ground",
    "how",
    "urgency",
}
NO_WORD = CODES | {"sha256", "stored_as", "pgh_label", "manifest", "rule"}


@pytest.mark.django_db
def test_every_text_of_an_organisation_is_marked() -> None:
    """What holds no mark could be shown to anybody unseen."""
    side, bare = make_side("other-side", "CANARYELSE"), []
    with acting_for(side.organisation):
        for model in tenant_models():
            if model is EmergencyAccess:
                continue  # it needs a record of another side: marked where both are made (_share_with)
            for column in model._meta.concrete_fields:
                if not isinstance(column, CharField | TextField | JSONField) or column.name in NO_WORD:
                    continue
                if column.choices:  # a closed list: a code, whatever the column is called
                    continue
                held = [str(value) for value in model.objects.values_list(column.attname, flat=True)]
                if not any(side.mark[:8] in text for text in held):
                    bare.append(f"{model.__name__}.{column.name}")
    assert bare == [], "\n".join(bare)
