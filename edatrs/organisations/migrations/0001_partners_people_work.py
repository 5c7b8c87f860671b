import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import guardian.mixins
import uuid
from django.conf import settings
import edatrs.core.database
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(
            # The roles must be there before anything is granted: see docs/architecture.md, "Database roles".
            """DO $$
            DECLARE missing text;
            BEGIN
                SELECT string_agg(r, ', ') INTO missing
                FROM unnest(ARRAY['owner', 'app', 'matcher', 'aggregate', 'report', 'verifier', 'destroyer']) r
                WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r);
                IF missing IS NOT NULL THEN
                    RAISE EXCEPTION 'database roles missing: %. Make them with: python -m edatrs.core.embedded roles --url ...', missing;
                END IF;
            END $$""",
            migrations.RunSQL.noop,
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="As it stands in every address: /o/<slug>/", max_length=60, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("brand", models.CharField(blank=True, max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("provider", "Provider"),
                            ("commissioner", "Commissioner"),
                            ("supplier", "System supplier"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "is_controller",
                    models.BooleanField(
                        default=False, help_text="The sole data controller of the partnership (obligation 34)"
                    ),
                ),
                ("head_office", models.TextField(blank=True)),
                ("phone", models.CharField(blank=True, max_length=40)),
                (
                    "emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=254), blank=True, default=list, size=None
                    ),
                ),
                ("data_protection_officer", models.CharField(blank=True, max_length=120)),
                (
                    "ico_references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(max_length=120)),
                ("is_active", models.BooleanField(default=True)),
                ("sessions_version", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "last_organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "ordering": ["full_name"],
            },
            bases=(guardian.mixins.GuardianUserMixin, models.Model),
        ),
        migrations.CreateModel(
            name="OutboundMail",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("unique_key", models.CharField(max_length=200, unique=True)),
                ("to", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=150)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("given_up_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("given_up_at__isnull", True), ("sent_at__isnull", True)),
                        fields=["next_attempt"],
                        name="mail_due",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Service",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "agency_code",
                    models.CharField(
                        help_text="Issued by NDTMS; kept exactly as it came", max_length=20, unique=True
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
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
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["agency_code"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("keyworker", "Keyworker"),
                            ("clinician", "Clinician"),
                            ("team_manager", "Team manager"),
                            ("ndtms_administrator", "NDTMS administrator"),
                            ("organisation_administrator", "Organisation administrator"),
                            ("information_governance", "Information governance officer"),
                            ("commissioner", "Commissioner"),
                            ("platform_support", "Platform support"),
                        ],
                        max_length=40,
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "services",
                    models.ManyToManyField(blank=True, related_name="+", to="organisations.service"),
                ),
            ],
            options={
                "ordering": ["organisation__name", "role"],
            },
        ),
        migrations.CreateModel(
            name="ServiceLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("letter", models.CharField(max_length=1)),
                ("in_force_from", models.DateField()),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to="organisations.service",
                    ),
                ),
            ],
            options={
                "ordering": ["in_force_from"],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("unique_key", models.CharField(max_length=200, unique=True)),
                ("role", models.CharField(blank=True, max_length=40)),
                ("words", models.CharField(max_length=200)),
                ("link", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tasks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.UUIDField()),
                ("unique_key", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("run_after", models.DateTimeField()),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "deadline",
                    models.DateTimeField(
                        help_text="An attempt that is not finished by then has failed", null=True
                    ),
                ),
                ("progress", models.PositiveIntegerField(default=0)),
                ("progress_of", models.PositiveIntegerField(default=0)),
                ("progress_words", models.CharField(blank=True, max_length=120)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=["run_after"],
                        name="job_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=("unique_key",),
                        name="one_unfinished_job_a_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lease_token__isnull", False),
                                ("lease_until__isnull", False),
                                ("state", "running"),
                            ),
                            models.Q(("state", "running"), _negated=True),
                            _connector="OR",
                        ),
                        name="running_job_is_leased",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="email_once_in_any_case"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_superuser", False)), name="no_superusers"
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.UniqueConstraint(
                fields=("organisation", "id"), name="service_with_organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("user", "organisation", "role"), name="role_once_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until__isnull", True),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="membership_ends_after_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceletter",
            constraint=models.UniqueConstraint(fields=("service", "in_force_from"), name="one_letter_a_day"),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("user__isnull", False), models.Q(("role", ""), _negated=True), _connector="OR"
                ),
                name="task_is_for_someone",
            ),
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT, UPDATE",
            "organisations_organisation",
            "organisations_service",
            "organisations_serviceletter",
            "organisations_user",
            "organisations_job",
            "organisations_outboundmail",
            "organisations_task",
            "organisations_membership",
        ),
    ]
