"""The calendar page, nil returns, and the monthly draft by the clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Job, Task
from ndtms import tasks
from ndtms.choices import SubmissionState
from ndtms.models import NationalHolding, NilReturn, Submission
from tests.core.world import acting_for
from tests.factories.ndtms import make_download, make_mismatch, make_submission
from tests.ndtms.months.desk import Desk, make_desk

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)


@pytest.fixture
def desk() -> Any:
    with clock.frozen(NOW):
        yield make_desk()


def made(desk: Desk, as_of: dt.date, state: str, **fields: Any) -> Submission:
    with desk.acting():
        return make_submission(service=desk.service, as_of=as_of, state=state, **fields)


def cells(desk: Desk) -> dict[str, str]:
    found = desk.browser.get(f"/o/{desk.organisation.slug}/api/calendar/").json()["results"]
    return {m["month"]: m["state"] for m in found[0]["months"]}


def test_each_month_stands_as_its_files_do(desk: Desk) -> None:
    loaded = made(desk, dt.date(2026, 7, 31), SubmissionState.LOADED, decided_at=NOW - dt.timedelta(days=80))
    made(desk, dt.date(2026, 9, 30), SubmissionState.REFUSED, refused_reason="Wrong letter")
    taken = made(desk, dt.date(2026, 10, 31), SubmissionState.BUILT)
    with desk.acting():
        make_download(taken)
        make_mismatch(desk.episode(), service=desk.service)
    found = cells(desk)
    assert list(found)[-1] == "2026-10" and len(found) == 12
    assert found["2026-06"] == "unknown" and found["2026-07"] == "loaded" and found["2026-08"] == "missed"
    assert found["2026-09"] == "refused" and found["2026-10"] == "downloaded"
    html = desk.browser.get(desk.at("calendar/")).content.decode()
    assert "1 mismatch" in html and "Refused by NDTMS" in html and "Settle the mismatches" in html
    opened = desk.browser.get(desk.at(f"calendar/?service={desk.service.agency_code}&month=2026-09"))
    assert "“Wrong letter”" in opened.content.decode() and "SHA-256" in opened.content.decode()
    assert str(loaded.pk) not in opened.content.decode()


def test_the_calendar_says_what_is_due_and_an_unknown_month_opens_nothing(desk: Desk) -> None:
    html = desk.browser.get(desk.at("calendar/")).content.decode()
    assert "Files for October 2026 are due" in html and "in 5 days" in html and "Due 15 Nov" in html
    for rest in ("month=2026-12", "month=x", "month=2026-10&service=E0"):
        page = desk.browser.get(desk.at(f"calendar/?{rest}"))
        assert page.status_code == 200 and 'id="month"' not in page.content.decode()


def nil(desk: Desk, **more: str) -> Any:
    data = {"service": desk.service.agency_code, "month": "2026-10", **more}
    return desk.browser.post(desk.at("calendar/nil/"), data)


def test_a_nil_return_is_said_once_with_who_and_taken_back(desk: Desk) -> None:
    for _ in range(2):
        assert nil(desk).status_code == 302
    assert cells(desk)["2026-10"] == "nil"
    with desk.acting():
        assert NilReturn.objects.get().by_label == "Graham Tull"
    page = desk.browser.get(nil(desk)["Location"]).content.decode()
    assert "Graham Tull" in page and "that there was nothing to report" in page
    assert nil(desk, take_back="1").status_code == 302
    assert cells(desk)["2026-10"] == "due"
    assert nil(desk).status_code == 302
    with desk.acting():
        assert NilReturn.objects.count() == 2


def held(desk: Desk) -> None:
    episode = desk.episode("N")
    with desk.acting():
        NationalHolding.objects.create(episode=episode, client_id=episode.client_id, held=True, since=NOW)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda d: d.episode("Y"), "1 agreed episode in the reporting window"),
        (lambda d: d.episode("Y", discharged_on=dt.date(2026, 2, 1)), "1 agreed episode"),
        (held, "1 withdrawal to tell NDTMS of"),
        (lambda d: made(d, dt.date(2026, 10, 31), SubmissionState.BUILT), "A file of this month"),
    ],
)
def test_a_nil_return_is_refused_while_there_is_something_to_send(desk: Desk, what: Any, said: str) -> None:
    what(desk)
    answer = nil(desk)
    assert answer.status_code == 422 and said in answer.content.decode()
    with desk.acting():
        assert not NilReturn.objects.exists()


def test_what_is_not_to_be_sent_is_no_obstacle_to_a_nil_return(desk: Desk) -> None:
    desk.episode("N")
    desk.episode("")
    desk.episode("Y", discharged_on=dt.date(2019, 1, 5))
    desk.episode("Y", referred_on=dt.date(2026, 11, 3))
    assert nil(desk).status_code == 302


def test_another_organisations_service_and_another_month_are_not_there(desk: Desk) -> None:
    with clock.frozen(NOW):
        other = make_desk()
    assert nil(desk, service=other.service.agency_code).status_code == 404
    assert nil(desk, month="2027-01").status_code == 404
    for role in ("team_manager", "keyworker"):
        assert nil(make_desk(role)).status_code == 404


def drafted(desk: Desk) -> list[Submission]:
    tasks.draft_monthly()
    with acting_for(desk.organisation, actor=Actor.OPERATOR):
        return list(Submission.objects.order_by("asked_at"))


def test_the_draft_of_the_month_that_ended_is_asked_for_once_and_announced(desk: Desk) -> None:
    found = drafted(desk)
    assert [(s.as_of, s.kind, s.state) for s in found] == [(dt.date(2026, 10, 31), "reporting", "building")]
    assert len(drafted(desk)) == 1, "every day again, and one draft"
    with desk.acting():
        task = Task.objects.get(unique_key=f"draft:{found[0].pk}")
        assert (
            task.role == "ndtms_administrator" and "October 2026" in task.words and "15/11/2026" in task.words
        )
        assert Job.objects.filter(subject=found[0].pk).count() == 1
    assert cells(desk)["2026-10"] == "building"


def test_no_draft_where_a_file_is_there_or_the_day_is_past(desk: Desk) -> None:
    made(desk, dt.date(2026, 10, 31), SubmissionState.BUILT)
    assert len(drafted(desk)) == 1
    with clock.frozen(dt.datetime(2026, 12, 16, 9, tzinfo=dt.UTC)):
        assert len(drafted(desk)) == 1
    with clock.frozen(dt.datetime(2026, 12, 1, 4, tzinfo=dt.UTC)):
        assert [s.as_of for s in drafted(desk)][-1] == dt.date(2026, 11, 30)


def test_another_organisations_months_are_nowhere(desk: Desk) -> None:
    with clock.frozen(NOW):
        other = make_desk()
        theirs = made(other, dt.date(2026, 9, 30), SubmissionState.REFUSED, refused_reason="Theirs")
    pages = [
        desk.at(f"calendar/{q}")
        for q in ("", f"?service={other.service.agency_code}&month=2026-09", "?all=1")
    ]
    for page in (*pages, f"/o/{desk.organisation.slug}/api/calendar/"):
        text = desk.browser.get(page).content.decode()
        assert desk.service.agency_code in text and other.service.agency_code not in text.replace(page, "")
        assert str(theirs.pk) not in text and "Theirs" not in text
