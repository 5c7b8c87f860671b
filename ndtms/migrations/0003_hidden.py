"""Who has a conflict of interest with a client, or is not in the named team of a sensitive record, does not see what is held nationally."""

from django.db import migrations

from edatrs.core.database import NOT_HIDDEN, Policy


class Migration(migrations.Migration):
    dependencies = [("caseload", "0009_sharing"), ("ndtms", "0002_imports")]

    operations = [
        Policy(
            "ndtms_nationalholding",
            "hidden",
            NOT_HIDDEN.format(client="client_id"),
            command="ALL",
            restrictive=True,
        )
    ]
