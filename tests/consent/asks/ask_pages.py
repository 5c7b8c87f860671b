"""What the tests of asks share."""

from __future__ import annotations

import re
from typing import Any

from consent.models import AskDelivery
from tests.core.world import acting_for
from tests.factories.ask_desk import AskDesk


def main_of(answer: Any) -> str:
    """The main part of the page, without what every request changes."""
    found = re.search(r"<main.*</main>", answer.content.decode(), re.DOTALL)
    assert found and answer.status_code == 200
    text = found[0]
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    text = re.sub(r"AS-\d+|[0-9a-f]{8}-[0-9a-f-]{27}", "", text)
    return re.sub(r"<time[^>]*>[^<]*</time>|nonce=\"[^\"]+\"", "", text)


def deliveries(desk: AskDesk) -> int:
    with acting_for(desk.theirs):
        return AskDelivery.objects.count()


def asker_sees(desk: AskDesk) -> tuple[str, str, str]:
    return (
        main_of(desk.asked()),
        main_of(desk.browser.get(f"{desk.at}sharing/asks/")),
        main_of(desk.browser.get("/o/ours/requests/")),
    )
