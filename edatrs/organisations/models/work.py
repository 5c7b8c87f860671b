"""Work that must not be lost: jobs with leases, mail to be sent, tasks for people.

These rows hold ids and labels only, no client data, and have no row security: the sweeper finds work here and opens one scope per row.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from edatrs.core.crypto import EncryptedTextField
from edatrs.organisations.choices import JobState

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class Job(models.Model):
    """One piece of work for the workers. The row is the truth; Celery only carries its id.

    `subject` is the id of the row that the work is about; while `lease_until` lies ahead the holder of `lease_token` works on it, and only
    that token may publish. `unique_key` keeps two unfinished jobs of the same work apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    subject = models.UUIDField()
    requested_by = models.ForeignKey(
        "organisations.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    unique_key = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    run_after = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True, help_text="An attempt that is not finished by then has failed")
    progress = models.PositiveIntegerField(default=0)
    progress_of = models.PositiveIntegerField(default=0)
    progress_words = models.CharField(max_length=120, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(state__in=UNFINISHED), name="one_unfinished_job_a_key"
            ),
            models.CheckConstraint(
                condition=Q(state=JobState.RUNNING, lease_token__isnull=False, lease_until__isnull=False)
                | ~Q(state=JobState.RUNNING),
                name="running_job_is_leased",
            ),
        ]
        indexes = [models.Index(fields=["run_after"], condition=Q(state__in=UNFINISHED), name="job_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class OutboundMail(models.Model):
    """A mail written in the transaction that caused it and sent afterwards: a link and no identifier."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unique_key = models.CharField(max_length=200, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=150)
    text = EncryptedTextField(
        help_text="May hold a link that sets a password: never in clear in the database"
    )
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(
                fields=["next_attempt"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="mail_due",
            )
        ]

    def __str__(self) -> str:
        return self.subject


class Task(models.Model):
    """Something a person, or whoever holds a role in an organisation, is told in the product. Words and a link, no client data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unique_key = models.CharField(max_length=200, unique=True)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("organisations.User", null=True, on_delete=models.CASCADE, related_name="tasks")
    role = models.CharField(max_length=40, blank=True)
    words = models.CharField(max_length=200)
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(user__isnull=False) | ~Q(role=""), name="task_is_for_someone"),
        ]

    def __str__(self) -> str:
        return self.words
