"""Acts of consent, written in the open scope for the organisation acted for."""

from __future__ import annotations

from typing import Any

from caseload.models import Episode
from consent.models import ConsentAct
from tests.factories.caseload import DAY, make_episode


def make_act(*, episode: Episode | None = None, **fields: Any) -> ConsentAct:
    """A yes that came with a bundle; the episode itself is not touched."""
    episode = episode or make_episode()
    defaults = {"decision": "Y", "decided_on": DAY, "method": "written", "origin": "imported"}
    return ConsentAct.objects.create(episode=episode, client_id=episode.client_id, **{**defaults, **fields})
