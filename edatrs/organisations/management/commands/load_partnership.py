"""`manage.py load_partnership [FILE]`: the partners from a data file; without one, the Essex partnership and its sharing agreement."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.services import agreement_data, partnership


class Command(BaseCommand):
    """Load the partnership; safe to repeat. The agreement comes as a draft, with what its source leaves blank still blank."""

    help = (
        "Load partners, their services and dated letters from a JSON file "
        "(default: the Essex partnership, with its sharing agreement as a draft)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE."""
        parser.add_argument("file", nargs="?", type=Path, default=partnership.ESSEX, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one JSON object; exits 1 with every problem of the file and nothing written."""
        file: Path = options["file"]
        try:
            rows, sha256 = partnership.read(file)
            with open_scope(actor=Actor.OPERATOR, person_label="operator"):
                result: dict[str, Any] = partnership.load(rows, sha256=sha256)
                agreement_data.keep_contacts()
                if file == partnership.ESSEX:
                    made = agreement_data.load(agreement_data.read(agreement_data.ESSEX))
                    result["created" if made else "unchanged"]["agreements"] = 1
        except partnership.BadPartnership as bad:
            for problem in bad.problems:
                self.stderr.write(f"{file}: {problem}")
            self.stdout.write(
                json.dumps({"created": {}, "updated": {}, "unchanged": {}, "errors": bad.problems})
            )
            sys.exit(1)
        self.stdout.write(json.dumps({**result, "errors": []}))
