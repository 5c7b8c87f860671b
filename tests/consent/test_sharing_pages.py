"""The pages of sharing: who can see what, the form read aloud together, the witness, decisions and what is given by hand."""

from __future__ import annotations

import base64
import datetime as dt
import re
import struct
import zlib
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import Client, ClientIdentity, SharingGrant
from consent.models import Disclosure, LawfulDecision, SharingConsent, SharingSignature
from consent.signatures import AGAIN, EMPTY, NotASignature, read_signature
from edatrs.core import clock, registry
from edatrs.core.registry import Ask
from edatrs.organisations.models import Task, User
from tests.core.world import acting_for
from tests.factories.caseload import (
    PARTS,
    make_client,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.share_consents import make_consent
from tests.factories.sharing import make_agreement, party

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"


def png(width: int = 12, height: int = 4, ink: int = 255) -> bytes:
    """The picture of a canvas with one drawn point, or none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = [b"\0" + bytes(4 * width)] * height
    rows[1] = b"\0" + bytes(4 * (width - 1)) + bytes([0, 0, 0, ink])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


def drawn(raw: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(raw).decode()


class Desk:
    """An organisation that shares with another, a client, and a worker of each signed in."""

    def __init__(self) -> None:
        self.ours = make_organisation("ours", name="Ours Trust")
        self.theirs = make_organisation("theirs", name="Theirs Trust")
        self.agreement = make_agreement(self.ours, self.theirs)
        make_service(self.ours)
        with acting_for(self.ours):
            self.client: Client = make_client()
            for part in PARTS:
                fields = {"forename": "Leanne", "surname": "Marsh"} if part is ClientIdentity else {}
                make_part(part, self.client, **fields)
            make_episode(registration=make_registration(client=self.client))
        self.worker = make_person(self.ours, full_name="Priya Nair")
        self.colleague = make_person(self.ours, full_name="Cole Eage")
        self.browser = sign_in(Browser(), self.worker)
        self.at = f"/o/ours/clients/{self.client.pk}/sharing/"

    def get(self, path: str = "", user: User | None = None, **data: Any) -> Any:
        browser = sign_in(Browser(), user) if user else self.browser
        return browser.get(self.at + path, data)

    def post(self, path: str, data: dict[str, Any], user: User | None = None) -> Any:
        browser = sign_in(Browser(), user) if user else self.browser
        return browser.post(self.at + path, {"client": str(self.client.pk), **data})

    def said(self, **changed: Any) -> dict[str, Any]:
        """The form as filled in with the client."""
        today = clock.today()
        form = {
            "recipient": "theirs",
            "purposes": "So that I do not have to tell it twice",
            "parts": ["identity_contact", "treatment"],
            "decided_on_day": today.day,
            "decided_on_month": today.month,
            "decided_on_year": today.year,
            "ends": "open",
            "told_who_sees": "on",
            "told_notice": "on",
            "way": "drawn",
            "drawn": drawn(png()),
            "answer": "given",
            "_page": str(uuid4()),
        }
        return {k: v for k, v in {**form, **changed}.items() if v is not None}

    def consent(self) -> SharingConsent:
        with acting_for(self.ours):
            return SharingConsent.objects.latest("number")

    def granted(self) -> set[str]:
        with acting_for(self.ours):
            rows = SharingGrant.objects.filter(content_object_id=self.client.pk, suspended_at=None)
            return set(rows.values_list("category", flat=True))

    def other_side(self) -> Any:
        """What a worker of the other organisation gets for the client."""
        reader = getattr(self, "_reader", None) or make_person(self.theirs)
        self._reader = reader
        return sign_in(Browser(), reader).get(f"/o/theirs/shared/{self.client.pk}/")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# ---- record a consent -------------------------------------------------------------------------------------------


def test_a_consent_signed_on_screen_opens_what_was_ticked_and_nothing_else(desk: Desk) -> None:
    assert desk.other_side().status_code == 404
    answer = desk.post("consents/new/", desk.said())
    assert answer.status_code == 302, text(answer)
    assert desk.granted() == {"identity", "contact", "treatment"}
    page = text(desk.browser.get(answer["Location"]))
    assert "The consent is recorded" in page
    seen = desk.other_side()
    assert seen.status_code == 200
    assert "MARSH" in text(seen)
    assert desk.consent().notice_version == clock.today().isoformat()


def test_sent_twice_it_is_recorded_once_and_leads_to_the_same_page(desk: Desk) -> None:
    form = desk.said()
    assert desk.post("consents/new/", form)["Location"] == desk.post("consents/new/", form)["Location"]
    with acting_for(desk.ours):
        assert SharingConsent.objects.count() == SharingSignature.objects.count() == 1


MISSING: list[tuple[dict[str, Any], str]] = [
    ({"recipient": ""}, "Choose with whom"),
    ({"recipient": "outside"}, "Write the name of whoever it is outside"),
    ({"recipient": "ours"}, "Select a valid choice"),
    ({"purposes": ""}, "Write what it is for"),
    ({"parts": None}, "Tick the parts"),
    ({"ends": None}, "Choose when it ends"),
    ({"ends": "date"}, "Enter the end date"),
    ({"told_who_sees": None}, "Tell the client who will see what"),
    ({"told_notice": None}, "Give or read the privacy notice"),
    ({"way": None}, "Choose how the consent is given"),
    ({"drawn": ""}, "Let the client sign on the line"),
    ({"drawn": drawn(png(ink=0))}, "Nothing is drawn"),
    ({"drawn": drawn(png()[:-20])}, "did not arrive whole"),
    ({"way": "paper"}, "Choose the scan or photo"),
    ({"way": "witnessed"}, "Write what the client said"),
    ({"way": "witnessed", "spoken_words": "Yes"}, "Choose the colleague"),
]


def test_what_is_missing_is_said_and_nothing_typed_is_lost(desk: Desk) -> None:
    for changed, words in MISSING:
        answer = desk.post("consents/new/", desk.said(**changed))
        assert answer.status_code == 422, changed
        page = answer.content.decode()
        assert words in page, changed
        if "purposes" not in changed:
            assert "So that I do not have to tell it twice" in page
        if "drawn" not in changed:
            assert drawn(png()) in page
    assert desk.granted() == set()


def test_a_refusal_is_recorded_with_its_own_button(desk: Desk) -> None:
    answer = desk.post(
        "consents/new/",
        desk.said(answer="refused", way=None, drawn=None, parts=None, ends=None, note="A cousin"),
    )
    assert answer.status_code == 302, text(answer)
    assert desk.consent().answer == "refused"
    assert desk.granted() == set()
    assert "The refusal is recorded" in text(desk.browser.get(answer["Location"]))
    assert desk.other_side().status_code == 404


def test_a_scan_is_taken_as_a_file_and_a_drawing_may_stand_on_our_page(desk: Desk) -> None:
    upload = SimpleUploadedFile("../../evil.html", PDF, content_type="text/html")
    desk.post("consents/new/", desk.said(way="paper", drawn=None, signed_form=upload))
    held = desk.get(f"consents/{desk.consent().pk}/signed-form/")
    assert held.content == PDF
    assert (held["Content-Type"], held["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert held["Content-Disposition"] == f'attachment; filename="{desk.consent()}-signature.pdf"'
    desk.post("consents/new/", desk.said())
    held = desk.get(f"consents/{desk.consent().pk}/signed-form/")
    assert held["Content-Disposition"].startswith("inline")
    assert held.content == png()
    with acting_for(desk.ours):
        assert AuditEvent.objects.filter(name="consent.sharing.signature_opened").count() == 2


def test_a_file_that_is_something_else_is_refused(desk: Desk) -> None:
    upload = SimpleUploadedFile("scan.pdf", b"<html>", content_type="application/pdf")
    answer = desk.post("consents/new/", desk.said(way="paper", drawn=None, signed_form=upload))
    assert answer.status_code == 422
    assert "not a PDF, PNG or JPEG" in text(answer)


def test_the_form_of_another_client_is_not_taken(desk: Desk) -> None:
    with acting_for(desk.ours):
        second = make_client()
    assert desk.post("consents/new/", desk.said(client=str(second.pk))).status_code == 404
    assert desk.granted() == set()


def test_a_draft_comes_back_with_what_was_typed(desk: Desk) -> None:
    kept = desk.post("consents/new/", desk.said(_draft="keep", purposes="Half a sen"))
    assert kept.status_code == 302
    page = desk.get("consents/new/").content.decode()
    assert "Half a sen" in page
    assert "This is your draft" in page
    assert desk.granted() == set()


def test_without_a_protocol_the_consent_is_kept_and_the_page_says_so(desk: Desk) -> None:
    party(desk.agreement, desk.theirs, notice_received_on=dt.date(2026, 2, 1), leaves_on=dt.date(2026, 3, 1))
    answer = desk.post("consents/new/", desk.said())
    assert "kept and gives no access" in text(desk.browser.get(answer["Location"]))
    page = text(desk.get())
    assert "Cannot see anything" in page
    assert "No protocol in force with Theirs Trust since 2 Mar 2026" in page
    assert "is kept and gives no access" in page
    assert desk.other_side().status_code == 403, "they left, and are told so before anything is looked for"


# ---- witness ----------------------------------------------------------------------------------------------------


def test_the_witness_gets_a_task_and_nothing_is_open_until_they_confirm(desk: Desk) -> None:
    answer = desk.post(
        "consents/new/",
        desk.said(way="witnessed", drawn=None, spoken_words="Yes, do", witness=str(desk.colleague.pk)),
    )
    assert answer.status_code == 302, text(answer)
    assert desk.granted() == set()
    assert "Waiting for witness" in text(desk.get())
    task = Task.objects.get(user=desk.colleague)
    assert "Leanne" not in task.words
    mine = desk.get(f"consents/{desk.consent().pk}/witness/")
    assert "Only the colleague" in text(mine)
    assert desk.post(f"consents/{desk.consent().pk}/witness/", {"answer": "heard"}).status_code == 422
    assert desk.granted() == set()
    theirs = sign_in(Browser(), desk.colleague).get(task.link)
    assert "Yes, do" in text(theirs)
    done = desk.post(f"consents/{desk.consent().pk}/witness/", {"answer": "heard"}, user=desk.colleague)
    assert done.status_code == 302
    assert desk.granted() == {"identity", "contact", "treatment"}


def test_oneself_cannot_be_chosen_as_witness(desk: Desk) -> None:
    form = desk.said(way="witnessed", drawn=None, spoken_words="Yes", witness=str(desk.worker.pk))
    assert desk.post("consents/new/", form).status_code == 422


# ---- withdrawal, error, asking again ------------------------------------------------------------------------------


def test_a_withdrawal_closes_the_other_organisations_next_click(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    assert desk.other_side().status_code == 200
    today = clock.today()
    day = {"on_day": today.day, "on_month": today.month, "on_year": today.year}
    path = f"consents/{desk.consent().pk}/withdraw/"
    assert "at its very next click" in text(desk.get(path))
    assert desk.post(path, day).status_code == 302
    assert desk.post(path, day).status_code == 302
    assert desk.other_side().status_code == 404
    page = text(desk.get())
    assert "Leanne withdrew" in page
    assert "Withdrawn" in page


def test_recorded_in_error_needs_words_and_closes_too(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    path = f"consents/{desk.consent().pk}/in-error/"
    assert desk.post(path, {"reason": ""}).status_code == 422
    assert desk.post(path, {"reason": "Wrong record"}).status_code == 302
    assert desk.other_side().status_code == 404


def test_asking_again_starts_from_the_earlier_consent_and_takes_its_place(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    old = desk.consent()
    page = desk.get("consents/new/", renews=str(old.pk)).content.decode()
    assert f"takes the place of {old}" in page
    assert 'value="treatment" checked' in page
    assert desk.post("consents/new/", desk.said(renews=str(old.pk), parts=["risk"])).status_code == 302
    assert desk.granted() == {"risk"}


def test_a_request_of_a_partner_is_shown_answered_and_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Ask(uuid4(), desk.theirs.pk, ("treatment",), "Plan after court", clock.now(), "Imran Sadiq")
    answered: list[Any] = []

    class Asks:
        @staticmethod
        def open_asks(client: Client) -> list[Ask]:
            return [ask] if client.pk == desk.client.pk else []

        @staticmethod
        def answered(pk: Any, consent: SharingConsent) -> None:
            answered.append((pk, consent.answer))

    monkeypatch.setattr(registry.sharing_asks, "_entries", {"test": Asks})
    page = text(desk.get())
    assert "Theirs Trust asks to see 1 part" in page
    assert "Asked for" in page
    form = desk.get("consents/new/", ask=str(ask.pk)).content.decode()
    assert 'value="treatment" checked' in form
    assert "Plan after court" in form
    assert desk.post("consents/new/", desk.said(asked=str(ask.pk), answer="refused")).status_code == 302
    assert answered == [(ask.pk, "refused")]


# ---- who can see ------------------------------------------------------------------------------------------------


def test_the_page_says_who_what_why_and_until_when(desk: Desk) -> None:
    make_organisation("third", name="Third Trust")
    desk.post("consents/new/", desk.said())
    page = text(desk.get())
    for words in (
        "Who can see this record, what, why and until when",
        "Identity and contact",
        "Theirs Trust",
        "no end date",
        "holds the record",
        "Third Trust can see nothing",
        "Leanne’s consent, signed on screen",
        "So that I do not have to tell it twice",
    ):
        assert words in page
    assert "Only what Leanne has told us" in page


def test_the_timeline_tells_of_it(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    page = text(desk.browser.get(f"/o/ours/clients/{desk.client.pk}/timeline/"))
    assert "Consent to share with Theirs Trust" in page
    assert "Identity and contact; treatment" in page


def test_on_paper_it_speaks_to_the_client_and_is_on_the_trail(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    page = text(desk.get("printed/"))
    assert "Who can see your record" in page
    assert "your consent CS-" in page
    with acting_for(desk.ours):
        assert AuditEvent.objects.filter(name="consent.sharing.printed").count() == 1


def test_a_governance_officer_sees_a_number_and_no_word_of_the_client(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    consent, officer = desk.consent(), make_person(desk.ours, role="information_governance")
    desk.post("given/new/", given(), user=desk.worker)
    for path in ("", "printed/", f"consents/{consent.pk}/", f"consents/{consent.pk}/withdraw/", "given/"):
        answer = desk.get(path, user=officer)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        for secret in ("Leanne", "MARSH", "tell it twice", "Dr Osei", "Prescription summary"):
            assert secret not in page, (path, secret)
    assert desk.get("consents/new/", user=officer).status_code == 404
    assert desk.get(f"consents/{consent.pk}/signed-form/", user=officer).status_code == 404
    today = clock.today()
    day = {"on_day": today.day, "on_month": today.month, "on_year": today.year}
    assert desk.post(f"consents/{consent.pk}/withdraw/", day, user=officer).status_code == 302
    assert desk.granted() == set()


def test_others_see_nothing_of_it(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    for role in ("ndtms_administrator", "organisation_administrator", "platform_support"):
        person = make_person(desk.ours, role=role)
        for path in ("", "consents/new/", f"consents/{desk.consent().pk}/", "decisions/new/", "given/"):
            assert desk.get(path, user=person).status_code == 404, (role, path)


def test_a_consent_of_another_client_is_not_there(desk: Desk) -> None:
    with acting_for(desk.ours):
        other = make_consent()
    for page in ("", "copy/", "signed-form/", "withdraw/", "in-error/", "witness/"):
        assert desk.get(f"consents/{other.pk}/{page}").status_code == 404, page


def test_the_copy_and_the_blank_forms_say_what_the_paper_form_says(desk: Desk) -> None:
    """O-158 to O-163."""
    desk.post("consents/new/", desk.said())
    copy = text(desk.get(f"consents/{desk.consent().pk}/copy/"))
    for words in (
        "I consent to share my data with",
        "Theirs Trust",
        "for the purposes of",
        "My name",
        "MARSH, Leanne",
    ):
        assert words in copy
    blank = text(desk.get("consents/blank/"))
    assert blank.count("I consent to share my data with") == 3
    assert blank.count("for the purposes of") == 3


# ---- decisions and disclosures ------------------------------------------------------------------------------------


def decision(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    review = today + dt.timedelta(days=40)
    return {
        "recipient": "theirs",
        "ground": "welfare",
        "parts": ["safeguarding"],
        "reason": "A child is at risk",
        "decided_by": "Marta Lind",
        "decided_as": "Caldicott Guardian",
        "decided_on_day": today.day,
        "decided_on_month": today.month,
        "decided_on_year": today.year,
        "review_on_day": review.day,
        "review_on_month": review.month,
        "review_on_year": review.year,
        "_page": str(uuid4()),
        **changed,
    }


def given(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    return {
        "way": "letter",
        "recipient_name": "Dr Osei",
        "what": "Prescription summary",
        "parts": ["prescribing"],
        "purpose": "To prescribe safely",
        "ground": "standing",
        "standing": "gp",
        "condition": "prescribing",
        "given_on_day": today.day,
        "given_on_month": today.month,
        "given_on_year": today.year,
        "_page": str(uuid4()),
        **changed,
    }


def test_a_manager_shares_without_consent_and_the_page_says_who_decided(desk: Desk) -> None:
    manager = make_person(desk.ours, role="team_manager")
    assert desk.post("decisions/new/", decision()).status_code == 404  # no keyworker's act
    assert desk.post("decisions/new/", decision(), user=manager).status_code == 302
    assert desk.granted() == {"safeguarding"}
    page = text(desk.get())
    assert "no consent: protecting someone’s welfare" in page
    assert "Decided by Marta Lind, Caldicott Guardian" in page
    assert "A child is at risk" not in page
    with acting_for(desk.ours):
        made = LawfulDecision.objects.get()
    answer = desk.post(f"decisions/{made.pk}/", {"outcome": "ends", "reason": "Safe now"}, user=manager)
    assert answer.status_code == 302
    assert desk.granted() == set()


def test_what_was_given_by_hand_is_listed_with_its_ground(desk: Desk) -> None:
    form = given()
    assert desk.post("given/new/", form).status_code == 302
    assert desk.post("given/new/", form).status_code == 302
    with acting_for(desk.ours):
        assert Disclosure.objects.count() == 1
    page = text(desk.get("given/"))
    for words in ("Dr Osei", "Prescription summary", "Standing: GP, for prescribing", "To prescribe safely"):
        assert words in page


def test_a_disclosure_without_its_ground_is_not_logged(desk: Desk) -> None:
    for changed, words in (
        ({"condition": "emergency"}, "Choose a condition that fits this recipient"),
        ({"standing": ""}, "Choose which standing recipient"),
        ({"ground": "lawful"}, "Choose the lawful ground"),
        ({"ground": "consent"}, "Choose the consent"),
        ({"what": ""}, "Write what was given"),
        ({"parts": []}, "Tick the parts"),
    ):
        answer = desk.post("given/new/", given(**changed))
        assert answer.status_code == 422, changed
        assert words in text(answer), changed


# ---- the drawing ------------------------------------------------------------------------------------------------


def test_a_drawing_is_read_and_anything_else_is_not() -> None:
    assert read_signature(drawn(png())).raw == png()
    with pytest.raises(NotASignature, match=EMPTY):
        read_signature(drawn(png(ink=0)))
    bomb = png()[:33] + png()[33:]
    for wrong in (
        "",
        "data:image/svg+xml;base64,PHN2Zz4=",
        drawn(b"\x89PNG\r\n\x1a\n"),
        drawn(PDF),
        drawn(png())[:-9],
        drawn(bomb[:16] + struct.pack(">II", 4001, 4) + bomb[24:]),
        "data:image/png;base64,****",
        drawn(png()) + "A" * 400_000,
    ):
        with pytest.raises(NotASignature, match=AGAIN):
            read_signature(wrong)
