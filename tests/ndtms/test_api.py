"""The API: the same answers as the pages, for the same people; what is not understood or refused changes nothing and says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from audit.models import AuditEvent
from caseload.dataset.reader import load_dictionary
from caseload.models import Episode
from edatrs.core import clock, registry
from edatrs.core.scope import Actor
from ndtms.choices import SubmissionState
from ndtms.models import Submission, SubmissionContent
from ndtms.urls import api_patterns
from tests.access.world import SIGNED_OUT, World, make_world
from tests.core.world import acting_for
from tests.factories.ndtms import make_download
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
ADMINISTRATOR, MANAGER, KEYWORKER = "ndtms_administrator", "team_manager", "keyworker"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def address(world: World, name: str, *pk: Any) -> str:
    return reverse(f"ndtms:{name}", args=[world.own.organisation.slug, *pk])


def ask(world: World, who: str, path: str, body: Any = None) -> Any:
    browser = world.browser(who)
    if body is None:
        return browser.get(path)
    return browser.post(path, json.dumps(body), content_type="application/json")


def submissions(world: World) -> list[Submission]:
    with acting_for(world.own.organisation):
        return list(Submission.objects.order_by("asked_at", "pk"))


def events(world: World, name: str) -> int:
    with acting_for(world.own.organisation):
        return AuditEvent.objects.filter(name=name).count()


def test_the_index_lists_what_the_roles_may_do_and_nothing_else(world: World) -> None:
    found = {
        who: ask(world, who, address(world, "api")).json()["results"] for who in (ADMINISTRATOR, KEYWORKER)
    }
    assert len(found[ADMINISTRATOR]) == len(api_patterns)
    listed = {(entry["url"].partition("/api/")[2], *entry["methods"]) for entry in found[KEYWORKER]}
    assert listed == {
        ("", "GET"),
        ("data-set/", "GET"),
        ("quality/", "GET"),
        ("quality/work-list/", "GET"),
    }


def test_a_build_is_asked_for_and_seen(world: World) -> None:
    before = {s.pk for s in submissions(world)}
    wish = {"service": world.own.agency, "kind": "full", "as_of": clock.today().isoformat(), "letter": "R"}
    asked = ask(world, ADMINISTRATOR, address(world, "api-submissions"), wish)
    assert asked.status_code == 202 and asked.json()["state"] == "building"
    [made] = [s for s in submissions(world) if s.pk not in before]
    assert (made.agency_code, made.kind, made.letter, made.letter_overridden) == (
        world.own.agency,
        "full",
        "R",
        True,
    )
    again = ask(world, ADMINISTRATOR, address(world, "api-submissions"), wish)
    assert (again.status_code, again.json()["problem"]) == (409, "already_building")
    seen = ask(world, MANAGER, asked.json()["url"]).json()
    assert seen["id"] == str(made.pk) and seen["downloads"] == []


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"service": "E9999"}, 409, "unknown_agency"),
        ({"letter": "Z"}, 409, "unknown_letter"),
        ({"as_of": "2999-01-01"}, 409, "as_of_in_future"),
        ({"as_of": "31/10/2026"}, 422, "as_of"),
        ({"kind": "weekly"}, 422, "kind"),
        ({"kind": None}, 422, "kind"),
        ({"service": "E1\x00"}, 422, "service"),
        ({"colour": "red"}, 422, "colour"),
        ({"letter": "QQ"}, 422, "letter"),
    ],
)
def test_a_wish_that_cannot_be_met_says_why_and_asks_for_nothing(
    world: World, change: dict[str, Any], status: int, where: str
) -> None:
    before = len(submissions(world))
    wish = {"service": world.own.agency, "kind": "reporting"} | change
    answer = ask(world, ADMINISTRATOR, address(world, "api-submissions"), wish)
    assert answer.status_code == status
    said = answer.json()
    assert said["words"] and (said["problem"] == where if status == 409 else where in said["fields"])
    assert len(submissions(world)) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
        (b"service,kind", "text/csv", 415),
    ],
)
def test_a_body_that_is_none_is_refused_with_words(world: World, body: bytes, kind: str, status: int) -> None:
    answer = world.browser(ADMINISTRATOR).post(address(world, "api-submissions"), body, content_type=kind)
    assert answer.status_code == status and answer.json()["words"]


def test_the_agency_of_another_organisation_is_refused(world: World) -> None:
    wish = {"service": world.other.agency, "kind": "full"}
    answer = ask(world, ADMINISTRATOR, address(world, "api-submissions"), wish)
    assert answer.status_code == 409
    with acting_for(world.other.organisation):
        assert not Submission.objects.filter(state=SubmissionState.BUILDING).exists()


def test_changes_need_the_token_of_the_sign_in(world: World) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = world.browser(ADMINISTRATOR).cookies
    path = address(world, "api-confirm", world.own.objects["submission"])
    refused = browser.post(path, "{}", content_type="application/json")
    assert refused.status_code == 403 and refused.json()["problem"] == "permission_denied"
    assert [s.state for s in submissions(world)] == [SubmissionState.BUILT]
    browser.get(f"/o/{world.own.organisation.slug}/submissions/")
    token = browser.cookies[next(name for name in browser.cookies if "csrf" in name)].value
    taken = browser.post(path, "{}", content_type="application/json", headers={"x-csrftoken": token})
    assert taken.status_code == 200 and taken.json()["state"] == "loaded"


def test_a_load_is_recorded_once_and_a_refusal_with_its_reason(world: World) -> None:
    pk = world.own.objects["submission"]
    without = ask(world, ADMINISTRATOR, address(world, "api-refuse", pk), {"reason": " "})
    assert without.status_code == 422 and "reason" in without.json()["fields"]
    answer = ask(world, ADMINISTRATOR, address(world, "api-refuse", pk), {"reason": "Of another month"})
    assert (answer.json()["state"], answer.json()["refused_reason"]) == ("refused", "Of another month")
    late = ask(world, ADMINISTRATOR, address(world, "api-confirm", pk), {})
    assert (late.status_code, late.json()["problem"]) == (409, "submission_refused")
    assert events(world, "ndtms.extract_refused") == 1 and events(world, "ndtms.extract_confirmed") == 0


def test_the_preview_names_episodes_but_not_those_who_asks_may_not_open(world: World) -> None:
    pk = world.own.objects["submission"]
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):
        # One that everybody may open: others of the world are sensitive, void or in conflict.
        episode = Episode.objects.get(pk=world.own.objects["episode"])
        Submission.objects.filter(pk=pk).update(service_id=episode.service_id)
        client_id = episode.registration.client_id_text
        kept = {
            "new": [[world.own.agency, client_id, episode.episode_id], [world.own.agency, "X", "not-ours"]],
            "replaced": 3,
            "removed_by_consent": [],
            "missing": [],
        }
        SubmissionContent.objects.filter(submission_id=pk).update(preview=kept)
    said = ask(world, ADMINISTRATOR, address(world, "api-preview", pk)).json()
    assert said["results"] == [
        {"agency": world.own.agency, "client_id": client_id, "episode_id": episode.episode_id}
    ]
    assert (said["new"], said["replaced"], said["unseen"], said["next"]) == (2, 3, 1, None)
    assert events(world, "ndtms.preview_viewed") == 1
    assert ask(world, ADMINISTRATOR, address(world, "api-preview", pk) + "?list=all").status_code == 422
    assert events(world, "ndtms.preview_viewed") == 1


def test_what_is_forbidden_answers_as_what_is_absent(world: World) -> None:
    pk = world.own.objects["submission"]
    forbidden = ask(world, MANAGER, address(world, "api-preview", pk))
    absent = ask(world, ADMINISTRATOR, address(world, "api-preview", world.other.objects["submission"]))
    assert forbidden.status_code == absent.status_code == 404 and forbidden.content == absent.content
    assert ask(world, SIGNED_OUT, address(world, "api")).status_code == 302


def test_files_come_by_pages_and_none_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndtms.api.submissions.PAGE", 2)
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):
        first = Submission.objects.get()
        for _ in range(4):
            first.pk, first._state.adding = None, True
            first.save()
    seen, path = [], address(world, "api-submissions")
    while path:
        page = ask(world, MANAGER, path).json()
        seen += [row["id"] for row in page["results"]]
        path = page["next"]
    assert sorted(seen) == sorted(str(s.pk) for s in submissions(world)) and len(seen) == 5


def test_the_desk_in_numbers_and_the_work_list_without_names(world: World) -> None:
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):
        episodes = list(Episode.objects.all())
        # One that everybody may open: others of the world are sensitive, void or in conflict.
        untriaged = Episode.objects.get(pk=world.own.objects["episode"])
        Episode.objects.filter(pk=untriaged.pk).update(triaged_on=None)
        registry.episodes_changed([e.pk for e in episodes])
        surnames = {e.client.clientidentity.surname for e in episodes}
    counts = ask(world, ADMINISTRATOR, address(world, "api-quality")).json()
    assert "E05" in {rule["rule"] for rule in counts["rules"]} and counts["stops"] >= 1
    answer = ask(world, ADMINISTRATOR, address(world, "api-work-list") + "?rule=E05")
    [line] = [row for row in answer.json()["results"] if row["episode_id"] == untriaged.episode_id]
    assert {fault["rule"] for fault in line["faults"]} >= {"E05"}
    assert not [name for name in surnames if name and name in answer.content.decode()]
    asked = ask(world, ADMINISTRATOR, address(world, "api-quality"), {})
    assert asked.status_code == 202
    assert ask(world, ADMINISTRATOR, address(world, "api-quality")).json()["being_checked"] is True
    assert ask(world, KEYWORKER, address(world, "api-quality"), {}).status_code == 404


def test_the_dictionary_of_a_letter(world: World) -> None:
    found = ask(world, KEYWORKER, address(world, "api-data-set") + "?dataset=cjit&letter=Q").json()
    assert [item["name"] for item in found["items"]] == [
        i.name for i in load_dictionary().columns("cjit", "Q")
    ]
    unknown = [n for n, held in found["code_lists"].items() if not load_dictionary().list_is_established(n)]
    assert all(not found["code_lists"][name]["codes"] for name in unknown)
    answer = ask(world, KEYWORKER, address(world, "api-data-set") + "?letter=Z")
    assert answer.status_code == 422 and "letter" in answer.json()["fields"]


def test_an_organisation_without_a_file_has_an_empty_list(db: None) -> None:
    """The first month: nothing was built yet."""
    organisation = make_organisation()
    browser = sign_in(Browser(), make_person(organisation, role=ADMINISTRATOR))
    for name, empty in (("api-submissions", []), ("api-work-list", [])):
        answer = browser.get(reverse(f"ndtms:{name}", args=[organisation.slug]))
        assert (answer.status_code, answer.json()) == (200, {"results": empty, "next": None})


@pytest.mark.parametrize(
    ("name", "body"), [("api-confirm", {}), ("api-refuse", {"reason": "Of another month"})]
)
def test_a_file_that_was_taken_still_says_so_when_its_load_is_recorded(
    world: World, name: str, body: dict[str, str]
) -> None:
    pk = world.own.objects["submission"]
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):
        submission = Submission.objects.get(pk=pk)
        if not submission.downloads.exists():
            make_download(submission)
    assert ask(world, ADMINISTRATOR, address(world, name, pk), body).json()["downloaded"] is True
