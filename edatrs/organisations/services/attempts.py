"""How often one may guess: ten wrong tries in five minutes, by account and by address, and nobody is locked out for good.

An address that guesses too much is refused whatever it sends. It counts for at most half of an account's limit, so one address alone
never shuts a colleague out, and an account that is being guessed at from many still opens from where it has been opened lately. Refused
tries are not looked at and do not count: the limit ends by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from edatrs.core import clock
from edatrs.core.crypto import keyed_hash
from edatrs.organisations.models import SignInAttempt

LIMIT = 10
WINDOW = dt.timedelta(minutes=5)
ONE_ADDRESS_COUNTS = LIMIT // 2
KNOWN_FOR = dt.timedelta(days=30)
KEPT_FOR = dt.timedelta(days=90)
Step = SignInAttempt.Step
Result = SignInAttempt.Result


def account_of(email: str) -> str:
    """The keyed digest under which the tries of an e-mail address are kept, known or not."""
    return keyed_hash("sign-in account", email.strip().casefold())


@dataclass(frozen=True)
class Attempt:
    """One try, between the look at the limit and the result."""

    account: str
    address: str
    step: SignInAttempt.Step
    refused: bool

    def end(self, right: bool) -> bool:
        """Write the result down. True only for a right try that was not refused."""
        result = Result.REFUSED if self.refused else Result.RIGHT if right else Result.WRONG
        SignInAttempt.objects.create(
            account=self.account, address=self.address, at=clock.now(), step=self.step, result=result
        )
        return result == Result.RIGHT


def begin(*, email: str, address: str, step: SignInAttempt.Step) -> Attempt:
    """Look at the limit. Tries of one account or one address wait for each other until the transaction ends."""
    account = account_of(email)
    for part in (f"address:{address}", f"account:{account}"):
        key = int.from_bytes(hashlib.sha256(f"sign-in {part}".encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    return Attempt(account, address, step, refused=_too_many(account, address))


def _too_many(account: str, address: str) -> bool:
    wrong = SignInAttempt.objects.filter(at__gt=clock.now() - WINDOW, result=Result.WRONG).order_by()
    if wrong.filter(address=address).count() >= LIMIT:
        return True
    by_address = wrong.filter(account=account).values("address").annotate(tries=Count("pk"))
    counted = sum(min(row["tries"], ONE_ADDRESS_COUNTS) for row in by_address)
    return counted >= LIMIT and not _is_known(account, address)


def _is_known(account: str, address: str) -> bool:
    """Whether the account was opened from the address lately."""
    return SignInAttempt.objects.filter(
        account=account,
        address=address,
        at__gt=clock.now() - KNOWN_FOR,
        step=Step.SECOND_FACTOR,
        result=Result.RIGHT,
    ).exists()


def forget_old() -> None:
    """Remove tries that nobody needs any more."""
    SignInAttempt.objects.filter(at__lt=clock.now() - KEPT_FOR).delete()


@dataclass(frozen=True)
class LastSignIn:
    """What a person is shown of their own sign-ins: the one before this, and wrong tries since."""

    at: dt.datetime | None
    address: str
    failed_since: int
    last_failed: dt.datetime | None


def recent(email: str, limit: int = 10) -> list[SignInAttempt]:
    """The latest completed sign-ins of an account."""
    done = SignInAttempt.objects.filter(
        account=account_of(email), step=Step.SECOND_FACTOR, result=Result.RIGHT
    )
    return list(done[:limit])


def last_sign_in(email: str) -> LastSignIn:
    """The sign-in before the present one, and the tries since that did not succeed."""
    done = recent(email, 2)
    before = done[1] if len(done) > 1 else None
    failed = SignInAttempt.objects.filter(account=account_of(email)).exclude(result=Result.RIGHT)
    if before:
        failed = failed.filter(at__gt=before.at)
    latest = failed.first()
    return LastSignIn(
        at=before.at if before else None,
        address=str(before.address) if before else "",
        failed_since=failed.count(),
        last_failed=latest.at if latest else None,
    )
