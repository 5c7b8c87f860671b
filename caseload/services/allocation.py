"""Giving clients to a keyworker, one or many: planned first, shown, and written as it was shown or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from caseload import present, selectors_work
from caseload.models import Allocation, AllocationKind, Client, SavedView
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import User
from edatrs.organisations.selectors import people_holding

ACT = "caseload.allocate"
# Who may have a caseload.
WORKS_WITH_CLIENTS = (Role.KEYWORKER, Role.CLINICIAN, Role.TEAM_MANAGER)
MOST_AT_ONCE = 500
MOST_VIEWS = 20


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


def plan(wish: Wish, *, lock: bool = False) -> Plan:
    """What a wish would do, client by client. Raises Refused, and Denied for an id that is none of this organisation's."""
    access.require(ACT)
    problem = _problem_with(wish)
    if problem:
        raise Refused(problem)
    ids = list(dict.fromkeys(wish.clients))
    if lock:
        # In one order, so that two managers at once wait for each other and do not lock each other out.
        list(
            Client.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk", flat=True)
        )
    rows = selectors_work.with_keyworker(Client.objects.filter(pk__in=ids), wish.valid_from)
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
def allocate(*, wish: Wish, shown: str, acting_user: User) -> Plan:
    """Write what a plan of this stamp showed: the lines without a problem. Raises Refused, Denied, and Changed when it would differ."""
    made = plan(wish, lock=True)
    if made.stamp != shown:
        raise Changed
    scope = current_scope()
    ended = [UUID(int=number) for line in made.ready for number in line.ends]
    for row in Allocation.objects.filter(pk__in=ended).order_by("pk").select_for_update():
        row.valid_until = max(wish.valid_from, row.valid_from) - dt.timedelta(days=1)
        row.save(update_fields=["valid_until"])
    rows = [
        Allocation(
            organisation_id=current_organisation(),
            client_id=line.client,
            kind=wish.kind,
            keyworker=wish.keyworker,
            valid_from=wish.valid_from,
            valid_until=wish.valid_until,
            reason=wish.reason.strip(),
            by=acting_user.pk,
            by_label=acting_user.full_name,
            act=scope.act,
        )
        for line in made.ready
    ]
    Allocation.objects.bulk_create(rows)
    for row in rows:
        trail.record(
            "caseload.client.allocated",
            subject=str(row.client_id),
            details={
                "kind": row.kind,
                "person": str(row.keyworker_id),
                "label": wish.keyworker.full_name,
                "from": row.valid_from.isoformat(),
                "until": row.valid_until.isoformat() if row.valid_until else None,
                "row": str(row.pk),
            },
        )
    return made


def keep_view(
    *, name: str, filters: selectors_work.Filters, page: str = selectors_work.MY_CASELOAD
) -> SavedView:
    """Keep filters under a name for the person acting; a name that is there is written anew. Raises Refused."""
    words = " ".join(name.split())
    if not words:
        raise Refused("Enter a name for the view")
    if len(words) > 60:
        raise Refused("The name of the view must be 60 characters or fewer")
    person = current_scope().person_id
    kept: Sequence[SavedView] = selectors_work.saved_views(page)
    same = next((view for view in kept if view.name == words), None)
    if same is None and len(kept) >= MOST_VIEWS:
        raise Refused(f"You keep {MOST_VIEWS} views. Remove one first")
    made = same or SavedView(user_id=person, page=page, name=words)
    made.filters = filters.kept()
    made.save()
    return made


def remove_view(*, pk: UUID) -> None:
    """Take one of the views of the person acting away. Raises Denied."""
    person = current_scope().person_id
    rows = SavedView.objects.filter(pk=pk, user_id=person, removed_at__isnull=True)
    if not rows.update(removed_at=clock.now()):
        raise Denied("client.find", "not found", subject=str(pk))
