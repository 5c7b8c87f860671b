"""Every form of more than three questions keeps a draft: looked for in the pages themselves, so that none is forgotten."""

from __future__ import annotations

import re

import pytest

from tests.access.filling import form_for, forms_of
from tests.access.tables import lines
from tests.access.test_two_tabs import path_of, role_of
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db
LONGEST = 3
# Why a longer form keeps none.
EXEMPT = {
    "o/<slug:organisation>/caseload/": "a filter that is kept under a name: what is chosen is in the address",
    "o/<slug:organisation>/trail/": "a search: nothing is written",
}


@pytest.fixture
def world() -> World:
    return make_world()


def test_every_long_form_keeps_a_draft(world: World) -> None:
    without, kept = [], 0
    for (route, method), line in sorted(lines().items()):
        if method != "GET" or not line.offered or not line.of_organisation:
            continue
        who = role_of(line)
        path = path_of(line, world.own, who)
        answer = world.browser(who).get(path)
        if answer.status_code != 200 or answer.streaming:
            continue
        page = answer.content.decode()
        for form in forms_of(page):
            if form.method != "post" or len(form.asked) <= LONGEST:
                continue
            if re.search(r"<form[^>]*data-app-draft=", page) and form_for(page, path) == form:
                kept += 1
            elif route not in EXEMPT:
                without.append((route, [control.name for control in form.asked]))
    print(f"{kept} long forms keep a draft")
    assert without == [], "\n".join(map(str, without))
    assert kept >= 5
