"""The frame and the pages drawn with sample figures: what they must say, and what the content security policy forbids."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.template.loader import render_to_string

from edatrs.core import errors
from edatrs.core.dates import DateBoxes

TEMPLATES = Path(settings.BASE_DIR) / "templates"
DUTY = "Check the data set against the current NDTMS technical definitions before a live submission"
NOW = dt.datetime(2026, 11, 23, 9, 12, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
pytestmark = pytest.mark.urls("tests.frame.urls")


class BuildForm(forms.Form):
    service = forms.ChoiceField(
        label="Service", choices=[("1", "E1014 Open Road Chelmsford (adult, letter Q)")]
    )
    kind = forms.ChoiceField(
        label="Kind", choices=[("reporting", "Reporting"), ("full", "Full")], widget=forms.RadioSelect
    )
    as_of = DateBoxes(label="As-of date")


class RefuseForm(forms.Form):
    reason = forms.CharField(label="Reason", widget=forms.Textarea)


def frame(**more: Any) -> dict[str, Any]:
    return {
        "organisation": SimpleNamespace(name="Open Road <i>"),
        "user": SimpleNamespace(is_authenticated=True, full_name="Graham Tull"),
        "role_words": "NDTMS administrator",
        "areas": [
            {"key": "clients", "words": "Clients", "url": "/o/open-road/clients/"},
            {"key": "ndtms", "words": "Submissions", "url": "/o/open-road/ndtms/"},
        ],
        "area": "ndtms",
        "printed_at": NOW,
        "demo": True,
        "request": SimpleNamespace(path="/o/open-road/ndtms/", GET={}),
        **more,
    }


def submissions(**more: Any) -> str:
    row = {
        "id": "8",
        "when": NOW,
        "agency": "E1014",
        "service_name": "Open Road Chelmsford",
        "kind": "reporting",
        "kind_words": "Reporting",
        "letter": "Q",
        "as_of": TODAY,
        "episodes_sent": 1231,
        "withdrawn_clients": 1,
        "held_back_count": 5,
        "who": "Graham Tull",
        "state": "built",
        "state_badge": "info",
        "state_words": "Built",
        "url": "/o/open-road/ndtms/8/",
        "next_words": "Check and download",
    }
    service = {"agency": "E1014", "name": "Open Road Chelmsford", "dataset_words": "Adult", "letter": "Q"}
    context = {
        "services": [service],
        "form": BuildForm(initial={"as_of": TODAY}),
        "running": [],
        "rows": [row],
        "url_build": "/build/",
        "url_progress": "/progress/",
        "url_submissions": "/o/open-road/ndtms/",
    }
    return render_to_string("ndtms/submissions.html", frame(**context | more))


RUNNING = [
    {
        "id": "9",
        "words": "E1002 reporting",
        "percent": 64,
        "done": 1044,
        "of": 1631,
        "started": NOW,
        "who": "Graham Tull",
    }
]


def entry(client_id: str, episode_id: str, **more: Any) -> dict[str, Any]:
    """An episode of the preview, as the page gets it."""
    return {
        "agency": "E1014",
        "client_id": client_id,
        "episode_id": episode_id,
        "name": "",
        "url": "",
        **more,
    }


def submission(state: str = "built", **more: Any) -> str:
    s = {
        "id": "8",
        "agency": "E1014",
        "service_name": "Open Road Chelmsford",
        "kind_words": "Reporting extract",
        "letter": "Q",
        "as_of": TODAY,
        "window_start": dt.date(2025, 1, 1),
        "file_name": "E1014-20250101-20261123-TREAT-IN-Q.csv",
        "sha256": "7c" * 32,
        "rows": 1412,
        "episodes_sent": 1231,
        "withdrawn_clients": 1,
        "declined_omitted": 6,
        "not_asked": 11,
        "out_of_window": 47,
        "state": state,
        "state_badge": "info",
        "state_words": "Built",
        "asked_by": "Graham Tull",
        "asked_at": NOW,
        "built_at": None if state in ("building", "failed") else NOW,
        "downloads": [],
        "problem": "The folder is full",
    }
    rule = {"id": "E07", "words": "Main problem substance is missing", "remedy": "Choose it on the episode."}
    context = {
        "s": s,
        "held_back": [{"episode_id": "20391", "client_id": "10235", "rules": [rule]}],
        "preview": {
            "new_count": 300,
            "new": [entry("10300", str(n)) for n in range(200)],
            "replaced_count": 931,
            "removed_by_consent": [entry("10298", "20102", agreed=True)],
            "missing": [entry("10235", "20391")],
        },
        "warnings": [],
        "can": {"download": True, "confirm": True, "refuse": True},
        "refuse_form": RefuseForm(),
        "urls": {
            "list": "/list/",
            "build_full": "/build-full/",
            "download": "/download/",
            "confirm": "/confirm-load/",
            "refuse": "/refuse/",
        },
        "running": RUNNING if state == "building" else [],
        "url_progress": "/progress/",
    }
    return render_to_string("ndtms/submission.html", frame(**context | more))


def test_the_frame_says_who_acts_for_whom_and_where() -> None:
    html = submissions()
    assert "<title>Submissions to NDTMS – EDATRS caseload</title>" in html and '<html lang="en-GB"' in html
    assert "Open Road &lt;i&gt;" in html and "NDTMS administrator" in html
    assert '<a href="/o/open-road/ndtms/" aria-current="page">Submissions</a>' in html
    assert '<a href="/o/open-road/clients/">Clients</a>' in html
    assert '<form class="app-noprint" method="post" action="/sign-out/">' in html
    assert 'href="/choose/"' in html and '<a href="/help/">Help</a>' in html and "Privacy notice" not in html
    assert "Printed by Graham Tull, Open Road &lt;i&gt;, " in html and "Mon 23 Nov 2026, 09:12 GMT" in html
    assert "Everyone in it is invented" in html
    assert (
        '"allowEval":false' in html
        and '"includeIndicatorStyles":false' in html
        and '"selfRequestsOnly":true' in html
    )


def test_inside_an_area_its_entry_is_current_without_being_the_page() -> None:
    html = render_to_string("base.html", frame(request=SimpleNamespace(path="/o/open-road/ndtms/8/", GET={})))
    assert 'href="/o/open-road/ndtms/" aria-current="true"' in html
    html = render_to_string("base.html", frame(area=None, request=SimpleNamespace(path="/", GET={})))
    assert "aria-current" not in html


def test_somebody_signed_out_sees_no_name_and_no_areas() -> None:
    html = render_to_string("base.html", {"title": "Sign in"})
    assert "<title>Sign in – EDATRS caseload</title>" in html
    for words in ("Acting for", "Sign out", "Printed by", "app-nav", "invented"):
        assert words not in html


def test_a_page_with_errors_says_so_in_its_title() -> None:
    html = submissions(form=BuildForm({"service": "", "kind": "full", "as_of_day": "31"}))
    assert "<title>Error: Submissions to NDTMS" in html
    assert html.index("There is a problem") < html.index("<h1")
    assert "<title>Error: " in submission(refuse_form=RefuseForm({"reason": ""}))


@pytest.mark.parametrize("name", ["not_found", "bad_request", "failure", "form_expired"])
def test_error_pages_need_no_context_and_are_one_for_everybody(name: str) -> None:
    html = render_to_string(f"errors/{name}.html", {})
    assert html == render_to_string(f"errors/{name}.html", frame())
    assert html.count("<h1") == 1 and "EDATRS caseload</title>" in html and 'href="/static/app.css"' in html


def test_absent_and_forbidden_are_the_same_bytes(rf: Any) -> None:
    absent, forbidden = errors.not_found(rf.get("/o/a/x/")), errors.forbidden(rf.get("/o/b/y/"))
    assert absent.content == forbidden.content and absent.status_code == forbidden.status_code == 404


def test_while_a_file_is_built_the_page_follows_it_with_and_without_scripts() -> None:
    html = submissions(running=RUNNING)
    assert '<noscript><meta http-equiv="refresh" content="5; url=/o/open-road/ndtms/"></noscript>' in html
    assert 'hx-get="/progress/" hx-trigger="every 2s"' in html and 'role="status"' in html
    assert re.search(r'<progress [^>]*max="100" value="64">64%</progress>', html)
    assert "64%: 1,044 of 1,631 episodes written" in html
    assert "http-equiv" not in submissions() and "hx-get" not in submissions()


def test_nothing_typed_is_lost_to_a_page_that_loads_itself() -> None:
    still = SimpleNamespace(path="/o/open-road/ndtms/", GET={"still": "1"})
    assert "http-equiv" not in submissions(running=RUNNING, request=still)
    assert "http-equiv" not in submissions(running=RUNNING, form=BuildForm({"kind": "full"}))


def test_the_fragment_brings_the_list_with_it_when_the_build_has_ended() -> None:
    html = render_to_string(
        "ndtms/_progress.html",
        {"running": RUNNING, "fragment": True, "rows": [], "url_progress": "/progress/"},
    )
    assert 'hx-get="/progress/"' in html and "hx-swap-oob" not in html and "<html" not in html
    html = render_to_string(
        "ndtms/_progress.html", {"running": [], "fragment": True, "rows": [], "url_progress": "/p/"}
    )
    assert "hx-get" not in html and 'id="files" aria-labelledby="files-h" hx-swap-oob="true"' in html


def test_the_list_says_what_is_in_each_file() -> None:
    html = submissions()
    assert "1,231 episodes, 1 person withdrawn, 5 held back" in html
    assert '<strong class="govuk-tag app-info">Built</strong>' in html
    assert "No file yet" in submissions(rows=[])
    assert "No service to build for" in submissions(services=[]) and 'id="build"' not in submissions(
        services=[]
    )
    assert 'id="build"' not in submissions(url_build="")


def test_another_date_first_says_what_it_costs_and_offers_today() -> None:
    form = BuildForm(
        {"service": "1", "kind": "full", "as_of_day": "31", "as_of_month": "Oct", "as_of_year": "2026"}
    )
    cost = {
        "agency": "E1014",
        "service_name": "Open Road Chelmsford",
        "as_of": dt.date(2026, 10, 31),
        "held_back": 12,
        "today": TODAY,
    }
    html = submissions(form=form, confirm=cost)
    assert "would hold back 12 episodes" in html and "(E08)" in html
    assert html.index('name="as_of_today"') < html.index('name="confirmed"')
    for pair in (
        ("as_of_day", "31"),
        ("as_of_month", "Oct"),
        ("as_of_year", "2026"),
        ("kind", "full"),
        ("service", "1"),
    ):
        assert '<input type="hidden" name="{}" value="{}">'.format(*pair) in html
    assert "would hold back nothing more" in submissions(form=form, confirm=cost | {"held_back": 0})


def test_a_warning_puts_the_safer_way_first() -> None:
    html = submission(warnings=["Episode 20102 was agreed to and is removed too"])
    full, anyway = html.index("Build a full extract instead"), html.index("Download this file anyway")
    assert html.index("Episode 20102 was agreed to and is removed too") < full < anyway
    assert html.count('class="govuk-button"') == 1, "one green button"
    html = submission(warnings=["Held back by E07"], urls={"list": "/list/", "build_full": ""})
    assert "Build a full extract instead" not in html


def test_the_preview_names_every_episode() -> None:
    html = submission()
    for words in (
        "Held back: 1 episode",
        "(E07)",
        "Choose it on the episode.",
        "Missing: 1 episode",
        "20102",
        "20391",
    ):
        assert words in html
    assert "The first 200 of 300" in html and "7c" * 32 in html
    assert "Said no, and never sent" in html and "Ended before" in html


def test_who_may_not_see_rows_is_not_told_that_there_are_none() -> None:
    none = {"new_count": 0, "new": [], "replaced_count": 0, "removed_by_consent": [], "missing": []}
    html = submission(held_back=[], preview=none, sees_rows=False)
    for words in (
        "New to NDTMS",
        "Missing",
        "Held back",
        "no mismatch",
        "every rule is met",
        "What NDTMS will do",
    ):
        assert words not in html
    assert "1,231" in html and "Withdrawn" in html and "Not asked yet" in html


def test_a_cut_list_says_how_many_there_are() -> None:
    html = submission(held_back_count=5000)
    assert "Held back: 5,000 episodes" in html and "The first 1 of 5,000" in html
    assert "The first 1 of" not in submission()


def test_a_full_extract_is_offered_only_where_it_helps() -> None:
    assert "Build a full extract instead" not in submission(warnings=["Held back by E07"], full_keeps=False)


def test_what_one_may_not_do_is_not_there() -> None:
    html = submission(can={"download": False, "confirm": False, "refuse": False})
    for words in ("Download the file", "Record as loaded", "Record as refused"):
        assert words in submission() and words not in html


@pytest.mark.parametrize("state", ["building", "failed", "built", "loaded", "refused"])
def test_every_page_about_files_names_the_duty(state: str) -> None:
    assert DUTY in submission(state, demo=False)
    assert submission(state, demo=False).count("<h1") == 1


def test_every_list_of_files_and_the_help_name_the_duty() -> None:
    assert DUTY in submissions(demo=False) and DUTY in submissions(demo=False, services=[], rows=[])
    assert DUTY in render_to_string("help/index.html", {})


def test_no_template_holds_what_the_content_security_policy_refuses() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    assert sources
    for path, source in sources.items():
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:", source), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", source), path
        assert not re.search(r"\|\s*safe\b|autoescape off|mark_safe", source), path


def test_the_styles_fetch_nothing_that_is_not_ours() -> None:
    for path in (TEMPLATES / "styles").glob("*.scss"):
        source = path.read_text(encoding="utf-8")
        assert "@font-face" not in source and "GDS Transport" not in source and "http" not in source, path
