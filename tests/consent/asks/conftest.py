"""Fixtures of these tests."""

from __future__ import annotations

import pytest

from tests.factories.ask_desk import AskDesk, words_of


@pytest.fixture
def desk() -> AskDesk:
    return AskDesk()


@pytest.fixture
def asked(desk: AskDesk) -> AskDesk:
    desk.check()
    answer = desk.ask()
    assert answer.status_code == 302, words_of(answer)
    desk.browser.get(answer["Location"])  # the message that it is sent, once
    return desk
