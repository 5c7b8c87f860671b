"""Signed statements of the heads: appended, never changed, whoever asks."""

from django.db import migrations, models

from edatrs.core.database import Grant

TRIGGERS = """
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit_headstatement
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER emptied_by_owner BEFORE TRUNCATE ON audit_headstatement
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate();
"""
NO_TRIGGERS = """
DROP TRIGGER emptied_by_owner ON audit_headstatement;
DROP TRIGGER never_changed ON audit_headstatement;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_trail")]

    operations = [
        migrations.CreateModel(
            name="HeadStatement",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(help_text="When the heads were read")),
                ("entries", models.BigIntegerField(help_text="Entries of all chains together")),
                ("body", models.TextField(help_text="The canonical JSON that was signed")),
                ("signature", models.BinaryField()),
            ],
            options={
                "verbose_name": "signed statement of the heads",
                "verbose_name_plural": "signed statements of the heads",
                "ordering": ["-number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="statements_count_from_one"
                    )
                ],
            },
        ),
        Grant("app", "SELECT, INSERT", "audit_headstatement"),
        Grant("verifier", "SELECT", "audit_headstatement"),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
