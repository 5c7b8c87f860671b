"""Who sees, changes, signs and approves an agreement (O-1 to O-8), and that a check taken away is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from edatrs.core import clock
from edatrs.organisations import agreements
from edatrs.organisations.choices import AgreementStatus, AuthorisedAs
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    Organisation,
    RightConfirmation,
    User,
)
from edatrs.organisations.services import protocol_acts
from edatrs.organisations.services.protocol import ProtocolRefused
from tests.factories.agreements import (
    make_agreement_in_force,
    make_draft_agreement,
    make_signatory,
)
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.organisations.agreements.desk import SURE, Browse, acting_as, events, officer, one, party

pytestmark = pytest.mark.django_db


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
