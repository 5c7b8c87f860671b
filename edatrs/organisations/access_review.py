"""The list for reviewing access: what everybody may do here, since when and by whom, how they sign in, and what needs a look."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from edatrs.organisations import directory
from edatrs.organisations.directory import PersonLine, RoleLine
from edatrs.organisations.models import AccessReview, Organisation, SignInAttempt, User
from edatrs.organisations.passkeys import needs_passkey, second_factors
from edatrs.organisations.services.attempts import KEPT_FOR, account_of

KEPT_DAYS = KEPT_FOR.days
# Every quarter somebody confirms that each person still needs their access.
REVIEW_EVERY = dt.timedelta(days=92)
# Access that nobody uses.
UNUSED_AFTER = dt.timedelta(days=45)


@dataclass(frozen=True)
class ReviewLine:
    """A person on the list. `look` says in words what needs a look; empty: nothing."""

    line: PersonLine
    last_sign_in: dt.datetime | None
    factors: tuple[str, ...]
    review: AccessReview | None
    look: tuple[str, ...]

    @property
    def person(self) -> User:
        """Who it is."""
        return self.line.person

    @property
    def key(self) -> str:
        """The id, as the form sends it."""
        return str(self.line.person.pk)

    @property
    def roles(self) -> list[RoleLine]:
        """The roles that are live or to come."""
        return [role for role in self.line.roles if not role.over]

    @property
    def factor_words(self) -> str:
        """The second step in words."""
        return " and ".join(self.factors) or "None"


def lines(organisation: Organisation, now: dt.datetime, day: dt.date) -> list[ReviewLine]:
    """Everybody with access at the organisation acted for, by name. A fixed number of queries."""
    people = directory.people_lines(organisation, day)
    ids = [line.person.pk for line in people]
    signed_in = _last_sign_ins([line.person for line in people])
    factors = second_factors(ids)
    reviews = _last_reviews(ids)
    found = []
    for line in people:
        pk = line.person.pk
        review, last, kinds = reviews.get(pk), signed_in.get(pk), factors.get(pk, ())
        look = _look(line, last, kinds, review, now)
        found.append(ReviewLine(line, last, kinds, review, tuple(look)))
    return found


def _last_sign_ins(people: list[User]) -> dict[UUID, dt.datetime]:
    """When each signed in last, by id, as far back as tries are kept. One query."""
    accounts = {account_of(person.email): person.pk for person in people}
    done = SignInAttempt.objects.filter(
        account__in=accounts,
        step=SignInAttempt.Step.SECOND_FACTOR,
        result=SignInAttempt.Result.RIGHT,
    ).order_by()
    rows = done.values_list("account").annotate(last=Max("at"))
    return {accounts[account]: last for account, last in rows}


def _last_reviews(people: list[UUID]) -> dict[UUID, AccessReview]:
    rows = AccessReview.objects.filter(user_id__in=people).order_by("user_id", "-at").distinct("user_id")
    return {review.user_id: review for review in rows}


def _look(
    line: PersonLine,
    last: dt.datetime | None,
    factors: tuple[str, ...],
    review: AccessReview | None,
    now: dt.datetime,
) -> list[str]:
    found = ["Training or a check"] if any(s.holds or s.missing for s in line.standings) else []
    live = [role for role in line.roles if role.live]
    if not factors and line.person.has_usable_password():
        found.append("No second step")
    needed = settings.PASSKEY_REQUIRED and needs_passkey(role.membership.role for role in live)
    if needed and "Passkey" not in factors:
        found.append("No passkey, and the role needs one")
    began = min((role.membership.valid_from for role in live), default=None)
    old_enough = began is not None and (now.date() - began) > UNUSED_AFTER
    if old_enough and (last is None or now - last > UNUSED_AFTER):
        found.append(f"Not signed in for {UNUSED_AFTER.days} days")
    if review is None:
        found.append("Never reviewed")
    elif now - review.at > REVIEW_EVERY:
        found.append("Review is more than 3 months old")
    elif set(review.roles.split()) != {role.membership.role for role in line.roles if not role.over}:
        found.append("Roles changed since the review")
    return found
