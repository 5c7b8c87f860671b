"""A referral is accepted: the agreed parts are copied as a disclosure, once, as long as they may, and by one of two at once."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from audit.models import AuditEvent
from caseload.models import (
    Client,
    ClientContact,
    ClientEquality,
    ClientIdentity,
    Registration,
    SharingGrant,
)
from consent.asks import referral_list, referrals
from consent.models import Disclosure, PartnerReferralStep, ReferralHandOver
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from tests.caseload.known_elsewhere.registered import register
from tests.consent.referrals.handing import Handing
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import words_of

pytestmark = pytest.mark.django_db


def test_accepting_makes_a_client_with_the_agreed_categories_and_logs_it_with_the_sender(
    handing: Handing,
) -> None:
    pk = handing.sent()
    answer = handing.accept(pk)
    assert answer.status_code == 302, words_of(answer)
    with acting_for(handing.theirs):
        made = ReferralHandOver.objects.get()
        assert answer["Location"] == f"/o/theirs/clients/{made.client_id}/"
        assert (made.is_new, made.categories) == (True, ["identity", "contact", "equality"])
        who = ClientIdentity.objects.get(client_id=made.client_id)
        assert (who.forename, who.surname, who.date_of_birth) == ("Jordan", "Ashby", dt.date(1991, 8, 9))
        assert ClientContact.objects.get(client_id=made.client_id).postcode == "CM2 6QT"
        assert ClientEquality.objects.get(client_id=made.client_id).ethnicity == "A"
        assert Registration.objects.get(client_id=made.client_id).service_id == handing.service.pk
        assert AuditEvent.objects.filter(name="consent.referral.taken_over").count() == 1
    with acting_for(handing.ours):
        given = Disclosure.objects.get()
        assert (given.way, given.recipient_id, given.ground, given.consent_id) == (
            "hand_over",
            handing.theirs.pk,
            "consent",
            handing.consent.pk,
        )
        assert given.categories == ["identity", "contact", "equality"]
        assert given.recorded_by == handing.manager.pk
    for organisation in (handing.ours, handing.theirs):
        with acting_for(organisation):
            names = set(AuditEvent.objects.values_list("name", flat=True))
        assert {"consent.referral.accepted", "consent.disclosure.recorded"} <= names
    assert "Accepted" in words_of(handing.page(pk, "ours"))
    assert "Hand-over to a partner" in words_of(handing.sender.get(f"{handing.at}sharing/given/"))


def test_what_is_not_handed_over_is_not_copied(handing: Handing) -> None:
    handing.accept(handing.sent(parts=["identity_contact"]))
    with acting_for(handing.theirs):
        made = ReferralHandOver.objects.get()
        assert made.categories == ["identity", "contact"]
        assert ClientEquality.objects.get(client_id=made.client_id).ethnicity == ""


def test_mutant_copying_whatever_is_open_is_noticed(
    handing: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above sees a hand-over that forgets which parts were agreed."""
    real = referrals.offer

    def too_much(found: Any) -> Any:
        found.row.categories = ["identity", "contact", "equality"]
        return real(found)

    monkeypatch.setattr(referrals, "offer", too_much)
    handing.accept(handing.sent(parts=["identity_contact"]))
    with acting_for(handing.theirs):
        made = ReferralHandOver.objects.get()
        assert ClientEquality.objects.get(client_id=made.client_id).ethnicity == "A"


def test_accepted_twice_it_is_one_client(handing: Handing) -> None:
    pk = handing.sent()
    assert handing.accept(pk)["Location"] == handing.accept(pk)["Location"]
    with acting_for(handing.theirs):
        assert ReferralHandOver.objects.count() == Client.objects.count() == 1
        assert PartnerReferralStep.objects.count() == 1


def test_one_s_own_record_of_the_person_is_chosen_and_left_as_it_is(handing: Handing) -> None:
    own = register(handing.theirs, forename="Jordon", postcode="CM1 1AA")
    pk = handing.sent()
    page = handing.page(pk)
    assert f'value="{own.pk}"' in page.content.decode() and "Yes: ASHBY, Jordon" in words_of(page)
    assert handing.accept(pk, who=str(uuid4())).status_code == 422
    assert handing.accept(pk, who=str(own.pk), client_id_text="7").status_code == 302
    with acting_for(handing.theirs):
        made = ReferralHandOver.objects.get()
        assert (made.client_id, made.is_new, made.categories) == (own.pk, False, [])
        assert ClientIdentity.objects.get(client=own).forename == "Jordon"
        assert Registration.objects.get(client=own).client_id_text == "7"


def test_without_the_name_no_record_is_made_up(handing: Handing) -> None:
    pk = handing.sent(parts=["equality"])
    page = words_of(handing.page(pk))
    assert "The name is not handed over" in page and "ASHBY" not in page
    for wrong in ("", "R", "Ashby", f"R{handing.client.record_number}"):
        assert handing.accept(pk, record=wrong).status_code == 422, wrong
    with acting_for(handing.theirs):
        assert not Client.objects.exists() and not PartnerReferralStep.objects.exists()
    with acting_for(handing.ours):
        assert not Disclosure.objects.exists(), "nothing was handed over"
    own = register(handing.theirs)
    with acting_for(handing.theirs):
        number = str(Client.objects.get(pk=own.pk))
    assert handing.accept(pk, record=number).status_code == 302
    with acting_for(handing.theirs):
        assert ReferralHandOver.objects.get().client_id == own.pk
        assert Client.objects.count() == 1


def test_a_client_id_that_is_taken_is_said_and_nothing_is_done(handing: Handing) -> None:
    with acting_for(handing.theirs):
        from tests.factories.caseload import make_registration

        make_registration(client_id_text="7")
    pk = handing.sent()
    answer = handing.accept(pk, client_id_text="7")
    assert answer.status_code == 422 and "is or was a client ID" in words_of(answer)
    with acting_for(handing.ours):
        assert not Disclosure.objects.exists()
        assert referral_list.referral(pk).waits


@pytest.mark.parametrize("why", ["consent", "protocol"])
def test_after_consent_or_protocol_ended_it_can_no_longer_be_accepted(handing: Handing, why: str) -> None:
    pk = handing.sent()
    if why == "consent":
        handing.withdraw()
    else:
        handing.end_protocol()
    page = words_of(handing.page(pk))
    assert "It cannot be accepted any more" in page and "ASHBY" not in page
    answer = handing.accept(pk)
    assert answer.status_code == 422 and "It cannot be accepted any more" in words_of(answer)
    with acting_for(handing.theirs):
        assert not Client.objects.exists() and not PartnerReferralStep.objects.exists()
    with acting_for(handing.ours):
        assert not Disclosure.objects.exists()
    assert handing.act(pk, "rejected", reason="It has ended").status_code == 302, "it can still be answered"


def test_mutant_an_acceptance_that_does_not_look_again_is_noticed(
    handing: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the look under the lock of the sender's client, a withdrawal between page and button would be passed by."""
    pk = handing.sent()
    with acting_for(handing.theirs, "team_manager"):
        before = referrals.offer(referral_list.referral(pk))
    handing.withdraw()
    monkeypatch.setattr(referrals, "offer", lambda found: before)
    assert handing.accept(pk).status_code == 422
    monkeypatch.setattr(referrals, "_hand_over", lambda row: True)
    answer = handing.accept(pk)
    assert answer.status_code == 302, words_of(answer)


def _together(*acts: Any) -> list[Any]:
    """Each in a thread with a connection of its own; what each gave or raised."""
    said: list[Any] = [None] * len(acts)

    def run(number: int, act: Any) -> None:
        try:
            said[number] = act()
        except Exception as problem:  # noqa: BLE001  # looked at by the test
            said[number] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said


def _scope(organisation: Any, person: Any) -> Any:
    return open_scope(
        actor=Actor.PERSON,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk,
        person_label=person.full_name,
        roles=frozenset({"team_manager"}),
    )


@pytest.mark.django_db(transaction=True)
def test_two_managers_accept_at_once_and_it_is_one_client_and_a_withdrawal_in_between_wins() -> None:
    handing = Handing()
    pk = handing.sent()

    def accept() -> Any:
        with _scope(handing.theirs, handing.their_manager):
            return referrals.accept(
                pk=pk,
                existing=None,
                service=handing.service,
                client_id_text="",
                acting_user=handing.their_manager,
            ).pk

    first, second = _together(accept, accept)
    assert first == second, (first, second)
    with acting_for(handing.theirs):
        assert Client.objects.count() == ReferralHandOver.objects.count() == 1
    with acting_for(handing.ours):
        assert Disclosure.objects.count() == 1

    again = handing.sent()
    held, released = threading.Event(), threading.Event()

    def withdraw() -> None:
        with acting_for(handing.ours):
            in_sql("SELECT id FROM caseload_client WHERE id = %s FOR UPDATE", handing.client.pk)
            held.set()
            SharingGrant.objects.filter(organisation_id=handing.ours.pk).update(suspended_at=clock.now())
            released.wait(10)

    def late() -> Any:
        held.wait(10)
        threading.Timer(0.5, released.set).start()
        with _scope(handing.theirs, handing.their_manager):
            return referrals.accept(
                pk=again,
                existing=None,
                service=handing.service,
                client_id_text="",
                acting_user=handing.their_manager,
            )

    _, said = _together(withdraw, late)
    assert "cannot be accepted any more" in str(said), said
    with acting_for(handing.theirs):
        assert Client.objects.count() == 1
