"""Two organisations, somebody in every role, a row of everything, and a word in every text that no other organisation may ever see."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.conf import settings
from django.db import models
from django.test import Client as Browser
from django_otp_webauthn.models import WebAuthnCredential

from caseload.choices import NdtmsConsent
from caseload.models import AllocationRun, Client, ClientMerge, Episode
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import (
    Agreement,
    AgreementParty,
    AuthorisedRole,
    Job,
    Membership,
    Organisation,
    Task,
    User,
)
from ndtms.choices import SubmissionState
from ndtms.models import ImportLine, Submission
from tests.access.tables import ROLES
from tests.core.world import acting_for, histories, tenant_models
from tests.factories.asks import (
    make_answer,
    make_ask,
    make_ask_end,
    make_delivery,
    make_hand_over,
    make_partner_referral,
    make_step,
)
from tests.factories.caseload import (
    LISTS,
    PARTS,
    make_client,
    make_entry,
    make_episode,
    make_part,
    make_record,
    make_registration,
    make_service,
)
from tests.factories.consent import make_act, make_deferral, make_invalidation, make_signed_form
from tests.factories.linking import make_link_side
from tests.factories.ndtms import (
    COUNTS,
    make_content,
    make_download,
    make_holding,
    make_import,
    make_mismatch,
    make_nil_return,
    make_quality_answer,
    make_quality_count,
    make_submission,
)
from tests.factories.organisations import give, make_organisation, make_person, sign_in
from tests.factories.share_consents import (
    make_consent,
    make_decision,
    make_disclosure,
    make_end,
    make_signature,
    make_witness,
)
from tests.factories.share_consents import make_review as make_decision_review
from tests.factories.sharing import make_agreement, make_conflict, make_emergency, make_grant, make_sensitive
from tests.factories.staff import make_clearances, make_leaver, make_review, make_sealed
from tests.factories.work import allocate, make_export, make_work

# Refused by a trigger or already a word: written once, when the row is made.
WRITTEN_ONCE = {
    "client_id_text",
    "episode_id",
    "agency_code",
    "stored_as",
    "category",
    "letter",
    "sha256",
    "rule",
    "episode_id_text",
}
ONLY_GROWS = {
    "organisations.AccessReview",
    "caseload.ListExportDownload",
    "caseload.PartnerCheck",
    "consent.ConsentAct",
    "consent.ConsentDeferral",
    "consent.ConsentForm",
    "consent.ConsentInvalidation",
    "consent.SharingConsent",
    "consent.SharingEnd",
    "consent.SharingWitness",
    "consent.SharingSignature",
    "consent.LawfulDecision",
    "consent.LawfulReview",
    "consent.Disclosure",
    "consent.Ask",
    "consent.AskEnd",
    "consent.AskDelivery",
    "consent.AskAnswer",
    "consent.PartnerReferral",
    "consent.PartnerReferralStep",
    "consent.ReferralHandOver",
    "ndtms.SubmissionDownload",
}


@dataclass
class Side:
    """One organisation, what is in it, and the word that marks it."""

    mark: str
    organisation: Organisation
    people: dict[str, User] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    emergencies: dict[str, Any] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    agency: str = ""
    service_id: str = ""

    def object(self, kind: str, who: str) -> Any:
        """The id of one of its things, as it stands in an address; a task, an emergency access and an export are of the role that asks."""
        if kind == "export":
            return self.exports.get(who, next(iter(self.exports.values()))).pk
        if kind == "emergency":
            return self.emergencies.get(who, next(iter(self.emergencies.values()))).pk
        return (
            self.tasks.get(who, next(iter(self.tasks.values()))).pk if kind == "task" else self.objects[kind]
        )


def _words(mark: str) -> Iterator[str]:
    """Words of 20 characters, each once."""
    return (f"{mark}{number:0{20 - len(mark)}d}" for number in count(1))


def _mark_texts(row: models.Model, words: Iterator[str]) -> dict[str, Any]:
    """A word for every text of a row that may hold any."""
    found: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        text = isinstance(column, models.CharField | models.TextField) and not column.choices
        if text and column.name not in WRITTEN_ONCE and not column.is_relation:
            found[column.name] = next(words)[: column.max_length or None]
        elif column.name == "items":
            found[column.name] = {"X": next(words)}
    return found


def make_side(slug: str, mark: str) -> Side:
    """An organisation with somebody in every role and a row of everything."""
    words = _words(mark)
    organisation = make_organisation(slug, name=next(words), head_office=next(words), phone=next(words))
    side = Side(mark, organisation, agency=f"E{mark[:8]}1"[:20])
    service = make_service(organisation, agency_code=side.agency, name=next(words))
    side.service_id = str(service.pk)
    _fill(side, words)
    for role in ROLES:
        side.people[role] = make_person(
            organisation, role=role, full_name=next(words), email=f"{next(words).lower()}@test.example"
        )
        side.tasks[role] = Task.objects.create(
            organisation=organisation,
            unique_key=next(words),
            role=role,
            words=next(words),
            link=f"/{next(words)}",
            created_at=clock.now(),
        )
    _spoken(side, words)
    with acting_for(organisation, actor=Actor.OPERATOR):
        # Keyworkers see the data quality of their own caseload alone: the episode that the pages are about is in it.
        client = Episode.objects.get(pk=side.objects["episode"]).client
        kept = allocate(client, side.people["keyworker"], reason=next(words), by_label=next(words))
        side.ids.add(str(kept.pk))
    person = make_person(
        organisation, role="clinician", full_name=next(words), email=f"{next(words).lower()}@a.example"
    )
    side.objects["person"] = person.pk
    side.objects["membership"] = Membership.objects.get(user=person).pk
    side.objects["clearance"] = "training"  # part of an address
    side.objects["passkey"] = WebAuthnCredential.objects.create(
        user=person, name=next(words), credential_id=next(words).encode(), public_key=b"", aaguid=""
    ).pk
    with acting_for(organisation, actor=Actor.OPERATOR):
        leaver = make_leaver(organisation, person, manager=side.people["team_manager"])
        sealed = make_sealed(leaver, side.people["team_manager"])
        make_review(organisation, person, by_label=next(words))
        for row in (leaver, sealed):
            type(row).objects.filter(pk=row.pk).update(**_mark_texts(row, words))
    side.objects |= {"leaver": leaver.pk, "sealed": sealed.pk}
    for one in (*side.people.values(), person):
        make_clearances(one, organisation)
    side.objects |= _agreements(side, person, words)
    side.objects["link"] = next(words)
    side.objects["topic"] = "consent"  # of the help: of no organisation
    side.objects |= {
        "section": "substances",
        "list": "interventions",
        "detail": "identity",
    }  # parts of addresses
    side.ids |= {str(task.pk) for task in side.tasks.values()} | {str(u.pk) for u in side.people.values()}
    side.ids |= {str(person.pk), str(organisation.pk), side.service_id, str(leaver.pk), str(sealed.pk)}
    return side


def _agreements(side: Side, person: User, words: Iterator[str]) -> dict[str, Any]:
    """A draft that the organisation writes, somebody who may sign, and an approved agreement that everybody may read."""
    texts = {name: next(words) for name in ("title", "authors", "summary", "retention")}
    draft = Agreement.objects.create(
        slug=f"draft-{side.organisation.slug}", owner=side.organisation, version=next(words), **texts
    )
    party = AgreementParty.objects.create(
        agreement=draft, organisation=side.organisation, roles=["sole_controller"]
    )
    signatory = AuthorisedRole.objects.create(
        organisation=side.organisation, user=person, role="siro", valid_from=clock.today()
    )
    public, _ = Agreement.objects.get_or_create(
        slug="public-agreement",
        defaults={
            "title": "Public agreement",
            "owner": side.organisation,
            "status": "approved",
            "approved_on": clock.today(),
        },
    )
    side.ids |= {str(draft.pk), str(party.pk), str(signatory.pk)}
    return {
        "agreement": draft.pk,
        "party": party.pk,
        "signatory": signatory.pk,
        "public_agreement": public.slug,
    }


def _fill(side: Side, words: Iterator[str]) -> None:
    """A row of every tenant model, and words in them."""
    with acting_for(side.organisation, actor=Actor.OPERATOR):
        registration = make_registration(client_id_text=next(words), reference=next(words))
        episode = make_record(
            registration=registration,
            episode_id=next(words),
            consent=NdtmsConsent.YES,
            referred_on=dt.date(2026, 4, 6),
        )
        act = make_act(
            episode=episode,
            statement_version=next(words),
            recorded_by_label=next(words),
            competence_note=next(words),
            permission_by=next(words),
            permission_relation=next(words),
            left_out_reason=next(words),
        )
        side.objects["consent_act"] = act.pk
        make_signed_form(act, recorded_by_label=next(words))
        wrong = make_act(episode=episode, statement_version=next(words), recorded_by_label=next(words))
        make_invalidation(wrong, reason=next(words), recorded_by_label=next(words))
        make_deferral(episode, note=next(words), recorded_by_label=next(words))
        _sharing(side, words, episode.client)
        make_holding(episode)
        answer = make_quality_answer(episode, reason=next(words), by_label=next(words))
        side.objects["answer"] = answer.pk
        make_quality_count(episode.service)
        odd = make_mismatch(
            episode,
            service=episode.service,
            client_id_text=next(words),
            episode_id_text=next(words),
            reason=next(words),
            by_label=next(words),
        )
        side.objects["mismatch"] = odd.pk
        make_nil_return(episode.service)
        _clients(side, episode)
        submission = _submission(side, words, episode)
        _job_of(side, submission, words)
        _import(side, words)
        for model in tenant_models():
            if model._meta.label in ONLY_GROWS or model in histories():
                continue
            for _ in range(2):  # the second time the words of the first go into the history
                for row in model.objects.all():
                    texts = _mark_texts(row, words)
                    if texts:
                        model.objects.filter(pk=row.pk).update(**texts)
        for model in tenant_models():
            side.ids |= {
                str(pk) for pk in model.objects.values_list("pk", flat=True) if isinstance(pk, uuid.UUID)
            }


def _sharing(side: Side, words: Iterator[str], client: Any) -> None:
    """Consents to share, a decision and a disclosure, to a provider that is none of the two."""
    third = Organisation.objects.filter(slug="third-side").first() or make_organisation("third-side")
    by = {"recorded_by_label": next(words)}
    said = {
        "purposes": next(words),
        "recipient": third,
        "notice_version": next(words),
        "note": next(words),
        **by,
    }
    consent = make_consent(client, **said)
    make_signature(consent, recorded_by_label=next(words))
    spoken = make_consent(
        client,
        way="witnessed",
        witness=uuid.uuid4(),
        witness_label=next(words),
        spoken_words=next(words),
        recipient_name=next(words),
        purposes=next(words),
        **by,
    )
    make_witness(spoken, note=next(words), recorded_by_label=next(words))
    over = make_consent(client, **{**said, "purposes": next(words)})
    make_end(over, reason=next(words), recorded_by_label=next(words))
    decision = make_decision(
        client, third, decided_by=next(words), decided_as=next(words), reason=next(words), **by
    )
    make_decision_review(decision, reason=next(words), recorded_by_label=next(words))
    make_disclosure(client, recipient_name=next(words), what=next(words), purpose=next(words), **by)
    side.objects |= {"share_consent": consent.pk, "decision": decision.pk}
    _asking(side, words, client, third)


def _asking(side: Side, words: Iterator[str], client: Any, third: Organisation) -> None:
    """What was asked of a third provider and what it asks, and a referral to it: one that waits of each, and one that is over."""

    def asked() -> dict[str, str]:
        return {name: next(words) for name in ("purpose", "message", "recorded_by_label")}

    ask = make_ask(client, **asked())
    make_ask_end(make_ask(client, **asked()), recorded_by_label=next(words))
    request = make_delivery(client, third, **asked())
    refused = make_delivery(client, third, number=2002, **asked())
    make_answer(refused, reason=next(words), recorded_by_label=next(words))
    said = {"reason": next(words), "message": next(words), "recorded_by_label": next(words)}
    referral = make_partner_referral(client, third, **said)
    over = make_partner_referral(client, third, **{**said, "reason": next(words)})
    make_step(over, reason=next(words), recorded_by_label=next(words))
    make_hand_over(client, recorded_by_label=next(words))
    side.objects |= {"ask": ask.pk, "request": request.pk, "referral": referral.pk}
    side.objects["link_side"] = make_link_side(client, third, asked_by_label=next(words)).pk


def _spoken(side: Side, words: Iterator[str]) -> None:
    """A spoken consent that waits for the keyworker to confirm that they heard it."""
    with acting_for(side.organisation, actor=Actor.OPERATOR):
        spoken = make_consent(
            Client.objects.get(pk=side.objects["client"]),
            way="witnessed",
            witness=side.people["keyworker"].pk,
            witness_label=next(words),
            spoken_words=next(words),
            recipient_name=next(words),
            purposes=next(words),
            recorded_by_label=next(words),
        )
    side.objects["spoken"] = spoken.pk
    side.ids.add(str(spoken.pk))


def _clients(side: Side, episode: Any) -> None:
    """Clients and what hangs on them, by the names that routes.csv gives to what an address names."""
    client, colleague = episode.client, make_person(side.organisation, full_name=f"{side.mark}COLLEAGUE")
    make_work(episode, colleague)
    second, voided = make_client(), make_client(voided_at=clock.now())
    for other in (second, voided):
        registration = make_registration(client=other)
        if other is second:  # somebody who waits for triage
            make_episode(registration=registration, triaged_on=None)
        for part in PARTS:
            make_part(part, other)
    side.objects |= {"client": client.pk, "second": second.pk, "voided": voided.pk, "episode": episode.pk}
    guarded = make_client()
    side.objects["sensitive"] = make_sensitive(guarded).pk
    side.objects["conflict"] = make_conflict(guarded, colleague).pk
    side.objects |= {"run": AllocationRun.objects.get(organisation=side.organisation).pk}
    side.objects |= {"merge": ClientMerge.objects.get(survivor_id=client.pk).pk}
    for kind in LISTS:
        side.objects[kind.__name__.lower()] = kind.objects.get(episode=episode).pk
    gone = {"voided_at": clock.now(), "voided_reason": "Entered in error"}
    make_episode(registration=episode.registration, **gone)
    make_entry(LISTS[0], episode, **gone)


def _submission(side: Side, words: Iterator[str], episode: Any) -> Submission:
    """A built file with a preview that names people, taken once."""
    submission = make_submission(
        content=f"CLIENTID\r\n{next(words)}\r\n".encode(),
        asked_at=clock.now() + dt.timedelta(seconds=1),
        manifest={**COUNTS, "held_back_count": 1},
    )
    entries = [[next(words), next(words), next(words)] for _ in range(3)]
    make_content(
        submission,
        episode,
        held_back={episode.episode_id: ["E01"]},
        preview={
            "new": entries[:1],
            "replaced": 0,
            "removed_by_consent": entries[1:2],
            "missing": entries[2:],
            "removed_though_agreed": {entries[1][2]: "out_of_window"},
        },
    )
    make_download(submission, by_label=next(words))
    side.objects["submission"] = submission.pk
    return submission


def _import(side: Side, words: Iterator[str]) -> None:
    """An upload with a preview that names what is held of somebody and what is brought."""
    run = make_import(refused=[next(words)])
    ImportLine.objects.filter(run=run).update(changes=[[next(words), next(words), next(words)]])
    side.objects["import"] = run.pk


def _job_of(side: Side, submission: Submission, words: Iterator[str]) -> None:
    Job.objects.create(
        kind="ndtms.build_extract",
        organisation=side.organisation,
        subject=submission.pk,
        unique_key=next(words),
        state=JobState.DONE,
        run_after=clock.now(),
        created_at=clock.now(),
        finished_at=clock.now(),
        progress_words=next(words),
        problem=next(words),
    )
    assert submission.state == SubmissionState.BUILT


@dataclass
class World:
    """Own and other organisation, and who asks: a signed-in browser's session for each."""

    own: Side
    other: Side
    sessions: dict[str, str]

    def __post_init__(self) -> None:
        self.foreign = re.compile("|".join(map(re.escape, sorted(self.other.ids))))

    def browser(self, who: str) -> Browser:
        """A browser in which somebody is signed in, as far as they are."""
        browser = Browser(raise_request_exception=False)
        if who in self.sessions:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        return browser


# Beside the roles: how far somebody is signed in, and whose membership does not count today.
SIGNED_OUT, HALF, ENDED, NOT_YET, DISABLED = (
    "signed_out",
    "second_factor_missing",
    "ended",
    "not_yet",
    "disabled",
)
STALE = "_with_stale_second_factor"


def _share_with(side: Side, giver: Organisation) -> None:
    """A client of a partner whom it shares with the side, and one whom everybody there has opened in an emergency; both are marked."""
    words = (f"{side.mark}{number:010d}" for number in count(9_000_000))
    make_agreement(side.organisation, giver)
    with acting_for(giver, actor=Actor.OPERATOR):
        shared, opened = make_client(), make_client()
        for client in (shared, opened):
            for part in PARTS:
                row = make_part(part, client)
                part.objects.filter(pk=row.pk).update(**_mark_texts(row, words))
            make_episode(registration=make_registration(client=client, client_id_text=next(words)))
        make_grant(shared, side.organisation)
    with acting_for(side.organisation, actor=Actor.OPERATOR):
        for role, person in side.people.items():
            side.emergencies[role] = make_emergency(opened, person, reason=next(words), account=next(words))
            side.exports[role] = make_export(person, reason=next(words), by_label=next(words))
    side.objects |= {"shared": shared.pk, "opened": opened.pk}
    side.ids |= {str(shared.pk), str(opened.pk), *(str(row.pk) for row in side.emergencies.values())}
    side.ids |= {str(row.pk) for row in side.exports.values()}


def make_world() -> World:
    """The whole of it."""
    own, other = make_side("own-side", "CANARYMINE"), make_side("other-side", "CANARYELSE")
    giver = make_organisation("giver", name="Giver")
    for side in (own, other):
        _share_with(side, giver)
    sessions = {role: _session(person) for role, person in own.people.items()}
    sessions |= {role + STALE: _session(person, fresh=False) for role, person in own.people.items()}
    sessions[HALF] = _session(own.people["ndtms_administrator"], second_factor=False)
    administrator = {"role": "ndtms_administrator"}
    sessions[DISABLED] = _session(disabled := make_person(own.organisation, **administrator))
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    sessions[ENDED], sessions[NOT_YET] = _session(ended := make_person()), _session(not_yet := make_person())
    give(ended, own.organisation, "ndtms_administrator", since=-9, until=-1)
    give(not_yet, own.organisation, "ndtms_administrator", since=1)
    return World(own, other, sessions)


def _session(person: User, **how: bool) -> str:
    browser = sign_in(Browser(), person, **how)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value
