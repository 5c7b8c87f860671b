import django.contrib.postgres.functions
import django.db.models.deletion
import edatrs.core.crypto
import edatrs.core.database
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_mail_sealed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
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
                ("form", models.CharField(max_length=60)),
                ("object", models.CharField(blank=True, max_length=80)),
                (
                    "about_client",
                    models.UUIDField(
                        help_text="An id, no foreign key: drafts know no client model", null=True
                    ),
                ),
                (
                    "address",
                    models.CharField(help_text="Where it is continued; holds ids, no name", max_length=300),
                ),
                ("version", models.PositiveIntegerField(default=0)),
                (
                    "text",
                    edatrs.core.crypto.EncryptedTextField(help_text="The fields as they were sent, in JSON"),
                ),
                ("page", models.CharField(blank=True, max_length=36)),
                ("kept_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation", "kept_at"], name="draft_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "user", "form", "object"), name="draft_once_an_object"
                    )
                ],
            },
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE, DELETE", "organisations_draft"),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "organisations_draft"),
        edatrs.core.database.RowSecurity("organisations_draft", edatrs.core.database.OWN_OF_PERSON),
    ]
