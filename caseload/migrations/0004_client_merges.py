import django.contrib.postgres.functions
import django.db.models.deletion
import edatrs.core.database
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0002_frozen_identifiers"),
        ("caseload", "0003_search_tokens_and_openings"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClientMerge",
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
                ("reason", models.TextField()),
                ("moved", models.JSONField(db_default={}, default=dict)),
                ("written", models.JSONField(db_default=[], default=list)),
                ("merged_at", models.DateTimeField()),
                (
                    "merged_by",
                    models.UUIDField(
                        help_text="The person who merged; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("merged_by_label", models.TextField()),
                ("act", models.UUIDField(editable=False, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("undone_by", models.UUIDField(blank=True, null=True)),
                ("undone_by_label", models.TextField(blank=True, db_default="", default="")),
                ("undone_reason", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
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
                (
                    "survivor",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_in",
                        to="caseload.client",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation", "survivor"], name="merge_by_survivor")],
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="merge_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    ),
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "survivor"),
                        name="merge_into_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("client",),
                        name="merged_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("client", models.F("survivor")), _negated=True),
                        name="merge_of_two",
                    ),
                    models.CheckConstraint(condition=models.Q(("reason__gt", "")), name="merge_has_a_reason"),
                ],
            },
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "caseload_clientmerge"),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "caseload_clientmerge"),
        edatrs.core.database.RowSecurity("caseload_clientmerge"),
    ]
