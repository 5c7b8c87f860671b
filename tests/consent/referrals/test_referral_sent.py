"""A referral or transfer to a partner is sent, refused, taken back, done; each side takes its own steps."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.models import AuditEvent
from consent.asks import referral_list
from consent.models import PartnerReferral, PartnerReferralStep
from edatrs.organisations.models import Task
from tests.consent.referrals.handing import Handing
from tests.core.world import acting_for, in_sql
from tests.factories.ask_desk import words_of
from tests.factories.asks import make_partner_referral
from tests.factories.organisations import make_person
from tests.factories.sharing import make_sensitive

pytestmark = pytest.mark.django_db
AT = "/o/theirs/requests/referrals/"


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


def test_a_long_list_comes_in_pages_and_one_that_waits_is_never_behind_them(
    handing: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referral_list, "PAGE", 2)
    with acting_for(handing.ours):
        made = [make_partner_referral(handing.client, handing.theirs) for _ in range(6)]
    for row in made[1:]:
        handing.act(row.pk, "rejected", reason="No place here")
    names = [str(row) for row in made]

    def shown(browser: Any, address: str) -> tuple[list[str], str]:
        page = browser.get(address).content.decode()
        onward = re.search(r'href="\?((?:received|sent)_before=\d+)"', page)
        return [name for name in names if f">{name}<" in page], onward[1] if onward else ""

    first, onward = shown(handing.receiver, AT)
    assert first == [names[0], names[4], names[5]]  # the one that waits, and the newest two answered
    second, onward = shown(handing.receiver, f"{AT}?{onward}")
    assert second == [names[0], names[2], names[3]]
    third, onward = shown(handing.receiver, f"{AT}?{onward}")
    assert third == [names[0], names[1]] and onward == ""
    mine = "/o/ours/requests/referrals/"
    first, onward = shown(handing.sender, mine)
    assert first == names[4:] and onward.startswith("sent_before=")
    second, onward = shown(handing.sender, f"{mine}?{onward}")
    assert second == names[2:4]
    assert shown(handing.sender, f"{mine}?sent_before=nonsense")[0] == first
