"""Referral and transfer between organisations: sent with what is open, accepted as a hand-over, never after that has ended."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

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
from consent.models import Disclosure, PartnerReferral, PartnerReferralStep, ReferralHandOver
from consent.sharing.services import push
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Task
from tests.caseload.known_elsewhere.registered import register
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import AskDesk, words_of
from tests.factories.asks import make_partner_referral
from tests.factories.organisations import make_person
from tests.factories.share_consents import make_consent, make_end
from tests.factories.sharing import make_sensitive

pytestmark = pytest.mark.django_db
AT = "/o/theirs/requests/referrals/"


class Handing(AskDesk):
    """`ours` refers Jordan to `theirs`, whom Jordan agreed to share identity, contact, equality and treatment with."""

    def __init__(self, *categories: str) -> None:
        super().__init__(held=False)
        self.sender = self.as_(self.manager)
        self.receiver = self.as_(self.their_manager)
        self.share(*(categories or ("identity", "contact", "equality", "treatment")))

    def share(self, *categories: str) -> None:
        with acting_for(self.ours):
            if not ClientEquality.objects.filter(client=self.client).exists():
                ClientEquality.objects.create(client=self.client, ethnicity="A")
            self.consent = make_consent(self.client, recipient=self.theirs, categories=list(categories))
            push(client=self.client, recipient_id=self.theirs.pk)

    def withdraw(self) -> None:
        with acting_for(self.ours):
            make_end(self.consent)
            push(client=self.client, recipient_id=self.theirs.pk)

    def send(self, **changed: Any) -> Any:
        form = {
            "client": str(self.client.pk),
            "to": "theirs",
            "kind": "referral",
            "urgency": "soon",
            "reason": "Moved to your side of the county",
            "parts": ["identity_contact", "equality"],
            "_page": str(uuid4()),
        }
        data = {k: v for k, v in {**form, **changed}.items() if v is not None}
        return self.sender.post(f"{self.at}sharing/refer/", data)

    def sent(self, **changed: Any) -> UUID:
        answer = self.send(**changed)
        assert answer.status_code == 302, words_of(answer)
        with acting_for(self.ours):
            return PartnerReferral.objects.latest("number").pk

    def page(self, pk: UUID, side: str = "theirs") -> Any:
        browser = self.receiver if side == "theirs" else self.sender
        return browser.get(f"/o/{side}/requests/referrals/{pk}/")

    def act(self, pk: UUID, act: str, side: str = "theirs", **fields: Any) -> Any:
        browser = self.receiver if side == "theirs" else self.sender
        return browser.post(f"/o/{side}/requests/referrals/{pk}/", {"act": act, **fields})

    def accept(self, pk: UUID, **changed: Any) -> Any:
        return self.act(pk, "accepted", **{"who": "new", "service": str(self.service.pk), **changed})


@pytest.fixture
def handing() -> Handing:
    return Handing()


# ---- sending ----------------------------------------------------------------------------------------------------


def test_a_manager_refers_with_what_is_open_and_the_partner_has_a_task(handing: Handing) -> None:
    form = words_of(handing.sender.get(f"{handing.at}sharing/refer/"))
    assert "Theirs Trust : Identity and contact; equality; treatment" in form
    pk = handing.sent(to=f"theirs:{handing.service.pk}", message="Call me")
    task = Task.objects.get(organisation=handing.theirs)
    assert task.role == "team_manager" and "Ashby" not in task.words and task.link == f"{AT}{pk}/"
    listed = words_of(handing.receiver.get(AT))
    assert "1 referral from partners needs an answer" in listed and "Ours Trust" in listed
    page = words_of(handing.page(pk))
    for words in (
        "Referral RF-",
        "from Ours Trust",
        "ASHBY",
        "Moved to your side",
        "Soon",
        "Call me",
        "Accept it",
    ):
        assert words in page, words
    assert "Take it back" in words_of(handing.page(pk, "ours"))
    for organisation in (handing.ours, handing.theirs):
        with acting_for(organisation):
            assert AuditEvent.objects.filter(name="consent.referral.sent").count() == 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"to": ""}, "Choose a partner"),
    ({"to": "nobody"}, "Select a valid choice"),
    ({"to": "third"}, "Nothing of this record is open to Third Trust today"),
    ({"kind": None}, "Choose whether it is a referral or a transfer"),
    ({"urgency": None}, "Choose how soon"),
    ({"reason": ""}, "Write why"),
    ({"parts": None}, "Tick what is handed over"),
    ({"parts": ["identity_contact", "risk"]}, "Not open to Theirs Trust today: risk"),
]


def test_what_cannot_be_sent_is_said_and_nothing_typed_is_lost(handing: Handing) -> None:
    for changed, words in BAD:
        answer = handing.send(message="Call me", **changed)
        assert answer.status_code == 422 and words in words_of(answer), (changed, words_of(answer))
        assert "Call me" in answer.content.decode()
    assert handing.send(client=str(uuid4())).status_code == 404
    with acting_for(handing.ours):
        assert not PartnerReferral.objects.exists()


def test_sent_twice_it_is_sent_once_and_a_second_waits(handing: Handing) -> None:
    page = str(uuid4())
    assert handing.send(_page=page)["Location"] == handing.send(_page=page)["Location"]
    assert "waits for an answer already" in words_of(handing.send())
    with acting_for(handing.ours):
        assert PartnerReferral.objects.count() == 1


def test_without_sharing_nothing_can_be_sent_and_the_page_leads_to_the_consent(handing: Handing) -> None:
    handing.withdraw()
    page = handing.sender.get(f"{handing.at}sharing/refer/")
    assert "No partner can see anything of this record" in words_of(page)
    assert f"{handing.at}sharing/consents/new/" in page.content.decode()
    assert "Nothing of this record is open" in words_of(handing.send())


def test_a_protected_record_and_a_partner_without_protocol_are_refused(handing: Handing) -> None:
    with acting_for(handing.ours):
        make_sensitive(handing.client, handing.manager)
    assert "protected record" in words_of(handing.send())
    handing.end_protocol()
    assert handing.send().status_code == 422
    with acting_for(handing.ours):
        assert not PartnerReferral.objects.exists()


def test_only_team_managers_refer_and_answer(handing: Handing) -> None:
    assert handing.browser.get(f"{handing.at}sharing/refer/").status_code == 404
    pk = handing.sent()
    assert handing.other.get(AT).status_code == handing.other.get(f"{AT}{pk}/").status_code == 404


# ---- accepting --------------------------------------------------------------------------------------------------


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


# ---- the other steps --------------------------------------------------------------------------------------------


def test_a_rejection_says_why_to_the_sender(handing: Handing) -> None:
    pk = handing.sent()
    assert handing.act(pk, "rejected", reason=" ").status_code == 422
    for _ in range(2):
        assert handing.act(pk, "rejected", reason="We are full until January").status_code == 302
    assert "We are full until January" in words_of(handing.page(pk, "ours"))
    assert Task.objects.filter(organisation=handing.ours, words__contains="was rejected").count() == 1
    assert handing.accept(pk).status_code == 422
    assert handing.act(pk, "taken_back", "ours").status_code == 422
    assert handing.send().status_code == 302, "it may be sent again"


def test_taken_back_it_cannot_be_accepted(handing: Handing) -> None:
    pk = handing.sent()
    for _ in range(2):
        assert handing.act(pk, "taken_back", "ours").status_code == 302
    assert "Taken back" in words_of(handing.page(pk))
    answer = handing.accept(pk)
    assert answer.status_code == 422 and "answered already: taken back" in words_of(answer)


def test_a_transfer_leads_to_the_discharge_and_is_done_once(handing: Handing) -> None:
    pk = handing.sent(kind="transfer")
    assert handing.act(pk, "done", "ours").status_code == 422
    handing.accept(pk)
    assert Task.objects.filter(organisation=handing.ours, words__contains="now discharge").count() == 1
    assert "Now discharge" in words_of(handing.page(pk, "ours"))
    for _ in range(2):
        assert handing.act(pk, "done", "ours").status_code == 302
    with acting_for(handing.ours):
        assert [s.kind for s in PartnerReferralStep.objects.order_by("recorded_at")] == ["accepted", "done"]


def test_each_side_does_only_its_own_steps(handing: Handing) -> None:
    pk = handing.sent()
    for act in ("taken_back", "done"):
        assert handing.act(pk, act).status_code == 404
    for act in ("accepted", "rejected"):
        assert handing.act(pk, act, "ours", reason="x").status_code == 404
    assert handing.act(pk, "eat").status_code == 404
    third = handing.as_(make_person(handing.third, role="team_manager"))
    assert third.get(f"/o/third/requests/referrals/{pk}/").status_code == 404
    assert third.post(f"/o/third/requests/referrals/{pk}/", {"act": "accepted"}).status_code == 404


def test_the_database_lets_nobody_write_a_step_of_the_other_side(handing: Handing) -> None:
    pk = handing.sent()
    statement = (
        "INSERT INTO consent_partnerreferralstep "
        "(organisation_id, sender_id, receiver_id, referral_id, kind, reason, recorded_by, recorded_by_label) "
        "VALUES (%s, %s, %s, %s, %s, '', %s, 'x')"
    )
    ours, theirs, third = handing.ours.pk, handing.theirs.pk, handing.third.pk
    for acting, writes, sender, receiver, kind in (
        (handing.ours, ours, ours, theirs, "accepted"),  # not its step
        (handing.ours, theirs, ours, theirs, "accepted"),  # another organisation's row
        (handing.third, third, ours, theirs, "accepted"),  # none of the two
        (handing.third, third, ours, third, "accepted"),  # not this referral's receiver
    ):
        with acting_for(acting), pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            in_sql(statement, writes, sender, receiver, pk, kind, uuid4())
            in_sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_third_organisation_sees_nothing_by_either_wall_and_the_receiver_no_client(
    handing: Handing,
) -> None:
    pk = handing.sent(parts=["equality"])
    with acting_for(handing.third):
        assert PartnerReferral.objects.count() == PartnerReferralStep.objects.count() == 0
        assert in_sql("SELECT count(*) FROM consent_partnerreferral") == [(0,)]
        assert in_sql("SELECT count(*) FROM consent_partnerreferralstep") == [(0,)]
    handing.withdraw()
    with acting_for(handing.theirs, "team_manager"):
        assert PartnerReferral.objects.get(pk=pk).receiver_id == handing.theirs.pk
        assert in_sql("SELECT count(*) FROM caseload_client") == [(0,)]


def test_lists_cost_the_same_for_one_and_for_many(handing: Handing) -> None:
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert handing.receiver.get(AT).status_code == 200
        return len(found)

    with acting_for(handing.ours):
        make_partner_referral(handing.client, handing.theirs)
    queries()
    one = queries()
    with acting_for(handing.ours):
        for _ in range(10):
            make_partner_referral(handing.client, handing.theirs)
    assert queries() == one


# ---- two at once ------------------------------------------------------------------------------------------------


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
