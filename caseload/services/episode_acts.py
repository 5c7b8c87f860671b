"""What is done with an episode beside recording it: explain confidentiality before assessment, register for it, close it, open it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from caseload import client_rows
from caseload.models import Client, ConfidentialityExplained, Episode, EpisodeClosing, Registration
from caseload.services import search_index
from caseload.services.clients import ClientIdTaken, next_client_id
from caseload.services.entries import entries_of, read_entry, save_entry
from caseload.services.episodes import change_section, read_section
from caseload.services.items import Refused, note, row_of_form
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import Service, User

DISCHARGE = "discharge"
INTERVENTIONS = "interventions"


# ---- where the episode begins ---------------------------------------------------------------------------------------


def register_at(
    *, client: Client, service: Service, client_id_text: str, form_id: UUID, acting_user: User
) -> Registration:
    """Register a client of the organisation at another of its services. A form sent twice registers once. Raises ClientIdTaken, Denied."""
    if service.organisation_id != current_organisation():
        raise Denied("client.register", "the service is another organisation's", subject=str(service.pk))
    pk = row_of_form(form_id)
    there: Registration | None = Registration.objects.filter(pk=pk, client=client).first()
    if there is not None:
        return there
    made = Registration(
        pk=pk, client=client, service=service, client_id_text=client_id_text, act=current_scope().act
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        if "clientid_once_an_agency" not in str(error):
            raise
        raise ClientIdTaken(
            f"{client_id_text} is or was a client ID at {service.agency_code}, and is never used again. "
            f"Use another; the next free number is {next_client_id(service)}"
        ) from None
    search_index.refresh([client.pk])
    note(client.pk, what=["registered"], row=str(pk))
    return made


# ---- confidentiality (O-132) ------------------------------------------------------------------------------------------


def confidentiality_of(episode: Episode) -> ConfidentialityExplained | None:
    """What counts: the explanation, else the latest note why there was none; None when nobody was asked yet. One query."""
    rows = [row for row in client_rows.confidentiality(episode.client_id) if row.episode_id == episode.pk]
    explained = [row for row in rows if row.explained_on is not None]
    return (explained or rows or [None])[-1]


def explain_confidentiality(
    *, form_id: UUID, episode: Episode, policy_version: str, values: Mapping[str, Any], acting_user: User
) -> ConfidentialityExplained:
    """Record that the policy was explained aloud and in writing, or why it could not be. A form sent twice records once."""
    pk = row_of_form(form_id)
    Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    there: ConfidentialityExplained | None = ConfidentialityExplained.objects.filter(
        pk=pk, episode_id=episode.pk
    ).first()
    if there is not None:
        return there
    made = ConfidentialityExplained(
        pk=pk,
        client_id=episode.client_id,
        episode_id=episode.pk,
        policy_version=policy_version,
        recorded_by=acting_user.pk,
        recorded_by_label=acting_user.full_name,
        recorded_at=clock.now(),
        act=current_scope().act,
        **values,
    )
    made.save(force_insert=True)
    note(
        episode.client_id,
        what=["confidentiality_explained" if made.explained_on else "confidentiality_not_explained"],
        row=str(episode.pk),
    )
    return made


# ---- closing and opening again ------------------------------------------------------------------------------------------


def open_interventions(episode: Episode) -> list[Any]:
    """The interventions that began and have not ended. One query."""
    return [
        row
        for row in entries_of(episode, INTERVENTIONS)
        if row.started_on is not None and row.ended_on is None
    ]


def close_episode(
    *,
    episode: Episode,
    values: Mapping[str, Any],
    version: int,
    ending: Mapping[UUID, str],
    overruled: list[str],
    reason: str,
    acting_user: User,
) -> list[str]:
    """Discharge: the section, and the interventions in `ending` (id to exit status) on the same day, in one transaction.

    Raises Refused while an intervention would stay open, Stale where somebody saved something else meanwhile.
    """
    Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    day = values.get("DISD")
    closing = day is not None and read_section(episode, DISCHARGE).values["DISD"] is None
    still_open = open_interventions(episode)
    if closing and any(row.pk not in ending for row in still_open):
        raise Refused("An intervention is still open. End it, or take the discharge date out", "DISD")
    # First what may find a newer version: nothing else is written then.
    changed = change_section(
        episode=episode, key=DISCHARGE, values=values, version=version, acting_user=acting_user
    )
    ended = []
    for row in still_open:
        if day is not None and row.pk in ending:
            _set_end(episode, row, day, ending[row.pk], acting_user)
            ended.append(str(row.pk))
    if closing:
        _record(episode, False, reason if overruled else "", overruled, ended, acting_user)
    return [*changed, *ended]


def _set_end(episode: Episode, row: Any, day: Any, status: str, user: User) -> None:
    now = read_entry(episode, INTERVENTIONS, row)
    save_entry(
        episode=episode,
        list_name=INTERVENTIONS,
        row=row,
        form_id=None,
        values=now.values | {"MODEND": day, "MODEXIT": status},
        version=now.version,
        acting_user=user,
    )


def reopen_episode(
    *, episode: Episode, reason: str, again: list[UUID], version: int, acting_user: User
) -> list[str]:
    """Take a discharge out: date, reason and destination; and open the interventions in `again` that were ended with it.

    What stood before stays in the history. Raises Refused, Stale.
    """
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the record", "reason")
    Episode.objects.select_for_update(of=("self",)).get(pk=episode.pk)
    now = read_section(episode, DISCHARGE)
    if now.values["DISD"] is None and not now.values.get("DISRSN"):
        raise Refused("This episode is open already")
    could = {row.pk: row for row in ended_with(episode)}
    changed = change_section(
        episode=episode,
        key=DISCHARGE,
        values={name: None if name == "DISD" else "" for name in now.values},
        version=version,
        acting_user=acting_user,
    )
    opened = []
    for pk in again:
        if pk in could:
            _set_end(episode, could[pk], None, "", acting_user)
            opened.append(str(pk))
    _record(episode, True, reason.strip(), [], opened, acting_user)
    note(episode.client_id, what=["episode_reopened"], row=str(episode.pk))
    return changed


def ended_with(episode: Episode) -> list[Any]:
    """The interventions that were ended when the episode was closed last, and still end on that day. Two queries."""
    last = EpisodeClosing.objects.filter(episode_id=episode.pk).order_by("-recorded_at", "-pk").first()
    if last is None or last.reopened or not last.ended:
        return []
    return [
        row
        for row in entries_of(episode, INTERVENTIONS)
        if str(row.pk) in last.ended and row.ended_on is not None and row.ended_on == episode.discharged_on
    ]


def closings_of(episode: Episode) -> list[EpisodeClosing]:
    """When it was closed and opened again, the newest first. One query."""
    return [row for row in client_rows.closings(episode.client_id) if row.episode_id == episode.pk]


def _record(
    episode: Episode, reopened: bool, reason: str, overruled: list[str], ended: list[str], user: User
) -> None:
    EpisodeClosing(
        client_id=episode.client_id,
        episode_id=episode.pk,
        reopened=reopened,
        reason=reason,
        overruled=overruled,
        ended=ended,
        recorded_by=user.pk,
        recorded_by_label=user.full_name,
        recorded_at=clock.now(),
        act=current_scope().act,
    ).save(force_insert=True)
