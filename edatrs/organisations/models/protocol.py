"""The sharing protocol: agreements, their parties, and what each party signed (obligations 1 to 17, 34 to 45, 84 to 93).

Whether two organisations may share on a day is computed from these rows every time it is asked: by `organisations_partners_in_force()` in
the database and by `edatrs.organisations.protocol` in Python. No row of anybody's data, so no row security: approved agreements are public.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from edatrs.organisations.choices import AgreementStatus, AuthorisedAs, EntryKind, PartyRole


class Agreement(models.Model):
    """One version of a sharing protocol. What is blank in the source stays blank: it blocks approval, it is never filled in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    version = models.CharField(max_length=20, default="1.0")
    status = models.CharField(max_length=20, choices=AgreementStatus, default=AgreementStatus.DRAFT)
    owner = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    authors = models.TextField(blank=True, default="")
    summary = models.TextField(blank=True, default="")
    retention = models.TextField(
        blank=True, default="", help_text="How long what is shared is kept, and by whose policy"
    )
    approved_on = models.DateField(
        null=True, blank=True, help_text="Day of the owner's approval; before it nothing is in force"
    )
    ended_on = models.DateField(
        null=True, blank=True, help_text="Last day in force: another version follows, or it was ended"
    )
    review_on = models.DateField(
        null=True, blank=True, help_text="Three years after it came into operation, or sooner"
    )
    review_reason = models.TextField(blank=True, default="", help_text="Why sooner: a breach, a change")
    published_on = models.DateField(null=True, blank=True)
    published_at = models.URLField(blank=True, default="")
    follows = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by"
    )
    row_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="agreement_version_once"),
            models.CheckConstraint(
                condition=~models.Q(status="approved")
                | (models.Q(approved_on__isnull=False) & models.Q(owner__isnull=False)),
                name="approved_with_owner_and_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.version}"


class AgreementParty(models.Model):
    """A party to an agreement: its roles, the address that gets breach notices, its signature and its notice.

    `leaves_on` is the last day of a notice to leave: access ends at 00:00 London of the day after, without anybody doing anything.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="parties")
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="agreement_parties"
    )
    roles = ArrayField(models.CharField(max_length=20, choices=PartyRole), default=list, blank=True)
    breach_emails = ArrayField(models.EmailField(), default=list, blank=True)
    signed_on = models.DateField(null=True, blank=True)
    signed_by = models.ForeignKey(
        "organisations.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    signed_as = models.CharField(max_length=20, choices=AuthorisedAs, blank=True, default="")
    notice_received_on = models.DateField(null=True, blank=True)
    notice_by = models.ForeignKey(
        "organisations.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    leaves_on = models.DateField(null=True, blank=True)
    certificate_on = models.DateField(
        null=True, blank=True, help_text="Returned or destroyed (obligation 89)"
    )
    certificate = models.TextField(blank=True, default="")
    certificate_by = models.ForeignKey(
        "organisations.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["organisation__name"]
        verbose_name_plural = "agreement parties"
        constraints = [
            models.UniqueConstraint(fields=["agreement", "organisation"], name="party_once_an_agreement"),
            models.CheckConstraint(
                condition=models.Q(signed_on__isnull=True)
                | (models.Q(signed_by__isnull=False) & ~models.Q(signed_as="")),
                name="signed_by_somebody_as_something",
            ),
            models.CheckConstraint(
                condition=models.Q(leaves_on__isnull=True)
                | models.Q(leaves_on__gte=models.F("notice_received_on")),
                name="leaves_after_notice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} in {self.agreement}"


class AgreementEntry(models.Model):
    """One line of an agreement: a purpose, an information item, a legal basis, a supporting document or a right that applies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=20, choices=EntryKind)
    key = models.CharField(max_length=40, help_text="Unique in its kind: article_9_h, health, dpia …")
    words = models.TextField(blank=True, default="")
    category = models.CharField(
        max_length=20,
        blank=True,
        default="",
        help_text="Information items: the category of the record they belong to",
    )
    reference = models.TextField(
        blank=True, default="", help_text="Name, link or number of a supporting document"
    )
    authority = models.TextField(blank=True, default="", help_text="Who answers for a supporting document")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["kind", "position", "key"]
        verbose_name_plural = "agreement entries"
        constraints = [
            models.UniqueConstraint(fields=["agreement", "kind", "key"], name="entry_once_an_agreement")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class RightConfirmation(models.Model):
    """A party confirms that it has a process for a right that applies (obligation 45)."""

    party = models.ForeignKey(AgreementParty, on_delete=models.CASCADE, related_name="confirmations")
    entry = models.ForeignKey(AgreementEntry, on_delete=models.CASCADE, related_name="confirmations")
    confirmed_on = models.DateField()
    confirmed_by = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "entry"], name="right_confirmed_once")]

    def __str__(self) -> str:
        return f"{self.party_id} confirms {self.entry_id}"


class AuthorisedRole(models.Model):
    """Who may sign for an organisation between two dates, both included (obligations 90 and 93)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="authorised_roles"
    )
    user = models.ForeignKey("organisations.User", on_delete=models.PROTECT, related_name="authorised_roles")
    role = models.CharField(max_length=20, choices=AuthorisedAs)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["organisation__name", "role"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="authorised_role_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} at {self.organisation}"


class ContactRecord(models.Model):
    """The contact items of an organisation as they stood between two dates (obligations 2 and 7); the open one is what stands today."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="contact_records"
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    name = models.CharField(max_length=120)
    head_office = models.TextField(blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    emails = ArrayField(models.EmailField(), default=list, blank=True)
    data_protection_officer = models.CharField(max_length=120, blank=True, default="")
    ico_references = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    changed_by = models.ForeignKey(
        "organisations.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["organisation__name", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(valid_until__isnull=True),
                name="one_contact_today",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.valid_from}"
