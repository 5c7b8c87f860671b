"""Training and checks, reviews of access, and leavers."""

from __future__ import annotations

import datetime as dt

from edatrs.core import clock
from edatrs.organisations.choices import ClearanceKind
from edatrs.organisations.models import (
    AccessReview,
    Clearance,
    Leaver,
    LeaverDraft,
    Membership,
    Organisation,
    User,
)


def make_clearance(
    user: User,
    organisation: Organisation,
    kind: str = "training",
    *,
    left: int | None = 200,
    done: int = -100,
) -> Clearance:
    """Training or a check, done so many days from today and good for so many days more."""
    today = clock.today()
    made, _ = Clearance.objects.update_or_create(
        user=user,
        organisation=organisation,
        kind=kind,
        defaults={
            "done_on": today + dt.timedelta(days=done if left is None else min(done, left)),
            "valid_until": None if left is None else today + dt.timedelta(days=left),
            "recorded_at": clock.now(),
            "recorded_by_label": "a test",
        },
    )
    return made


def make_clearances(user: User, organisation: Organisation) -> list[Clearance]:
    """Everything in date."""
    return [make_clearance(user, organisation, kind) for kind in ClearanceKind.values]


def make_review(organisation: Organisation, user: User, *, days: int = 0, **fields: str) -> AccessReview:
    """A review so many days ago, of the roles that stand."""
    held = Membership.objects.filter(user=user, organisation=organisation)
    return AccessReview.objects.create(
        organisation=organisation,
        user=user,
        at=clock.now() - dt.timedelta(days=days),
        **{"by_label": "a test", "roles": " ".join(sorted(m.role for m in held)), **fields},
    )


def make_leaver(
    organisation: Organisation, user: User, *, days: int = 7, manager: User | None = None
) -> Leaver:
    """Somebody whose last day is so many days from today; the roles are left as they are."""
    return Leaver.objects.create(
        organisation=organisation,
        user=user,
        manager=manager,
        last_day=clock.today() + dt.timedelta(days=days),
        started_at=clock.now(),
        started_by_label="a test",
    )


def make_sealed(leaver: Leaver, user: User, **fields: object) -> LeaverDraft:
    """A draft of a leaver, sealed to somebody."""
    defaults = {"form": "organisations.invite", "address": "/o/none/people/invite/", "text": "[]"}
    return LeaverDraft.objects.create(
        organisation_id=leaver.organisation_id,
        leaver=leaver,
        user=user,
        kept_at=clock.now(),
        **{**defaults, **fields},
    )


def make_staff(organisation: Organisation, user: User) -> Leaver:
    """A row of each of what is known of people."""
    make_review(organisation, user)
    leaver = make_leaver(organisation, user, manager=user)
    make_sealed(leaver, user)
    return leaver
