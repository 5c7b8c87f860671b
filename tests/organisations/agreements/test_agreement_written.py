"""An agreement from its draft to its signatures by the pages: contents, documents, parties, completeness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from edatrs.core import clock
from edatrs.organisations import protocol
from edatrs.organisations.choices import AgreementStatus
from edatrs.organisations.models import (
    Agreement,
    AgreementParty,
    Organisation,
    RightConfirmation,
)
from tests.factories.agreements import (
    add_party,
    make_agreement_in_force,
    make_draft_agreement,
    make_signatory,
    signed,
)
from tests.factories.organisations import make_organisation
from tests.organisations.agreements.desk import SURE, Browse, events, officer, one, partners, party

pytestmark = pytest.mark.django_db


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
