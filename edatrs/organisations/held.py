"""The page that somebody meets whose training or background check has run out: what is wrong, and whom to ask. Nothing else is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from edatrs.core import clock
from edatrs.organisations.choices import Role
from edatrs.organisations.clearances import Standing, standing_of
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.selectors import held_organisations, people_holding

MOST_NAMES = 5


@dataclass(frozen=True)
class Held:
    """What holds somebody's access at an organisation, and who there can record new dates."""

    name: str
    slug: str
    standings: list[Standing]
    ask: list[str]

    @property
    def reasons(self) -> list[str]:
        """In words for the person."""
        return [standing.to_the_person for standing in self.standings]


def held_at(organisation: Organisation, user: User) -> Held:
    """What holds a person's access there today."""
    today = clock.today()
    holding = [standing for standing in standing_of(organisation, user.pk, today) if standing.holds]
    others = people_holding(organisation.pk, [Role.ORGANISATION_ADMINISTRATOR], today).exclude(pk=user.pk)
    names = others.order_by("full_name").values_list("full_name", flat=True)[:MOST_NAMES]
    return Held(organisation.name, organisation.slug, holding, list(names))


def held_everywhere(user: User) -> list[Held]:
    """The same for each organisation where something holds it."""
    return [held_at(organisation, user) for organisation in held_organisations(user, clock.today())]


def held_page(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """403: the person is known, and may do nothing here until the dates are recorded. The same for every address."""
    user: Any = request.user
    return render(request, "organisations/held.html", {"held": held_at(organisation, user)}, status=403)
