"""`import_caseload FOLDER [--dry-run]`: load a caseload bundle as the operator (contract sections 2 and 3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ndtms.caseload_import import BundleRefused, import_caseload


class Command(BaseCommand):
    """Prints one JSON object; exit 0 loaded, 1 refused, 2 wrong usage. Progress goes to standard error."""

    help = "Load a caseload bundle (a folder of CSV files) as the operator. All or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, and whether it is a rehearsal."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="do everything, then undo it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, print, exit."""
        try:
            loaded = import_caseload(
                options["folder"], dry_run=options["dry_run"], say=lambda words: self.stderr.write(words)
            )
        except BundleRefused as refused:
            self.stdout.write(
                json.dumps(
                    {"created": {}, "updated": {}, "unchanged": {}, "errors": refused.lines},
                    ensure_ascii=False,
                )
            )
            raise SystemExit(1) from None
        self.stdout.write(json.dumps(loaded.answer(), ensure_ascii=False))
