"""From where somebody asks: what our own proxies say, never what the caller says."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from edatrs.organisations.address import UNKNOWN, address_of


@pytest.mark.parametrize(
    ("proxies", "said", "forwarded", "found"),
    [
        (0, "198.51.100.7", "", "198.51.100.7"),
        (0, "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        (1, "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (1, "10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),
        (2, "10.0.0.1", "1.1.1.1, 203.0.113.1, 10.0.0.9", "203.0.113.1"),
        (2, "10.0.0.1", "203.0.113.1", "10.0.0.1"),
        (1, "10.0.0.1", "not an address", UNKNOWN),
        (0, "", "", UNKNOWN),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (0, "::ffff:198.51.100.7", "", "198.51.100.7"),
    ],
)
def test_address(settings: Any, proxies: int, said: str, forwarded: str, found: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=said, **headers)) == found
