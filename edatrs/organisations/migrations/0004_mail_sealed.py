import edatrs.core.crypto
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0003_sign_in"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outboundmail",
            name="text",
            field=edatrs.core.crypto.EncryptedTextField(
                help_text="May hold a link that sets a password: never in clear in the database"
            ),
        ),
    ]
