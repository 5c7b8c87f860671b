import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import edatrs.core.database


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("caseload", "0001_record"),
        ("organisations", "0001_partners_people_work"),
    ]

    operations = [
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("agency_code", models.CharField(max_length=20)),
                (
                    "dataset",
                    models.CharField(
                        choices=[
                            ("adult", "Adult"),
                            ("yp", "Young people"),
                            ("cjit", "Criminal justice (CJIT)"),
                        ],
                        max_length=10,
                    ),
                ),
                ("letter", models.CharField(max_length=1)),
                ("letter_overridden", models.BooleanField(default=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("reporting", "Reporting extract"), ("full", "Full extract")], max_length=10
                    ),
                ),
                ("as_of", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("building", "Building"),
                            ("failed", "Not built"),
                            ("built", "Built"),
                            ("loaded", "Loaded"),
                            ("refused", "Refused by NDTMS"),
                        ],
                        default="building",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.UUIDField(null=True)),
                ("asked_by_label", models.CharField(blank=True, max_length=120)),
                ("snapshot_at", models.DateTimeField(null=True)),
                ("built_at", models.DateTimeField(null=True)),
                ("file_name", models.CharField(blank=True, max_length=120)),
                (
                    "stored_as",
                    models.CharField(
                        blank=True, help_text="The file's name in the extract folder", max_length=120
                    ),
                ),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("manifest", models.JSONField(default=dict)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by_label", models.CharField(blank=True, max_length=120)),
                ("refused_reason", models.TextField(blank=True)),
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
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.service",
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SubmissionDownload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by", models.UUIDField(null=True)),
                ("by_label", models.CharField(blank=True, max_length=120)),
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
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downloads",
                        to="ndtms.submission",
                    ),
                ),
            ],
            options={
                "ordering": ["at"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="NationalHolding",
            fields=[
                (
                    "episode",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="national_holding",
                        serialize=False,
                        to="caseload.episode",
                    ),
                ),
                ("held", models.BooleanField()),
                ("since", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="caseload.client",
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
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client", "episode"),
                        name="holding_of_episode",
                        to="caseload.Episode",
                        to_fields=("organisation", "client", "id"),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionContent",
            fields=[
                (
                    "submission",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="content",
                        serialize=False,
                        to="ndtms.submission",
                    ),
                ),
                (
                    "carried",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "removed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                ("held_back", models.JSONField(default=dict)),
                ("preview", models.JSONField(default=dict)),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="submission_with_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["building", "failed"]),
                    models.Q(models.Q(("sha256", ""), _negated=True), ("built_at__isnull", False)),
                    _connector="OR",
                ),
                name="published_submission_has_its_hash",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "service"),
                name="submission_of_own_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="submissiondownload",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "submission"),
                name="download_of_submission",
                to="ndtms.Submission",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="submissioncontent",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "submission"),
                name="content_of_submission",
                to="ndtms.Submission",
                to_fields=("organisation", "id"),
            ),
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT, UPDATE",
            "ndtms_submission",
            "ndtms_submissioncontent",
            "ndtms_nationalholding",
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT", "ndtms_submissiondownload"),
        edatrs.core.database.Grant(
            "destroyer",
            "SELECT, DELETE",
            "ndtms_submission",
            "ndtms_submissioncontent",
            "ndtms_nationalholding",
            "ndtms_submissiondownload",
        ),
        edatrs.core.database.RowSecurity("ndtms_submission"),
        edatrs.core.database.RowSecurity("ndtms_submissioncontent"),
        edatrs.core.database.RowSecurity("ndtms_nationalholding"),
        edatrs.core.database.RowSecurity("ndtms_submissiondownload"),
    ]
