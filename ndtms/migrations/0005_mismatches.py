"""What NDTMS returned that differs from a file, what became of it, and months without anything to report."""

import django.db.models.deletion
import edatrs.core.database
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0014_quality_answered"),
        ("ndtms", "0004_quality_answers"),
        ("organisations", "0010_protocol_more"),
    ]

    operations = [
        migrations.CreateModel(
            name="MismatchFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("agency_code", models.CharField(max_length=20)),
                ("sha256", models.CharField(max_length=64)),
                ("lines", models.PositiveIntegerField()),
                ("by_consent", models.PositiveIntegerField(default=0)),
                ("known_before", models.PositiveIntegerField(default=0)),
                ("taken_at", models.DateTimeField()),
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
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.service",
                    ),
                ),
            ],
            options={
                "ordering": ["-taken_at"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Mismatch",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("line", models.PositiveIntegerField()),
                ("client_id_text", models.CharField(max_length=100)),
                ("episode_id_text", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "Held by NDTMS, and not in the file"),
                            ("not-taken", "In the file, and not taken by NDTMS"),
                            ("differs", "Held by NDTMS with other values"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("consent", "Resolved by consent"),
                            ("settled", "Settled"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, db_default="", default="")),
                ("settled_at", models.DateTimeField(null=True)),
                ("settled_by_label", models.CharField(blank=True, db_default="", default="", max_length=120)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="caseload.episode",
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
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mismatches",
                        to="ndtms.mismatchfile",
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
            name="NilReturn",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("month", models.DateField(help_text="The first day of the month")),
                ("recorded_at", models.DateTimeField()),
                ("by", models.UUIDField(null=True)),
                ("by_label", models.CharField(blank=True, max_length=120)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by_label", models.CharField(blank=True, db_default="", default="", max_length=120)),
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
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="mismatchfile",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="mismatch_file_with_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="mismatchfile",
            constraint=models.UniqueConstraint(
                fields=("organisation", "service", "sha256"), name="mismatch_file_taken_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="mismatchfile",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "service"),
                name="mismatch_file_of_own_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddIndex(
            model_name="mismatch",
            index=models.Index(fields=["organisation", "state", "file", "line"], name="mismatches_by_state"),
        ),
        migrations.AddConstraint(
            model_name="mismatch",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "file"),
                name="mismatch_of_file",
                to="ndtms.MismatchFile",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="mismatch",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="mismatch_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="mismatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("client__isnull", True), ("episode__isnull", True)),
                    models.Q(("client__isnull", False), ("episode__isnull", False)),
                    _connector="OR",
                ),
                name="mismatch_names_both_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="mismatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "settled"), _negated=True),
                    models.Q(("reason__gt", ""), ("settled_at__isnull", False)),
                    _connector="OR",
                ),
                name="mismatch_settled_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="nilreturn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("organisation", "service", "month"),
                name="nil_return_once_a_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="nilreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)), name="nil_return_of_a_whole_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="nilreturn",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "service"),
                name="nil_return_of_own_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        edatrs.core.database.Grant(
            "app", "SELECT, INSERT, UPDATE", "ndtms_mismatchfile", "ndtms_mismatch", "ndtms_nilreturn"
        ),
        edatrs.core.database.Grant(
            "destroyer", "SELECT, DELETE", "ndtms_mismatchfile", "ndtms_mismatch", "ndtms_nilreturn"
        ),
        edatrs.core.database.RowSecurity("ndtms_mismatchfile"),
        edatrs.core.database.RowSecurity("ndtms_mismatch"),
        edatrs.core.database.RowSecurity("ndtms_nilreturn"),
        # One that names nobody here hides nobody.
        edatrs.core.database.Policy(
            "ndtms_mismatch",
            "hidden",
            f"client_id IS NULL OR {edatrs.core.database.NOT_HIDDEN.format(client='client_id')}",
            command="ALL",
            restrictive=True,
        ),
    ]
