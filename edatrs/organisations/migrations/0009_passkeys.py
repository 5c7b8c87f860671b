"""Passkeys lie in the tables of django-otp-webauthn: what the role that serves requests may do there."""

from django.db import migrations

from edatrs.core.database import Grant


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0008_people"),
        ("django_otp_webauthn", "0004_webauthnuserhandle"),
    ]

    operations = [
        Grant(
            "app",
            "SELECT, INSERT, UPDATE, DELETE",
            "django_otp_webauthn_webauthncredential",
            "django_otp_webauthn_webauthnattestation",
        ),
        Grant("app", "SELECT, INSERT", "django_otp_webauthn_webauthnuserhandle"),
    ]
