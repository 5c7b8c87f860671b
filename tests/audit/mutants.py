"""A module of ours with one control taken out: what a test says of it must be no."""

from __future__ import annotations

import importlib
import inspect
import types


def mutant(name: str, old: str, new: str) -> types.ModuleType:
    """The module with one piece of its source replaced; the text must stand there exactly once."""
    source = inspect.getsource(importlib.import_module(name))
    assert source.count(old) == 1, f"{name}: {old!r} stands there {source.count(old)} times"
    made = types.ModuleType(name)
    made.__dict__["__name__"] = name
    exec(compile(source.replace(old, new), f"<{name}, mutant>", "exec"), made.__dict__)  # noqa: S102  # our own source
    return made
