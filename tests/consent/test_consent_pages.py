"""The consent page through HTTP: what it asks for, what it refuses, what it keeps, and who sees a signed form (O-103 to O-144)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import Client, ClientIdentity, Episode
from caseload.services import merge as merging
from consent import rules, services
from consent.models import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation
from consent.uploads import MOST_BYTES
from edatrs.core import clock
from edatrs.organisations.models import Organisation, User
from ndtms.models import NationalHolding
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.consent import make_act
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40 + b"\xff\xd9"


@dataclass
class Desk:
    """A keyworker at the page of a client with one open episode."""

    organisation: Organisation
    browser: Browser
    worker: User
    client: Client
    episode: Episode

    def at(self, rest: str = "") -> str:
        return f"/o/{self.organisation.slug}/clients/{self.client.pk}/consent/{rest}"

    @property
    def here(self) -> str:
        return self.at(f"{self.episode.pk}/")

    def opened(self) -> dict[str, str]:
        """What the page sends along by itself."""
        html = self.browser.get(self.here).content.decode()
        return {
            name: re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]  # the page has it
            for name in ("client", "version", "_page")
        }

    def answer(self, answer: str = "Y", *, opened: dict[str, str] | None = None, **changed: Any) -> Any:
        today = clock.today()
        data = {
            **(opened or self.opened()),
            "said": "on",
            "leaflet": "on",
            "questions": "on",
            "method": "oral",
            "answer": answer,
            "decided_on_day": str(today.day),
            "decided_on_month": str(today.month),
            "decided_on_year": str(today.year),
            **changed,
        }
        data = {name: value for name, value in data.items() if value is not None}
        return self.browser.post(self.here, data)

    def acts(self) -> list[ConsentAct]:
        with acting_for(self.organisation):
            return list(ConsentAct.objects.order_by("sequence"))

    def consent(self) -> str:
        with acting_for(self.organisation):
            return str(Episode.objects.get(pk=self.episode.pk).consent)


def make_desk(dataset: str = "adult", role: str = "keyworker") -> Desk:
    organisation = make_organisation(data_protection_officer="Olu Farrant")
    service = make_service(organisation, dataset=dataset)
    worker = make_person(organisation, role=role, full_name="Priya Raman")
    with acting_for(organisation):
        client = make_client()
        make_part(
            ClientIdentity, client, forename="Keeley", surname="Marsh", date_of_birth=dt.date(1984, 3, 14)
        )
        episode = make_episode(registration=make_registration(client=client, service=service))
    return Desk(organisation, sign_in(Browser(), worker), worker, client, episode)


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def file(raw: bytes = PDF, name: str = "Keeley Marsh signed.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw, content_type="text/html")


# ---- asking and answering ---------------------------------------------------------------------------------------


def test_the_way_in_leads_to_the_episode_that_nobody_was_asked_about(desk: Desk) -> None:
    with acting_for(desk.organisation):
        older = make_episode(
            registration=desk.episode.registration,
            referred_on=dt.date(2025, 1, 1),
            discharged_on=dt.date(2025, 3, 1),
            consent="Y",
        )
        make_act(episode=older)
    assert desk.browser.get(desk.at())["Location"] == desk.here
    html = desk.browser.get(desk.here).content.decode()
    assert (
        "Ask Keeley about NDTMS" in html
        and "checked" not in html
        and "draft, for the data protection" in html
    )
    assert "Not asked" in html and f'href="{desk.at(f"{older.pk}/")}"' in html
    assert "Keeley" not in re.search(r"<title>(.*?)</title>", html, re.S)[1]  # type: ignore[index]


def test_a_client_without_an_episode_is_told_so(desk: Desk) -> None:
    with acting_for(desk.organisation):
        Episode.objects.update(voided_at=clock.now())
    html = desk.browser.get(desk.at()).content.decode()
    assert "No episode to ask about" in html


def test_a_yes_says_what_happens_next_and_gives_a_copy(desk: Desk) -> None:
    answer = desk.answer()
    assert answer.status_code == 302 and desk.consent() == "Y"
    html = desk.browser.get(answer["Location"]).content.decode()
    assert "The answer is recorded: yes" in html and "goes into the next file" in html
    act = desk.acts()[0]
    assert (act.statement_said, act.leaflet_given, act.questions_answered) == (True, True, True)
    copy = desk.browser.get(desk.at(f"acts/{act.pk}/copy/")).content.decode()
    assert "Yes, send it" in copy and "We would like to send some facts" in copy and "Priya Raman" in copy
    assert "Printed by Priya Raman" in copy and desk.organisation.name in copy


@pytest.mark.parametrize("missing", ["said", "leaflet", "questions"])
def test_a_yes_is_refused_until_everything_before_it_was_done_and_nothing_typed_is_lost(
    desk: Desk, missing: str
) -> None:
    """O-105, O-110, O-133: the statement said, the leaflet given, questions answered, before YES."""
    answer = desk.answer(**{missing: None})
    html = answer.content.decode()
    assert answer.status_code == 422 and "Not recorded yet" in html and f'href="#id_{missing}"' in html
    assert html.count(" checked") == 4, "what was ticked and chosen is still there"
    assert desk.acts() == [] and desk.consent() == ""


@pytest.mark.parametrize("missing", ["said", "leaflet", "questions"])
def test_a_no_is_never_held_up(desk: Desk, missing: str) -> None:
    assert desk.answer("N", **{missing: None}).status_code == 302
    assert desk.consent() == "N"
    html = desk.browser.get(desk.here).content.decode()
    assert {
        "said": "statement not said",
        "leaflet": "leaflet not given",
        "questions": "questions not asked for",
    }[missing] in html


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"answer": None}, "Choose the answer that was given"),
        ({"method": None}, "Choose how it was answered"),
        ({"decided_on_year": "2999"}, "today"),
        ({"decided_on_day": "31", "decided_on_month": "2"}, "February"),
        ({"answer": "maybe"}, "Select a valid choice"),
        ({"note": "x" * 10_000, "answer": "not-now"}, "300"),
    ],
)
def test_bad_input_gets_words_and_records_nothing(desk: Desk, changed: dict[str, Any], words: str) -> None:
    answer = desk.answer(**{"answer": "Y", **changed})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert desk.acts() == []


def test_not_now_is_neither_no_nor_not_asked(desk: Desk) -> None:
    answer = desk.answer("not-now", method=None, said=None, note="مرحبا 🙂 unwell, ask at triage")
    assert desk.consent() == "" and desk.acts() == []
    html = desk.browser.get(answer["Location"]).content.decode()
    assert "Kept: asked, and no answer yet" in html and "مرحبا 🙂 unwell, ask at triage" in html
    assert "Consent not asked" in html, "the reminder stays"
    with acting_for(desk.organisation):
        assert ConsentDeferral.objects.get().recorded_by == desk.worker.pk


def test_an_imported_yes_is_never_said_to_be_consented(desk: Desk) -> None:
    with acting_for(desk.organisation):
        make_act(episode=desk.episode)
        services.push_latest(episode=Episode.objects.get(pk=desk.episode.pk))
    html = desk.browser.get(desk.here).content.decode()
    assert "Imported" in html and "was not seen here" in html and "onsented" not in html


def test_the_same_page_sent_twice_records_once_and_back_and_changed_is_shown_first(desk: Desk) -> None:
    opened = desk.opened()
    first = desk.answer(opened=opened)
    again = desk.answer(opened=opened)
    assert (first.status_code, again.status_code) == (302, 302) and first["Location"] == again["Location"]
    assert len(desk.acts()) == 1
    changed = desk.answer("N", opened=opened)
    assert (
        changed.status_code == 409
        and "Something was recorded after you opened this page" in changed.content.decode()
    )
    assert len(desk.acts()) == 1 and desk.consent() == "Y"
    deferred = desk.opened()
    for _ in range(2):
        assert desk.answer("not-now", opened=deferred).status_code == 302
    with acting_for(desk.organisation):
        assert ConsentDeferral.objects.count() == 1


def test_what_a_colleague_recorded_meanwhile_is_seen_first_and_then_recorded_over(desk: Desk) -> None:
    opened = desk.opened()
    desk.answer("N")
    late = desk.answer("Y", opened=opened)
    html = late.content.decode()
    assert late.status_code == 409 and desk.consent() == "N" and 'value="Y" checked' in html
    fresh = {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in opened}  # type: ignore[index]
    assert fresh["_page"] != opened["_page"]
    assert desk.answer("Y", opened=fresh).status_code == 302 and desk.consent() == "Y"


def test_the_form_of_another_client_or_episode_records_nothing(desk: Desk) -> None:
    other = make_desk()
    with acting_for(desk.organisation):
        second = make_episode()
    for changed in ({"client": str(second.client_id)}, {"client": ""}, {"client": str(other.client.pk)}):
        assert desk.answer(**changed).status_code == 404
    assert desk.browser.get(desk.at(f"{second.pk}/")).status_code == 404
    assert desk.browser.get(desk.at(f"{other.episode.pk}/")).status_code == 404
    assert desk.acts() == [] and other.acts() == []


def test_what_is_typed_is_kept_as_a_draft_but_the_file_is_not(desk: Desk) -> None:
    opened = desk.opened()
    kept = desk.answer(opened=opened, _draft="keep", note="half a thought", answer=None)
    assert kept.status_code == 302 and desk.acts() == []
    html = desk.browser.get(desk.here).content.decode()
    assert "half a thought" in html and "This is your draft" in html
    assert desk.answer(opened=desk.opened()).status_code == 302
    assert "half a thought" not in desk.browser.get(desk.here).content.decode()


# ---- young people (O-106) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose first whether they can decide this"),
        ({"competence": "unsure"}, "Ask your team manager first"),
        ({"competence": "competent"}, "Write one line on how you know"),
        ({"competence": "permission", "permission_relation": "Guardian"}, "Enter the name of the parent"),
        ({"competence": "permission", "permission_by": "Joanne Marsh"}, "Choose what they are"),
    ],
)
def test_a_young_persons_yes_needs_competence_or_permission(given: dict[str, str], words: str) -> None:
    desk = make_desk("yp")
    answer = desk.answer(**given)
    assert answer.status_code == 422 and words in answer.content.decode() and desk.consent() == ""
    assert desk.answer("N", **given).status_code == 302, "a no always counts"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"competence": "competent", "competence_note": "Said it back in her words"},
            "Said it back in her words",
        ),
        (
            {
                "competence": "permission",
                "permission_by": "Joanne Marsh",
                "permission_relation": "Mother, parental responsibility",
                "young_person_knows": "on",
            },
            "Permission by Joanne Marsh (Mother, parental responsibility)",
        ),
    ],
)
def test_how_a_young_persons_yes_came_about_is_in_the_history(given: dict[str, str], words: str) -> None:
    desk = make_desk("yp")
    answer = desk.answer(**given)
    assert words in desk.browser.get(answer["Location"]).content.decode()


def test_an_adult_is_not_asked_for_competence_and_what_is_sent_of_it_is_not_kept(desk: Desk) -> None:
    assert "competence" not in desk.browser.get(desk.here).content.decode()
    desk.answer(competence="permission", permission_by="Somebody")
    act = desk.acts()[0]
    assert (act.competence, act.permission_by, act.young_person_knows) == ("", "", None)


# ---- the signed form ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "kind", "ending"),
    [(PDF, "application/pdf", "pdf"), (PNG, "image/png", "png"), (JPEG, "image/jpeg", "jpg")],
)
def test_a_signed_form_is_sealed_and_given_back_byte_for_byte_as_a_file(
    desk: Desk, raw: bytes, kind: str, ending: str
) -> None:
    answer = desk.answer(method="written", signed_form=file(raw))
    act = desk.acts()[0]
    html = desk.browser.get(answer["Location"]).content.decode()
    assert (
        "Signed form" in html and hashlib.sha256(raw).hexdigest()[:12] in html and "Marsh signed" not in html
    )
    given = desk.browser.get(desk.at(f"acts/{act.pk}/signed-form/"))
    assert (given.content, given["Content-Type"]) == (raw, kind)
    assert given["Content-Disposition"] == f'attachment; filename="ndtms-consent-form.{ending}"'
    assert given["X-Content-Type-Options"] == "nosniff" and given["Cache-Control"] == "no-store"
    with acting_for(desk.organisation):
        row = ConsentForm.objects.get()
        assert raw not in bytes(row.sealed) and raw[:8] not in bytes(row.sealed)
        assert (row.size, row.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
        event = AuditEvent.objects.get(name="consent.ndtms.form_opened")
        assert (event.subject, event.details["consent"]) == (str(desk.client.pk), str(act.pk))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"MZ\x90\0 a program called form.pdf", "not a PDF, PNG or JPEG"),
        (b"<html><script>alert(1)</script>%PDF-1.4 %%EOF", "not a PDF, PNG or JPEG"),
        (PDF[:-8], "cut short"),
        (PNG[:-4], "cut short"),
        (PDF[:9] + b" " * MOST_BYTES + PDF[9:], "larger than 5 MB"),
    ],
)
def test_what_is_no_signed_form_is_refused_whatever_its_name(desk: Desk, raw: bytes, words: str) -> None:
    answer = desk.answer(method="written", signed_form=file(raw))
    assert answer.status_code == 422 and words in answer.content.decode() and desk.acts() == []


@pytest.mark.parametrize("changed", [{"method": "oral"}, {"answer": "not-now", "method": "written"}])
def test_only_an_answer_in_writing_has_a_signed_form(desk: Desk, changed: dict[str, str]) -> None:
    answer = desk.answer(**{"answer": "Y", **changed}, signed_form=file())
    assert answer.status_code == 422 and desk.acts() == []
    with acting_for(desk.organisation):
        assert not ConsentForm.objects.exists()


def test_a_signed_form_is_not_found_for_who_may_not_see_consent_or_by_another_client(desk: Desk) -> None:
    desk.answer(method="written", signed_form=file())
    act = desk.acts()[0]
    for role in ("organisation_administrator", "information_governance", "commissioner"):
        browser = sign_in(Browser(), make_person(desk.organisation, role=role))
        assert browser.get(desk.at(f"acts/{act.pk}/signed-form/")).status_code == 404
    with acting_for(desk.organisation):
        second = make_episode()
    wrong = f"/o/{desk.organisation.slug}/clients/{second.client_id}/consent/acts/{act.pk}/"
    for page in ("signed-form/", "copy/", "recorded-in-error/"):
        assert desk.browser.get(wrong + page).status_code == 404
    other = make_desk()
    elsewhere = other.at(f"acts/{act.pk}/signed-form/")
    assert other.browser.get(elsewhere).status_code == 404
    assert in_sql("SELECT has_any_column_privilege('app', 'consent_consentform', 'UPDATE')") == [(False,)]


# ---- withdrawal, change of mind, mistakes ---------------------------------------------------------------------------


def agree(desk: Desk, episode: Episode, on: dt.date = dt.date(2026, 6, 8)) -> ConsentAct:
    """A yes in force."""
    with acting_for(desk.organisation):
        return services.record_ndtms_decision(
            episode=episode,
            decision="Y",
            decided_on=on,
            method="oral",
            statement_version="1",
            statement_said=True,
            leaflet_given=True,
            questions_answered=True,
            acting_user=desk.worker,
        )


@pytest.fixture
def agreed() -> tuple[Desk, Episode]:
    """A client with an open and a closed episode at yes; the closed one may be held nationally."""
    desk = make_desk()
    with acting_for(desk.organisation):
        closed = make_episode(
            registration=desk.episode.registration,
            referred_on=dt.date(2025, 1, 1),
            triaged_on=dt.date(2025, 1, 2),
            discharged_on=dt.date(2025, 3, 1),
            discharge_reason="80",
        )
        NationalHolding.objects.create(
            episode=closed,
            client_id=closed.client_id,
            held=True,
            since=dt.datetime(2026, 7, 31, tzinfo=dt.UTC),
        )
    agree(desk, desk.episode)
    agree(desk, closed)
    return desk, closed


def withdrawal(desk: Desk, html: str, *episodes: Episode, **changed: Any) -> dict[str, Any]:
    today = clock.today()
    hidden = {
        name: re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]
        for name in ("client", "version", "_page")
    }
    return {
        **hidden,
        "episodes": [str(e.pk) for e in episodes],
        "method": "oral",
        "decided_on_day": str(today.day),
        "decided_on_month": str(today.month),
        "decided_on_year": str(today.year),
        **changed,
    }


def test_a_withdrawal_explains_first_and_is_a_new_act_on_every_episode(agreed: tuple[Desk, Episode]) -> None:
    """O-113, O-135, O-136: current and previous episodes, discharge untouched, the yes stays in the history."""
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    registration = closed.registration.client_id_text
    assert f"Client ID {registration} at" in html and "NDTMS may hold 1 episode of it" in html
    assert (
        html.count(" checked") == 2
        and "NDTMS may hold it since 31 July 2026" in html
        and "Never sent" in html
    )
    assert "NDTMS may hold the episode since <time" in html and "Recorded <time" in html
    data = withdrawal(desk, html, desk.episode, closed)
    for _ in range(2):
        assert desk.browser.post(desk.at("withdraw/"), data).status_code == 302
    acts = desk.acts()
    assert [a.decision for a in acts] == ["Y", "Y", "N", "N"] and {a.wish for a in acts[2:]} == {"all-here"}
    with acting_for(desk.organisation):
        assert set(Episode.objects.values_list("consent", flat=True)) == {"N"}
        same = Episode.objects.get(pk=closed.pk)
        assert (same.discharged_on, same.discharge_reason) == (closed.discharged_on, "80")
        assert NationalHolding.objects.get().held, "it takes effect with the next file"
        events = AuditEvent.objects.filter(name="consent.ndtms.recorded", details__wish="all-here")
        assert {e.details["episode"] for e in events} == {str(desk.episode.pk), str(closed.pk)}
    page = desk.browser.get(desk.here).content.decode()
    assert page.count("Withdrawn") == 2 and "The withdrawal is recorded for 2 episodes" in page


def test_an_episode_left_at_yes_needs_a_reason(agreed: tuple[Desk, Episode]) -> None:
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    refused = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, closed))
    assert refused.status_code == 422 and "Say why the other episodes stay at yes" in refused.content.decode()
    assert desk.consent() == "Y" and len(desk.acts()) == 2
    data = withdrawal(desk, html, closed, left_out_reason="Only the old one")
    assert desk.browser.post(desk.at("withdraw/"), data).status_code == 302
    assert desk.consent() == "Y" and desk.acts()[-1].left_out_reason == "Only the old one"
    assert desk.acts()[-1].wish == "episode"
    assert "Only the old one" in desk.browser.get(desk.here).content.decode()


def test_a_withdrawal_of_what_changed_meanwhile_or_of_another_client_records_nothing(
    agreed: tuple[Desk, Episode],
) -> None:
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    other = make_desk()
    agree(other, other.episode)
    for foreign in (other.episode,):
        answer = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, closed, foreign))
        assert answer.status_code == 422
    assert (
        desk.browser.post(
            desk.at("withdraw/"), withdrawal(desk, html, closed, client=str(other.client.pk))
        ).status_code
        == 404
    )
    assert desk.answer("not-now").status_code == 302
    late = desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, desk.episode, closed))
    assert late.status_code == 409 and len(desk.acts()) == 2 and other.consent() == "Y"
    again = withdrawal(desk, late.content.decode(), desk.episode, closed)
    assert desk.browser.post(desk.at("withdraw/"), again).status_code == 302 and desk.consent() == "N"


def test_consent_given_again_is_a_new_act(agreed: tuple[Desk, Episode]) -> None:
    """O-144."""
    desk, closed = agreed
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    desk.browser.post(desk.at("withdraw/"), withdrawal(desk, html, desk.episode, closed))
    assert "No episode here is at yes" in desk.browser.get(desk.at("withdraw/")).content.decode()
    assert desk.answer("Y").status_code == 302
    assert desk.consent() == "Y" and len(desk.acts()) == 5
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=closed.pk).consent == "N", "only the one that was asked about"


def test_an_act_recorded_in_error_stays_with_its_reason_and_the_one_before_counts(
    agreed: tuple[Desk, Episode],
) -> None:
    desk, _ = agreed
    desk.answer("N")
    act = desk.acts()[-1]
    page = desk.at(f"acts/{act.pk}/recorded-in-error/")
    html = desk.browser.get(page).content.decode()
    assert "The answer that counts is then: Yes, 8 June 2026" in html
    assert desk.browser.post(page, {"client": str(desk.client.pk), "reason": " "}).status_code == 422
    assert desk.browser.post(page, {"client": "", "reason": "x"}).status_code == 404
    assert desk.consent() == "N"
    for _ in range(2):
        sent = desk.browser.post(page, {"client": str(desk.client.pk), "reason": "Wrong client"})
        assert sent.status_code == 302
    assert desk.consent() == "Y" and len(desk.acts()) == 3, "nothing is deleted"
    with acting_for(desk.organisation):
        assert ConsentInvalidation.objects.get().reason == "Wrong client"
        assert AuditEvent.objects.filter(name="consent.ndtms.invalidated").count() == 1
    history = desk.browser.get(desk.here).content.decode()
    assert "Recorded in error" in history and "“Wrong client”" in history and "<s>" in history


def test_the_only_act_recorded_in_error_makes_the_episode_not_asked(desk: Desk) -> None:
    desk.answer("Y")
    act = desk.acts()[0]
    page = desk.at(f"acts/{act.pk}/recorded-in-error/")
    assert "Nobody has been asked about this episode then" in desk.browser.get(page).content.decode()
    desk.browser.post(page, {"client": str(desk.client.pk), "reason": "Never asked"})
    assert desk.consent() == ""
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=desk.episode.pk).consent_on is None


def test_a_no_inherited_at_a_merge_is_said_and_outlives_corrections(desk: Desk) -> None:
    """O-141: the safe side. An act that is put right later must not bring back a yes that the merge overruled."""
    agree(desk, desk.episode, dt.date(2026, 6, 1))
    wrong = agree(desk, desk.episode, dt.date(2026, 6, 2))
    manager = make_person(desk.organisation, role="team_manager", full_name="Saul Whitaker")
    with acting_for(desk.organisation, "team_manager"):
        gone = make_client()
        second = make_episode(registration=make_registration(client=gone))
        make_act(episode=second, decision="N", decided_on=dt.date(2026, 6, 8))
        services.push_latest(episode=second)
        made = merging.plan(survivor=desk.client, merged=gone)
        assert [e.pk for e in made.withdrawn] == [desk.episode.pk]
        merging.merge_clients(
            survivor=desk.client,
            merged=gone,
            choices={},
            reason="one person",
            stamp=made.stamp,
            acting_user=manager,
        )
    html = desk.browser.get(desk.here).content.decode()
    assert "Taken over when record" in html and "Saul Whitaker" in html and desk.consent() == "N"
    with acting_for(desk.organisation):
        services.invalidate(
            consent_act=ConsentAct.objects.get(pk=wrong.pk), reason="never said", acting_user=desk.worker
        )
    assert desk.consent() == "N"
    assert desk.answer("Y").status_code == 302 and desk.consent() == "Y", "a newer answer is a change of mind"


# ---- papers, rights of the database, and rules seen without ---------------------------------------------------------


def test_the_form_to_sign_has_the_words_and_the_lines(desk: Desk) -> None:
    html = desk.browser.get(desk.at(f"{desk.episode.pk}/form/")).content.decode()
    assert "Signature" in html and "is it all right for us to send this?" in html and "Olu Farrant" in html
    with acting_for(desk.organisation):
        assert AuditEvent.objects.filter(name="consent.ndtms.printed", details__what="form").exists()


@pytest.mark.parametrize(
    "table", ["consent_consentform", "consent_consentinvalidation", "consent_consentact"]
)
def test_nobody_who_serves_requests_can_change_or_delete_what_was_recorded(db: None, table: str) -> None:
    for right in ("UPDATE", "DELETE"):
        granted = in_sql(f"SELECT has_table_privilege('app', '{table}', '{right}')")
        assert granted == [(False,)]
    assert in_sql(f"SELECT has_any_column_privilege('app', '{table}', 'UPDATE')") == [(False,)]


def test_the_history_costs_the_same_for_one_act_and_for_many(
    desk: Desk, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.browser.get(desk.here).status_code == 200
        return len(seen)

    desk.answer("N")
    cost()
    one = cost()
    with acting_for(desk.organisation):
        for n in range(40):
            make_act(episode=desk.episode, decided_on=dt.date(2026, 1, 1) + dt.timedelta(days=n))
    assert cost() == one


GOOD = {
    "decision": "Y",
    "decided_on": dt.date(2026, 11, 1),
    "today": dt.date(2026, 11, 1),
    "statement_version": "1",
    "statement_said": True,
    "leaflet_given": True,
    "questions_answered": True,
}


def test_each_condition_of_a_yes_is_noticed_when_it_is_taken_away() -> None:
    """The mutants of the rule: with one condition gone, one of these sentences would be empty."""
    assert rules.problem_with(**GOOD) == ""
    for name in ("statement_said", "leaflet_given", "questions_answered"):
        assert rules.problem_with(**{**GOOD, name: False}), name
        assert rules.problem_with(**{**GOOD, name: False, "decision": "N"}) == "", name
    assert rules.problem_with(**{**GOOD, "statement_version": ""})
    assert rules.problem_with(**{**GOOD, "decided_on": dt.date(2026, 11, 2)})


def test_each_condition_of_a_withdrawal_and_of_a_correction_is_noticed_when_it_is_taken_away() -> None:
    good = {
        "chosen": 1,
        "agreed": 2,
        "decided_on": dt.date(2026, 11, 1),
        "today": dt.date(2026, 11, 1),
        "left_out_reason": "one only",
    }
    assert rules.problem_with_withdrawal(**good) == ""
    for name, bad in (
        ("chosen", 0),
        ("agreed", 0),
        ("decided_on", dt.date(2026, 11, 2)),
        ("left_out_reason", " "),
    ):
        assert rules.problem_with_withdrawal(**{**good, name: bad}), name
    assert rules.problem_with_invalidation(reason="x", invalidated=False) == ""
    assert rules.problem_with_invalidation(reason=" ", invalidated=False)
    assert rules.problem_with_invalidation(reason="x", invalidated=True)
    assert rules.problem_with_form(method="oral", has_form=True) and not rules.problem_with_form(
        method="written", has_form=True
    )


def test_the_services_keep_the_rules_without_the_form(desk: Desk) -> None:
    """A way past the page meets the same rule; and the withdrawal is a new act, never a changed flag."""
    act = agree(desk, desk.episode)
    with acting_for(desk.organisation):
        for missing in ("statement_said", "leaflet_given", "questions_answered"):
            evidence = {
                "statement_said": True,
                "leaflet_given": True,
                "questions_answered": True,
                missing: False,
            }
            with pytest.raises(services.DecisionRefused):
                services.record_ndtms_decision(
                    episode=desk.episode,
                    decision="Y",
                    decided_on=clock.today(),
                    method="oral",
                    statement_version="1",
                    acting_user=desk.worker,
                    **evidence,
                )
        done = services.withdraw(
            client=desk.client,
            chosen=[desk.episode.pk],
            decided_on=clock.today(),
            method="oral",
            statement_version="1",
            left_out_reason="",
            acting_user=desk.worker,
        )
        assert [a.pk for a in done] != [act.pk]
        assert ConsentAct.objects.get(pk=act.pk).decision == "Y" and ConsentAct.objects.count() == 2
        with pytest.raises(services.Superseded):
            services.withdraw(
                client=desk.client,
                chosen=[uuid4()],
                decided_on=clock.today(),
                method="oral",
                statement_version="1",
                left_out_reason="",
                acting_user=desk.worker,
            )


def test_each_condition_of_a_young_persons_yes_is_noticed_when_it_is_taken_away() -> None:
    """O-106, without the page, which asks for the same."""
    alone = {
        "decision": "Y",
        "competence": "competent",
        "competence_note": "Said it back",
        "permission_by": "",
        "permission_relation": "",
    }
    helped = {
        **alone,
        "competence": "permission",
        "permission_by": "J Marsh",
        "permission_relation": "Guardian",
    }
    assert rules.problem_with_competence(**alone) == "" and rules.problem_with_competence(**helped) == ""
    for good, name, bad in (
        (alone, "competence", ""),
        (alone, "competence", "unsure"),
        (alone, "competence_note", " "),
        (helped, "permission_by", " "),
        (helped, "permission_relation", ""),
    ):
        assert rules.problem_with_competence(**{**good, name: bad}), (name, bad)
        assert rules.problem_with_competence(**{**good, name: bad, "decision": "N"}) == "", (name, bad)
