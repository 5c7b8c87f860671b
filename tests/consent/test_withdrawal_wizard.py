"""The withdrawal in its two steps: the wish, what will happen, one act; how far it went; the letter (O-135 to O-143)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from audit.models import AuditEvent
from caseload.models import Episode
from consent import rules, services
from consent.models import ConsentAct
from consent.sharing import partners
from edatrs.core import clock
from edatrs.organisations.models import Task
from ndtms.choices import SubmissionState
from ndtms.models import NationalHolding
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.consent_desk import PDF, Desk, agree, file, make_desk
from tests.factories.ndtms import make_content, make_download, make_submission

pytestmark = pytest.mark.django_db
OLD = dt.date(2021, 8, 20)


def older(desk: Desk, *, ended: dt.date = OLD, held: bool = True, agreed: bool = True) -> Episode:
    """An episode of the same registration that ended long ago."""
    with acting_for(desk.organisation):
        made = make_episode(
            registration=desk.episode.registration,
            referred_on=ended - dt.timedelta(days=90),
            triaged_on=ended - dt.timedelta(days=80),
            discharged_on=ended,
            discharge_reason="80",
        )
    if agreed:
        agree(desk, made, ended - dt.timedelta(days=80))
    if held:
        hold(desk, made)
    return made


def hold(desk: Desk, *episodes: Episode) -> None:
    with acting_for(desk.organisation):
        for episode in episodes:
            NationalHolding.objects.create(
                episode=episode,
                client_id=episode.client_id,
                held=True,
                since=dt.datetime(2026, 7, 31, tzinfo=dt.UTC),
            )


def send(desk: Desk, **changed: Any) -> Any:
    """The form as the page gives it, sent on."""
    today = clock.today()
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    hidden = {
        name: re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]  # the page has it
        for name in ("client", "version", "_page")
    }
    data = {
        **hidden,
        "method": "oral",
        "decided_on_day": str(today.day),
        "decided_on_month": str(today.month),
        "decided_on_year": str(today.year),
        **changed,
    }
    return desk.browser.post(desk.at("withdraw/"), data)


def again(answer: Any, desk: Desk, **changed: Any) -> Any:
    """What the page of the check holds, sent as its button sends it."""
    data: dict[str, Any] = {}
    form = answer.content.decode().split('enctype="multipart/form-data"')[1].split("</form>")[0]
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        data.setdefault(name, []).append(value)
    return desk.browser.post(desk.at("withdraw/"), data | changed)


def test_no_wish_is_chosen_and_every_episode_is_ticked(desk: Desk) -> None:
    """O-135."""
    agree(desk, desk.episode)
    unasked = older(desk, agreed=False, held=False)
    html = desk.browser.get(desk.at("withdraw/")).content.decode()
    assert "Stop one time only" in html and "Stop everything from this organisation" in html
    assert not re.search(r'name="wish"[^>]*checked', html)
    for episode in (desk.episode, unasked):
        assert re.search(rf'name="episodes"[^>]*value="{episode.pk}"[^>]*checked', html)
        assert not re.search(rf'name="only"[^>]*value="{episode.pk}"[^>]*checked', html)
    assert "Nobody asked and it was never sent" in html
    assert send(desk).status_code == 422
    assert send(desk, wish="episode").status_code == 422
    assert send(desk, wish="all-here").status_code == 422
    assert len(desk.acts()) == 1


def test_the_first_step_records_nothing_and_says_what_will_happen(desk: Desk) -> None:
    agree(desk, desk.episode)
    hold(desk, desk.episode)
    old, unasked = older(desk), older(desk, ended=dt.date(2023, 1, 5), agreed=False, held=False)
    everything = [str(e.pk) for e in (desk.episode, old, unasked)]
    check = send(desk, wish="all-here", episodes=everything)
    html = check.content.decode()
    assert check.status_code == 200 and len(desk.acts()) == 2 and desk.consent() == "Y"
    assert html.count(">Removed<") == 2 and html.count("Nothing there to remove") == 1
    assert html.count("<strong>Withdrawn</strong>") == 2 and html.count("<strong>No</strong>") == 1
    assert "Older episodes would go too" not in html
    # Back, and nothing is lost.
    back = again(check, desk, back="1")
    assert back.status_code == 200 and re.search(r'value="all-here"[^>]*checked', back.content.decode()), (
        "what was chosen is still chosen"
    )
    assert len(desk.acts()) == 2
    assert again(check, desk).status_code == 302
    acts = desk.acts()[2:]
    assert [(a.decision, a.wish) for a in acts] == [("N", "all-here")] * 3
    with acting_for(desk.organisation):
        assert set(Episode.objects.values_list("consent", flat=True)) == {"N"}
        same = Episode.objects.get(pk=old.pk)
        assert (same.discharged_on, same.discharge_reason) == (OLD, "80"), "O-136"


def test_an_episode_that_nobody_asked_about_may_be_left_out_with_a_reason(desk: Desk) -> None:
    agree(desk, desk.episode)
    unasked = older(desk, agreed=False, held=False)
    refused = send(desk, wish="all-here", episodes=[str(desk.episode.pk)])
    assert refused.status_code == 422 and "Say why the other episodes stay" in refused.content.decode()
    reason = {"left_out_reason": "They will think about it"}
    assert send(desk, wish="all-here", episodes=[str(desk.episode.pk)], confirmed="1").status_code == 422
    assert (
        again(send(desk, wish="all-here", episodes=[str(desk.episode.pk)], **reason), desk).status_code == 302
    )
    act = desk.acts()[-1]
    assert (act.wish, act.left_out_reason) == ("all-here", "They will think about it")
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=unasked.pk).consent == ""


def test_one_time_only_warns_of_the_older_one_and_asks_for_a_full_file(desk: Desk) -> None:
    """O-143: NDTMS goes by the client id, so the monthly file takes out the agreed one that it does not carry."""
    agree(desk, desk.episode)
    hold(desk, desk.episode)
    old = older(desk)
    check = send(desk, wish="episode", only=[str(desk.episode.pk)])
    html = check.content.decode()
    assert check.status_code == 200 and "Older episodes would go too, unless we send a full file" in html
    assert f"Episode {old.episode_id}" in html and "Removed too, unless a full file is sent" in html
    assert again(check, desk).status_code == 302
    act = desk.acts()[-1]
    assert (act.decision, act.wish, act.left_out_reason) == ("N", "episode", "")
    with acting_for(desk.organisation):
        assert Episode.objects.get(pk=old.pk).consent == "Y"
        task = Task.objects.get(unique_key__startswith="full-file:")
        assert task.role == "ndtms_administrator" and desk.episode.service.agency_code in task.words
        assert "Marsh" not in task.words and str(desk.episode.registration) not in task.words


@pytest.mark.parametrize("why", ["not held", "in the window", "withdrawn one not held"])
def test_no_full_file_is_asked_for_where_nothing_else_goes(desk: Desk, why: str) -> None:
    agree(desk, desk.episode)
    if why != "withdrawn one not held":
        hold(desk, desk.episode)
    ended = clock.today() - dt.timedelta(days=20) if why == "in the window" else OLD
    older(desk, ended=ended, held=why != "not held")
    check = send(desk, wish="episode", only=[str(desk.episode.pk)])
    assert "Older episodes would go too" not in check.content.decode()
    assert again(check, desk).status_code == 302
    with acting_for(desk.organisation):
        assert not Task.objects.filter(unique_key__startswith="full-file:").exists()


def test_only_the_registration_that_was_withdrawn_pulls_others_along() -> None:
    class Any_:
        def __init__(self, pk: int, registration_id: int, discharged_on: dt.date | None) -> None:
            self.pk, self.registration_id, self.discharged_on = pk, registration_id, discharged_on

    gone, start = Any_(1, 7, None), dt.date(2024, 1, 1)
    day = dt.date(2023, 12, 31)
    left = [Any_(2, 7, day), Any_(3, 8, day), Any_(4, 7, start), Any_(5, 7, None), Any_(6, 7, day)]
    assert [e.pk for e in rules.pulled_along([gone], left, {1, 2, 3, 4, 5}, start)] == [2]
    assert rules.pulled_along([gone], left, {2, 3, 4, 5, 6}, start) == [], "nothing of it is told"


def test_a_signed_form_comes_with_the_act(desk: Desk) -> None:
    agree(desk, desk.episode)
    chosen = {"wish": "all-here", "episodes": [str(desk.episode.pk)], "method": "written"}
    check = send(desk, **chosen)
    assert "The signed form" in check.content.decode()
    wrong = again(check, desk, signed_form=file(b"no form"))
    assert wrong.status_code == 422 and "Record the withdrawal" in wrong.content.decode()
    assert len(desk.acts()) == 1
    assert again(wrong, desk, signed_form=file(PDF)).status_code == 302
    assert desk.acts()[-1].method == "written"


def test_what_other_services_sent_leads_to_a_letter_and_changes_nothing(desk: Desk) -> None:
    """W4 to W6, O-142."""
    agree(desk, desk.episode)
    answer = send(desk, wish="elsewhere")
    assert answer.status_code == 302 and answer["Location"] == desk.at("letter/")
    html = desk.browser.get(desk.at("letter/")).content.decode()
    assert "Please stop sending my data to NDTMS" in html and "To (name of the service)" in html
    assert desk.episode.registration.client_id_text not in html.split('class="app-paper')[1]
    assert len(desk.acts()) == 1 and desk.consent() == "Y"
    with acting_for(desk.organisation):
        event = AuditEvent.objects.get(name="consent.ndtms.printed")
        assert event.details["what"] == "letter"
        assert partners.partners() == []


def test_how_far_it_went_is_said_from_asked_to_loaded(desk: Desk) -> None:
    """O-138."""
    agree(desk, desk.episode)
    hold(desk, desk.episode)
    again(send(desk, wish="all-here", episodes=[str(desk.episode.pk)]), desk)
    html = desk.browser.get(desk.here).content.decode()
    assert "How far the withdrawal went" in html and "It takes effect when we next send our file, due" in html
    recorded = desk.acts()[-1].recorded_at
    with acting_for(desk.organisation):
        service = desk.episode.service

        def made(minutes: int, **fields: Any) -> Any:
            at = recorded + dt.timedelta(minutes=minutes)
            one = make_submission(service=service, snapshot_at=at, built_at=at, **fields)
            make_content(one, removed=[desk.episode.pk])
            return one

        made(-5, file_name="before.csv", state=SubmissionState.LOADED)
        made(5, file_name="refused.csv", state=SubmissionState.REFUSED)
    assert "It takes effect when we next send our file" in desk.browser.get(desk.here).content.decode()
    with acting_for(desk.organisation):
        file_ = made(10, file_name="carries-it.csv", state=SubmissionState.BUILT)
    html = desk.browser.get(desk.here).content.decode()
    assert "carries-it.csv" in html and "not downloaded yet" in html and "before.csv" not in html
    assert "Until then every file says it again" in html and "refused.csv" not in html
    with acting_for(desk.organisation):
        make_download(file_)
    assert "not downloaded yet" not in desk.browser.get(desk.here).content.decode()
    with acting_for(desk.organisation):
        type(file_).objects.filter(pk=file_.pk).update(
            state=SubmissionState.LOADED, decided_at=recorded + dt.timedelta(minutes=20)
        )
        made(30, file_name="later.csv", state=SubmissionState.BUILT)
    html = desk.browser.get(desk.here).content.decode()
    assert "Loaded by NDTMS: taken out" in html and "carries-it.csv" in html and "later.csv" not in html


def test_another_clients_file_says_nothing_of_this_one(desk: Desk) -> None:
    other = make_desk()
    for one in (desk, other):
        agree(one, one.episode)
        again(send(one, wish="all-here", episodes=[str(one.episode.pk)]), one)
    with acting_for(other.organisation):
        at = clock.now() + dt.timedelta(minutes=5)
        sent = make_submission(
            service=other.episode.service,
            snapshot_at=at,
            built_at=at,
            file_name="theirs.csv",
            state=SubmissionState.BUILT,
        )
        make_content(sent, removed=[desk.episode.pk, other.episode.pk])
    html = desk.browser.get(desk.here).content.decode()
    assert "theirs.csv" not in html and "It was never sent: nothing to take out" in html


def test_the_one_time_must_stand_at_yes(desk: Desk) -> None:
    agree(desk, desk.episode)
    unasked = older(desk, agreed=False, held=False)
    assert send(desk, wish="episode", only=[str(unasked.pk)]).status_code == 422
    with acting_for(desk.organisation), pytest.raises(services.Superseded):
        services.withdraw(
            client=desk.client,
            chosen={unasked.pk},
            decided_on=clock.today(),
            method="oral",
            statement_version="1",
            left_out_reason="",
            acting_user=desk.worker,
            wish=services.Wish.EPISODE,
        )
    with acting_for(desk.organisation):
        assert ConsentAct.objects.count() == 1


def test_a_file_between_two_withdrawals_counts_for_the_first_alone(desk: Desk) -> None:
    """It took out the second episode too, as NDTMS goes by the client id; what was said later it did not carry."""
    agree(desk, desk.episode)
    hold(desk, desk.episode)
    old = older(desk)
    again(send(desk, wish="episode", only=[str(old.pk)]), desk)
    with acting_for(desk.organisation):
        at = clock.now()
        between = make_submission(
            service=desk.episode.service,
            snapshot_at=at,
            built_at=at,
            file_name="between.csv",
            state=SubmissionState.BUILT,
        )
        make_content(between, removed=[old.pk, desk.episode.pk])
    again(send(desk, wish="all-here", episodes=[str(desk.episode.pk)]), desk)
    html = desk.browser.get(desk.here).content.decode()
    assert html.count("between.csv") == 1
    assert html.count("It takes effect when we next send our file, due") == 1
