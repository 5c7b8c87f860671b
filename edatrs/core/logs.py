"""What must not stand in a log is taken out of it before it is written."""

from __future__ import annotations

import copy
import logging
import re
import traceback
from collections.abc import Mapping
from typing import Any

from django.db import OperationalError

from edatrs.core.scope import ScopeMissing

_LINK = re.compile(r"(/new-password/)[^/\s\"']+")
# Their words are the program's own. Of any other exception the words may be data: what a row held, what somebody typed.
_OWN_WORDS = (
    ImportError,
    NameError,
    AttributeError,
    NotImplementedError,
    OSError,
    OperationalError,
    ScopeMissing,
)


class WithoutLinks(logging.Filter):
    """Replaces the token of a link that sets a password; the rest of the line stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: lines are cleaned, not dropped."""
        words = record.getMessage()
        clean = _LINK.sub(r"\1…", words)
        if clean != words:
            record.msg, record.args = clean, None
        return True


class WithoutContent(logging.Formatter):
    """Writes where and how something failed, and not what it failed on: an exception quotes rows and what was typed (threat 22).

    `around` is another program's formatter (Celery's), whose line is kept.
    """

    def __init__(self, *args: Any, around: logging.Formatter | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.around = around

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the exception by `told`."""
        record = copy.copy(record)  # others may write it too
        if isinstance(record.args, Mapping):  # Celery's: the exception stands in it twice more
            again = {"exc": "", "traceback": ""} if record.exc_info else {}
            record.args = {name: _bare(value) for name, value in record.args.items()} | again
        elif record.args:
            record.args = tuple(map(_bare, record.args))
        record.exc_text = told(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
        if record.exc_text is None:
            record.exc_info = None
        return self.around.format(record) if self.around else super().format(record)


def _bare(value: Any) -> Any:
    return type(value).__name__ if isinstance(value, BaseException) else value


def told(problem: BaseException) -> str:
    """Where an exception and those that led to it were raised, by name; of the database's also the code and what it hurts."""
    before = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    frames = "".join(traceback.format_tb(problem.__traceback__))
    name = f"{type(problem).__module__}.{type(problem).__qualname__}".removeprefix("builtins.")
    words = f": {problem}" if isinstance(problem, _OWN_WORDS) else ""
    hurt = getattr(problem, "diag", None)
    if hurt is not None and not words:
        parts = (getattr(problem, "sqlstate", ""), hurt.table_name, hurt.column_name, hurt.constraint_name)
        words = ": " + " ".join(part for part in parts if part)
    this = f"Traceback (most recent call last):\n{frames}{name}{words}"
    return f"{told(before)}\n\nwhich led to:\n\n{this}" if before is not None else this


def clean(handlers: list[logging.Handler]) -> None:
    """Have the handlers of another program write no more than ours."""
    for handler in handlers:
        if not isinstance(handler.formatter, WithoutContent):
            handler.setFormatter(WithoutContent(around=handler.formatter or logging.Formatter()))
            handler.addFilter(WithoutLinks())
