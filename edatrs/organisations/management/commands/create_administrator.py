"""`manage.py create_administrator`: the first person of an organisation, who can then invite the others."""

from __future__ import annotations

import datetime as dt
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import ClearanceKind, Role
from edatrs.organisations.models import Organisation, PasswordLink
from edatrs.organisations.services import clearances, password_links, people

_CLEARANCES = {kind.value: kind.label[:1].lower() + kind.label[1:] for kind in ClearanceKind}


def _dates(text: str) -> tuple[dt.date, dt.date | None]:
    """A day and, behind a colon, the last valid one or nothing. Raises ArgumentTypeError."""
    done, _, until = text.partition(":")
    try:
        first, last = dt.date.fromisoformat(done), dt.date.fromisoformat(until) if until else None
    except ValueError:
        raise ArgumentTypeError("write the dates as 2026-04-06:2027-04-05") from None
    if last is not None and last < first:
        raise ArgumentTypeError("the last valid day is before the first")
    return first, last


class Command(BaseCommand):
    """Create or update a person with a role; prints a link that sets the password once, never a password."""

    help = "Create or update a person with a role at an organisation and print a one-time link to set the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, where, as what."""
        parser.add_argument("--organisation", required=True, metavar="SLUG")
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", choices=Role.values, default=Role.ORGANISATION_ADMINISTRATOR.value)
        for kind, words in _CLEARANCES.items():
            parser.add_argument(
                f"--{kind.replace('_', '-')}",
                metavar="DONE_ON:VALID_UNTIL",
                type=_dates,
                help=f"dates of the {words}, such as 2026-04-06:2027-04-05, or 2026-04-06: without an end",
            )
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input instead of making a link",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one JSON object."""
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        with open_scope(actor=Actor.OPERATOR, person_label="operator"):
            organisation = Organisation.objects.filter(slug=options["organisation"]).first()
            if organisation is None:
                raise CommandError(
                    f"there is no organisation '{options['organisation']}': see load_partnership",
                    returncode=1,
                )
            try:
                user = people.add_person(
                    email=options["email"],
                    name=options["name"],
                    organisation=organisation,
                    role=options["role"],
                    password=password,
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages), returncode=1) from None
            for kind in _CLEARANCES:
                if options[kind]:
                    done_on, valid_until = options[kind]
                    clearances.write(
                        person=user,
                        organisation=organisation,
                        kind=kind,
                        done_on=done_on,
                        valid_until=valid_until,
                    )
            result = {"email": user.email, "organisation": organisation.slug, "role": options["role"]}
            if password is None:
                _, result["set_password"] = password_links.make(
                    user=user, purpose=PasswordLink.Purpose.INVITATION
                )
        self.stdout.write(json.dumps(result))
