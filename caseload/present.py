"""A client and an episode in words, for pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from caseload import client_rows
from caseload.dataset.reader import load_dictionary
from caseload.models import Client, ClientIdentity, Episode

ANY_LETTER = "R"


def list_name(forename: str, surname: str) -> str:
    """As lists show it: FENWICK, Marcus; what is missing is said."""
    if not surname and not forename:
        return "Name not recorded"
    return ", ".join([surname.upper() or "(NO SURNAME)", forename or "(no forename)"])


def name_of(client: Client | None) -> str:
    """A client as lists show them, where the identity was fetched along."""
    who: ClientIdentity | None = getattr(client, "clientidentity", None)
    return list_name(who.forename, who.surname) if who else "Name not recorded"


def age_on(born: dt.date | None, day: dt.date) -> int | None:
    """Years on a day."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def nhs_number(text: str) -> str:
    """In groups of 3, 3 and 4, when it has ten digits."""
    return f"{text[:3]} {text[3:6]} {text[6:]}" if len(text) == 10 and text.isdigit() else text


def identity(client: Client, today: dt.date) -> dict[str, Any]:
    """What the identity bar shows."""
    who: ClientIdentity | None = getattr(client, "clientidentity", None)
    registrations = list(client.registrations.select_related("service").order_by("client_id_text"))
    return {
        "name": list_name(who.forename, who.surname) if who else "Name not recorded",
        "born": who.date_of_birth if who else None,
        "age": age_on(who.date_of_birth, today) if who else None,
        "nhs_number": nhs_number(who.nhs_number) if who else "",
        "client_ids": [f"{r.client_id_text} ({r.service.agency_code})" for r in registrations],
        "record": str(client),
        "unasked": any(not e.consent and e.discharged_on is None for e in client_rows.episodes(client.pk)),
    }


def unasked(clients: Iterable[UUID]) -> set[UUID]:
    """Those of the clients who have an open episode whose NDTMS consent nobody asked for. One query."""
    open_ones = Episode.objects.filter(voided_at__isnull=True, discharged_on__isnull=True, consent="")
    return set(open_ones.filter(client_id__in=list(clients)).values_list("client_id", flat=True))


def code_words(list_name_: str, code: str) -> str:
    """The label of a code, or the code itself where the dictionary has none."""
    if not code:
        return ""
    return load_dictionary().codes(list_name_, ANY_LETTER).get(code, code)


def consent_badge(episode: Episode) -> tuple[str, str]:
    """(badge, words) of the NDTMS consent of an episode. Not asked never looks like no; no is a decision, not a fault."""
    if episode.consent == "Y":
        return "ok", "Yes"
    if episode.consent == "N":
        return "none", "No"
    return "late", "Not asked"


def episode_row(episode: Episode) -> dict[str, Any]:
    """An episode in a list."""
    badge, words = consent_badge(episode)
    return {
        "id": episode.pk,
        "episode_id": episode.episode_id,
        "agency": episode.service.agency_code,
        "service": episode.service.name,
        "client_id": episode.registration.client_id_text,
        "referred_on": episode.referred_on,
        "triaged_on": episode.triaged_on,
        "discharged_on": episode.discharged_on,
        "discharge_reason": code_words("discharge_reason", episode.discharge_reason),
        "referral_source": code_words("referral_source", episode.referral_source),
        "substances": [code_words("drug", d) for d in (episode.drug_1, episode.drug_2, episode.drug_3) if d],
        "main_problem": code_words("drug", episode.drug_1),
        "injecting": code_words("injecting_status", episode.injecting_status),
        "open": episode.discharged_on is None,
        "consent": episode.consent,
        "consent_on": episode.consent_on,
        "consent_badge": badge,
        "consent_words": words,
    }
