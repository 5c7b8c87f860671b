"""Rows of the record, written in the open scope for the organisation acted for."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any
from uuid import uuid4

from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientInformationReview,
    ClientItems,
    ConfidentialityExplained,
    Episode,
    EpisodeClosing,
    EpisodeItems,
    Intervention,
    Outcome,
    Person,
    Registration,
    SubInterventionReview,
    TimeInTreatment,
)
from edatrs.core.scope import current_organisation
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import Organisation, Service

DAY = dt.date(2026, 4, 6)
PARTS = (ClientIdentity, ClientContact, ClientEquality, ClientDisability)
LISTS = (Intervention, SubInterventionReview, TimeInTreatment, Outcome, ClientInformationReview)
_numbers = count(1)


def make_service(organisation: Organisation, **fields: Any) -> Service:
    """A service of adults."""
    defaults = {"agency_code": f"T{next(_numbers):04d}", "name": "A service", "dataset": DataSet.ADULT}
    return Service.objects.create(organisation=organisation, **{**defaults, **fields})


def make_client(*, person: Person | None = None, **fields: Any) -> Client:
    """A client with nothing known of them."""
    return Client.objects.create(person=person or Person.objects.create(), **fields)


def make_part(model: type[Any], client: Client, **fields: Any) -> Any:
    """What is known of a client in a category of its own: identity, contact, equality or disability."""
    return model.objects.create(client=client, **fields)


def make_registration(
    *, client: Client | None = None, service: Service | None = None, **fields: Any
) -> Registration:
    """A client at a service of the organisation acted for."""
    organisation = Organisation.objects.get(pk=current_organisation())
    defaults = {"client_id_text": f"C{next(_numbers)}", "reference": ""}
    return Registration.objects.create(
        client=client or make_client(),
        service=service
        or Service.objects.filter(organisation=organisation).first()
        or make_service(organisation),
        **{**defaults, **fields},
    )


def make_episode(*, registration: Registration | None = None, **fields: Any) -> Episode:
    """An episode that began and has not ended."""
    registration = registration or make_registration()
    defaults = {"episode_id": f"E{next(_numbers)}", "referred_on": DAY, "triaged_on": DAY}
    return Episode.objects.create(
        registration=registration,
        client_id=registration.client_id,
        service_id=registration.service_id,
        **{**defaults, **fields},
    )


def make_entry(model: type[Any], episode: Episode, **fields: Any) -> Any:
    """An entry of one of the lists of an episode."""
    defaults = {"identifier": f"L{next(_numbers)}"}
    return model.objects.create(episode=episode, client_id=episode.client_id, **{**defaults, **fields})


def make_act_of_episode(model: type[Any], episode: Episode, **fields: Any) -> Any:
    """Something done with an episode: confidentiality explained, or a closing."""
    defaults: dict[str, Any] = {"recorded_by": uuid4(), "recorded_by_label": "A person"}
    if model is ConfidentialityExplained and not fields.get("reason"):
        defaults |= {"policy_version": "1", "explained_on": DAY, "understanding": "understood"}
    return model.objects.create(episode=episode, client_id=episode.client_id, **{**defaults, **fields})


def make_record(**fields: Any) -> Episode:
    """One row of every table of the record, for one client; `fields` are the episode's."""
    episode = make_episode(**fields)
    client = episode.client
    for part in PARTS:
        make_part(part, client)
    ClientItems.objects.create(client=client, category="health", items={"X": "1"})
    EpisodeItems.objects.create(episode=episode, client=client, category="health", items={"X": "1"})
    for entry in LISTS:
        make_entry(entry, episode)
    # Not explained yet, so that every text of it may hold words.
    make_act_of_episode(ConfidentialityExplained, episode, policy_version="1", reason="No time")
    make_act_of_episode(EpisodeClosing, episode)
    return episode
