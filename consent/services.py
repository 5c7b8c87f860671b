"""Writes of the consent app: a decision is an act, never an overwritten flag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from caseload.dataset.window import window_start
from caseload.models import Client, Episode
from consent import rules, selectors
from consent.choices import Method, Origin, Wish
from consent.models import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation
from consent.uploads import SignedForm
from edatrs.core import clock, registry, trail
from edatrs.core.crypto import encrypt_bytes
from edatrs.core.scope import current_scope
from edatrs.organisations.choices import DataSet, Role
from edatrs.organisations.models import User
from edatrs.organisations.services.outbox import tell

RECORDED = "consent.ndtms.recorded"


class DecisionRefused(ValueError):
    """The decision cannot be recorded; the message says why and what to do. `field` is what it is about, where one is."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


class Superseded(RuntimeError):
    """Something was recorded on the episode after the page was opened: it must be seen before more is recorded."""


@dataclass(frozen=True)
class Sent:
    """The page that an answer was sent from: `key` is its own, so that sent twice it records once; `seen` counts what its history held.

    `seen` None: whoever records has no page and means what they say.
    """

    key: UUID | None = None
    seen: int | None = None


def record_ndtms_decision(
    *,
    episode: Episode,
    decision: str,
    decided_on: dt.date,
    method: str,
    statement_version: str,
    statement_said: bool,
    leaflet_given: bool,
    questions_answered: bool,
    acting_user: User,
    competence: str = "",
    competence_note: str = "",
    permission_by: str = "",
    permission_relation: str = "",
    young_person_knows: bool | None = None,
    form: SignedForm | None = None,
    sent: Sent | None = None,
) -> ConsentAct:
    """Record a yes or a no (a withdrawal is a no after a yes) on an episode of the organisation acted for, and push the latest answer.

    Locks the episode, so that two acts at once leave the later one standing. Raises DecisionRefused, Superseded. The same page sent twice
    gives the act that it recorded. It takes effect with the next file (O-136: discharge data stay as they are).
    """
    sent = sent or Sent()
    lock_client(episode.client_id)
    locked = _lock([episode.pk])[0]
    already = _recorded_from(
        ConsentAct, locked, sent, decision=decision, decided_on=decided_on, method=method
    )
    if already is not None:
        return already
    _not_superseded(locked, sent)
    young = locked.service.dataset == DataSet.YOUNG_PEOPLE
    problem = rules.problem_with(
        decision=decision,
        decided_on=decided_on,
        today=clock.today(),
        statement_version=statement_version,
        statement_said=statement_said,
        leaflet_given=leaflet_given,
        questions_answered=questions_answered,
    )
    if not problem and young:
        problem = rules.problem_with_competence(
            decision=decision,
            competence=competence,
            competence_note=competence_note,
            permission_by=permission_by,
            permission_relation=permission_relation,
        )
    if problem:
        raise DecisionRefused(problem, "answer")
    return _add_act(
        locked,
        acting_user,
        form=form,
        details={},
        decision=decision,
        decided_on=decided_on,
        method=Method(method),
        statement_version=statement_version.strip(),
        statement_said=statement_said,
        leaflet_given=leaflet_given,
        questions_answered=questions_answered,
        competence=competence,
        competence_note=competence_note.strip(),
        permission_by=permission_by.strip(),
        permission_relation=permission_relation.strip(),
        young_person_knows=young_person_knows if young else None,
        form_key=sent.key,
    )


def withdraw(
    *,
    client: Client,
    chosen: Collection[UUID],
    decided_on: dt.date,
    method: str,
    statement_version: str,
    left_out_reason: str,
    acting_user: User,
    wish: Wish | None = None,
    form: SignedForm | None = None,
    sent: Sent | None = None,
) -> list[ConsentAct]:
    """Record a no on each chosen episode of a client, open or closed, and change nothing else of it (O-136).

    `wish` is what the client said (O-135). Everything here: every episode that is not at no already is meant, also those that nobody asked
    about; to leave one out needs `left_out_reason`, and where one is left at yes the wish is kept as "these episodes only". These episodes
    only: those at yes that were chosen. None: whoever has no page and names the episodes at yes; all of them is everything here.

    All of them together, or none, under the lock of the client: a yes that somebody else records, on an episode that is there or on one
    that is being added, is either seen here and withdrawn, or comes after the withdrawal, as consent given again (O-144). Raises
    DecisionRefused, Superseded; the same page sent twice gives the acts that it recorded.
    """
    sent = sent or Sent()
    lock_client(client.pk)
    ids = Episode.objects.filter(client=client, voided_at__isnull=True).values_list("pk", flat=True)
    episodes = _lock(list(ids))
    agreed = [e for e in episodes if e.consent == "Y"]
    # Everything here is also what nobody asked about, so that nobody sends it by mistake.
    meant = [e for e in episodes if e.consent != "N"] if wish == Wish.ALL_HERE else agreed
    wanted = [e for e in meant if e.pk in chosen]
    if sent.key and (before := list(ConsentAct.objects.filter(client=client, form_key=sent.key))):
        return before
    if sent.seen is not None and sent.seen != selectors.seen_of_client(client):
        raise Superseded
    if len(wanted) != len(set(chosen)):
        raise Superseded  # one of them is not at yes any more, or is nobody's here
    problem = rules.problem_with_withdrawal(
        chosen=len(wanted),
        agreed=len(wanted) if wish == Wish.EPISODE else len(meant),
        decided_on=decided_on,
        today=clock.today(),
        left_out_reason=left_out_reason,
    )
    if problem:
        raise DecisionRefused(problem)
    left = [e for e in agreed if e.pk not in chosen]
    kept = Wish.EPISODE if left or wish == Wish.EPISODE else Wish.ALL_HERE
    whole = len(wanted) == len(meant) or wish == Wish.EPISODE
    acts = [
        _add_act(
            episode,
            acting_user,
            form=form,
            details={"wish": kept.value},
            decision="N",
            decided_on=decided_on,
            method=Method(method),
            statement_version=statement_version.strip(),
            statement_said=False,
            leaflet_given=False,
            questions_answered=False,
            wish=kept,
            left_out_reason="" if whole else left_out_reason.strip(),
            form_key=sent.key,
        )
        for episode in wanted
    ]
    _ask_for_full_file(wanted, left, acts[0])
    return acts


def _ask_for_full_file(withdrawn: list[Episode], left: list[Episode], act: ConsentAct) -> None:
    """Tell the NDTMS administrators where a monthly file would take out what the client wants kept (O-143, contract section 6)."""
    held = set(selectors.held_of([e.pk for e in [*withdrawn, *left]]))
    pulled = rules.pulled_along(withdrawn, left, held, window_start(clock.today()))
    for code in sorted({e.service.agency_code for e in pulled}):
        tell(
            unique_key=f"full-file:{act.pk}:{code}",
            organisation_id=act.organisation_id,
            role=Role.NDTMS_ADMINISTRATOR,
            words=f"Send a full file of {code}: somebody withdrew one episode and wants an older one kept; a monthly file takes out both.",
            link=f"/o/{current_scope().organisation_label}/submissions/",
        )


def record_not_now(
    *,
    episode: Episode,
    asked_on: dt.date,
    acting_user: User,
    note: str = "",
    sent: Sent | None = None,
) -> ConsentDeferral:
    """Asked, and no answer yet. Raises DecisionRefused on a day in the future, Superseded."""
    sent = sent or Sent()
    locked = _lock([episode.pk])[0]
    already = _recorded_from(ConsentDeferral, locked, sent, asked_on=asked_on, note=note.strip())
    if already is not None:
        return already
    _not_superseded(locked, sent)
    if asked_on > clock.today():
        raise DecisionRefused("The day is in the future. Enter the day it was asked.", "decided_on")
    deferral = ConsentDeferral(
        client_id=locked.client_id,
        episode=locked,
        asked_on=asked_on,
        note=note.strip(),
        form_key=sent.key,
        **_by(acting_user),
    )
    deferral.save(force_insert=True)
    trail.record(
        RECORDED,
        subject=str(locked.client_id),
        details={"answer": "not-now", "episode": str(locked.pk), "on": asked_on.isoformat()},
    )
    return deferral


def invalidate(*, consent_act: ConsentAct, reason: str, acting_user: User) -> ConsentInvalidation:
    """Mark an act as recorded in error, with a reason: it stays in the history and counts no longer; the act before it does again.

    Nothing is deleted or changed. A change of mind is not an error: that is a new act. Raises DecisionRefused.
    """
    lock_client(consent_act.client_id)
    episode = _lock([consent_act.episode_id])[0]
    done = ConsentInvalidation.objects.filter(consent_act=consent_act).exists()
    problem = rules.problem_with_invalidation(reason=reason, invalidated=done)
    if problem:
        raise DecisionRefused(problem, "reason")
    invalidation = ConsentInvalidation(
        client_id=episode.client_id,
        episode=episode,
        consent_act=consent_act,
        reason=reason.strip(),
        **_by(acting_user),
    )
    invalidation.save(force_insert=True)
    push_latest(episode=episode)
    trail.record(
        "consent.ndtms.invalidated",
        subject=str(episode.client_id),
        details={
            "consent": str(consent_act.pk),
            "episode": str(episode.pk),
            "answer": consent_act.decision,
        },
    )
    return invalidation


def push_latest(*, episode: Episode) -> None:
    """Write the latest decision that counts to the episode, if it is not there already: what was recorded in error does not count, and a
    no that was inherited at a merge does.
    """
    found = rules.latest(selectors.counting(episode))
    decision, on = (found.decision, found.decided_on) if found else ("", None)
    if (episode.consent, episode.consent_on) != (decision, on):
        Episode.objects.filter(pk=episode.pk).update(consent=decision, consent_on=on)
        episode.consent, episode.consent_on = decision, on
        registry.episodes_changed([episode.pk])


def push_latest_of(episode_ids: Collection[UUID]) -> None:
    """`push_latest` of several, where a load added acts to episodes that took over a no at a merge."""
    for episode in _lock(episode_ids) if episode_ids else []:
        push_latest(episode=episode)


def lock_client(client_id: UUID) -> None:
    """Lock a client before its episodes, so that acts on it come one after the other, and no episode is added meanwhile (the key of a new
    episode needs the row of its client).
    """
    list(Client.objects.select_for_update(of=("self",)).filter(pk=client_id).values_list("pk", flat=True))


def _lock(ids: Collection[UUID]) -> list[Episode]:
    """The episodes, locked in one order so that two withdrawals never wait for each other."""
    rows = Episode.objects.select_for_update(of=("self",)).select_related("service")
    return list(rows.filter(pk__in=ids).order_by("pk"))


def _recorded_from(model: type[Any], episode: Episode, sent: Sent, **same: Any) -> Any:
    """What the same page recorded before, where it said the same; None else."""
    if sent.key is None:
        return None
    return model.objects.filter(episode=episode, form_key=sent.key, **same).first()


def _not_superseded(episode: Episode, sent: Sent) -> None:
    used = sent.key is not None and any(
        model.objects.filter(episode=episode, form_key=sent.key).exists()
        for model in (ConsentAct, ConsentDeferral)
    )
    if used or (sent.seen is not None and sent.seen != selectors.seen_of(episode)):
        raise Superseded


def _by(acting_user: User) -> dict[str, Any]:
    return {
        "recorded_by": acting_user.pk,
        "recorded_by_label": acting_user.full_name,
        "recorded_at": clock.now(),
        "act": current_scope().act,
    }


def _add_act(
    episode: Episode, acting_user: User, *, form: SignedForm | None, details: dict[str, Any], **fields: Any
) -> ConsentAct:
    """One act on a locked episode, with its signed form, pushed and on the trail. Raises DecisionRefused."""
    problem = rules.problem_with_form(method=fields["method"], has_form=form is not None)
    if problem:
        raise DecisionRefused(problem, "signed_form")
    act = ConsentAct(
        client_id=episode.client_id, episode=episode, origin=Origin.LOCAL, **fields, **_by(acting_user)
    )
    act.save(force_insert=True)
    if form is not None:
        ConsentForm(
            id=uuid4(),
            client_id=episode.client_id,
            episode=episode,
            consent_act=act,
            kind=form.kind,
            size=len(form.raw),
            sha256=form.sha256,
            sealed=encrypt_bytes(form.raw),
            **_by(acting_user),
        ).save(force_insert=True)
    push_latest(episode=episode)
    trail.record(
        RECORDED,
        subject=str(episode.client_id),
        details={
            "answer": act.decision,
            "episode": str(episode.pk),
            "consent": str(act.pk),
            "on": act.decided_on.isoformat(),
            "form": form.sha256 if form else None,
            **details,
        },
    )
    return act
