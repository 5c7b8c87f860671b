"""Wishes of a withdrawal, acts recorded in error, and signed forms, sealed. Both new tables only grow."""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.database
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0006_quality_follows_its_episode"),
        ("consent", "0003_acts_follow_their_episode"),
        ("organisations", "0005_drafts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentForm",
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
                    "kind",
                    models.CharField(
                        choices=[("pdf", "PDF"), ("png", "PNG"), ("jpeg", "JPEG")], max_length=4
                    ),
                ),
                ("size", models.PositiveIntegerField(help_text="Bytes of the file as it came")),
                ("sha256", models.CharField(help_text="Of the file as it came, in hex", max_length=64)),
                ("sealed", models.BinaryField(help_text="Encrypted (edatrs.core.crypto.encrypt_bytes)")),
                ("recorded_by", models.UUIDField()),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ConsentInvalidation",
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
                ("recorded_by", models.UUIDField()),
                ("recorded_by_label", models.TextField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("act", models.UUIDField(editable=False, null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="consentact",
            name="form_key",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="consentact",
            name="left_out_reason",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="consentact",
            name="statement_said",
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name="consentact",
            name="wish",
            field=models.CharField(
                blank=True,
                choices=[("episode", "These episodes only"), ("all-here", "Everything at this organisation")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="consentact",
            name="young_person_knows",
            field=models.BooleanField(help_text="That somebody else is asked for permission", null=True),
        ),
        migrations.AddField(
            model_name="consentdeferral",
            name="form_key",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="consentdeferral",
            name="note",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AlterField(
            model_name="consentact",
            name="competence",
            field=models.CharField(
                blank=True,
                choices=[
                    ("competent", "Understands and can decide"),
                    ("permission", "A parent or guardian decides with them"),
                    ("unsure", "Not sure yet"),
                ],
                db_default="",
                default="",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="consentact",
            constraint=models.UniqueConstraint(
                fields=("organisation", "episode", "id"), name="consent_act_with_episode"
            ),
        ),
        migrations.AddConstraint(
            model_name="consentact",
            constraint=models.UniqueConstraint(
                fields=("organisation", "episode", "form_key"), name="consent_act_once_a_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="consentdeferral",
            constraint=models.UniqueConstraint(
                fields=("organisation", "episode", "form_key"), name="consent_deferral_once_a_form"
            ),
        ),
        migrations.AddField(
            model_name="consentform",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="caseload.client",
            ),
        ),
        migrations.AddField(
            model_name="consentform",
            name="consent_act",
            field=models.OneToOneField(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="form",
                to="consent.consentact",
            ),
        ),
        migrations.AddField(
            model_name="consentform",
            name="episode",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="caseload.episode",
            ),
        ),
        migrations.AddField(
            model_name="consentform",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="consentinvalidation",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="caseload.client",
            ),
        ),
        migrations.AddField(
            model_name="consentinvalidation",
            name="consent_act",
            field=models.OneToOneField(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invalidation",
                to="consent.consentact",
            ),
        ),
        migrations.AddField(
            model_name="consentinvalidation",
            name="episode",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="caseload.episode",
            ),
        ),
        migrations.AddField(
            model_name="consentinvalidation",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentform",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="consent_form_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="consentform",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "episode", "consent_act"),
                name="consent_form_of_act",
                to="consent.ConsentAct",
                to_fields=("organisation", "episode", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="consentinvalidation",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="consent_invalidation_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="consentinvalidation",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "episode", "consent_act"),
                name="consent_invalidation_of_act",
                to="consent.ConsentAct",
                to_fields=("organisation", "episode", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="consentinvalidation",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__gt", "")), name="consent_invalidation_has_reason"
            ),
        ),
        edatrs.core.database.Grant(
            "app", "SELECT, INSERT", "consent_consentform", "consent_consentinvalidation"
        ),
        edatrs.core.database.Grant(
            "destroyer", "SELECT, DELETE", "consent_consentform", "consent_consentinvalidation"
        ),
        edatrs.core.database.RowSecurity("consent_consentform"),
        edatrs.core.database.RowSecurity("consent_consentinvalidation"),
    ]
