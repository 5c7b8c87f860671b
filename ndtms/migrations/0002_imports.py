import django.db.models.deletion
import edatrs.core.database
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ndtms", "0001_submissions"),
        ("organisations", "0001_partners_people_work"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("ready", "Waiting for your answer"),
                            ("refused", "Cannot be loaded"),
                            ("loading", "Being written"),
                            ("loaded", "Loaded"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("failed", "Not read"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.UUIDField(null=True)),
                ("asked_by_label", models.CharField(blank=True, max_length=120)),
                ("file_name", models.CharField(blank=True, max_length=120)),
                ("sha256", models.CharField(help_text="Of the file as it was sent", max_length=64)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("preview", models.PositiveIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("counts", models.JSONField(default=dict)),
                ("refused", models.JSONField(default=list)),
                (
                    "changed_meanwhile",
                    models.BooleanField(
                        default=False, help_text="What was confirmed was no longer so: this is a new preview"
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("confirmed_by", models.UUIDField(null=True)),
                ("confirmed_by_label", models.CharField(blank=True, max_length=120)),
                ("finished_at", models.DateTimeField(null=True)),
                ("finished_by_label", models.CharField(blank=True, max_length=120)),
                ("problem", models.CharField(blank=True, max_length=300)),
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
                "ordering": ["-asked_at"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ImportLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "place",
                    models.PositiveIntegerField(
                        help_text="Counts the lines of the preview: what pages are keyed by"
                    ),
                ),
                ("file", models.CharField(max_length=40)),
                ("line", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("refused", "Refused"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.TextField(blank=True)),
                ("changes", models.JSONField(default=list)),
                ("column", models.TextField(blank=True)),
                ("words", models.TextField(blank=True)),
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
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ndtms.importrun",
                    ),
                ),
            ],
            options={
                "ordering": ["place"],
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ImportFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("sealed", models.BinaryField()),
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
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ndtms.importrun",
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
            model_name="importrun",
            index=models.Index(fields=["organisation", "-asked_at", "id"], name="imports_newest_first"),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="import_with_organisation"
            ),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(fields=["organisation", "run", "kind", "place"], name="import_lines_by_kind"),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(fields=["organisation", "run", "file", "place"], name="import_lines_by_file"),
        ),
        migrations.AddConstraint(
            model_name="importline",
            constraint=models.UniqueConstraint(
                fields=("organisation", "run", "place"), name="import_line_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="importline",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "run"),
                name="line_of_import",
                to="ndtms.ImportRun",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="importfile",
            constraint=models.UniqueConstraint(fields=("organisation", "run"), name="one_file_an_import"),
        ),
        migrations.AddConstraint(
            model_name="importfile",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "run"),
                name="file_of_import",
                to="ndtms.ImportRun",
                to_fields=("organisation", "id"),
            ),
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "ndtms_importrun"),
        edatrs.core.database.Grant(
            "app", "SELECT, INSERT, UPDATE, DELETE", "ndtms_importfile", "ndtms_importline"
        ),
        edatrs.core.database.Grant(
            "destroyer", "SELECT, DELETE", "ndtms_importrun", "ndtms_importfile", "ndtms_importline"
        ),
        edatrs.core.database.RowSecurity("ndtms_importrun"),
        edatrs.core.database.RowSecurity("ndtms_importfile"),
        edatrs.core.database.RowSecurity("ndtms_importline"),
    ]
