"""Acts of consent, written in the open scope for the organisation acted for."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

from caseload.models import Episode
from consent.models import ConsentAct, ConsentDeferral, ConsentForm, ConsentInvalidation
from edatrs.core.crypto import encrypt_bytes
from tests.factories.caseload import DAY, make_episode


def make_act(*, episode: Episode | None = None, **fields: Any) -> ConsentAct:
    """A yes that came with a bundle; the episode itself is not touched."""
    episode = episode or make_episode()
    defaults = {"decision": "Y", "decided_on": DAY, "method": "written", "origin": "imported"}
    return ConsentAct.objects.create(episode=episode, client_id=episode.client_id, **{**defaults, **fields})


def _of(act: ConsentAct) -> dict[str, Any]:
    return {
        "episode_id": act.episode_id,
        "client_id": act.client_id,
        "recorded_by": uuid4(),
        "recorded_by_label": "a test",
    }


def make_signed_form(act: ConsentAct, raw: bytes = b"%PDF-1.4 %%EOF", **fields: Any) -> ConsentForm:
    """The signed form of an act."""
    return ConsentForm.objects.create(
        consent_act=act,
        kind="pdf",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        sealed=encrypt_bytes(raw),
        **(_of(act) | fields),
    )


def make_invalidation(act: ConsentAct, **fields: Any) -> ConsentInvalidation:
    """An act was recorded in error."""
    return ConsentInvalidation.objects.create(
        consent_act=act, **{"reason": "wrong client", **_of(act), **fields}
    )


def make_deferral(episode: Episode, **fields: Any) -> ConsentDeferral:
    """Asked, and no answer yet."""
    defaults = {"asked_on": DAY, "recorded_by": uuid4(), "recorded_by_label": "a test"}
    return ConsentDeferral.objects.create(
        episode=episode, client_id=episode.client_id, **{**defaults, **fields}
    )
