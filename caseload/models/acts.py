"""What was done with an episode beside recording it: the confidentiality policy explained, closing it, opening it again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from caseload.models.episodes import EpisodePart, of_episode
from edatrs.core.history import tracked


class EpisodeAct(EpisodePart):
    """Somebody did it, and when. The person is an id without a foreign key, so that the act outlives them."""

    recorded_by = models.UUIDField(editable=False)
    recorded_by_label = models.TextField(editable=False)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(EpisodePart.Meta):
        abstract = True


class Understanding(models.TextChoices):
    """How the explanation went."""

    UNDERSTOOD = "understood", "They understood it"
    REPEAT = "repeat", "Parts of it need repeating"


@tracked()
class ConfidentialityExplained(EpisodeAct):
    """The confidentiality policy was explained before assessment, aloud and in writing (O-132), or why it could not be; the latest counts.

    `explained_on` empty: it could not be explained yet, because of `reason`.
    """

    policy_version = models.TextField()
    explained_on = models.DateField(null=True, blank=True)
    understanding = models.CharField(
        max_length=10, choices=Understanding, blank=True, default="", db_default=""
    )
    note = models.TextField(blank=True, default="", db_default="")
    reason = models.TextField(blank=True, default="", db_default="")

    class Meta(EpisodeAct.Meta):
        constraints = [
            of_episode("confidentiality"),
            models.CheckConstraint(
                condition=Q(explained_on__isnull=False, understanding__gt="")
                | Q(explained_on__isnull=True, reason__gt=""),
                name="confidentiality_explained_or_why_not",
            ),
        ]
        indexes = [models.Index(fields=["episode", "recorded_at"], name="confidentiality_of_episode")]

    def __str__(self) -> str:
        return f"Confidentiality of {self.episode_id}"


@tracked()
class EpisodeClosing(EpisodeAct):
    """An episode was closed, or opened again (`reopened`). `overruled` are the checks that somebody closed it in spite of, with the reason;
    `ended` the interventions that were ended with it, or opened again with it.
    """

    reopened = models.BooleanField(default=False, db_default=False)
    reason = models.TextField(blank=True, default="", db_default="")
    overruled = models.JSONField(default=list, db_default=[])
    ended = models.JSONField(default=list, db_default=[])

    class Meta(EpisodeAct.Meta):
        constraints = [
            of_episode("closing"),
            models.CheckConstraint(
                condition=Q(reason__gt="") | Q(reopened=False, overruled=[]),
                name="closing_in_spite_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["episode", "recorded_at"], name="closing_of_episode_newest")]

    def __str__(self) -> str:
        return f"{'Opening again' if self.reopened else 'Closing'} of {self.episode_id}"
