"""Bundles that an administrator brings through the browser: the upload, what it would do, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models

from edatrs.core.database import TenantForeignKey
from edatrs.core.managers import TenantModel
from ndtms.choices import ImportState, LineKind


def _of_run(name: str) -> TenantForeignKey:
    return TenantForeignKey(
        fields=("organisation", "run"),
        to="ndtms.ImportRun",
        to_fields=("organisation", "id"),
        name=f"{name}_of_import",
    )


class ImportRun(TenantModel):
    """One upload. It keeps who, when, the hash, the counts and the places of refused lines; nothing of a client.

    `preview` counts the previews made of it and `digest` is of every line of the latest: confirming names both. `counts` holds per file
    how many lines are created, changed, unchanged and refused; `refused` the first places as `file:line`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.READING)
    asked_at = models.DateTimeField()
    asked_by = models.UUIDField(null=True)
    asked_by_label = models.CharField(max_length=120, blank=True)
    file_name = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, help_text="Of the file as it was sent")
    size = models.PositiveBigIntegerField(default=0)
    preview = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    refused = models.JSONField(default=list)
    changed_meanwhile = models.BooleanField(
        default=False, help_text="What was confirmed was no longer so: this is a new preview"
    )
    read_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.UUIDField(null=True)
    confirmed_by_label = models.CharField(max_length=120, blank=True)
    finished_at = models.DateTimeField(null=True)
    finished_by_label = models.CharField(max_length=120, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "id"], name="import_with_organisation"),
        ]
        indexes = [models.Index(fields=["organisation", "-asked_at", "id"], name="imports_newest_first")]

    def __str__(self) -> str:
        return f"import {self.asked_at:%d/%m/%Y %H:%M}"


class ImportFile(TenantModel):
    """The file of an upload, sealed with a key outside the database. Deleted once it is loaded, cancelled or too old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="+", db_index=False)
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organisation", "run"], name="one_file_an_import"),
            _of_run("file"),
        ]

    def __str__(self) -> str:
        return str(self.run_id)


class ImportLine(TenantModel):
    """One line of a preview. It holds data of clients, so it goes with the file.

    `changes` is a list of [header, held, new]: both None-able texts. A refused line has the column and the words of the problem instead.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="+", db_index=False)
    place = models.PositiveIntegerField(help_text="Counts the lines of the preview: what pages are keyed by")
    file = models.CharField(max_length=40)
    line = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind)
    key = models.TextField(blank=True)
    changes = models.JSONField(default=list)
    column = models.TextField(blank=True)
    words = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "run", "place"], name="import_line_once"),
            _of_run("line"),
        ]
        indexes = [
            models.Index(fields=["organisation", "run", "kind", "place"], name="import_lines_by_kind"),
            models.Index(fields=["organisation", "run", "file", "place"], name="import_lines_by_file"),
        ]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
