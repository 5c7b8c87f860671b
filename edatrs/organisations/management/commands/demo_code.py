"""`manage.py demo_code EMAIL`: the current one-time code of a person of the demo."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from edatrs.core import clock
from edatrs.organisations import directory
from edatrs.organisations.models import AuthenticatorApp
from edatrs.organisations.models.sign_in import step_at


class Command(BaseCommand):
    """Print the code that an authenticator app would show. In the demo only."""

    help = "Print the current one-time code of a person (in the demo only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """EMAIL."""
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints six digits."""
        if not settings.DEMO:
            raise CommandError(
                "codes are printed in the demo only: this is not one (settings.DEMO)", returncode=1
            )
        user = directory.user_by_email(options["email"])
        app = AuthenticatorApp.objects.filter(user=user, confirmed=True).first() if user else None
        if app is None:
            raise CommandError(
                "nobody with this e-mail address has set up an authenticator app", returncode=1
            )
        self.stdout.write(app.code_at(step_at(clock.now())))
