"""Giving clients to a keyworker, one or many: planned first, shown, and written as it was shown or not at all; and taking it back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from caseload import present
from caseload.models import Allocation, AllocationKind, AllocationRun, Client
from caseload.selectors_allocation import ACT, with_keyworker
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.core.templatetags.page import short_date
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, Task, User
from edatrs.organisations.selectors import people_holding

# Who may have a caseload.
WORKS_WITH_CLIENTS = (Role.KEYWORKER, Role.CLINICIAN, Role.TEAM_MANAGER)
MOST_AT_ONCE = 500


class Refused(ValueError):
    """What was asked for cannot be done at all; the message says why and what to do."""


class Changed(Exception):
    """What would be written is not what was shown: show it again."""


@dataclass(frozen=True)
class Wish:
    """Who is to have which clients, from when until when, and why."""

    clients: tuple[UUID, ...]
    kind: str
    keyworker: User
    valid_from: dt.date
    valid_until: dt.date | None
    reason: str


@dataclass(frozen=True)
class Line:
    """What becomes of one client: `problem` says why nothing does."""

    client: UUID
    record: str
    name: str
    now: str
    ends: tuple[int, ...]
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """The lines of a wish. `stamp` is of everything that would be written, so that what is confirmed is what was shown."""

    wish: Wish
    lines: tuple[Line, ...]

    @property
    def ready(self) -> list[Line]:
        """The clients that will be given."""
        return [line for line in self.lines if not line.problem]

    @property
    def failing(self) -> list[Line]:
        """The clients that will not, each with why."""
        return [line for line in self.lines if line.problem]

    @property
    def stamp(self) -> str:
        """Of who, when, why, and of every line."""
        wish = self.wish
        said = [wish.kind, wish.keyworker.pk, wish.valid_from, wish.valid_until, wish.reason]
        said += [(line.client, line.now, line.ends, line.problem) for line in self.lines]
        return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def people_to_choose() -> list[User]:
    """Who works with clients at the organisation acted for today, by name."""
    return list(
        people_holding(current_organisation(), WORKS_WITH_CLIENTS, clock.today()).order_by("full_name")
    )


def _problem_with(wish: Wish) -> str:
    if not wish.clients:
        return "Choose at least one client"
    if len(wish.clients) > MOST_AT_ONCE:
        return f"At most {MOST_AT_ONCE} clients can be given at once. Choose fewer"
    if not wish.reason.strip():
        return "Enter a reason"
    if wish.kind == AllocationKind.COVER and wish.valid_until is None:
        return "Cover needs a last day"
    if wish.valid_until is not None and wish.valid_until < wish.valid_from:
        return "The last day is before the first day"
    if wish.valid_from < clock.today():
        return "The first day has passed. Enter today or a later day"
    if wish.kind == AllocationKind.KEYWORKER and wish.valid_until is not None:
        return "Only cover has a last day"
    if wish.keyworker not in people_to_choose():
        return "This person does not work with clients here today. Choose somebody else"
    return ""


def plan(wish: Wish) -> Plan:
    """What a wish would do, client by client. Raises Refused, and Denied for an id that is none of this organisation's."""
    access.require(ACT)
    problem = _problem_with(wish)
    if problem:
        raise Refused(problem)
    ids = list(dict.fromkeys(wish.clients))
    rows = with_keyworker(Client.objects.filter(pk__in=ids), wish.valid_from)
    found = {c.pk: c for c in rows.select_related("clientidentity")}
    strange = [pk for pk in ids if pk not in found]
    if strange:
        raise Denied(ACT, "not found", subject=str(strange[0]))
    standing: dict[UUID, list[Allocation]] = {pk: [] for pk in ids}
    for row in Allocation.objects.filter(client_id__in=ids).filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=wish.valid_from)
    ):
        standing[row.client_id].append(row)
    lines = tuple(_line(found[pk], standing[pk], wish) for pk in ids)
    return Plan(wish, lines)


def _line(client: Client, standing: list[Allocation], wish: Wish) -> Line:
    who = getattr(client, "clientidentity", None)
    own = client.keyworker_id  # type: ignore[attr-defined]  # annotated by with_keyworker
    now = client.keyworker_name or ""  # type: ignore[attr-defined]  # the same
    ends: tuple[int, ...] = ()
    problem = ""
    if client.voided_at is not None:
        problem = "This record was entered in error or merged into another. Open the record that stands"
    elif own == wish.keyworker.pk:
        problem = (
            f"{wish.keyworker.full_name} is the keyworker already"
            if wish.kind == AllocationKind.KEYWORKER
            else f"{wish.keyworker.full_name} is the keyworker. Choose somebody else to cover"
        )
    elif wish.kind == AllocationKind.COVER and own is None:
        problem = "There is no keyworker to cover for. Allocate one first"
    elif wish.kind == AllocationKind.COVER and any(_overlaps(row, wish) for row in standing):
        problem = "Somebody covers in these days already"
    elif wish.kind == AllocationKind.KEYWORKER and any(
        row.kind == AllocationKind.KEYWORKER and row.valid_from > wish.valid_from for row in standing
    ):
        problem = "A later allocation is entered already"
    if not problem and wish.kind == AllocationKind.KEYWORKER:
        # The keyworker until now, and cover by who becomes the keyworker.
        ends = tuple(
            sorted(
                row.pk.int
                for row in standing
                if row.kind == AllocationKind.KEYWORKER or row.keyworker_id == wish.keyworker.pk
            )
        )
    name = present.list_name(who.forename, who.surname) if who else "Name not recorded"
    return Line(client.pk, str(client), name, now, ends, problem)


def _overlaps(row: Allocation, wish: Wish) -> bool:
    return (
        row.kind == AllocationKind.COVER
        and wish.valid_until is not None
        and row.valid_from <= wish.valid_until
        and (row.valid_until is None or row.valid_until >= wish.valid_from)
    )


@transaction.atomic
def allocate(*, wish: Wish, shown: str, run_id: UUID, acting_user: User) -> AllocationRun:
    """Write what a plan of this stamp showed: the lines without a problem. Sent twice with one `run_id`, it is written once.

    Raises Refused, Denied, and Changed when it would differ from what was shown, or would do nothing at all.
    """
    access.require(ACT)
    _lock(wish.clients)
    done: AllocationRun | None = AllocationRun.objects.filter(pk=run_id, by=acting_user.pk).first()
    if done is not None:
        return done
    made = plan(wish)
    if made.stamp != shown or not made.ready:
        raise Changed
    ended = _end(made)
    rows = {line.client: _row(wish, line.client, acting_user) for line in made.ready}
    Allocation.objects.bulk_create(rows.values())
    run: AllocationRun = AllocationRun.objects.create(
        id=run_id,
        organisation_id=current_organisation(),
        kind=wish.kind,
        keyworker=wish.keyworker,
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        reason=wish.reason.strip(),
        lines=[
            {
                "client": str(line.client),
                "before": line.now,
                "problem": line.problem,
                "made": str(rows[line.client].pk) if line.client in rows else "",
                "ended": ended.get(line.client, []),
            }
            for line in made.lines
        ],
        by=acting_user.pk,
        by_label=acting_user.full_name,
        at=clock.now(),
    )
    for row in rows.values():
        _record("caseload.client.allocated", row)
    if wish.keyworker.pk != acting_user.pk:
        _tell(run, f"caseload.allocated:{run.pk}", _words(run, len(rows)))
    return run


def _lock(clients: tuple[UUID, ...]) -> None:
    """The clients in one order, so that two managers at once wait for each other and do not lock each other out."""
    list(
        Client.objects.filter(pk__in=clients).order_by("pk").select_for_update().values_list("pk", flat=True)
    )


def _end(made: Plan) -> dict[UUID, list[dict[str, str]]]:
    """End what the plan ends: by client, each with the last day it had before."""
    wish = made.wish
    ids = [UUID(int=number) for line in made.ready for number in line.ends]
    found: dict[UUID, list[dict[str, str]]] = {}
    for row in Allocation.objects.filter(pk__in=ids).order_by("pk").select_for_update():
        before = row.valid_until.isoformat() if row.valid_until else ""
        row.valid_until = max(wish.valid_from, row.valid_from) - dt.timedelta(days=1)
        row.save(update_fields=["valid_until"])
        found.setdefault(row.client_id, []).append(
            {"row": str(row.pk), "until": before, "ended": row.valid_until.isoformat()}
        )
    return found


def _row(wish: Wish, client: UUID, acting_user: User) -> Allocation:
    return Allocation(
        organisation_id=current_organisation(),
        client_id=client,
        kind=wish.kind,
        keyworker=wish.keyworker,
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        reason=wish.reason.strip(),
        by=acting_user.pk,
        by_label=acting_user.full_name,
        act=current_scope().act,
    )


def _record(event: str, row: Allocation) -> None:
    trail.record(
        event,
        subject=str(row.client_id),
        details={
            "kind": row.kind,
            "person": str(row.keyworker_id),
            "label": row.keyworker.full_name,
            "from": row.valid_from.isoformat(),
            "until": row.valid_until.isoformat() if row.valid_until else None,
            "row": str(row.pk),
        },
    )


def _words(run: AllocationRun, number: int) -> str:
    """What the person is told: how many and from when, never who."""
    clients = "1 client" if number == 1 else f"{number} clients"
    if run.kind == AllocationKind.COVER:
        last = short_date(run.valid_until) if run.valid_until else ""
        return f"You cover {clients} from {short_date(run.valid_from)} to {last}"
    return f"You are the keyworker of {clients} from {short_date(run.valid_from)}"


def _tell(run: AllocationRun, key: str, words: str) -> None:
    slug = Organisation.objects.values_list("slug", flat=True).get(pk=run.organisation_id)
    Task.objects.create(
        unique_key=key,
        organisation_id=run.organisation_id,
        user_id=run.keyworker_id,
        words=words,
        link=reverse("caseload:my-caseload", args=[slug]),
        created_at=clock.now(),
    )


@transaction.atomic
def undo(*, run_id: UUID, acting_user: User) -> AllocationRun:
    """Take an act of allocation back: who had the clients before has them again. What was changed since stays, and the lines say so.

    Undone twice is undone once. Raises Denied, and Refused when nothing of it stands any more.
    """
    access.require(ACT)
    run: AllocationRun | None = AllocationRun.objects.filter(pk=run_id).select_for_update().first()
    if run is None:
        raise Denied(ACT, "not found", subject=str(run_id))
    if run.undone_at is not None:
        return run
    _lock(tuple(UUID(line["client"]) for line in run.lines))
    made = [line for line in run.lines if line["made"]]
    ids = [line["made"] for line in made] + [e["row"] for line in made for e in line["ended"]]
    rows = {
        str(row.pk): row
        for row in Allocation.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
    }
    taken = 0
    for line in made:
        line["not_undone"] = _why_not(run, line, rows)
        if not line["not_undone"]:
            _take_back(line, rows)
            taken += 1
    if not taken:
        raise Refused("Everything in it was changed since. Allocate the clients anew")
    run.undone_at = clock.now()
    run.undone_by_label = acting_user.full_name
    run.save(update_fields=["lines", "undone_at", "undone_by_label"])
    told = Task.objects.filter(unique_key=f"caseload.allocated:{run.pk}")
    read = not told.filter(done_at__isnull=True).update(done_at=clock.now())
    if read and told.exists():
        _tell(
            run,
            f"caseload.allocation_undone:{run.pk}",
            f"Undone: {_words(run, taken)[0].lower()}{_words(run, taken)[1:]}",
        )
    return run


def _why_not(run: AllocationRun, line: dict[str, Any], rows: dict[str, Allocation]) -> str:
    """Why the part of one client cannot be taken back, empty: it can."""
    row = rows.get(line["made"])
    if row is None or str(row.client_id) != line["client"]:
        return "The record was merged since"
    if row.valid_until != run.valid_until:
        return "Allocated anew since"
    for entry in line["ended"]:
        before = rows.get(entry["row"])
        if before is None or before.valid_until is None or before.valid_until.isoformat() != entry["ended"]:
            return "Allocated anew since"
    return ""


def _take_back(line: dict[str, Any], rows: dict[str, Allocation]) -> None:
    row = rows[line["made"]]
    row.valid_until = row.valid_from - dt.timedelta(days=1)
    row.save(update_fields=["valid_until"])
    for entry in line["ended"]:
        before = rows[entry["row"]]
        before.valid_until = dt.date.fromisoformat(entry["until"]) if entry["until"] else None
        before.save(update_fields=["valid_until"])
    _record("caseload.client.allocation_undone", row)
