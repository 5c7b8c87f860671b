"""The outbox against a real mail server: sent once, never lost, and when in doubt twice with the same Message-ID."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any
from unittest.mock import patch

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models.functions import Now

from edatrs.organisations.models import OutboundMail
from edatrs.organisations.services import outbox

from .worker import PROJECT, address_of_test_database, crew, eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Catcher:
    """A mail server that keeps what it takes, and refuses whom it is told to."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.taken: list[Any] = []
        self.refused: dict[str, str] = {}
        self.slowness = 0.0
        self.controller: Controller | None = None
        self.tries: Counter[str] = Counter()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """Told by aiosmtpd."""
        self.tries[address] += 1
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Told by aiosmtpd."""
        time.sleep(self.slowness)
        self.taken.append(message_from_bytes(envelope.content))
        return "250 OK"

    def up(self) -> None:
        """Answer."""
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def down(self) -> None:
        """Do not answer."""
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    def subjects(self) -> Counter[str]:
        """How often each mail came."""
        return Counter(mail["Subject"] for mail in self.taken)


@pytest.fixture
def catcher(settings: Any) -> Iterator[Catcher]:
    """A mail server that answers, and settings that send to it."""
    found = Catcher()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", found.port, 5
    found.up()
    yield found
    found.down()


def post(number: int = 1, *, to: str = "") -> None:
    """Mails to be sent."""
    for which in range(number):
        outbox.post(
            unique_key=f"m{which}{to}",
            to=to or f"person{which}@test.example",
            subject=f"Mail {which}{to}",
            text="A link.",
        )


def due_again() -> None:
    """Let the wait be over."""
    OutboundMail.objects.filter(sent_at=None).update(next_attempt=Now())


def test_two_senders_at_once_send_each_mail_once(catcher: Catcher) -> None:
    catcher.slowness = 0.01
    post(40)
    sent = []

    def send() -> None:
        sent.append(outbox.send_due())
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sum(sent) == 40
    assert all(sent), "one sender did all of it"
    assert catcher.subjects() == Counter(f"Mail {n}" for n in range(40))
    assert not OutboundMail.objects.filter(sent_at=None).exists()
    assert outbox.send_due() == 0


def test_what_was_rolled_back_is_not_sent(catcher: Catcher) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post(3)
        raise ZeroDivisionError
    assert outbox.send_due() == 0
    assert catcher.taken == []


def test_the_same_key_is_one_mail(catcher: Catcher) -> None:
    post(1)
    post(1)
    assert outbox.send_due() == 1
    post(1)
    assert outbox.send_due() == 0
    assert len(catcher.taken) == 1


def test_a_server_that_is_down_delays_and_never_loses(catcher: Catcher) -> None:
    catcher.down()
    post(30)
    began = time.monotonic()
    waits = []
    for _ in range(9):
        assert outbox.send_due() == 0
        row = OutboundMail.objects.filter(attempts__gt=0).order_by("-attempts").first()
        assert row is not None
        waits.append((row.next_attempt - began_at(row)).total_seconds())
        OutboundMail.objects.filter(pk=row.pk).update(next_attempt=Now())
    # One mail finds out for all of them, each time waiting longer, an hour at most.
    assert OutboundMail.objects.filter(attempts__gt=0).count() == 1
    assert waits == pytest.approx([30, 60, 120, 240, 480, 960, 1920, 3600, 3600], abs=2)
    assert time.monotonic() - began < 5
    assert not OutboundMail.objects.exclude(given_up_at=None).exists()
    catcher.up()
    due_again()
    assert outbox.send_due() == 30
    assert catcher.subjects() == Counter(f"Mail {n}" for n in range(30))


def began_at(row: OutboundMail) -> dt.datetime:
    """The database's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


def test_a_server_that_hangs_ends_the_run_after_one_mail(catcher: Catcher, settings: Any) -> None:
    catcher.down()
    settings.EMAIL_TIMEOUT = 0.5
    post(20)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", catcher.port))
        silent.listen(50)
        began = time.monotonic()
        assert outbox.send_due() == 0
        assert time.monotonic() - began < 3
    assert OutboundMail.objects.filter(attempts=0).count() == 19


@pytest.mark.parametrize("answer", ["550 No such person", "451 Try again later"])
def test_one_that_is_refused_does_not_hold_up_the_others_and_is_given_up_with_a_mark(
    catcher: Catcher, caplog: Any, answer: str
) -> None:
    post(1, to="gone@test.example")
    post(5)
    catcher.refused["gone@test.example"] = answer
    assert outbox.send_due() == 5
    with patch.object(outbox, "GIVE_UP_AFTER", 4):
        for tried in range(2, 5):
            assert not OutboundMail.objects.exclude(given_up_at=None).exists()
            due_again()
            assert outbox.send_due() == 0
            assert catcher.tries["gone@test.example"] == tried
        given_up = OutboundMail.objects.get(sent_at=None)
        assert (given_up.attempts, given_up.given_up_at is not None) == (4, True)
        due_again()
        assert outbox.send_due() == 0
    assert catcher.tries["gone@test.example"] == 4
    assert "given up" in caplog.text and "gone@test.example" not in caplog.text


def test_given_up_only_after_a_long_weekend() -> None:
    """Tries at the waits that grow to an hour: more than three days pass before anything is given up."""
    waits = [min(30 * 2**n, outbox.LONGEST_WAIT_SECONDS) for n in range(outbox.GIVE_UP_AFTER - 1)]
    assert sum(waits) > 3 * 24 * 3600


def test_a_mail_that_cannot_be_written_does_not_hold_up_the_others(catcher: Catcher) -> None:
    outbox.post(unique_key="bad", to="a@test.example", subject="Two\nlines", text="x")
    post(3)
    assert outbox.send_due() == 3
    bad = OutboundMail.objects.get(unique_key="bad")
    assert (bad.attempts, bad.sent_at) == (1, None)


def test_a_crash_between_sending_and_commit_doubles_with_the_same_message_id(catcher: Catcher) -> None:
    """A real process, killed after the server took the mail and before its row says so."""
    post(2)
    with crew() as people:
        people.set_plan(["mail-sent"])
        env = dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "edatrs.settings.base",
            "DATABASE_URL": address_of_test_database(),
            "EDATRS_KILL_PLAN": str(people.plan),
            "EDATRS_SMTP_HOST": "127.0.0.1",
            "EDATRS_SMTP_PORT": str(catcher.port),
        }
        words = "import django; django.setup(); from edatrs.organisations.services import outbox; print(outbox.send_due())"
        died = subprocess.run([sys.executable, "-c", words], cwd=PROJECT, env=env, check=False, timeout=60)
        assert died.returncode == -signal.SIGKILL
        assert people.hits()[0][0] == "mail-sent"
    assert len(catcher.taken) == 1
    assert OutboundMail.objects.filter(sent_at=None).count() == 2
    eventually(
        lambda: outbox.send_due() + OutboundMail.objects.exclude(sent_at=None).count() >= 2, "both are sent"
    )
    assert sorted(catcher.subjects().values()) == [1, 2]
    ids = Counter(mail["Message-ID"] for mail in catcher.taken)
    assert sorted(ids.values()) == [1, 2]
    assert {mail["Message-ID"] for mail in catcher.taken} == {
        f"<{pk}@caseload.edatrs.example>" for pk in OutboundMail.objects.values_list("pk", flat=True)
    }


def test_without_the_row_lock_two_senders_double(catcher: Catcher) -> None:
    """The mutant: the test of two senders sees it."""
    catcher.slowness = 0.02
    post(20)
    queryset = type(OutboundMail.objects.all())

    def send() -> None:
        outbox.send_due()
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(2)]
    with patch.object(queryset, "select_for_update", lambda self, **kwargs: self.all()):
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    assert max(catcher.subjects().values()) > 1


def test_without_the_message_id_a_double_cannot_be_told(catcher: Catcher) -> None:
    """The mutant: with a Message-ID of the moment two copies of one mail look like two mails."""
    post(1)
    send = EmailMessage.send

    def other(message: EmailMessage, **kwargs: Any) -> int:
        message.extra_headers.pop("Message-ID")
        return send(message, **kwargs)

    with patch.object(EmailMessage, "send", other):
        for _ in range(2):
            outbox.send_due()
            OutboundMail.objects.update(sent_at=None)
    assert len({mail["Message-ID"] for mail in catcher.taken}) == 2
