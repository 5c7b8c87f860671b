"""A link that sets a password does not stand in a log, nor what an exception quotes of a row or of what was typed (T4)."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection, transaction

from edatrs.celery import clean_logs
from edatrs.core.logs import WithoutContent, WithoutLinks
from edatrs.core.scope import ScopeMissing


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


def logged(
    problem: Callable[[], object], form: logging.Formatter, message: str = "Internal Server Error: %s"
) -> str:
    """The line and what is below it, of an exception that was raised."""
    try:
        problem()
    except Exception as raised:
        record = logging.LogRecord(
            "django.request",
            logging.ERROR,
            "",
            0,
            message,
            ("/o/here/",),
            (type(raised), raised, raised.__traceback__),
        )
        return form.format(record)
    raise AssertionError("nothing was raised")


def in_the_database(statement: str, *params: str) -> Callable[[], object]:
    def ask() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, params)

    return ask


def chained() -> None:
    try:
        {}[NAME]
    except KeyError as problem:
        raise RuntimeError(f"no {NAME} here") from problem


# Not beside the acts: a line of the program stands in what is logged.
NAME = "Leanne Marsh"
WITH_A_NAME: dict[str, Callable[[], object]] = {
    "what was typed": lambda: int(NAME),
    "a key": lambda: {}[NAME],
    "one led to another": chained,
    "a value in a statement": in_the_database("SELECT %s::int", NAME),
    "a row that is there already": in_the_database(
        "INSERT INTO auth_group (name) VALUES (%s), (%s)", NAME, NAME
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", WITH_A_NAME)
def test_an_exception_is_logged_without_what_it_quotes(what: str) -> None:
    line = logged(WITH_A_NAME[what], WithoutContent("%(levelname)s %(message)s"))
    assert line.startswith("ERROR Internal Server Error: /o/here/\nTraceback")
    assert "test_logs.py" in line, "where it was raised"
    assert NAME not in line
    assert NAME in logged(WITH_A_NAME[what], logging.Formatter("%(message)s")), "a plain log would hold it"


@pytest.mark.django_db
def test_a_refusal_of_the_database_is_named() -> None:
    line = logged(WITH_A_NAME["a row that is there already"], WithoutContent("%(message)s"))
    assert "UniqueViolation: 23505 auth_group auth_group_name_key" in line


def test_words_of_the_program_stay() -> None:
    def missing() -> None:
        raise ScopeMissing("no scope is open")

    assert "ScopeMissing: no scope is open" in logged(missing, WithoutContent("%(message)s"))


def test_what_celery_writes_of_a_failed_task_is_as_bare() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger = logging.Logger("celery.app.trace")  # noqa: LOG001  # one of its own
    logger.addHandler(handler)
    clean_logs(logger)
    try:
        int(NAME.upper())
    except ValueError as problem:
        said = {
            "name": "run_job",
            "id": "7",
            "description": "raised unexpected",
            "exc": repr(problem),
            "traceback": NAME.upper(),
        }
        logger.error("Task %(name)s[%(id)s] %(description)s: %(exc)s\n%(traceback)s", said, exc_info=True)
    written = handler.stream.getvalue()
    assert "[ERROR] Task run_job[7] raised unexpected" in written and "ValueError" in written
    assert NAME.upper() not in written


def test_an_exception_among_the_words_of_a_line_is_named_only() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "not sent: %s", (ValueError(NAME),), None)
    assert WithoutContent("%(message)s").format(record) == "not sent: ValueError"


def test_ours_is_the_formatter_of_every_handler() -> None:
    handlers = settings.LOGGING["handlers"].values()
    assert {handler["formatter"] for handler in handlers} == {"line"}
    assert settings.LOGGING["formatters"]["line"]["()"] == "edatrs.core.logs.WithoutContent"
