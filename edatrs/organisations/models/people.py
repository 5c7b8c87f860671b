"""People who sign in, and what they may act as."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from guardian.mixins import GuardianUserMixin

from edatrs.organisations.choices import Role


class UserManager(BaseUserManager["User"]):
    """Makes people; there are no superusers."""

    def create_user(self, *, email: str, full_name: str, password: str | None = None, **extra: Any) -> User:
        """A person who signs in with this e-mail address. No password: they set one by mail."""
        user = self.model(email=email.strip(), full_name=full_name.strip(), **extra)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """By e-mail address, in any case."""
        return self.get(email__iexact=(username or "").strip())


class User(GuardianUserMixin, AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # the stubs know no DeviceManager
    """A person who signs in. `sessions_version` is part of every session's hash: counting it up signs the person out everywhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    sessions_version = models.PositiveIntegerField(default=0)
    last_organisation = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Single keys that lead somewhere are on unless a person switches them off (WCAG 2.1.4).
    shortcuts_off = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["full_name"]
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="email_once_in_any_case"),
            models.CheckConstraint(condition=models.Q(is_superuser=False), name="no_superusers"),
        ]

    def __str__(self) -> str:
        return self.full_name

    def get_session_auth_hash(self) -> str:
        """Django's hash over the password, and over the counter of sign-out everywhere."""
        value = f"{self.password}:{self.sessions_version}"
        return salted_hmac("edatrs.organisations.session", value, algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Any:
        """None: a rotated key ends the sessions."""
        return iter(())


class Membership(models.Model):
    """A role of a person in an organisation, between two dates (both included; no end: until further notice)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=40, choices=Role)
    services = models.ManyToManyField("organisations.Service", blank=True, related_name="+")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    given_at = models.DateTimeField(null=True)
    given_by_label = models.CharField(max_length=120, blank=True, default="", db_default="")

    class Meta:
        ordering = ["organisation__name", "role"]
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="role_once_a_person"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="membership_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} at {self.organisation}"
