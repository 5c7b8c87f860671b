"""Lists that are taken out as a file: what was asked and what was taken, behind row security. No client is in these rows."""

import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import edatrs.core.crypto
import edatrs.core.database
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0011_emergency"),
        ("organisations", "0010_protocol_more"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ListExport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("by_label", models.TextField()),
                ("filters", models.JSONField(db_default={}, default=dict)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), size=None
                    ),
                ),
                ("names", models.BooleanField()),
                ("names_reason", edatrs.core.crypto.EncryptedTextField(blank=True, default="")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("work", "Planning or checking our own work"),
                            ("quality", "Checking data quality"),
                            ("audit", "An audit or inspection"),
                            ("hand_over", "Handing over records"),
                            ("other", "Something else"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", edatrs.core.crypto.EncryptedTextField()),
                ("leaves", models.BooleanField()),
                ("recipient", edatrs.core.crypto.EncryptedTextField(blank=True, default="")),
                (
                    "lawful_ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("welfare", "Protecting someone’s welfare"),
                            ("law", "Law or court order"),
                            ("crime", "A criminal investigation or proceedings"),
                            ("public_body", "Another public body’s statutory function"),
                            ("own_function", "Our own statutory function"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("lines", models.PositiveIntegerField()),
                ("people", models.PositiveIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by_label", models.TextField(blank=True, db_default="", default="")),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ListExportDownload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), size=None
                    ),
                ),
                ("lines", models.PositiveIntegerField()),
                ("people", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField(help_text="Bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                (
                    "export",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downloads",
                        to="caseload.listexport",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="listexport",
            index=models.Index(fields=["organisation", "-asked_at"], name="list_export_newest"),
        ),
        migrations.AddConstraint(
            model_name="listexport",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="list_export_with_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="listexport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("asked_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("asked_at"), "+", models.Value(datetime.timedelta(days=7))
                        ),
                    ),
                ),
                name="list_export_ends_within_a_week",
            ),
        ),
        migrations.AddConstraint(
            model_name="listexport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lawful_ground__gt", ""), ("leaves", True)),
                    models.Q(("lawful_ground", ""), ("leaves", False)),
                    _connector="OR",
                ),
                name="list_export_leaves_on_a_ground",
            ),
        ),
        migrations.AddIndex(
            model_name="listexportdownload",
            index=models.Index(fields=["organisation", "export", "at"], name="list_export_downloads"),
        ),
        migrations.AddConstraint(
            model_name="listexportdownload",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "export"),
                name="download_of_list_export",
                to="caseload.ListExport",
                to_fields=("organisation", "id"),
            ),
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "caseload_listexport"),
        edatrs.core.database.Grant("app", "SELECT, INSERT", "caseload_listexportdownload"),
        edatrs.core.database.Grant(
            "destroyer", "SELECT, DELETE", "caseload_listexport", "caseload_listexportdownload"
        ),
        edatrs.core.database.RowSecurity("caseload_listexport"),
        edatrs.core.database.RowSecurity("caseload_listexportdownload"),
    ]
