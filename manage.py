#!/usr/bin/env python3
"""Django's command line; outside the virtual environment it re-runs itself inside."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run a management command. Exits with one line when nothing is set up yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.local")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
        # The prefix, not the program: a virtual environment's python is a link to the one that we may be running.
        if os.access(python, os.X_OK) and Path(sys.prefix) != python.parent.parent:
            os.execv(python, [str(python), *sys.argv])  # noqa: S606  no shell is wanted
        sys.exit("manage.py: Django is not installed; run make setup")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
