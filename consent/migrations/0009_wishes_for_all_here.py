"""Withdrawals from everything here are found without reading every act: asked before each full extract (O-140)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_asks")]

    operations = [
        migrations.AddIndex(
            model_name="consentact",
            index=models.Index(
                condition=models.Q(("wish", "all-here")),
                fields=["organisation", "client"],
                name="consent_acts_for_all_here",
            ),
        )
    ]
