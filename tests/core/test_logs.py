"""A link that sets a password does not stand in a log."""

from __future__ import annotations

import logging

from edatrs.core.logs import WithoutLinks


def test_token_of_a_link_is_taken_out_and_the_rest_stays() -> None:
    record = logging.LogRecord(
        "django.request",
        logging.WARNING,
        "",
        0,
        "Forbidden: %s (%d)",
        ("/new-password/s3cr3t-token/", 403),
        None,
    )
    assert WithoutLinks().filter(record)
    assert record.getMessage() == "Forbidden: /new-password/…/ (403)"


def test_other_lines_stay_as_they_are() -> None:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not found: %s", ("/help/",), None)
    assert WithoutLinks().filter(record)
    assert record.args == ("/help/",)
