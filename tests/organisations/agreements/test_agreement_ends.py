"""Leaving, the certificate, review and the next version of an agreement."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from edatrs.core import clock
from edatrs.organisations import protocol
from edatrs.organisations.choices import AgreementStatus
from edatrs.organisations.models import (
    Agreement,
    AgreementParty,
    Organisation,
    OutboundMail,
    RightConfirmation,
    Task,
)
from edatrs.organisations.services import protocol_acts, protocol_review
from tests.factories.agreements import (
    make_agreement_in_force,
    make_signatory,
    signed,
)
from tests.factories.organisations import make_organisation
from tests.organisations.agreements.desk import (
    OFFICER,
    SURE,
    Browse,
    acting_as,
    events,
    officer,
    one,
    partners,
    party,
)

pytestmark = pytest.mark.django_db


def boxes(name: str, day: dt.date) -> dict[str, str]:
    return {f"{name}_day": str(day.day), f"{name}_month": str(day.month), f"{name}_year": str(day.year)}


def test_notice_to_leave_is_worked_out_told_to_all_and_ends_the_sharing(
    council: Organisation, clinic: Organisation, browse: Browse, acting: Any
) -> None:
    third = make_organisation("third", name="Third")
    with clock.frozen(dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)):
        agreement = make_agreement_in_force(council, clinic, third)
        AgreementParty.objects.filter(organisation=third).update(breach_emails=[])
        desk = browse(make_signatory(clinic))
        page = desk.get(one(agreement, clinic, "leave/")).content.decode()
        assert 'Last day: <time datetime="2026-12-21">21 Dec 2026</time>' in page
        earlier = desk.get(one(agreement, clinic, "leave/"), boxes("received_on", dt.date(2026, 11, 22)))
        assert "20 Dec 2026" in earlier.content.decode()
        done = desk.post(one(agreement, clinic, "leave/"), {**SURE, **boxes("received_on", clock.today())})
        assert done.status_code == 302
        assert party(agreement, clinic).leaves_on == dt.date(2026, 12, 21)
        told = set(OutboundMail.objects.values_list("to", flat=True))
        assert told == {"dpo@council.example", *Organisation.objects.get(slug="third").emails}
        assert set(Task.objects.values_list("organisation__slug", "role")) == {
            ("council", OFFICER),
            ("third", OFFICER),
        }
        assert all("21 December 2026" in t for t in OutboundMail.objects.values_list("text", flat=True))
        assert "protocol.notice_given" in events(acting, third)
        again = desk.post(one(agreement, clinic, "leave/"), {**SURE, **boxes("received_on", clock.today())})
        assert again.status_code == 302 and OutboundMail.objects.count() == 3
    for day, sharing in ((21, {council.pk, third.pk}), (22, set())):
        with clock.frozen(dt.datetime(2026, 12, day, 12, 0, tzinfo=dt.UTC)):
            assert partners(clinic) == sharing
            assert (clinic.pk in partners(council)) is (day == 21)
            assert third.pk in partners(council), "the others go on"


def test_the_notice_is_taken_back_before_its_end_and_not_after(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_agreement_in_force(council, clinic, since=dt.date(2026, 1, 5))
    person = make_signatory(clinic)
    with clock.frozen(dt.datetime(2027, 6, 1, 9, 0, tzinfo=dt.UTC)):
        desk = browse(person)
        desk.post(one(agreement, clinic, "leave/"), {**SURE, **boxes("received_on", clock.today())})
        assert party(agreement, clinic).leaves_on == dt.date(2027, 6, 29)
    with clock.frozen(dt.datetime(2027, 6, 29, 9, 0, tzinfo=dt.UTC)):
        browse(person).post(one(agreement, clinic, "stay/"), SURE)
        assert party(agreement, clinic).leaves_on is None
        assert OutboundMail.objects.filter(subject="A partner stays in the sharing agreement").count() == 1
        browse(person).post(one(agreement, clinic, "leave/"), {**SURE, **boxes("received_on", clock.today())})
    with clock.frozen(dt.datetime(2027, 7, 28, 9, 0, tzinfo=dt.UTC)):
        browse(person).post(one(agreement, clinic, "stay/"), SURE)
        assert party(agreement, clinic).leaves_on == dt.date(2027, 7, 27)
        assert partners(clinic) == set()


def test_the_certificate_is_given_after_the_last_day_once(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_agreement_in_force(council, clinic, since=dt.date(2026, 1, 5))
    AgreementParty.objects.filter(organisation=clinic).update(
        notice_received_on=clock.today() - dt.timedelta(days=30), leaves_on=clock.today()
    )
    desk = browse(officer(clinic))
    fields = {**boxes("done_on", clock.today()), "words": "Papers shredded"}
    assert desk.post(one(agreement, clinic, "certificate/"), fields).status_code == 422
    AgreementParty.objects.filter(organisation=clinic).update(leaves_on=clock.today() - dt.timedelta(days=1))
    assert "Not received" in desk.get(one(agreement, clinic)).content.decode()
    assert desk.post(one(agreement, clinic, "certificate/"), fields).status_code == 302
    assert party(agreement, clinic).certificate == "Papers shredded"
    assert desk.post(one(agreement, clinic, "certificate/"), fields).status_code == 422


def test_a_notice_cannot_be_escaped_by_a_new_version(council: Organisation, clinic: Organisation) -> None:
    agreement = make_agreement_in_force(council, clinic)
    lead, leaver = make_signatory(council), make_signatory(clinic)
    with acting_as(council, lead):
        new = protocol_review.start_new_version(agreement_id=agreement.pk, version="2", acting_user=lead)
    with acting_as(clinic, leaver):
        protocol_acts.give_notice(
            agreement_id=agreement.pk, received_on=clock.today(), signed_as="siro", acting_user=leaver
        )
    assert party(new, clinic).leaves_on == protocol.last_day_of_notice(clock.today())
    AgreementParty.objects.filter(agreement=new).update(leaves_on=None, notice_received_on=None)
    for organisation in (council, clinic):
        signed(new, organisation, clock.today())
        for entry in new.entries.filter(kind="right"):
            RightConfirmation.objects.create(
                party=party(new, organisation), entry=entry, confirmed_on=clock.today(), confirmed_by=lead
            )
    Agreement.objects.filter(pk=new.pk).update(status=AgreementStatus.FOR_APPROVAL)
    with acting_as(council, lead):
        protocol_acts.approve(agreement_id=new.pk, signed_as="siro", acting_user=lead)
    assert party(new, clinic).leaves_on == protocol.last_day_of_notice(clock.today())


def test_a_breach_brings_the_review_forward_and_a_new_version_supersedes(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_agreement_in_force(council, clinic, review_on=dt.date(2029, 1, 1))
    person = make_signatory(council)
    desk = browse(person)
    desk.post(one(agreement, council, "review/"), {"reason": "breach", "words": "BR-2026-007"})
    agreement.refresh_from_db()
    assert (agreement.review_on, agreement.review_reason) == (clock.today(), "A breach: BR-2026-007")
    assert "Review is due" in desk.get(one(agreement, council)).content.decode()
    made = desk.post(one(agreement, council, "new-version/"), {"version": "2.0"})
    new = Agreement.objects.get(version="2.0")
    assert made.url == one(new, council) and new.follows == agreement
    assert new.entries.count() == agreement.entries.count()
    assert all(p.signed_on is None for p in new.parties.all())
    assert partners(council) == {clinic.pk}, "the old one stays in force"
    again = desk.post(one(agreement, council, "new-version/"), {"version": "3.0"})
    assert again.status_code == 422
    for entry in new.entries.filter(kind="right"):
        for row in new.parties.all():
            RightConfirmation.objects.create(
                party=row, entry=entry, confirmed_on=clock.today(), confirmed_by=person
            )
    desk.post(one(new, council, "status/"), {"to": "for_approval"})
    desk.post(one(new, council, "sign/"), SURE)
    assert "ends with today" in desk.get(one(new, council, "approve/")).content.decode()
    desk.post(one(new, council, "approve/"), SURE)
    agreement.refresh_from_db()
    assert agreement.ended_on == clock.today()
    assert partners(council) == {clinic.pk}, "until midnight by the old one"
    tomorrow = clock.now() + dt.timedelta(days=1)
    with clock.frozen(tomorrow):
        assert partners(council) == set(), "the clinic has not signed the new one"
        browse(make_signatory(clinic)).post(one(new, clinic, "sign/"), SURE)
        assert partners(council) == {clinic.pk}
        assert (
            Client()
            .get("/sharing-agreements/")
            .content.decode()
            .count(f"/sharing-agreements/{agreement.slug}/")
            == 1
        )


def test_where_it_is_published_is_recorded(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_agreement_in_force(council, clinic)
    desk = browse(officer(council))
    fields = {**boxes("published_on", clock.today()), "published_at": "https://portal.example/one"}
    assert desk.post(one(agreement, council, "publication/"), fields).status_code == 302
    assert "https://portal.example/one" in desk.get(one(agreement, council)).content.decode()
    bad = {**fields, "published_at": "javascript:alert(1)"}
    assert desk.post(one(agreement, council, "publication/"), bad).status_code == 422
