"""Who has a conflict of interest with a client, or is not in the named team of a sensitive record, finds nothing of its consents."""

from django.db import migrations

from edatrs.core.database import NOT_HIDDEN, Policy

TABLES = (
    "consent_consentact",
    "consent_consentdeferral",
    "consent_consentform",
    "consent_consentinvalidation",
)


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0009_sharing"),
        ("consent", "0005_forms_and_errors_follow_their_episode"),
    ]

    operations = [
        Policy(table, "hidden", NOT_HIDDEN.format(client="client_id"), command="ALL", restrictive=True)
        for table in TABLES
    ]
