import django.db.models.deletion
import edatrs.core.database
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0001_record"),
        ("organisations", "0003_sign_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Opening",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
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
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="opening_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    ),
                    models.UniqueConstraint(fields=("organisation", "user", "client"), name="opening_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=12)),
                ("token", models.TextField()),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="search_tokens",
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
                "indexes": [
                    models.Index(
                        fields=["organisation", "token", "kind", "client"], name="search_token_found"
                    )
                ],
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="search_token_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    ),
                    models.UniqueConstraint(fields=("client", "kind", "token"), name="search_token_once"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="registration",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registrations",
                to="caseload.client",
            ),
        ),
        edatrs.core.database.Grant(
            "app",
            "SELECT, INSERT, UPDATE, DELETE",
            "caseload_searchtoken",
            "caseload_opening",
        ),
        edatrs.core.database.Grant("destroyer", "SELECT, DELETE", "caseload_searchtoken", "caseload_opening"),
        edatrs.core.database.RowSecurity("caseload_searchtoken"),
        edatrs.core.database.RowSecurity("caseload_opening"),
    ]
