import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import edatrs.core.database


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("caseload", "0001_record"),
        ("organisations", "0001_partners_people_work"),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE consent_act_sequence", "DROP SEQUENCE consent_act_sequence"),
        migrations.RunSQL(
            "GRANT USAGE, SELECT ON SEQUENCE consent_act_sequence TO app",
            "REVOKE USAGE, SELECT ON SEQUENCE consent_act_sequence FROM app",
        ),
        migrations.CreateModel(
            name="ConsentAct",
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
                    "sequence",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("consent_act_sequence"), function="nextval"),
                        editable=False,
                    ),
                ),
                ("decision", models.CharField(choices=[("Y", "Yes"), ("N", "No")], max_length=1)),
                ("decided_on", models.DateField()),
                (
                    "method",
                    models.CharField(choices=[("oral", "Oral"), ("written", "In writing")], max_length=10),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("local", "Recorded here"), ("imported", "Imported")], max_length=10
                    ),
                ),
                ("statement_version", models.CharField(blank=True, db_default="", default="", max_length=40)),
                ("leaflet_given", models.BooleanField(null=True)),
                ("questions_answered", models.BooleanField(null=True)),
                (
                    "recorded_by",
                    models.UUIDField(
                        help_text="The person who recorded it; an id, no foreign key, so that it outlives them",
                        null=True,
                    ),
                ),
                ("recorded_by_label", models.TextField(blank=True, db_default="", default="")),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_acts",
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
                "indexes": [
                    models.Index(fields=["episode", "decided_on", "sequence"], name="consent_act_latest")
                ],
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client", "episode"),
                        name="consent_act_of_episode",
                        to="caseload.Episode",
                        to_fields=("organisation", "client", "id"),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["Y", "N"])), name="consent_act_decides"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("origin", "imported"),
                            models.Q(
                                ("leaflet_given__isnull", False),
                                ("questions_answered__isnull", False),
                                ("recorded_by__isnull", False),
                                ("statement_version__gt", ""),
                            ),
                            _connector="OR",
                        ),
                        name="local_consent_act_has_evidence",
                    ),
                    models.UniqueConstraint(fields=("sequence",), name="consent_act_sequence_once"),
                ],
            },
        ),
        # An act is never edited: no UPDATE, no DELETE.
        edatrs.core.database.Grant("app", "SELECT, INSERT", "consent_consentact"),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "consent_consentact"),
        edatrs.core.database.RowSecurity("consent_consentact"),
    ]
