"""The protocol register through its pages: draft, completeness, signing, approval, leaving, review, the next version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models.trail import AuditEvent
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations import agreements, protocol
from edatrs.organisations.choices import AgreementStatus, AuthorisedAs
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    Organisation,
    OutboundMail,
    RightConfirmation,
    Task,
    User,
)
from edatrs.organisations.services import protocol_acts, protocol_review
from edatrs.organisations.services.protocol import ProtocolRefused
from tests.factories.agreements import (
    add_party,
    make_agreement_in_force,
    make_draft_agreement,
    make_signatory,
    signed,
)
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
OFFICER = "information_governance"
SURE = {"signed_as": "siro", "sure": "on"}
Browse = Callable[[User], Client]


@pytest.fixture
def council() -> Organisation:
    return make_organisation("council", name="Council", emails=["dpo@council.example"])


@pytest.fixture
def clinic() -> Organisation:
    return make_organisation("clinic", name="Clinic", emails=["dpo@clinic.example"])


@pytest.fixture
def browse() -> Browse:
    return lambda user: sign_in(Client(), user)


def officer(organisation: Organisation) -> User:
    return make_person(organisation, role=OFFICER)


def one(agreement: Agreement, organisation: Organisation, page: str = "") -> str:
    return f"/o/{organisation.slug}/agreements/{agreement.pk}/{page}"


def party(agreement: Agreement, organisation: Organisation) -> AgreementParty:
    return AgreementParty.objects.get(agreement=agreement, organisation=organisation)


def partners(organisation: Organisation) -> set[Any]:
    """Whom the organisation shares with today, as the database says."""
    with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk):
        return set(protocol.partners_in_force())


def boxes(name: str, day: dt.date) -> dict[str, str]:
    return {f"{name}_day": str(day.day), f"{name}_month": str(day.month), f"{name}_year": str(day.year)}


def events(acting: Any, organisation: Organisation) -> list[str]:
    with acting(organisation, OFFICER):
        names = AuditEvent.objects.order_by("sequence").values_list("name", flat=True)
        return [name for name in names if name.startswith("protocol.")]


# ---- the whole way ---------------------------------------------------------------------------------------------


def test_from_a_draft_to_sharing_by_the_pages(
    council: Organisation, clinic: Organisation, browse: Browse, acting: Any
) -> None:
    agreement = make_draft_agreement(council, clinic)
    ours, theirs = browse(make_signatory(council)), browse(make_signatory(clinic))
    assert ours.post(one(agreement, council, "status/"), {"to": "for_approval"}).status_code == 302
    assert Agreement.objects.get().status == AgreementStatus.FOR_APPROVAL
    assert ours.post(one(agreement, council, "sign/"), SURE).status_code == 302
    assert theirs.post(one(agreement, clinic, "sign/"), SURE).status_code == 302
    assert partners(council) == set(), "signed by both, but not approved"
    assert ours.post(one(agreement, council, "approve/"), SURE).status_code == 302
    assert partners(council) == {clinic.pk} and partners(clinic) == {council.pk}
    agreement.refresh_from_db()
    assert agreement.review_on == protocol.review_due(clock.today())
    page = theirs.get(one(agreement, clinic)).content.decode()
    assert "In force between Clinic and Council since" in page
    for organisation in (council, clinic):
        seen = events(acting, organisation)
        assert seen == [
            "protocol.sent_for_approval",
            "protocol.signed",
            "protocol.signed",
            "protocol.approved",
        ]


def test_a_new_draft_is_written_by_its_owner(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    desk = browse(officer(council))
    done = desk.post("/o/council/agreements/new/", {"title": "Liaison", "summary": ""})
    agreement = Agreement.objects.get()
    assert done.url == one(agreement, council)
    assert (agreement.status, agreement.owner, agreement.slug) == ("draft", council, "liaison")
    desk.post(one(agreement, council, "parties/"), {"party": clinic.slug, "roles": ["processor", "supplier"]})
    assert party(agreement, clinic).roles == ["processor", "supplier"]
    agreement.refresh_from_db()
    details = {
        "title": "Liaison",
        "version": "0.1",
        "owner": clinic.slug,
        "authors": "Us",
        "summary": "Care",
        "retention": "",
        "version_opened": str(agreement.row_version),
    }
    assert desk.post(one(agreement, council, "details/"), details).status_code == 302
    agreement.refresh_from_db()
    assert (agreement.owner, agreement.version) == (clinic, "0.1")
    assert desk.get(one(agreement, council, "details/")).status_code == 404, "who gave it away writes no more"
    assert browse(officer(clinic)).get(one(agreement, clinic, "details/")).status_code == 200


def test_contents_and_documents_are_chosen_and_shown(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    desk = browse(officer(council))
    fields = {
        "purpose": ["integrated"],
        "purpose_own": "Meet weekly\n\nMeet weekly\nShare a room",
        "information": ["surname", "risk"],
        "article_6": ["public_task"],
        "article_9": ["health_and_social_care"],
        "statute": [],
        "statute_own": "Some Act 1999",
        "right": ["access", "objection"],
        "version_opened": str(agreement.row_version),
    }
    assert desk.post(one(agreement, council, "contents/"), fields).status_code == 302
    held = list(agreement.entries.filter(kind="purpose").values_list("key", "words"))
    assert held == [
        ("integrated", "One treatment across services"),
        ("own_1", "Meet weekly"),
        ("own_2", "Share a room"),
    ]
    assert set(agreement.entries.filter(kind="information").values_list("key", "category")) == {
        ("surname", "identity"),
        ("risk", "risk"),
    }
    assert RightConfirmation.objects.filter(party__agreement=agreement).count() == 2, (
        "of the right that stayed"
    )
    agreement.refresh_from_db()
    papers = {"dpia": "DPIA 7", "dpia_by": "", "version_opened": str(agreement.row_version)}
    desk.post(one(agreement, council, "documents/"), papers)
    page = desk.get(one(agreement, council)).content.decode()
    for words in ("Share a room", "Some Act 1999", "DPIA 7", "Risks and vulnerabilities"):
        assert words in page
    assert "Data protection impact assessment: name or link, and who answers for it" in page


def test_somebody_who_saved_in_between_is_shown_beside_ones_own(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic, title="Before")
    desk = browse(officer(council))
    fields = {"title": "Mine", "version": "1.0", "version_opened": str(agreement.row_version)}
    Agreement.objects.filter(pk=agreement.pk).update(title="Theirs", row_version=agreement.row_version + 1)
    answer = desk.post(one(agreement, council, "details/"), fields)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Theirs" in page and 'value="Mine"' in page
    assert Agreement.objects.get().title == "Theirs"
    again = {**fields, "version_opened": str(agreement.row_version + 1)}
    assert desk.post(one(agreement, council, "details/"), again).status_code == 302
    assert Agreement.objects.get().title == "Mine"


# ---- completeness ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a, p: Agreement.objects.update(owner=None), "The owner is blank"),
        (lambda a, p: Agreement.objects.update(version=""), "The version is blank"),
        (lambda a, p: a.entries.filter(kind="purpose").delete(), "No purpose is chosen"),
        (lambda a, p: a.entries.filter(kind="article_9").delete(), "no condition of Article 9"),
        (lambda a, p: a.entries.filter(key="contract").delete(), "Associated contract"),
        (lambda a, p: Organisation.objects.filter(slug="clinic").update(phone=""), "Clinic: no phone number"),
        (
            lambda a, p: AgreementParty.objects.filter(pk=p.pk).update(breach_emails=[]),
            "which address gets breach notices",
        ),
        (lambda a, p: AgreementParty.objects.filter(pk=p.pk).update(roles=[]), "Clinic has no role"),
        (
            lambda a, p: RightConfirmation.objects.filter(party=p).delete(),
            "Clinic has not confirmed 2 of 2 rights",
        ),
    ],
)
def test_what_is_missing_is_named_and_stops_the_approval(
    spoil: Callable[..., Any], words: str, council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    spoil(agreement, party(agreement, clinic))
    desk = browse(officer(council))
    assert words in desk.get(one(agreement, council)).content.decode()
    desk.post(one(agreement, council, "status/"), {"to": "for_approval"})
    assert Agreement.objects.get().status == AgreementStatus.DRAFT
    # Had it been sent before: it is not approved either.
    Agreement.objects.update(status=AgreementStatus.FOR_APPROVAL)
    browse(make_signatory(council)).post(one(agreement, council, "approve/"), SURE)
    assert Agreement.objects.get().status == AgreementStatus.FOR_APPROVAL


def test_a_gap_has_a_link_for_whoever_fills_it_in_and_for_nobody_else(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    Organisation.objects.filter(slug="clinic").update(phone="")
    Agreement.objects.update(authors="")
    ours = browse(officer(council)).get(one(agreement, council)).content.decode()
    theirs = browse(officer(clinic)).get(one(agreement, clinic)).content.decode()
    assert f'href="{one(agreement, council, "details/")}">Nobody is named as author' in ours
    assert f'href="{one(agreement, clinic, "details/")}"' not in theirs
    assert 'href="/o/clinic/contact/">Clinic: no phone number' in theirs
    assert "<li>Clinic: no phone number</li>" in ours, "words without a link"


# ---- who may ---------------------------------------------------------------------------------------------------


def test_another_party_changes_its_own_part_alone(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    desk = browse(officer(clinic))
    for page in (
        "details/",
        "contents/",
        "documents/",
        "parties/",
        "status/",
        "review/",
        "new-version/",
        "publication/",
    ):
        assert desk.get(one(agreement, clinic, page)).status_code == 404, page
        assert desk.post(one(agreement, clinic, page), {"to": "for_approval"}).status_code == 404, page
    removed = one(agreement, clinic, f"parties/{party(agreement, clinic).pk}/remove/")
    assert desk.post(removed).status_code == 404
    rights = [str(e.pk) for e in AgreementEntry.objects.filter(kind="right")]
    RightConfirmation.objects.all().delete()
    part = {"breach_emails": ["dpo@clinic.example"], "confirmed": rights[:1]}
    assert desk.post(one(agreement, clinic, "own-part/"), part).status_code == 302
    assert party(agreement, clinic).breach_emails == ["dpo@clinic.example"]
    assert RightConfirmation.objects.filter(party=party(agreement, clinic)).count() == 1
    assert not RightConfirmation.objects.filter(party=party(agreement, council)).exists()
    foreign = {"breach_emails": ["dpo@council.example"], "confirmed": []}
    assert desk.post(one(agreement, clinic, "own-part/"), foreign).status_code == 422


def test_a_draft_is_seen_by_its_parties_alone_and_an_approved_one_by_all(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    stranger = browse(make_person(make_organisation("stranger")))
    agreement = make_draft_agreement(council, clinic, title="A secret plan")
    assert stranger.get(f"/o/stranger/agreements/{agreement.pk}/").status_code == 404
    assert "A secret plan" not in stranger.get("/o/stranger/agreements/").content.decode()
    assert "A secret plan" not in Client().get("/sharing-agreements/").content.decode()
    assert Client().get(f"/sharing-agreements/{agreement.slug}/").status_code == 404
    Agreement.objects.update(status=AgreementStatus.APPROVED, approved_on=clock.today())
    assert stranger.get(f"/o/stranger/agreements/{agreement.pk}/").status_code == 200
    assert "A secret plan" in Client().get("/sharing-agreements/").content.decode()


def test_the_public_page_names_no_person(council: Organisation, clinic: Organisation) -> None:
    agreement = make_agreement_in_force(council, clinic, authors="Anna Author")
    Organisation.objects.update(data_protection_officer="Dora Officer")
    for signer in User.objects.all():
        signer.full_name = f"Petra {signer.email}"
        signer.save()
    page = Client().get(f"/sharing-agreements/{agreement.slug}/").content.decode()
    for words in (
        "Council",
        "Clinic",
        "Data protection officer, Council",
        "dpo@council.example",
        "Health and Social Care Act",
    ):
        assert words in page
    for name in ("Anna Author", "Dora Officer", "Petra", "The team"):
        assert name not in page


@pytest.mark.parametrize("page", ["sign/", "approve/"])
@pytest.mark.parametrize(
    ("since", "until", "may"),
    [(-1, None, True), (0, 0, True), (-9, -1, False), (1, None, False), (None, None, False)],
    ids=["holds it", "today alone", "ended yesterday", "from tomorrow", "never"],
)
def test_only_somebody_authorised_on_that_day_binds_the_organisation(
    page: str,
    since: int | None,
    until: int | None,
    may: bool,
    council: Organisation,
    clinic: Organisation,
    browse: Browse,
) -> None:
    agreement = make_draft_agreement(council, clinic, status=AgreementStatus.FOR_APPROVAL)
    make_signatory(council, full_name="Sita Rowe")
    person = officer(council)
    if since is not None:
        make_signatory(council, user=person, since=since, until=until)
    desk = browse(person)
    shown = desk.get(one(agreement, council, page)).content.decode()
    assert ("Sita Rowe (Senior Information Risk Owner)" in shown) is not may
    assert desk.post(one(agreement, council, page), SURE).status_code == (302 if may else 422)
    bound = party(agreement, council).signed_on if page == "sign/" else Agreement.objects.get().approved_on
    assert (bound == clock.today()) is may


def test_an_authorised_role_elsewhere_or_another_role_signs_nothing(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic, status=AgreementStatus.FOR_APPROVAL)
    person = officer(council)
    make_signatory(clinic, user=person)  # authorised at the clinic, working for the council
    assert browse(person).post(one(agreement, council, "sign/"), SURE).status_code == 422
    guardian = make_signatory(council, role=AuthorisedAs.CALDICOTT)
    assert browse(guardian).post(one(agreement, council, "sign/"), SURE).status_code == 422, "no SIRO"
    assert (
        browse(guardian)
        .post(one(agreement, council, "sign/"), {**SURE, "signed_as": "caldicott"})
        .status_code
        == 302
    )
    keyworker = make_person(clinic)
    make_signatory(clinic, user=keyworker)
    assert browse(keyworker).post(one(agreement, clinic, "sign/"), SURE).status_code == 404, "no officer"
    assert party(agreement, clinic).signed_on is None


@pytest.mark.parametrize("page", ["sign/", "approve/", "leave/", "stay/"])
def test_what_binds_asks_for_the_second_factor_again(
    page: str, council: Organisation, clinic: Organisation
) -> None:
    agreement = make_draft_agreement(council, clinic, status=AgreementStatus.FOR_APPROVAL)
    stale = sign_in(Client(), make_signatory(council), fresh=False)
    for answer in (stale.get(one(agreement, council, page)), stale.post(one(agreement, council, page), SURE)):
        assert answer.status_code == 302 and answer.url.startswith("/confirm/")
    assert party(agreement, council).signed_on is None


def test_a_draft_cannot_be_signed_and_what_goes_back_to_draft_loses_its_signatures(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    desk = browse(make_signatory(council))
    desk.post(one(agreement, council, "sign/"), SURE)
    assert party(agreement, council).signed_on is None
    desk.post(one(agreement, council, "status/"), {"to": "for_approval"})
    desk.post(one(agreement, council, "sign/"), SURE)
    assert party(agreement, council).signed_on == clock.today()
    assert desk.get(one(agreement, council, "details/")).status_code == 302, "the text is closed"
    desk.post(one(agreement, council, "status/"), {"to": "draft"})
    assert party(agreement, council).signed_on is None
    assert desk.get(one(agreement, council, "details/")).status_code == 200


def test_signing_twice_signs_once(
    council: Organisation, clinic: Organisation, browse: Browse, acting: Any
) -> None:
    agreement = make_draft_agreement(council, clinic, status=AgreementStatus.FOR_APPROVAL)
    desk = browse(make_signatory(council))
    for _ in range(2):
        assert desk.post(one(agreement, council, "sign/"), SURE).status_code == 302
    assert events(acting, council).count("protocol.signed") == 1


def test_without_an_owner_the_controller_writes_and_nobody_approves(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    Agreement.objects.update(owner=None, status=AgreementStatus.FOR_APPROVAL)
    desk = browse(make_signatory(council))
    assert desk.get(one(agreement, council, "approve/")).status_code == 200
    desk.post(one(agreement, council, "approve/"), SURE)
    assert Agreement.objects.get().status == AgreementStatus.FOR_APPROVAL
    assert browse(make_signatory(clinic)).post(one(agreement, clinic, "approve/"), SURE).status_code == 404
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.update(status=AgreementStatus.APPROVED, approved_on=clock.today())


# ---- leaving ---------------------------------------------------------------------------------------------------


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


def acting_as(organisation: Organisation, user: User) -> Any:
    return open_scope(
        actor=Actor.PERSON,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=user.pk,
        person_label=user.full_name,
        roles=frozenset({OFFICER}),
    )


# ---- review and the next version --------------------------------------------------------------------------------


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


# ---- parties ---------------------------------------------------------------------------------------------------


def test_a_party_is_taken_out_of_a_draft_alone(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_draft_agreement(council, clinic)
    desk = browse(officer(council))
    away = one(agreement, council, f"parties/{party(agreement, clinic).pk}/remove/")
    assert desk.get(away).status_code == 200 and desk.post(away).status_code == 302
    assert not AgreementParty.objects.filter(organisation=clinic).exists()
    assert (
        desk.post(one(agreement, council, f"parties/{party(agreement, council).pk}/remove/")).status_code
        == 302
    )
    assert AgreementParty.objects.filter(organisation=council).exists(), "the owner stays"
    add_party(agreement, clinic, ["processor"])
    signed(agreement, clinic, clock.today())
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreementParty.objects.filter(organisation=clinic).delete()
    AgreementParty.objects.filter(organisation=clinic).update(signed_on=None, signed_by=None, signed_as="")
    Agreement.objects.update(status=AgreementStatus.FOR_APPROVAL)
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreementParty.objects.filter(organisation=clinic).delete()


def test_pages_cost_the_same_for_few_and_many_parties(
    council: Organisation, clinic: Organisation, browse: Browse
) -> None:
    agreement = make_agreement_in_force(council, clinic)
    Agreement.objects.update(status=AgreementStatus.DRAFT)
    desk = browse(officer(council))
    pages = [one(agreement, council), one(agreement, council, "parties/"), "/o/council/agreements/"]
    public = f"/sharing-agreements/{agreement.slug}/"

    def costs() -> list[int]:
        found = []
        for path in pages:
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert desk.get(path).status_code == 200
            found.append(len(captured))
        Agreement.objects.update(status=AgreementStatus.APPROVED)
        with CaptureQueriesContext(connection) as captured:
            assert Client().get(public).status_code == 200
        Agreement.objects.update(status=AgreementStatus.DRAFT)
        return [*found, len(captured)]

    costs()
    few = costs()
    for number in range(12):
        add_party(agreement, make_organisation(f"more-{number}"), ["processor"])
    for _ in range(5):
        make_draft_agreement(council, clinic, approved_on=clock.today())
    assert costs() == few


# ---- mutants: a check that is taken away is noticed --------------------------------------------------------------


def test_the_check_of_the_authorised_role_is_what_stops_the_signature(
    council: Organisation, clinic: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = make_draft_agreement(council, clinic, status=AgreementStatus.FOR_APPROVAL)
    person, authority = officer(council), make_signatory(council)

    def sign() -> None:
        with acting_as(council, person):
            protocol_acts.sign(agreement_id=agreement.pk, signed_as="siro", acting_user=person)

    with pytest.raises(protocol_acts.NotAuthorised):
        sign()
    held = agreements.authorised(authority, council.pk, clock.today())
    monkeypatch.setattr(agreements, "authorised", lambda *asked: held)
    sign()  # with the check away it goes through: the check, and nothing else, had stopped it
    assert party(agreement, council).signed_on == clock.today()


def test_the_check_of_completeness_is_what_stops_the_approval(
    council: Organisation, clinic: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = make_draft_agreement(council, clinic, authors="", status=AgreementStatus.FOR_APPROVAL)
    person = make_signatory(council)

    def approve() -> None:
        with acting_as(council, person):
            protocol_acts.approve(agreement_id=agreement.pk, signed_as="siro", acting_user=person)

    with pytest.raises(ProtocolRefused, match="Nobody is named as author"):
        approve()
    monkeypatch.setattr(agreements, "gaps_of", lambda agreement: [])
    approve()
    assert Agreement.objects.get().status == AgreementStatus.APPROVED
