"""What people say of a warning that cannot be put right, and how many episodes failed which rule on which day."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from caseload.models.base import KeyedRecord
from edatrs.core.database import TenantForeignKey
from edatrs.core.history import tracked
from edatrs.core.managers import TenantModel
from ndtms.choices import AnswerEnd

LONGEST_REASON = 500


@tracked()
class QualityAnswer(KeyedRecord):
    """Somebody said, with a reason, that what a warning asks for cannot be known. It takes the warning off the work list, and nothing else.

    Never of an error: the database refuses it. It ends when it is taken back, when the episode no longer fails the rule, and when what the
    rule reads, or the rule itself, has changed since (`stands_for`): then the warning is on the work list again. No extract reads this
    table.
    """

    client = models.ForeignKey(
        "caseload.Client", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    episode = models.ForeignKey(
        "caseload.Episode", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    rule = models.CharField(max_length=3)
    reason = models.TextField()
    stands_for = models.CharField(
        max_length=64, help_text="Keyed hash of the rule, the letter and the values that the rule reads"
    )
    answered_at = models.DateTimeField()
    by = models.UUIDField(help_text="Who answered; an id, no foreign key, so that it outlives them")
    by_label = models.TextField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=AnswerEnd, blank=True, default="", db_default="")
    ended_by_label = models.TextField(blank=True, default="", db_default="")

    class Meta(KeyedRecord.Meta):
        constraints = [
            TenantForeignKey(
                fields=("organisation", "client", "episode"),
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
                name="quality_answer_of_episode",
            ),
            models.UniqueConstraint(
                fields=["episode", "rule"],
                condition=Q(ended_at__isnull=True),
                name="quality_answer_once_a_rule",
            ),
            models.CheckConstraint(
                condition=Q(rule__startswith="W"), name="quality_answer_never_of_an_error"
            ),
            models.CheckConstraint(condition=Q(reason__gt=""), name="quality_answer_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="")
                | Q(ended_at__isnull=False, ended_why__gt=""),
                name="quality_answer_ends_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-answered_at", "id"], name="quality_answers_newest"),
            models.Index(fields=["organisation", "client"], name="quality_answers_of_client"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} of {self.episode_id}"


class QualityCount(TenantModel):
    """How many episodes of a service failed a rule on a day, as the last check of that day found. Numbers only: nothing of anybody.

    Beside the rules, `KEYS`: episodes checked, with an error, with a warning that nobody answered, and warnings that somebody answered.
    """

    KEYS = ("checked", "stops", "check", "answered")

    service = models.ForeignKey("organisations.Service", on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    rule = models.CharField(max_length=10)
    episodes = models.PositiveIntegerField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "service", "day", "rule"], name="quality_count_once_a_day"
            ),
            TenantForeignKey(
                fields=("organisation", "service"),
                to="organisations.Service",
                to_fields=("organisation", "id"),
                name="quality_count_of_own_service",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "rule", "day"], name="quality_counts_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {self.day}: {self.episodes}"
