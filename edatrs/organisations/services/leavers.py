"""Somebody leaves: the administrator sets the last day and sees numbers; the manager hands the work over first; access ends by itself.

The last day stands in the roles, which are read at every request: nothing has to run for it to count. Clients are handed over by the bulk
allocation of `caseload`; tasks and drafts here. A leaver's drafts go sealed to the manager: row security shows them to nobody else, and
opening one is on the trail (design section 8).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from edatrs.core import clock, registry, trail
from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.core.scope import Actor, Scope, current_organisation, current_scope, open_scope
from edatrs.organisations import directory
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Draft, Leaver, LeaverDraft, Membership, Task, User
from edatrs.organisations.selectors import people_holding
from edatrs.organisations.services import outbox, people

_ACT = "people.leave"
# What was handed over stays in the list for so long after the last day.
LISTED_DAYS = 90


class LeavingRefused(ValueError):
    """It cannot be done like this; the words are for the person who tried."""


@dataclass(frozen=True)
class Work:
    """A kind of work that an app holds: how many a person has, and where a team manager hands it over (act and address)."""

    one: str
    many: str
    count: Callable[[UUID], int]
    address: Callable[[str, UUID], str]
    act: str


@dataclass(frozen=True)
class Left:
    """How many of a kind are left, and where they are handed over: an address, or what the page's own buttons do."""

    key: str
    one: str
    many: str
    number: int
    address: str = ""
    act: str = ""


def _as_worker() -> AbstractContextManager[Scope]:
    """A scope of the organisation acted for in which nobody acts: it sees everybody's drafts, and only numbers of them leave it."""
    outer = current_scope()
    return open_scope(
        actor=Actor.WORKER,
        organisation_id=outer.organisation_id,
        organisation_label=outer.organisation_label,
        person_label="leaving",
    )


def managers() -> list[User]:
    """Who can take over work at the organisation acted for today, by name."""
    return list(
        people_holding(current_organisation(), [Role.TEAM_MANAGER], clock.today()).order_by("full_name")
    )


def find(leaver_id: UUID) -> Leaver:
    """One that is not undone. Raises Denied."""
    found: Leaver | None = (
        Leaver.objects.select_related("user", "manager").filter(pk=leaver_id, undone_at__isnull=True).first()
    )
    if found is None:
        raise Denied(_ACT, "not found", subject=str(leaver_id))
    return found


def listed(*, everybody: bool = False) -> list[Leaver]:
    """Who leaves or has left, the latest last day first. One query."""
    found = Leaver.objects.filter(undone_at__isnull=True).select_related("user", "manager")
    if not everybody:
        found = found.filter(last_day__gte=clock.today() - dt.timedelta(days=LISTED_DAYS))
    return list(found.order_by("-last_day", "user__full_name"))


def of_person(person_id: UUID) -> Leaver | None:
    """The leaving of a person that is under way."""
    found: Leaver | None = Leaver.objects.filter(
        user_id=person_id, undone_at__isnull=True, last_day__gte=clock.today()
    ).first()
    return found


def left(person_id: UUID) -> list[Left]:
    """What a person has to hand over, in numbers: no name of a client and no text is in it."""
    slug = current_scope().organisation_label
    found = [
        Left(key, work.one, work.many, work.count(person_id), work.address(slug, person_id), work.act)
        for key, work in registry.leaver_work
    ]
    with _as_worker():
        drafts = Draft.objects.filter(user_id=person_id, closed_at__isnull=True).count()
    tasks = _tasks(person_id).count()
    return [*found, Left("drafts", "draft", "drafts", drafts), Left("tasks", "task", "tasks", tasks)]


def _tasks(person_id: UUID) -> QuerySet[Task]:
    # What they were told about their own leaving is nobody else's to do.
    return Task.objects.filter(
        user_id=person_id, organisation_id=current_organisation(), done_at__isnull=True
    ).exclude(unique_key__startswith="leaver-self:")


@transaction.atomic
def start(*, person_id: UUID, last_day: dt.date, manager_id: UUID | None, acting_user: User) -> Leaver:
    """Set the last day of all roles here, and ask the manager to hand the work over. Raises Denied, LeavingRefused."""
    person = directory.person_of(current_organisation(), person_id, act="people.manage")
    if person.pk == acting_user.pk:
        raise LeavingRefused("Ask another administrator: nobody enters their own last day")
    if last_day < clock.today():
        raise LeavingRefused("The last day must be today or later")
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if of_person(person.pk) is not None:
        raise LeavingRefused("Their last day is entered already")
    manager = next((one for one in managers() if one.pk == manager_id and one.pk != person.pk), None)
    if manager is None and (manager_id is not None or any(one.pk != person.pk for one in managers())):
        raise LeavingRefused("Choose who hands the work over: a team manager who stays")
    before = _end_roles(person, last_day)
    if not before:
        raise LeavingRefused("They have no role here that could end")
    leaver: Leaver = Leaver.objects.create(
        organisation_id=current_organisation(),
        user=person,
        manager=manager,
        last_day=last_day,
        started_at=clock.now(),
        started_by_label=acting_user.full_name,
        before=before,
    )
    trail.record(
        "organisations.leaver_started",
        subject=str(person.pk),
        details={"person": person.pk, "to": manager.pk if manager else None, "until": last_day},
    )
    _tell(leaver)
    return leaver


def _end_roles(person: User, last_day: dt.date) -> dict[str, list[str | None]]:
    """Move the end of every role that goes on; by id: first and last day before, and as they are now."""
    before: dict[str, list[str | None]] = {}
    held = Membership.objects.select_for_update().filter(user=person, organisation_id=current_organisation())
    for membership in held.order_by("pk"):
        until = membership.valid_until
        if until is not None and until <= last_day:
            continue
        stood = [membership.valid_from.isoformat(), until.isoformat() if until else None]
        # A role that would begin after the last day never begins.
        people.move_end(membership, last_day if membership.valid_from <= last_day else None)
        now = [membership.valid_from.isoformat(), membership.valid_until.isoformat()]  # type: ignore[union-attr]  # set just now
        before[str(membership.pk)] = [*stood, *now]
    return before


def _tell(leaver: Leaver) -> None:
    slug = current_scope().organisation_label
    if leaver.manager_id is not None:
        outbox.tell(
            unique_key=f"leaver:{leaver.pk}",
            organisation_id=leaver.organisation_id,
            user_id=leaver.manager_id,
            words=f"A colleague leaves after {long_date(leaver.last_day)}: hand over their work",
            link=reverse("organisations:leaver", args=[slug, leaver.pk]),
        )
    outbox.tell(
        unique_key=f"leaver-self:{leaver.pk}",
        organisation_id=leaver.organisation_id,
        user_id=leaver.user_id,
        words=f"Your last day is entered as {long_date(leaver.last_day)}. Save or finish your drafts before",
    )


@transaction.atomic
def undo(*, leaver_id: UUID, acting_user: User) -> Leaver:
    """They stay after all, until the last day: roles, tasks and unopened drafts go back. Clients that were given away stay where they are.

    Raises Denied, LeavingRefused.
    """
    leaver = _locked(leaver_id)
    if leaver.user_id == acting_user.pk:
        raise LeavingRefused("Ask another administrator: nobody undoes their own leaving")
    if clock.today() > leaver.last_day:
        raise LeavingRefused("The last day has passed. Give them a role again instead")
    _roles_back(leaver)
    for task in Task.objects.select_for_update().filter(
        pk__in=list(leaver.tasks), organisation_id=leaver.organisation_id, done_at__isnull=True
    ):
        if str(task.user_id) == leaver.tasks[str(task.pk)]:
            task.user_id = leaver.user_id
            task.save(update_fields=["user_id"])
    with _as_worker():
        _drafts_back(leaver)
    Task.objects.filter(
        unique_key__in=[f"leaver:{leaver.pk}", f"leaver-self:{leaver.pk}"], done_at__isnull=True
    ).update(done_at=clock.now())
    leaver.undone_at, leaver.undone_by_label = clock.now(), acting_user.full_name
    leaver.save(update_fields=["undone_at", "undone_by_label"])
    trail.record(
        "organisations.leaver_undone", subject=str(leaver.user_id), details={"person": leaver.user_id}
    )
    return leaver


def _roles_back(leaver: Leaver) -> None:
    """Give each role the dates it had, unless somebody has changed them since."""
    held = Membership.objects.select_for_update().filter(
        pk__in=[int(pk) for pk in leaver.before], user_id=leaver.user_id
    )
    for membership in held.order_by("pk"):
        first, last, set_first, set_last = leaver.before[str(membership.pk)]
        now = [
            membership.valid_from.isoformat(),
            membership.valid_until and membership.valid_until.isoformat(),
        ]
        if now != [set_first, set_last]:
            continue
        membership.valid_from = dt.date.fromisoformat(first)
        membership.valid_until = dt.date.fromisoformat(last) if last else None
        membership.save(update_fields=["valid_from", "valid_until"])
        trail.record(
            "organisations.role_given",
            subject=str(membership.user_id),
            details={"role": membership.role, "from": first, "until": last},
        )


def _drafts_back(leaver: Leaver) -> None:
    for sealed in LeaverDraft.objects.select_for_update().filter(leaver=leaver, opened_at__isnull=True):
        again = Draft.objects.filter(
            user_id=leaver.user_id, form=sealed.form, object=sealed.object, closed_at__isnull=True
        )
        if not again.exists():
            _make_draft(sealed, leaver.user_id)
        sealed.delete()


def _make_draft(sealed: LeaverDraft, user_id: UUID) -> None:
    Draft.objects.update_or_create(
        organisation_id=sealed.organisation_id,
        user_id=user_id,
        form=sealed.form,
        object=sealed.object,
        defaults={
            "about_client": sealed.about_client,
            "address": sealed.address,
            "version": sealed.version,
            "text": sealed.text,
            "page": "",
            "kept_at": clock.now(),
            "closed_at": None,
        },
    )


def _locked(leaver_id: UUID) -> Leaver:
    leaver: Leaver | None = (
        Leaver.objects.select_for_update().filter(pk=leaver_id, undone_at__isnull=True).first()
    )
    if leaver is None:
        raise Denied(_ACT, "not found", subject=str(leaver_id))
    return leaver


@transaction.atomic
def take_tasks(*, leaver_id: UUID, acting_user: User) -> int:
    """The manager who acts takes over every open task. Returns how many. Raises Denied, LeavingRefused."""
    leaver = _locked(leaver_id)
    _refuse_self(leaver, acting_user)
    taken = list(_tasks(leaver.user_id).select_for_update().values_list("pk", flat=True))
    Task.objects.filter(pk__in=taken).update(user_id=acting_user.pk)
    leaver.tasks = {**leaver.tasks, **{str(pk): str(acting_user.pk) for pk in taken}}
    leaver.save(update_fields=["tasks"])
    if taken:
        trail.record(
            "organisations.leaver_tasks_moved",
            subject=str(leaver.user_id),
            details={"person": leaver.user_id, "rows": len(taken)},
        )
    return len(taken)


def _refuse_self(leaver: Leaver, acting_user: User) -> None:
    if leaver.user_id == acting_user.pk:
        raise LeavingRefused("Another team manager takes over your work")


@transaction.atomic
def seal_drafts(*, leaver_id: UUID, acting_user: User) -> int:
    """Take every open draft from the leaver and seal it to the manager who acts. Returns how many. Raises Denied, LeavingRefused."""
    leaver = _locked(leaver_id)
    _refuse_self(leaver, acting_user)
    with _as_worker():
        rows = list(Draft.objects.select_for_update().filter(user_id=leaver.user_id, closed_at__isnull=True))
        for draft in rows:
            LeaverDraft.objects.create(
                organisation_id=leaver.organisation_id,
                leaver=leaver,
                user=acting_user,
                form=draft.form,
                object=draft.object,
                about_client=draft.about_client,
                address=draft.address,
                version=draft.version,
                text=draft.text,
                kept_at=draft.kept_at,
            )
        Draft.objects.filter(pk__in=[draft.pk for draft in rows]).update(text="[]", closed_at=clock.now())
    if rows:
        trail.record(
            "organisations.leaver_drafts_sealed",
            subject=str(leaver.user_id),
            details={"person": leaver.user_id, "rows": len(rows)},
        )
    return len(rows)


def sealed_to_me(leaver: Leaver) -> list[LeaverDraft]:
    """The drafts of a leaver that are sealed to the person acting. Row security shows no others. One query; the texts are not read."""
    mine = LeaverDraft.objects.filter(
        leaver=leaver, user_id=current_scope().person_id, opened_at__isnull=True
    )
    return list(mine.defer("text").order_by("-kept_at"))


def sealed_draft(leaver_id: UUID, draft_id: UUID) -> LeaverDraft:
    """One of them. Raises Denied."""
    found: LeaverDraft | None = LeaverDraft.objects.filter(
        pk=draft_id, leaver_id=leaver_id, user_id=current_scope().person_id, opened_at__isnull=True
    ).first()
    if found is None:
        raise Denied(_ACT, "not sealed to this person", subject=str(draft_id))
    return found


@transaction.atomic
def open_draft(*, leaver_id: UUID, draft_id: UUID, acting_user: User) -> LeaverDraft:
    """Break the seal: the draft becomes one's own, and that is on the trail. The caller has asked the form whether one may use it.

    Raises Denied, LeavingRefused.
    """
    leaver = _locked(leaver_id)
    sealed = sealed_draft(leaver_id, draft_id)
    own = Draft.objects.filter(
        user_id=acting_user.pk, form=sealed.form, object=sealed.object, closed_at__isnull=True
    )
    if own.exists():
        raise LeavingRefused("You have a draft of your own in this form. Save it or throw it away first")
    _make_draft(sealed, acting_user.pk)
    sealed.text, sealed.opened_at = "[]", clock.now()
    sealed.save(update_fields=["text", "opened_at"])
    trail.record(
        "organisations.leaver_draft_opened",
        subject=str(sealed.about_client or leaver.user_id),
        details={"person": leaver.user_id, "form": sealed.form, "client": sealed.about_client},
    )
    return sealed
