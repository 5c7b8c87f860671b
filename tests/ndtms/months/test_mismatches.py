"""The mismatch loop: taken in whole or not at all, what consent explains resolved by itself, the rest worked (O-145, O-138)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from audit.models import AuditEvent
from caseload.models import EpisodeQuality
from consent import services as consent
from edatrs.core import clock
from ndtms import selectors
from ndtms.choices import SubmissionState
from ndtms.models import Mismatch, MismatchFile, Submission
from tests.core.world import acting_for
from tests.factories.ndtms import make_content, make_mismatch, make_submission
from tests.factories.sharing import make_sensitive
from tests.ndtms.months.desk import HEAD, Desk, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def states(desk: Desk) -> dict[str, str]:
    with desk.acting():
        return dict(Mismatch.objects.values_list("episode_id_text", "state"))


def test_consent_explains_a_missing_episode_and_nothing_else(desk: Desk) -> None:
    no, yes, unasked = desk.episode("N"), desk.episode("Y"), desk.episode("")
    other = desk.episode("N", referred_on=dt.date(2025, 1, 1))
    lines = desk.line(no) + desk.line(yes) + desk.line(unasked) + desk.line(other, "differs")
    lines += f"{desk.service.agency_code},C-0,E-0,missing\n"
    answer = desk.send(HEAD + lines)
    assert answer.status_code == 302
    assert states(desk) == {
        no.episode_id: "consent",
        yes.episode_id: "open",
        unasked.episode_id: "open",
        other.episode_id: "open",
        "E-0": "open",
    }
    html = desk.browser.get(answer["Location"]).content.decode()
    assert "5 lines taken in" in html and "1 resolved by consent" in html and "4 to work" in html
    assert "Nobody asked for consent, so it is not sent" in html and "No episode here has these IDs" in html
    assert "Agreed and nothing holds it back" in html and html.count("MARSH") == 3
    resolved = desk.browser.get(desk.at("mismatches/?state=consent")).content.decode()
    assert "The consent of this episode is no here" in resolved and no.episode_id in resolved
    with desk.acting():
        event = AuditEvent.objects.get(name="ndtms.mismatches_taken")
        assert (event.details["lines"], event.details["by_consent"]) == (5, 1)


def test_what_holds_an_episode_back_is_said(desk: Desk) -> None:
    stopped = desk.episode("Y")
    old = desk.episode("Y", discharged_on=dt.date(2019, 2, 3))
    with desk.acting():
        EpisodeQuality.objects.update_or_create(
            episode=stopped,
            defaults={
                "organisation_id": desk.organisation.pk,
                "client": desk.client,
                "letter": "Q",
                "errors": ["E07"],
                "checked_at": clock.now(),
            },
        )
        EpisodeQuality.objects.filter(pk=old.pk).update(errors=[])
    desk.send(HEAD + desk.line(stopped) + desk.line(old))
    html = desk.browser.get(desk.at("mismatches/")).content.decode()
    assert "Held back, so it is not in the file. Put right: " in html and "(E07)" in html
    assert "ended before the reporting window" in html


def test_a_list_with_a_wrong_line_writes_nothing(desk: Desk) -> None:
    """Bad input: a mismatch file of another agency is refused with words."""
    episode = desk.episode("Y")
    other = make_desk()
    for wrong, said in (
        (f"{other.service.agency_code},C,E,missing\n", "is another agency code than"),
        (desk.line(episode), "the same as line 2"),
        ("x\n", "1 cells where the heading has 4"),
    ):
        answer = desk.send(HEAD + desk.line(episode) + wrong)
        html = answer.content.decode()
        assert answer.status_code == 422 and "list.csv:3:" in html and said in html
    foreign = desk.send(HEAD + desk.line(episode), service=other.service.agency_code)
    assert foreign.status_code == 422
    for one in (desk, other):
        with one.acting():
            assert not Mismatch.objects.exists() and not MismatchFile.objects.exists()


def test_the_same_list_twice_is_one_and_what_is_open_is_not_doubled(desk: Desk) -> None:
    first, second = desk.episode("Y"), desk.episode("Y")
    text = HEAD + desk.line(first)
    for _ in range(2):
        answer = desk.send(text)
    assert "This list was taken in before" in desk.browser.get(answer["Location"]).content.decode()
    desk.send(text + desk.line(second))
    with desk.acting():
        assert MismatchFile.objects.count() == 2 and Mismatch.objects.count() == 2
        assert MismatchFile.objects.order_by("-taken_at").first().known_before == 1


def test_one_is_settled_with_a_reason_and_opened_again(desk: Desk) -> None:
    episode = desk.episode("Y")
    desk.send(HEAD + desk.line(episode))
    with desk.acting():
        page = desk.at(f"mismatches/{Mismatch.objects.get().pk}/")
    assert desk.browser.post(page, {"reason": " "}).status_code == 422
    assert states(desk) == {episode.episode_id: "open"}
    assert desk.browser.post(page, {"reason": "Sent again with the full file"}).status_code == 302
    assert states(desk) == {episode.episode_id: "settled"}
    html = desk.browser.get(page).content.decode()
    assert "Sent again with the full file" in html and "Graham Tull" in html
    # Settled and open again in a later list: only the later one is worked.
    later = HEAD + desk.line(episode) + "\n"
    assert desk.send(later).status_code == 302
    desk.browser.post(page, {"reopen": "1"})
    with desk.acting():
        assert sorted(Mismatch.objects.values_list("state", flat=True)) == ["open", "settled"]
        newer = Mismatch.objects.get(state="open").pk
    desk.browser.post(desk.at(f"mismatches/{newer}/"), {"reason": "x"})
    assert desk.browser.post(page, {"reopen": "1"}).status_code == 302
    with desk.acting():
        assert sorted(Mismatch.objects.values_list("state", flat=True)) == ["open", "settled"]


def test_a_withdrawal_is_followed_to_its_resolved_mismatch(desk: Desk) -> None:
    """O-138: the last step. A list from before the withdrawal does not count."""
    episode = desk.episode("Y")
    worker = desk.worker
    with desk.acting():
        said = {"decision": "N", "decided_on": clock.today(), "method": "oral", "statement_version": "1"}
        act = consent.record_ndtms_decision(
            episode=episode,
            **said,  # type: ignore[arg-type]  # of a test
            statement_said=False,
            leaflet_given=False,
            questions_answered=False,
            acting_user=worker,
        )
        asked = {episode.pk: act.recorded_at}
        assert selectors.withdrawals_resolved(asked) == {}
    desk.send(HEAD + desk.line(episode))
    with desk.acting():
        assert selectors.withdrawals_resolved(asked) == {episode.pk: clock.today()}
        later = {episode.pk: clock.now() + dt.timedelta(minutes=1)}
        assert selectors.withdrawals_resolved(later) == {}


def test_who_may_not_find_the_client_finds_no_mismatch_of_it(desk: Desk) -> None:
    """The list is taken in whole all the same; on both walls, manager and row security."""
    episode = desk.episode("Y")
    plain = f"{desk.service.agency_code},C-0,E-0,missing\n"
    with desk.acting():
        make_sensitive(desk.client, make_desk().worker)
    answer = desk.send(HEAD + desk.line(episode) + plain)
    assert answer.status_code == 302
    html = desk.browser.get(desk.at("mismatches/")).content.decode()
    assert episode.episode_id not in html and "MARSH" not in html and "E-0" in html
    with desk.acting():
        pk = Mismatch.objects.get(episode_id_text=episode.episode_id).pk
    for rest in (f"mismatches/{pk}/",):
        assert desk.browser.get(desk.at(rest)).status_code == 404
        assert desk.browser.post(desk.at(rest), {"reason": "x"}).status_code == 404
    listed: Any = desk.browser.get(f"/o/{desk.organisation.slug}/api/mismatches/").json()
    assert [row["episode_id"] for row in listed["results"]] == ["E-0"]


def test_the_api_takes_a_list_whole_or_not_at_all(desk: Desk) -> None:
    episode, no = desk.episode("Y"), desk.episode("N")
    page = f"/o/{desk.organisation.slug}/api/mismatches/"

    def send(text: str, service: str = "") -> Any:
        data = {"service": service or desk.service.agency_code, "csv": text}
        return desk.browser.post(page, data, content_type="application/json")

    wrong = send(HEAD + desk.line(episode) + "x\n")
    assert wrong.status_code == 422 and "csv:3:" in wrong.json()["fields"]["csv"][0]
    assert send(HEAD, service=make_desk().service.agency_code).status_code == 422
    text = HEAD + desk.line(episode) + desk.line(no)
    made = send(text)
    assert (made.status_code, made.json()["by_consent"]) == (201, 1)
    assert send(text).status_code == 200
    found = desk.browser.get(page).json()["results"]
    assert [row["episode_id"] for row in found] == [episode.episode_id] and "MARSH" not in str(found)


def test_only_who_records_what_ndtms_said_takes_a_list_in() -> None:
    for role in ("keyworker", "team_manager", "information_governance", "commissioner"):
        desk = make_desk(role)
        assert desk.send(HEAD).status_code == 404
        with acting_for(desk.organisation):
            assert not MismatchFile.objects.exists()


def test_a_list_from_before_the_load_is_no_proof_that_it_took_effect(desk: Desk) -> None:
    """O-138: resolved is what NDTMS said after it had loaded the withdrawal."""
    episode, now = desk.episode("N"), clock.now()

    def told() -> Any:
        return selectors.withdrawals_told({episode.pk: now})[episode.pk]

    def minutes(number: int) -> dt.datetime:
        return now + dt.timedelta(minutes=number)

    with desk.acting():
        file = make_submission(service=desk.service, snapshot_at=minutes(1), built_at=minutes(1))
        make_content(file, removed=[episode.pk])
        make_mismatch(episode, service=desk.service, state="consent", taken_at=minutes(2))
        assert told().resolved_on is None and told().loaded_at is None
        Submission.objects.filter(pk=file.pk).update(state=SubmissionState.LOADED, decided_at=minutes(3))
        assert told().loaded_at == minutes(3) and told().resolved_on is None
        make_mismatch(episode, service=desk.service, state="consent", taken_at=minutes(4))
        assert told().resolved_on == clock.london_date(minutes(4))
