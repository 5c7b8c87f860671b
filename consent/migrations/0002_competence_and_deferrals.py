import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.database
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0003_search_tokens_and_openings"),
        ("consent", "0001_ndtms_acts"),
        ("organisations", "0003_sign_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentact",
            name="competence",
            field=models.CharField(
                blank=True,
                choices=[
                    ("competent", "Understands and can decide"),
                    ("permission", "A parent or guardian decides with them"),
                ],
                db_default="",
                default="",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="consentact",
            name="competence_note",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="consentact",
            name="permission_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="consentact",
            name="permission_relation",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.CreateModel(
            name="ConsentDeferral",
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
                ("asked_on", models.DateField()),
                ("recorded_by", models.UUIDField()),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
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
                    "episode",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_deferrals",
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client", "episode"),
                        name="consent_deferral_of_episode",
                        to="caseload.Episode",
                        to_fields=("organisation", "client", "id"),
                    )
                ],
            },
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT", "consent_consentdeferral"),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "consent_consentdeferral"),
        edatrs.core.database.RowSecurity("consent_consentdeferral"),
    ]
