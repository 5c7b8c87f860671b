"""`sign_heads`: sign the heads of all chains now, or after the trail was put back from a backup."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import heads
from edatrs.core.scope import Actor


class Command(BaseCommand):
    """Exit 0: a statement was signed, is in the folder and in the database. Exit 1: it contradicts what was signed before."""

    help = "Sign the heads of all chains now and write the statement outside the database. Prints its number, time and fingerprint."

    def add_arguments(self, parser: CommandParser) -> None:
        """After a restore, or only the key."""
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="the trail was put back from a backup: sign although it is shorter than signed. Every partner sees it",
        )
        parser.add_argument("--public-key", action="store_true", help="print the public key and sign nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign, or print the key."""
        if options["public_key"]:
            self.stdout.write(heads.public_key().hex())
            return
        try:
            signed = heads.sign(restored=options["after_restore"], actor=Actor.OPERATOR)
        except heads.SigningRefused as refused:
            raise CommandError(
                f"nothing was signed: {refused}. Run verify_audit; after a restore that was meant: --after-restore"
            ) from None
        assert signed is not None  # noqa: S101  # only `only_if_due` gives None
        self.stdout.write(
            json.dumps(
                {"number": signed.statement.number, "at": signed.statement.at, "sha256": signed.digest}
            )
        )
