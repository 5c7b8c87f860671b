"""What people say of warnings that cannot be put right, with its history; and how many episodes failed which rule on which day."""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.database
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0014_quality_answered"),
        ("ndtms", "0003_hidden"),
        ("organisations", "0010_protocol_more"),
    ]

    operations = [
        migrations.CreateModel(
            name="QualityAnswer",
            fields=[
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
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
                ("rule", models.CharField(max_length=3)),
                ("reason", models.TextField()),
                (
                    "stands_for",
                    models.CharField(
                        help_text="Keyed hash of the rule, the letter and the values that the rule reads",
                        max_length=64,
                    ),
                ),
                ("answered_at", models.DateTimeField()),
                (
                    "by",
                    models.UUIDField(
                        help_text="Who answered; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("by_label", models.TextField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("undone", "Taken back"),
                            ("right", "No longer a fault"),
                            ("changed", "What it was about has changed"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("ended_by_label", models.TextField(blank=True, db_default="", default="")),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="QualityAnswerHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                ("rule", models.CharField(max_length=3)),
                ("reason", models.TextField()),
                (
                    "stands_for",
                    models.CharField(
                        help_text="Keyed hash of the rule, the letter and the values that the rule reads",
                        max_length=64,
                    ),
                ),
                ("answered_at", models.DateTimeField()),
                (
                    "by",
                    models.UUIDField(
                        help_text="Who answered; an id, no foreign key, so that it outlives them"
                    ),
                ),
                ("by_label", models.TextField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("undone", "Taken back"),
                            ("right", "No longer a fault"),
                            ("changed", "What it was about has changed"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("ended_by_label", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.client",
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.episode",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="ndtms.qualityanswer",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QualityCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("rule", models.CharField(max_length=10)),
                ("episodes", models.PositiveIntegerField()),
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
        migrations.AddIndex(
            model_name="qualityanswer",
            index=models.Index(fields=["organisation", "-answered_at", "id"], name="quality_answers_newest"),
        ),
        migrations.AddIndex(
            model_name="qualityanswer",
            index=models.Index(fields=["organisation", "client"], name="quality_answers_of_client"),
        ),
        migrations.AddConstraint(
            model_name="qualityanswer",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="quality_answer_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("episode", "rule"),
                name="quality_answer_once_a_rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("rule__startswith", "W")), name="quality_answer_never_of_an_error"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__gt", "")), name="quality_answer_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("ended_why", "")),
                    models.Q(("ended_at__isnull", False), ("ended_why__gt", "")),
                    _connector="OR",
                ),
                name="quality_answer_ends_for_a_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="qualityanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="cf1043c671133ecc9fbd0c481c40d2550af4c982",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_d035a",
                    table="ndtms_qualityanswer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="qualityanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "ndtms_qualityanswerhistory" ("act", "answered_at", "by", "by_label", "client_id", "created_at", "ended_at", "ended_by_label", "ended_why", "episode_id", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "rule", "stands_for", "version") SELECT old_values."act", old_values."answered_at", old_values."by", old_values."by_label", old_values."client_id", old_values."created_at", old_values."ended_at", old_values."ended_by_label", old_values."ended_why", old_values."episode_id", old_values."id", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reason", old_values."rule", old_values."stands_for", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="cb63e2a848541129a1aa8c871d5404b26b44733c",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_f7b33",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="ndtms_qualityanswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="qualityanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "ndtms_qualityanswerhistory" ("act", "answered_at", "by", "by_label", "client_id", "created_at", "ended_at", "ended_by_label", "ended_why", "episode_id", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "rule", "stands_for", "version") SELECT old_values."act", old_values."answered_at", old_values."by", old_values."by_label", old_values."client_id", old_values."created_at", old_values."ended_at", old_values."ended_by_label", old_values."ended_why", old_values."episode_id", old_values."id", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reason", old_values."rule", old_values."stands_for", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="486f74b6103d7a76f7a0c2398cb8323f018f3f20",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_5f4b6",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="ndtms_qualityanswer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="qualityanswerhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="e9af7c173431b1e07740317521459e161715fb6b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b2df1",
                    table="ndtms_qualityanswerhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="qualitycount",
            index=models.Index(fields=["organisation", "rule", "day"], name="quality_counts_by_rule"),
        ),
        migrations.AddConstraint(
            model_name="qualitycount",
            constraint=models.UniqueConstraint(
                fields=("organisation", "service", "day", "rule"), name="quality_count_once_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualitycount",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "service"),
                name="quality_count_of_own_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        edatrs.core.database.Grant(
            "app", "SELECT, INSERT, UPDATE", "ndtms_qualityanswer", "ndtms_qualitycount"
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT", "ndtms_qualityanswerhistory"),
        edatrs.core.database.Grant(
            "destroyer",
            "SELECT, DELETE",
            "ndtms_qualityanswer",
            "ndtms_qualityanswerhistory",
            "ndtms_qualitycount",
        ),
        edatrs.core.database.RowSecurity("ndtms_qualityanswer"),
        edatrs.core.database.RowSecurity("ndtms_qualityanswerhistory"),
        edatrs.core.database.RowSecurity("ndtms_qualitycount"),
        *(
            edatrs.core.database.Policy(
                table,
                "hidden",
                edatrs.core.database.NOT_HIDDEN.format(client="client_id"),
                command="ALL",
                restrictive=True,
            )
            for table in ("ndtms_qualityanswer", "ndtms_qualityanswerhistory")
        ),
    ]
