"""Which warnings of an episode somebody has answered, pushed down to it by ndtms."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0013_linking"),
    ]

    operations = [
        migrations.AddField(
            model_name="episodequality",
            name="answered",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), db_default=[], default=list, size=None
            ),
        ),
    ]
