import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import edatrs.core.database
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisations", "0001_partners_people_work"),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE caseload_record_number", "DROP SEQUENCE caseload_record_number"),
        migrations.RunSQL(
            "GRANT USAGE, SELECT ON SEQUENCE caseload_record_number TO app",
            "REVOKE USAGE, SELECT ON SEQUENCE caseload_record_number FROM app",
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
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
                    "record_number",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("caseload_record_number"), function="nextval"),
                        editable=False,
                        unique=True,
                    ),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
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
        migrations.CreateModel(
            name="Person",
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
            ],
        ),
        migrations.CreateModel(
            name="ClientContact",
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
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="%(class)s",
                        serialize=False,
                        to="caseload.client",
                    ),
                ),
                ("address_line_1", models.TextField(blank=True, db_default="", default="")),
                ("address_line_2", models.TextField(blank=True, db_default="", default="")),
                ("town", models.TextField(blank=True, db_default="", default="")),
                ("postcode", models.TextField(blank=True, db_default="", default="")),
                ("phone", models.TextField(blank=True, db_default="", default="")),
                ("email", models.TextField(blank=True, db_default="", default="")),
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
            name="ClientDisability",
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
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="%(class)s",
                        serialize=False,
                        to="caseload.client",
                    ),
                ),
                ("disability_1", models.TextField(blank=True, db_default="", default="")),
                ("disability_2", models.TextField(blank=True, db_default="", default="")),
                ("disability_3", models.TextField(blank=True, db_default="", default="")),
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
            name="ClientEquality",
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
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="%(class)s",
                        serialize=False,
                        to="caseload.client",
                    ),
                ),
                ("ethnicity", models.TextField(blank=True, db_default="", default="")),
                ("nationality", models.TextField(blank=True, db_default="", default="")),
                ("religion", models.TextField(blank=True, db_default="", default="")),
                ("sexual_orientation", models.TextField(blank=True, db_default="", default="")),
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
            name="ClientIdentity",
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
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="%(class)s",
                        serialize=False,
                        to="caseload.client",
                    ),
                ),
                ("title", models.TextField(blank=True, db_default="", default="")),
                ("forename", models.TextField(blank=True, db_default="", default="")),
                ("surname", models.TextField(blank=True, db_default="", default="")),
                ("date_of_birth", models.DateField(blank=True, null=True)),
                ("sex", models.TextField(blank=True, db_default="", default="")),
                ("nhs_number", models.TextField(blank=True, db_default="", default="")),
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
            name="ClientInformationReview",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("reviewed_on", models.DateField(blank=True, null=True, verbose_name="CIRDATE")),
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
            },
        ),
        migrations.CreateModel(
            name="ClientItems",
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
                ("category", models.CharField(max_length=20)),
                ("items", models.JSONField(db_default={}, default=dict)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="item_rows",
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
            },
        ),
        migrations.CreateModel(
            name="ClientItemsHistory",
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
                ("category", models.CharField(max_length=20)),
                ("items", models.JSONField(db_default={}, default=dict)),
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
                        to="caseload.clientitems",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Episode",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("episode_id", models.TextField(verbose_name="EPISODID")),
                ("referred_on", models.DateField(blank=True, null=True, verbose_name="REFLD")),
                ("triaged_on", models.DateField(blank=True, null=True, verbose_name="TRIAGED")),
                ("discharged_on", models.DateField(blank=True, null=True, verbose_name="DISD")),
                (
                    "discharge_reason",
                    models.TextField(blank=True, db_default="", default="", verbose_name="DISRSN"),
                ),
                (
                    "referral_source",
                    models.TextField(blank=True, db_default="", default="", verbose_name="RFLS"),
                ),
                ("drug_1", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG1")),
                ("drug_2", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG2")),
                ("drug_3", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG3")),
                ("route", models.TextField(blank=True, db_default="", default="", verbose_name="ROUTE")),
                (
                    "injecting_status",
                    models.TextField(blank=True, db_default="", default="", verbose_name="INJSTAT"),
                ),
                ("items", models.JSONField(db_default={}, default=dict)),
                (
                    "consent",
                    models.CharField(
                        blank=True,
                        choices=[("Y", "Yes"), ("N", "No")],
                        db_default="",
                        default="",
                        editable=False,
                        max_length=1,
                        verbose_name="CONSENT",
                    ),
                ),
                ("consent_on", models.DateField(blank=True, editable=False, null=True)),
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
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
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
        migrations.CreateModel(
            name="ClientInformationReviewHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("reviewed_on", models.DateField(blank=True, null=True, verbose_name="CIRDATE")),
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
                        to="caseload.clientinformationreview",
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
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="clientinformationreview",
            name="episode",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="%(class)ss",
                to="caseload.episode",
            ),
        ),
        migrations.CreateModel(
            name="EpisodeItems",
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
                ("category", models.CharField(max_length=20)),
                ("items", models.JSONField(db_default={}, default=dict)),
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
                        related_name="item_rows",
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
            name="EpisodeItemsHistory",
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
                ("category", models.CharField(max_length=20)),
                ("items", models.JSONField(db_default={}, default=dict)),
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
                        to="caseload.episodeitems",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Intervention",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("modality", models.TextField(blank=True, db_default="", default="", verbose_name="MODAL")),
                ("referred_on", models.DateField(blank=True, null=True, verbose_name="REFMODDT")),
                ("first_appointment_on", models.DateField(blank=True, null=True, verbose_name="FAOMODDT")),
                ("started_on", models.DateField(blank=True, null=True, verbose_name="MODST")),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="MODEND")),
                (
                    "exit_status",
                    models.TextField(blank=True, db_default="", default="", verbose_name="MODEXIT"),
                ),
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
                        related_name="%(class)ss",
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
            name="InterventionHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("modality", models.TextField(blank=True, db_default="", default="", verbose_name="MODAL")),
                ("referred_on", models.DateField(blank=True, null=True, verbose_name="REFMODDT")),
                ("first_appointment_on", models.DateField(blank=True, null=True, verbose_name="FAOMODDT")),
                ("started_on", models.DateField(blank=True, null=True, verbose_name="MODST")),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="MODEND")),
                (
                    "exit_status",
                    models.TextField(blank=True, db_default="", default="", verbose_name="MODEXIT"),
                ),
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
                        to="caseload.intervention",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Outcome",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("completed_on", models.DateField(blank=True, null=True, verbose_name="TOPDATE")),
                ("stage", models.TextField(blank=True, db_default="", default="", verbose_name="TRSTAGE")),
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
                        related_name="%(class)ss",
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
            name="OutcomeHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("completed_on", models.DateField(blank=True, null=True, verbose_name="TOPDATE")),
                ("stage", models.TextField(blank=True, db_default="", default="", verbose_name="TRSTAGE")),
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
                        to="caseload.outcome",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClientHistory",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        serialize=False,
                    ),
                ),
                (
                    "record_number",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("caseload_record_number"), function="nextval"),
                        editable=False,
                    ),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("act", models.UUIDField(editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
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
                        to="caseload.client",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.person",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="client",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="caseload.person"
            ),
        ),
        migrations.CreateModel(
            name="PersonKey",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operator_key",
                        to="caseload.person",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Registration",
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
                ("client_id_text", models.TextField(db_column="clientid", verbose_name="CLIENTID")),
                ("reference", models.TextField(blank=True, db_default="", default="", verbose_name="CLIENT")),
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
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
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
        migrations.CreateModel(
            name="EpisodeHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("episode_id", models.TextField(verbose_name="EPISODID")),
                ("referred_on", models.DateField(blank=True, null=True, verbose_name="REFLD")),
                ("triaged_on", models.DateField(blank=True, null=True, verbose_name="TRIAGED")),
                ("discharged_on", models.DateField(blank=True, null=True, verbose_name="DISD")),
                (
                    "discharge_reason",
                    models.TextField(blank=True, db_default="", default="", verbose_name="DISRSN"),
                ),
                (
                    "referral_source",
                    models.TextField(blank=True, db_default="", default="", verbose_name="RFLS"),
                ),
                ("drug_1", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG1")),
                ("drug_2", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG2")),
                ("drug_3", models.TextField(blank=True, db_default="", default="", verbose_name="DRUG3")),
                ("route", models.TextField(blank=True, db_default="", default="", verbose_name="ROUTE")),
                (
                    "injecting_status",
                    models.TextField(blank=True, db_default="", default="", verbose_name="INJSTAT"),
                ),
                ("items", models.JSONField(db_default={}, default=dict)),
                (
                    "consent",
                    models.CharField(
                        blank=True,
                        choices=[("Y", "Yes"), ("N", "No")],
                        db_default="",
                        default="",
                        editable=False,
                        max_length=1,
                        verbose_name="CONSENT",
                    ),
                ),
                ("consent_on", models.DateField(blank=True, editable=False, null=True)),
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
                        to="caseload.episode",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.service",
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="caseload.registration",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="episode",
            name="registration",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="episodes",
                to="caseload.registration",
            ),
        ),
        migrations.CreateModel(
            name="RegistrationHistory",
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
                ("client_id_text", models.TextField(db_column="clientid", verbose_name="CLIENTID")),
                ("reference", models.TextField(blank=True, db_default="", default="", verbose_name="CLIENT")),
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
                        to="caseload.registration",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="organisations.service",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SubInterventionReview",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("reviewed_on", models.DateField(blank=True, null=True, verbose_name="SUBMODDT")),
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
                        related_name="%(class)ss",
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
            name="SubInterventionReviewHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("reviewed_on", models.DateField(blank=True, null=True, verbose_name="SUBMODDT")),
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
                        to="caseload.subinterventionreview",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TimeInTreatment",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("assessed_on", models.DateField(blank=True, null=True, verbose_name="TITDATE")),
                (
                    "intensity",
                    models.TextField(blank=True, db_default="", default="", verbose_name="TITREAT"),
                ),
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
                        related_name="%(class)ss",
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
            name="TimeInTreatmentHistory",
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
                ("voided_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("voided_reason", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("identifier", models.TextField()),
                ("items", models.JSONField(db_default={}, default=dict)),
                ("assessed_on", models.DateField(blank=True, null=True, verbose_name="TITDATE")),
                (
                    "intensity",
                    models.TextField(blank=True, db_default="", default="", verbose_name="TITREAT"),
                ),
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
                        to="caseload.timeintreatment",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClientContactHistory",
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
                ("address_line_1", models.TextField(blank=True, db_default="", default="")),
                ("address_line_2", models.TextField(blank=True, db_default="", default="")),
                ("town", models.TextField(blank=True, db_default="", default="")),
                ("postcode", models.TextField(blank=True, db_default="", default="")),
                ("phone", models.TextField(blank=True, db_default="", default="")),
                ("email", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="caseload.client",
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
                        to="caseload.clientcontact",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClientDisabilityHistory",
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
                ("disability_1", models.TextField(blank=True, db_default="", default="")),
                ("disability_2", models.TextField(blank=True, db_default="", default="")),
                ("disability_3", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="caseload.client",
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
                        to="caseload.clientdisability",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClientEqualityHistory",
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
                ("ethnicity", models.TextField(blank=True, db_default="", default="")),
                ("nationality", models.TextField(blank=True, db_default="", default="")),
                ("religion", models.TextField(blank=True, db_default="", default="")),
                ("sexual_orientation", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="caseload.client",
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
                        to="caseload.clientequality",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ClientIdentityHistory",
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
                ("title", models.TextField(blank=True, db_default="", default="")),
                ("forename", models.TextField(blank=True, db_default="", default="")),
                ("surname", models.TextField(blank=True, db_default="", default="")),
                ("date_of_birth", models.DateField(blank=True, null=True)),
                ("sex", models.TextField(blank=True, db_default="", default="")),
                ("nhs_number", models.TextField(blank=True, db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="caseload.client",
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
                        to="caseload.clientidentity",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="clientitems",
            constraint=models.UniqueConstraint(
                fields=("client", "category"), name="client_items_once_a_category"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientitems",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="5c28a0ba288024ee5972a4759e98a29b4317d441",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_d992e",
                    table="caseload_clientitems",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientitems",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientitemshistory" ("act", "category", "client_id", "created_at", "id", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."id", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="870464ecd7986d39d5e2056279a49ff8e24ca444",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_9bac4",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientitems",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientitems",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientitemshistory" ("act", "category", "client_id", "created_at", "id", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."id", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f7b835bcb4e5c60112fad733bc330ccf3ca3d066",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_6a35b",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientitems",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientitemshistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="51e502f6aa37d0928e896d5f129bb6fb0e10b1ca",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_3b16b",
                    table="caseload_clientitemshistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientinformationreviewhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="bff1e20f9d3e1aed465630e187900a152c2a9558",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d172d",
                    table="caseload_clientinformationreviewhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientinformationreview",
            constraint=models.UniqueConstraint(
                fields=("episode", "identifier"), name="information_review_identifier_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientinformationreview",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="1cc100a6baa4858498e00ba7b34e3834de95b725",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_37c30",
                    table="caseload_clientinformationreview",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientinformationreview",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientinformationreviewhistory" ("act", "client_id", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewed_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reviewed_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="55913e8c70a70fa5c0842764778cedac70935d89",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_11bce",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientinformationreview",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientinformationreview",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientinformationreviewhistory" ("act", "client_id", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewed_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reviewed_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="3e22a3dea354aa84ec69ee2bafbf198bf74b2da4",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_59918",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientinformationreview",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="episodeitems",
            constraint=models.UniqueConstraint(
                fields=("episode", "category"), name="episode_items_once_a_category"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episodeitems",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="164412132363bd9b189db61acd05f8c1be808a01",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_75bef",
                    table="caseload_episodeitems",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episodeitems",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_episodeitemshistory" ("act", "category", "client_id", "created_at", "episode_id", "id", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="651bcf769fca9e06980f5cd872363c4fa593d8ae",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_23f8c",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_episodeitems",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episodeitems",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_episodeitemshistory" ("act", "category", "client_id", "created_at", "episode_id", "id", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."category", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="fd87c7751e527a91de022fc8ecd3f59d4c734f34",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_48ed0",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_episodeitems",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episodeitemshistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="430c22f7fb58b60c56c9aebd136fd5ab36ce0a9a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d618c",
                    table="caseload_episodeitemshistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="intervention",
            constraint=models.UniqueConstraint(
                fields=("episode", "identifier"), name="intervention_identifier_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intervention",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="1337474285514b6b649b1ec8392249cb661e0447",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_918dd",
                    table="caseload_intervention",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intervention",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_interventionhistory" ("act", "client_id", "created_at", "ended_on", "episode_id", "exit_status", "first_appointment_on", "id", "identifier", "items", "modality", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referred_on", "started_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."ended_on", old_values."episode_id", old_values."exit_status", old_values."first_appointment_on", old_values."id", old_values."identifier", old_values."items", old_values."modality", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."referred_on", old_values."started_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="696d0fde604d2428cd8f24fc1234e70954e617d9",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_9ed7f",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_intervention",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intervention",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_interventionhistory" ("act", "client_id", "created_at", "ended_on", "episode_id", "exit_status", "first_appointment_on", "id", "identifier", "items", "modality", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referred_on", "started_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."ended_on", old_values."episode_id", old_values."exit_status", old_values."first_appointment_on", old_values."id", old_values."identifier", old_values."items", old_values."modality", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."referred_on", old_values."started_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="6cb4f5dd986b6727a9a9e689f2c7876c76d6ae21",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_4085f",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_intervention",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="interventionhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="71900b1d3e19daf563844bff664a765831bf0e15",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_9e5c9",
                    table="caseload_interventionhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.UniqueConstraint(
                fields=("episode", "identifier"), name="outcome_identifier_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="0376cbb611b11e9a620801a551264518f60ff181",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_c71a9",
                    table="caseload_outcome",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_outcomehistory" ("act", "client_id", "completed_on", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stage", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."completed_on", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."stage", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="dd6753721bb9c68c857a14d152cd6599cf091d24",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_11e59",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_outcome",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcome",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_outcomehistory" ("act", "client_id", "completed_on", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stage", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."completed_on", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."stage", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="5969977574acfb09fdad1c330cac168984cb6df9",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_bc5e1",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_outcome",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outcomehistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9d22bc8db19727c54963188a29c1a24520d54530",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_339f9",
                    table="caseload_outcomehistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clienthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="300b34baa931ac87605212df96f9905f41c876f3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_4037f",
                    table="caseload_clienthistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="client_with_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.UniqueConstraint(fields=("organisation", "person"), name="one_client_a_person"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="178d0252608866d1152dadf35dcb49886406b551",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_a75e2",
                    table="caseload_client",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clienthistory" ("act", "created_at", "id", "organisation_id", "person_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "record_number", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."created_at", old_values."id", old_values."organisation_id", old_values."person_id", NOW(), \'changed\', old_values."id", old_values."record_number", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="2d99d29e2ae2b10f56520e72abb53864bdf153f6",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_8dd5b",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_client",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="client",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clienthistory" ("act", "created_at", "id", "organisation_id", "person_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "record_number", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."created_at", old_values."id", old_values."organisation_id", old_values."person_id", NOW(), \'deleted\', old_values."id", old_values."record_number", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="e46d66b54dfbfe234336828bf16b8e3eef8ee81a",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_f7949",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_client",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(
                fields=("service", "client_id_text"), name="clientid_once_an_agency"
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "service", "id"), name="registration_with_client"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registration",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="3e0ddaac4dad6a331b5c8c7c074124f7fb00fc67",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_60562",
                    table="caseload_registration",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registration",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_registrationhistory" ("act", "client_id", "clientid", "created_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reference", "service_id", "version") SELECT old_values."act", old_values."client_id", old_values."clientid", old_values."created_at", old_values."id", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reference", old_values."service_id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="41acfee4bf5600eb269340c10c9cd2bb4f0b3df9",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_a5534",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_registration",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registration",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_registrationhistory" ("act", "client_id", "clientid", "created_at", "id", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reference", "service_id", "version") SELECT old_values."act", old_values."client_id", old_values."clientid", old_values."created_at", old_values."id", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reference", old_values."service_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="b7904706b3b246fecf6c36e633e40ee674d147ba",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_f72be",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_registration",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episodehistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="cf7fa7f7645abaa947293a602b96d7b5a6d14f41",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e2d65",
                    table="caseload_episodehistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.UniqueConstraint(
                fields=("service", "episode_id"), name="episodid_once_an_agency"
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.UniqueConstraint(
                fields=("organisation", "client", "id"), name="episode_with_client"
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.CheckConstraint(
                condition=models.Q(("consent__in", ["", "Y", "N"])), name="episode_consent_is_a_decision"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episode",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="d68bfe7b6a1f4a36d0490dd2f397df43739feb9f",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_f4fc9",
                    table="caseload_episode",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episode",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_episodehistory" ("act", "client_id", "consent", "consent_on", "created_at", "discharge_reason", "discharged_on", "drug_1", "drug_2", "drug_3", "episode_id", "id", "injecting_status", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_source", "referred_on", "registration_id", "route", "service_id", "triaged_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."consent", old_values."consent_on", old_values."created_at", old_values."discharge_reason", old_values."discharged_on", old_values."drug_1", old_values."drug_2", old_values."drug_3", old_values."episode_id", old_values."id", old_values."injecting_status", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."referral_source", old_values."referred_on", old_values."registration_id", old_values."route", old_values."service_id", old_values."triaged_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="bcbbf8aca202fb673b2376746f2e53fb7b3f878d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_04b46",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_episode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="episode",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_episodehistory" ("act", "client_id", "consent", "consent_on", "created_at", "discharge_reason", "discharged_on", "drug_1", "drug_2", "drug_3", "episode_id", "id", "injecting_status", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "referral_source", "referred_on", "registration_id", "route", "service_id", "triaged_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."consent", old_values."consent_on", old_values."created_at", old_values."discharge_reason", old_values."discharged_on", old_values."drug_1", old_values."drug_2", old_values."drug_3", old_values."episode_id", old_values."id", old_values."injecting_status", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."referral_source", old_values."referred_on", old_values."registration_id", old_values."route", old_values."service_id", old_values."triaged_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="a30bed9189562a27fe10a7a85a3fe507ccf0d3df",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_86f31",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_episode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registrationhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4bc3cd9e70bdf24470feddc76f810b1961f90f52",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_11d96",
                    table="caseload_registrationhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="subinterventionreview",
            constraint=models.UniqueConstraint(
                fields=("episode", "identifier"), name="review_identifier_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subinterventionreview",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="3a76a17f0bdca5da9553adf7cb353a6cfe958cca",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_33c29",
                    table="caseload_subinterventionreview",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subinterventionreview",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_subinterventionreviewhistory" ("act", "client_id", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewed_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."reviewed_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f7fee0af6a4c41236023aee04a6f60ba908742b9",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_342f8",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_subinterventionreview",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subinterventionreview",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_subinterventionreviewhistory" ("act", "client_id", "created_at", "episode_id", "id", "identifier", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewed_on", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."reviewed_on", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="da0bec98e56eecdcbf7c1b7853a8f87aaf830620",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_8a9bc",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_subinterventionreview",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subinterventionreviewhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="88b61e004445d19d6e4d4f76016593dd06d33211",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8fbd9",
                    table="caseload_subinterventionreviewhistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="timeintreatment",
            constraint=models.UniqueConstraint(
                fields=("episode", "identifier"), name="time_in_treatment_identifier_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="timeintreatment",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="086a410645807147b7e158ddcf0b2f9a964c399d",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_4a61f",
                    table="caseload_timeintreatment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="timeintreatment",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_timeintreatmenthistory" ("act", "assessed_on", "client_id", "created_at", "episode_id", "id", "identifier", "intensity", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."assessed_on", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."intensity", old_values."items", old_values."organisation_id", NOW(), \'changed\', old_values."id", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="3afec76f2b1dde831993eb4c20c405673a99ef42",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_a8013",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_timeintreatment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="timeintreatment",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_timeintreatmenthistory" ("act", "assessed_on", "client_id", "created_at", "episode_id", "id", "identifier", "intensity", "items", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version", "voided_at", "voided_reason") SELECT old_values."act", old_values."assessed_on", old_values."client_id", old_values."created_at", old_values."episode_id", old_values."id", old_values."identifier", old_values."intensity", old_values."items", old_values."organisation_id", NOW(), \'deleted\', old_values."id", old_values."version", old_values."voided_at", old_values."voided_reason" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="a39ed2f5889afbbba8ea879528cc1f113ed65f68",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_ee4fb",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_timeintreatment",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="timeintreatmenthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9cbb460f8a4c857227f586803ba0ab7db8737710",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_bafc9",
                    table="caseload_timeintreatmenthistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientcontacthistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="04706184d665f1fd6964f8959dc83f54371a7d8d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0476b",
                    table="caseload_clientcontacthistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientcontact",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="3aa7f3c6956d930481a9bd8bf474e18a5814e0a5",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_fb18e",
                    table="caseload_clientcontact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientcontact",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientcontacthistory" ("act", "address_line_1", "address_line_2", "client_id", "created_at", "email", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "postcode", "town", "version") SELECT old_values."act", old_values."address_line_1", old_values."address_line_2", old_values."client_id", old_values."created_at", old_values."email", old_values."organisation_id", NOW(), \'changed\', old_values."client_id", old_values."phone", old_values."postcode", old_values."town", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."client_id") = (new_values."client_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="3866c83b7ce8be4f8ce9816160d28d63a07298e4",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_a0277",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientcontact",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientcontact",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientcontacthistory" ("act", "address_line_1", "address_line_2", "client_id", "created_at", "email", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "postcode", "town", "version") SELECT old_values."act", old_values."address_line_1", old_values."address_line_2", old_values."client_id", old_values."created_at", old_values."email", old_values."organisation_id", NOW(), \'deleted\', old_values."client_id", old_values."phone", old_values."postcode", old_values."town", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="7552ea5d0df1f8cebcf3869baf4c714a403a7d73",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_124ff",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientcontact",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientdisabilityhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ec9c3f1d7b11802ce75b739ed6a18088e72de561",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_bbc3c",
                    table="caseload_clientdisabilityhistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientdisability",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="0506778191af6939313af0a35142c19897e8e438",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_0b96c",
                    table="caseload_clientdisability",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientdisability",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientdisabilityhistory" ("act", "client_id", "created_at", "disability_1", "disability_2", "disability_3", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."disability_1", old_values."disability_2", old_values."disability_3", old_values."organisation_id", NOW(), \'changed\', old_values."client_id", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."client_id") = (new_values."client_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f1e2935d2c77e5d166189ca091f5be600bc531af",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_6ca10",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientdisability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientdisability",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientdisabilityhistory" ("act", "client_id", "created_at", "disability_1", "disability_2", "disability_3", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."disability_1", old_values."disability_2", old_values."disability_3", old_values."organisation_id", NOW(), \'deleted\', old_values."client_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="7f96755dc9d782ad2427686a3c60e4e6b622166b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_7c332",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientdisability",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientequalityhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="00499902b2310e35b55d567b810fc410b8b85c48",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_84e18",
                    table="caseload_clientequalityhistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientequality",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="d4b5a17cc8e16ea1dd96c22926fce6c86327078e",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_78aac",
                    table="caseload_clientequality",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientequality",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientequalityhistory" ("act", "client_id", "created_at", "ethnicity", "nationality", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "religion", "sexual_orientation", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."ethnicity", old_values."nationality", old_values."organisation_id", NOW(), \'changed\', old_values."client_id", old_values."religion", old_values."sexual_orientation", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."client_id") = (new_values."client_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="b81ed3b17c7ab65a95789ed1ba0c8512495aef3b",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_5710b",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientequality",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientequality",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientequalityhistory" ("act", "client_id", "created_at", "ethnicity", "nationality", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "religion", "sexual_orientation", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."ethnicity", old_values."nationality", old_values."organisation_id", NOW(), \'deleted\', old_values."client_id", old_values."religion", old_values."sexual_orientation", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="6a853845ba97c88af9897e3d3ff6e99a14e4dd30",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_b6554",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientequality",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientidentityhistory",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'destroyer')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="b7d5808ec6685678280d969b5b80e50ee70584b5",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_cd587",
                    table="caseload_clientidentityhistory",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="stamp",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func="NEW.version = OLD.version + 1; NEW.act = nullif(current_setting('app.act', true), '')::uuid; RETURN NEW;",
                    hash="2f7826c71bf6e8f6b4f901a1a9cfbebcc1c97300",
                    operation="UPDATE",
                    pgid="pgtrigger_stamp_4f6f2",
                    table="caseload_clientidentity",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientidentityhistory" ("act", "client_id", "created_at", "date_of_birth", "forename", "nhs_number", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sex", "surname", "title", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."date_of_birth", old_values."forename", old_values."nhs_number", old_values."organisation_id", NOW(), \'changed\', old_values."client_id", old_values."sex", old_values."surname", old_values."title", old_values."version" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."client_id") = (new_values."client_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="399e683c3285957050bb1b48e62acbcf8f66bb79",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_42729",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="caseload_clientidentity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="clientidentity",
            trigger=pgtrigger.compiler.Trigger(
                name="deleted_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "caseload_clientidentityhistory" ("act", "client_id", "created_at", "date_of_birth", "forename", "nhs_number", "organisation_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sex", "surname", "title", "version") SELECT old_values."act", old_values."client_id", old_values."created_at", old_values."date_of_birth", old_values."forename", old_values."nhs_number", old_values."organisation_id", NOW(), \'deleted\', old_values."client_id", old_values."sex", old_values."surname", old_values."title", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="3e4224ee408b5673622f423cc8fe9132406dec9e",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_deleted_delete_9a8aa",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="caseload_clientidentity",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientitems",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="client_items_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientinformationreview",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="information_review_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="episodeitems",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="items_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="intervention",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="intervention_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="outcome_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="registration_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "service"),
                name="registration_at_own_service",
                to="organisations.Service",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "service", "registration"),
                name="episode_of_registration",
                to="caseload.Registration",
                to_fields=("organisation", "client", "service", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="subinterventionreview",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="review_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="timeintreatment",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client", "episode"),
                name="time_in_treatment_of_episode",
                to="caseload.Episode",
                to_fields=("organisation", "client", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientcontact",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="contact_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientdisability",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="disability_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientequality",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="equality_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        migrations.AddConstraint(
            model_name="clientidentity",
            constraint=edatrs.core.database.TenantForeignKey(
                fields=("organisation", "client"),
                name="identity_of_client",
                to="caseload.Client",
                to_fields=("organisation", "id"),
            ),
        ),
        # The walls land with the tables: what is not granted is refused, and row security holds for the owner too.
        edatrs.core.database.Grant("app", "SELECT, INSERT", "caseload_person", "caseload_personkey"),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT, UPDATE",
            "caseload_client",
            "caseload_clientidentity",
            "caseload_clientcontact",
            "caseload_clientequality",
            "caseload_clientdisability",
            "caseload_clientitems",
            "caseload_registration",
            "caseload_episode",
            "caseload_episodeitems",
            "caseload_intervention",
            "caseload_subinterventionreview",
            "caseload_timeintreatment",
            "caseload_outcome",
            "caseload_clientinformationreview",
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT",
            "caseload_clienthistory",
            "caseload_clientidentityhistory",
            "caseload_clientcontacthistory",
            "caseload_clientequalityhistory",
            "caseload_clientdisabilityhistory",
            "caseload_clientitemshistory",
            "caseload_registrationhistory",
            "caseload_episodehistory",
            "caseload_episodeitemshistory",
            "caseload_interventionhistory",
            "caseload_subinterventionreviewhistory",
            "caseload_timeintreatmenthistory",
            "caseload_outcomehistory",
            "caseload_clientinformationreviewhistory",
        ),
        edatrs.core.database.Grant(
            "destroyer",
            "SELECT, DELETE",
            "caseload_client",
            "caseload_clientidentity",
            "caseload_clientcontact",
            "caseload_clientequality",
            "caseload_clientdisability",
            "caseload_clientitems",
            "caseload_registration",
            "caseload_episode",
            "caseload_episodeitems",
            "caseload_intervention",
            "caseload_subinterventionreview",
            "caseload_timeintreatment",
            "caseload_outcome",
            "caseload_clientinformationreview",
            "caseload_clienthistory",
            "caseload_clientidentityhistory",
            "caseload_clientcontacthistory",
            "caseload_clientequalityhistory",
            "caseload_clientdisabilityhistory",
            "caseload_clientitemshistory",
            "caseload_registrationhistory",
            "caseload_episodehistory",
            "caseload_episodeitemshistory",
            "caseload_interventionhistory",
            "caseload_subinterventionreviewhistory",
            "caseload_timeintreatmenthistory",
            "caseload_outcomehistory",
            "caseload_clientinformationreviewhistory",
        ),
        edatrs.core.database.RowSecurity("caseload_personkey", edatrs.core.database.OPERATOR_ONLY),
        edatrs.core.database.RowSecurity("caseload_client"),
        edatrs.core.database.RowSecurity("caseload_clientidentity"),
        edatrs.core.database.RowSecurity("caseload_clientcontact"),
        edatrs.core.database.RowSecurity("caseload_clientequality"),
        edatrs.core.database.RowSecurity("caseload_clientdisability"),
        edatrs.core.database.RowSecurity("caseload_clientitems"),
        edatrs.core.database.RowSecurity("caseload_registration"),
        edatrs.core.database.RowSecurity("caseload_episode"),
        edatrs.core.database.RowSecurity("caseload_episodeitems"),
        edatrs.core.database.RowSecurity("caseload_intervention"),
        edatrs.core.database.RowSecurity("caseload_subinterventionreview"),
        edatrs.core.database.RowSecurity("caseload_timeintreatment"),
        edatrs.core.database.RowSecurity("caseload_outcome"),
        edatrs.core.database.RowSecurity("caseload_clientinformationreview"),
        edatrs.core.database.RowSecurity("caseload_clienthistory"),
        edatrs.core.database.RowSecurity("caseload_clientidentityhistory"),
        edatrs.core.database.RowSecurity("caseload_clientcontacthistory"),
        edatrs.core.database.RowSecurity("caseload_clientequalityhistory"),
        edatrs.core.database.RowSecurity("caseload_clientdisabilityhistory"),
        edatrs.core.database.RowSecurity("caseload_clientitemshistory"),
        edatrs.core.database.RowSecurity("caseload_registrationhistory"),
        edatrs.core.database.RowSecurity("caseload_episodehistory"),
        edatrs.core.database.RowSecurity("caseload_episodeitemshistory"),
        edatrs.core.database.RowSecurity("caseload_interventionhistory"),
        edatrs.core.database.RowSecurity("caseload_subinterventionreviewhistory"),
        edatrs.core.database.RowSecurity("caseload_timeintreatmenthistory"),
        edatrs.core.database.RowSecurity("caseload_outcomehistory"),
        edatrs.core.database.RowSecurity("caseload_clientinformationreviewhistory"),
    ]
