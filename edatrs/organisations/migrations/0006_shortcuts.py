"""Keyboard shortcuts can be switched off by each person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0005_drafts")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="shortcuts_off",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
