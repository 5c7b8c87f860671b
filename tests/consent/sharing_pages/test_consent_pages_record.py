"""A consent to share recorded on its pages: signed on screen, as a file, witnessed."""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from audit.models import AuditEvent
from consent.models import SharingConsent, SharingSignature
from consent.signatures import AGAIN, EMPTY, NotASignature, read_signature
from edatrs.core import clock
from edatrs.organisations.models import Task
from tests.consent.sharing_pages.sharing_desk import Desk, drawn, png, text
from tests.core.world import acting_for
from tests.factories.caseload import (
    make_client,
)
from tests.factories.organisations import sign_in
from tests.factories.sharing import party

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"


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
