"""Signed heads: the copy that stays in the database of what was signed and left it."""

from __future__ import annotations

from typing import Any

from django.db import models

from audit.models.trail import _refuse


class HeadStatement(models.Model):
    """A statement of the heads of all chains as it was signed (`audit.statements`). Appended by `audit.heads` alone, never changed.

    Holds ids and labels of organisations, numbers and hashes: every partner gets the same by mail, so there is no row security.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(help_text="When the heads were read")
    entries = models.BigIntegerField(help_text="Entries of all chains together")
    body = models.TextField(help_text="The canonical JSON that was signed")
    signature = models.BinaryField()

    class Meta:
        ordering = ["-number"]
        verbose_name = "signed statement of the heads"
        verbose_name_plural = "signed statements of the heads"
        constraints = [
            models.CheckConstraint(condition=models.Q(number__gte=1), name="statements_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"statement {self.number}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused. Raises TrailWritten."""
        return _refuse()
