"""Giving clients to somebody over HTTP: what is confirmed is what was shown, once, for one's own organisation, and can be undone."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID

import pytest

from audit.models import AuditEvent
from caseload import selectors_allocation
from caseload.models import Allocation, AllocationRun, Client
from caseload.services import allocation
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership, Task, User
from tests.caseload.work.conftest import NOW, Team, make_team
from tests.caseload.work.test_my_caseload import acting
from tests.core.world import acting_for
from tests.factories.organisations import give

pytestmark = pytest.mark.django_db


def form(
    *clients: Client, who: User, kind: str = "keyworker", reason: str = "Dana is on leave", **more: Any
) -> dict[str, Any]:
    today = clock.today()
    first, last = more.pop("first", today), more.pop("last", None)
    data: dict[str, Any] = {
        "client": [str(c.pk) for c in clients],
        "keyworker": str(who.pk),
        "kind": kind,
        "reason": reason,
    }
    data |= {"valid_from_day": first.day, "valid_from_month": first.month, "valid_from_year": first.year}
    if last:
        data |= {"valid_until_day": last.day, "valid_until_month": last.month, "valid_until_year": last.year}
    return data | more


def confirmation(html: bytes) -> dict[str, Any]:
    """The form of the preview, as a browser would send it."""
    text = html.decode()
    shown = text[text.find('action="/o/') :]
    shown = shown[shown.find(">", shown.find("allocation/")) :]
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text):
        found.setdefault(name, []).append(value.replace("&#x27;", "'").replace("&quot;", '"'))
    return {name: values for name, values in found.items() if name not in ("csrfmiddlewaretoken",)}


def keyworkers(team: Team) -> dict[str, tuple[str, str]]:
    """Who has whom today: keyworker and who covers, by surname."""
    from caseload.selectors_work import in_force, keyworker_of

    with acting_for(team.organisation, actor=Actor.OPERATOR):
        today = clock.today()
        found = {}
        for client in Client.objects.select_related("clientidentity"):
            row = keyworker_of(today, client.pk).first()
            cover = in_force(today).filter(client=client, kind="cover").first()
            found[client.clientidentity.surname] = (
                row.keyworker.full_name if row else "",
                cover.keyworker.full_name if cover else "",
            )
        return found


def trail(team: Team) -> list[str]:
    with acting_for(team.organisation):
        rows = AuditEvent.objects.filter(name__startswith="caseload.client.alloc").order_by("sequence")
        return [str(e.name) for e in rows]


def test_chosen_shown_written_once_told_and_undone(team: Team) -> None:
    new, theirs = team.client("New"), team.client("Theirs")
    team.give(theirs, team.colleague)
    browser, address = team.browser(team.manager), team.address("allocation/")
    assert b"NEW, Marc" in browser.get(address).content
    shown = browser.post(address, form(new, theirs, who=team.worker))
    assert shown.status_code == 200
    for words in (
        "Priya Raman becomes the keyworker",
        "Priya Raman takes over from Dana Okoro",
        "Allocate 2 clients",
    ):
        assert words in shown.content.decode()
    assert keyworkers(team) == {"New": ("", ""), "Theirs": ("Dana Okoro", "")}
    confirmed = confirmation(shown.content)
    first = browser.post(address, confirmed)
    again = browser.post(address, confirmed)
    assert first.status_code == again.status_code == 302
    assert first.headers["Location"] == again.headers["Location"]
    assert keyworkers(team) == {"New": ("Priya Raman", ""), "Theirs": ("Priya Raman", "")}
    with acting_for(team.organisation):
        assert Allocation.objects.count() == 3
        assert AllocationRun.objects.count() == 1
    task = Task.objects.get(user=team.worker)
    assert task.words == "You are the keyworker of 2 clients from 26 Nov 2026"
    assert task.link == team.address()
    assert "NEW" not in task.words.upper().replace("NOV", "")
    result = browser.get(first.headers["Location"])
    assert b"Done for 2 clients" in result.content
    for _ in range(2):
        assert browser.post(first.headers["Location"]).status_code == 302
    assert keyworkers(team) == {"New": ("", ""), "Theirs": ("Dana Okoro", "")}
    assert b"This was undone" in browser.get(first.headers["Location"]).content
    task.refresh_from_db()
    assert task.done_at is not None
    assert trail(team) == ["caseload.client.allocated"] * 2 + ["caseload.client.allocation_undone"] * 2


def test_who_read_the_task_is_told_of_the_undoing(team: Team) -> None:
    browser, address = team.browser(team.manager), team.address("allocation/")
    done = browser.post(
        address, confirmation(browser.post(address, form(team.client(), who=team.worker)).content)
    )
    Task.objects.filter(user=team.worker).update(done_at=NOW)
    browser.post(done.headers["Location"])
    told = Task.objects.get(user=team.worker, done_at__isnull=True)
    assert told.words == "Undone: you are the keyworker of 1 client from 26 Nov 2026"


def test_cover_ends_on_its_day_by_itself(team: Team) -> None:
    client = team.client("Pell")
    team.give(client, team.colleague)
    browser, address = team.browser(team.manager), team.address("allocation/")
    last = clock.today() + dt.timedelta(days=7)
    shown = browser.post(address, form(client, who=team.worker, kind="cover", last=last))
    assert b"Priya Raman covers; Dana Okoro stays the keyworker" in shown.content
    assert browser.post(address, confirmation(shown.content)).status_code == 302
    assert keyworkers(team) == {"Pell": ("Dana Okoro", "Priya Raman")}
    assert Task.objects.get(user=team.worker).words == "You cover 1 client from 26 Nov 2026 to 3 Dec 2026"
    with clock.frozen(NOW + dt.timedelta(days=7)):
        assert keyworkers(team) == {"Pell": ("Dana Okoro", "Priya Raman")}
    with clock.frozen(NOW + dt.timedelta(days=8)):
        assert keyworkers(team) == {"Pell": ("Dana Okoro", "")}


def test_what_fails_is_shown_before_and_after_with_why(team: Team) -> None:
    good, hers, voided = team.client("Good"), team.client("Hers"), team.client("Voided")
    team.give(hers, team.worker)
    with acting_for(team.organisation):
        Client.objects.filter(pk=voided.pk).update(voided_at=NOW, voided_reason="twice")
    browser, address = team.browser(team.manager), team.address("allocation/")
    shown = browser.post(address, form(good, hers, voided, who=team.worker))
    for page in (shown, None):
        page = page or browser.get(browser.post(address, confirmation(shown.content)).headers["Location"])
        text = page.content.decode()
        assert "Priya Raman is the keyworker already" in text
        assert "entered in error or merged" in text
    assert keyworkers(team)["Good"] == ("Priya Raman", "")


@pytest.mark.parametrize("what", ["voided", "given", "role"])
def test_a_change_since_the_preview_writes_nothing_and_shows_anew(team: Team, what: str) -> None:
    one, two = team.client("One"), team.client("Two")
    browser, address = team.browser(team.manager), team.address("allocation/")
    confirmed = confirmation(browser.post(address, form(one, two, who=team.worker)).content)
    if what == "voided":
        with acting_for(team.organisation):
            Client.objects.filter(pk=one.pk).update(voided_at=NOW, voided_reason="twice")
    elif what == "given":
        team.give(one, team.colleague)
    else:
        Membership.objects.filter(user=team.worker).update(valid_until=clock.today() - dt.timedelta(days=1))
    answer = browser.post(address, confirmed)
    if what == "role":
        assert answer.status_code == 422
        assert b"does not work with clients here today" in answer.content
        assert b"Dana is on leave" in answer.content
    else:
        assert answer.status_code == 409
        assert b"Nothing was written" in answer.content
        assert browser.post(address, confirmation(answer.content)).status_code == 302
        assert keyworkers(team)["Two"] == ("Priya Raman", "")
        return
    with acting_for(team.organisation):
        assert not AllocationRun.objects.exists()


def test_a_stamp_of_another_wish_is_refused(team: Team) -> None:
    """The control is the stamp: without the comparison a changed reason or person would be written unseen."""
    browser, address = team.browser(team.manager), team.address("allocation/")
    confirmed = confirmation(browser.post(address, form(team.client(), who=team.worker)).content)
    for change in ({"keyworker": str(team.colleague.pk)}, {"reason": "another"}, {"stamp": "0" * 64}):
        assert browser.post(address, confirmed | change).status_code == 409, change
    with acting_for(team.organisation):
        assert not Allocation.objects.exists()


def test_other_organisations_people_and_clients_are_refused_alike(team: Team) -> None:
    other = make_team()
    foreign = other.client("Elsewhere")
    mine = team.client("Mine")
    browser, address = team.browser(team.manager), team.address("allocation/")
    absent = browser.post(
        address, form(mine, who=team.worker) | {"client": ["00000000-0000-4000-8000-00000000dead"]}
    )
    theirs = browser.post(address, form(foreign, who=team.worker))
    assert absent.status_code == theirs.status_code == 404
    assert absent.content == theirs.content
    mixed = browser.post(address, form(mine, foreign, who=team.worker))
    assert mixed.status_code == 404
    person = browser.post(address, form(mine, who=other.worker))
    assert person.status_code == 422
    assert b"does not work with clients here today" in person.content
    confirmed = confirmation(browser.post(address, form(mine, who=team.worker)).content)
    assert browser.post(address, confirmed | {"client": [str(foreign.pk)]}).status_code == 404
    done = browser.post(address, confirmed)
    assert team.browser(team.manager).get(done.headers["Location"]).status_code == 200
    away = other.browser(other.manager)
    elsewhere = done.headers["Location"].replace(team.organisation.slug, other.organisation.slug)
    assert away.get(elsewhere).status_code == away.post(elsewhere).status_code == 404
    assert keyworkers(team)["Mine"] == ("Priya Raman", "")


def test_only_who_may_allocate_does(team: Team) -> None:
    client = team.client()
    manager, address = team.browser(team.manager), team.address("allocation/")
    done = manager.post(
        address, confirmation(manager.post(address, form(client, who=team.colleague)).content)
    )
    browser = team.browser(team.worker)
    for method in (browser.get, browser.post):
        assert method(done.headers["Location"]).status_code == 404
    with acting(team, team.worker), pytest.raises(Denied):
        selectors_allocation.run_of(UUID(done.headers["Location"].split("/")[-2]))
    assert browser.get(team.address("allocation/")).status_code == 404
    assert browser.post(team.address("allocation/"), form(client, who=team.worker)).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client": []}, "Choose at least one client"),
        ({"keyworker": ""}, "Choose a person"),
        ({"reason": "  "}, "Enter the reason"),
        ({"reason": "r" * 501}, "The reason must be 500 characters or fewer. There are 501"),
        ({"kind": "cover"}, "Enter the last day of the cover"),
        ({"valid_from_day": "25"}, "today"),
        ({"valid_from_day": "31", "valid_from_month": "2"}, "valid_from"),
        ({"kind": ""}, "Choose what to do"),
    ],
)
def test_bad_input_says_what_to_do_and_loses_nothing(team: Team, change: dict[str, Any], said: str) -> None:
    client = team.client()
    page = team.browser(team.manager).post(
        team.address("allocation/"), form(client, who=team.worker) | change
    )
    assert page.status_code == 422
    text = page.content.decode()
    assert said in text
    if "client" not in change:
        assert re.search(rf'value="{client.pk}" id="client_{client.pk}" checked', text)
    if "reason" not in change:
        assert "Dana is on leave" in text


def test_select_all_keeps_what_was_typed_and_chosen_elsewhere(team: Team) -> None:
    new, colleagues = team.client("New"), team.client("Colleagues")
    team.give(colleagues, team.colleague)
    page = team.browser(team.manager).post(
        team.address("allocation/"), form(colleagues, who=team.worker, choose="all", reason="typed")
    )
    assert page.status_code == 200
    text = page.content.decode()
    assert re.search(rf'id="client_{new.pk}" checked', text)
    assert f'type="hidden" name="client" value="{colleagues.pk}"' in text
    assert "typed" in text
    assert "There is a problem" not in text


def test_undoing_leaves_what_was_changed_since(team: Team) -> None:
    one, two = team.client("One"), team.client("Two")
    browser, address = team.browser(team.manager), team.address("allocation/")
    done = browser.post(address, confirmation(browser.post(address, form(one, two, who=team.worker)).content))
    browser.post(address, confirmation(browser.post(address, form(one, who=team.colleague)).content))
    assert browser.post(done.headers["Location"]).status_code == 302
    assert keyworkers(team) == {"One": ("Dana Okoro", ""), "Two": ("", "")}
    assert b"Allocated anew since" in browser.get(done.headers["Location"]).content


def test_a_leavers_clients_stand_with_those_without_a_keyworker(team: Team) -> None:
    client = team.client("Left")
    team.give(client, team.colleague)
    page = team.browser(team.manager).get(team.address("allocation/"))
    assert b"LEFT, Marc" not in page.content
    Membership.objects.filter(user=team.colleague).update(valid_until=clock.today() - dt.timedelta(days=1))
    page = team.browser(team.manager).get(team.address("allocation/"))
    assert b"LEFT, Marc" in page.content
    assert b"Does not work here now" in page.content
    give(team.colleague, team.organisation, "clinician")
    assert b"LEFT, Marc" not in team.browser(team.manager).get(team.address("allocation/")).content


def test_waiting_referrals_oldest_first_by_key(team: Team, monkeypatch: Any) -> None:
    today = clock.today()
    team.client("Undated", referred_on=None, triaged_on=None)
    late = team.client("Later", referred_on=today - dt.timedelta(days=1), triaged_on=None)
    team.client("First", referred_on=today - dt.timedelta(days=40), triaged_on=None)
    team.client("Triaged")
    team.client("Closed", triaged_on=None, discharged_on=today, discharge_reason="80")
    team.give(late, team.worker)
    page = team.browser(team.worker).get(team.address("waiting/")).content.decode()
    found = re.findall(r'role="rowheader"><a href="[^"]+">([^<]+)</a>', page)
    assert found == ["FIRST, Marc", "LATER, Marc", "UNDATED, Marc"]
    assert "40 days" in page
    assert "1 day<" in page
    assert "Date not recorded" in page
    assert "Priya Raman" in page
    assert "Allocate" not in page
    assert (
        f"allocation/?show=waiting&amp;client={late.pk}"
        in team.browser(team.manager).get(team.address("waiting/")).content.decode()
    )
    with acting_for(team.organisation):
        seen, after = [], ""
        while True:
            rows, after = selectors_allocation.waiting_referrals(after=after, limit=1)
            seen += [row.client.clientidentity.surname for row in rows]
            if not after:
                break
    assert seen == ["First", "Later", "Undated"]


@pytest.mark.parametrize(
    "after", ["x", "2026-13-01~1", "~", "2026-01-01~", "2026-01-01~x", "~999999999999999999999"]
)
def test_a_made_up_key_is_the_beginning(team: Team, after: str) -> None:
    team.client(triaged_on=None)
    for path in ("waiting/", "allocation/", ""):
        assert team.browser(team.manager).get(team.address(path), {"after": after}).status_code == 200


def test_the_service_itself_asks_who_may(team: Team) -> None:
    client, other = team.client(), make_team()
    with acting(team, team.manager, "team_manager"):
        for who, last, said in (
            (other.worker, None, "does not work with clients here today"),
            (team.worker, clock.today(), "Only cover has a last day"),
        ):
            with pytest.raises(allocation.Refused, match=said):
                allocation.plan(allocation.Wish((client.pk,), "keyworker", who, clock.today(), last, "x"))
    with acting(team, team.worker), pytest.raises(Denied):
        allocation.plan(allocation.Wish((client.pk,), "keyworker", team.worker, clock.today(), None, "x"))
    with acting(team, team.worker), pytest.raises(Denied):
        allocation.undo(run_id=client.pk, acting_user=team.worker)
