"""Training and background checks, reviews of access, leavers and their sealed drafts; who gave a role."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import edatrs.core.crypto
import edatrs.core.database

ID = models.UUIDField(
    db_default=django.contrib.postgres.functions.RandomUUID(),
    default=uuid.uuid4,
    editable=False,
    primary_key=True,
    serialize=False,
)


def organisation() -> models.ForeignKey:
    """The organisation of a tenant's row."""
    return models.ForeignKey(
        db_index=False,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.organisation",
    )


def person(**more: object) -> models.ForeignKey:
    """A person."""
    options = {"on_delete": django.db.models.deletion.CASCADE, "related_name": "+", **more}
    return models.ForeignKey(to=settings.AUTH_USER_MODEL, **options)


OPTIONS = {"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"}


class Migration(migrations.Migration):
    dependencies = [("organisations", "0007_protocol")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="required_clearances",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("training", "Data-protection training"),
                        ("background_check", "Background check (DBS)"),
                    ],
                    max_length=20,
                ),
                blank=True,
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(model_name="membership", name="given_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="membership",
            name="given_by_label",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.CreateModel(
            name="Clearance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("training", "Data-protection training"),
                            ("background_check", "Background check (DBS)"),
                        ],
                        max_length=20,
                    ),
                ),
                ("done_on", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by_label", models.CharField(max_length=120)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                ("user", person(related_name="clearances")),
            ],
            options={
                "ordering": ["kind"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "organisation", "kind"), name="clearance_once_a_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True),
                            ("valid_until__gte", models.F("done_on")),
                            _connector="OR",
                        ),
                        name="clearance_ends_after_it_begins",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessReview",
            fields=[
                ("id", ID.clone()),
                ("at", models.DateTimeField()),
                ("by_label", models.CharField(max_length=120)),
                (
                    "roles",
                    models.CharField(
                        blank=True, help_text="The roles that were confirmed, by code", max_length=400
                    ),
                ),
                ("organisation", organisation()),
                ("user", person()),
            ],
            options={
                **OPTIONS,
                "indexes": [models.Index(fields=["organisation", "user", "-at"], name="review_by_person")],
            },
        ),
        migrations.CreateModel(
            name="Leaver",
            fields=[
                ("id", ID.clone()),
                ("last_day", models.DateField()),
                ("started_at", models.DateTimeField()),
                ("started_by_label", models.CharField(max_length=120)),
                ("before", models.JSONField(default=dict)),
                ("tasks", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by_label", models.CharField(blank=True, max_length=120)),
                (
                    "manager",
                    person(
                        help_text="Who is asked to hand over the work; nobody where no client is seen",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                    ),
                ),
                ("organisation", organisation()),
                ("user", person()),
            ],
            options={
                **OPTIONS,
                "indexes": [models.Index(fields=["organisation", "last_day"], name="leaver_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "id"), name="leaver_with_organisation")
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaverDraft",
            fields=[
                ("id", ID.clone()),
                ("form", models.CharField(max_length=60)),
                ("object", models.CharField(blank=True, max_length=80)),
                (
                    "about_client",
                    models.UUIDField(
                        help_text="An id, no foreign key: drafts know no client model", null=True
                    ),
                ),
                ("address", models.CharField(max_length=300)),
                ("version", models.PositiveIntegerField(default=0)),
                (
                    "text",
                    edatrs.core.crypto.EncryptedTextField(help_text="The fields as they were sent, in JSON"),
                ),
                ("kept_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(null=True)),
                (
                    "leaver",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="organisations.leaver",
                    ),
                ),
                ("organisation", organisation()),
                ("user", person()),
            ],
            options={
                **OPTIONS,
                "indexes": [models.Index(fields=["organisation", "leaver"], name="leaverdraft_by_leaver")],
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "leaver"),
                        name="leaverdraft_of_own_leaver",
                        to="organisations.Leaver",
                        to_fields=("organisation", "id"),
                    )
                ],
            },
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "organisations_clearance"),
        # A review is kept as it was made.
        edatrs.core.database.Grant("app", "SELECT, INSERT", "organisations_accessreview"),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "organisations_leaver"),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE, DELETE", "organisations_leaverdraft"),
        edatrs.core.database.Grant(
            "destroyer",
            "SELECT, DELETE",
            "organisations_accessreview",
            "organisations_leaver",
            "organisations_leaverdraft",
        ),
        edatrs.core.database.RowSecurity("organisations_accessreview"),
        edatrs.core.database.RowSecurity("organisations_leaver"),
        edatrs.core.database.RowSecurity("organisations_leaverdraft", edatrs.core.database.OWN_OF_PERSON),
    ]
