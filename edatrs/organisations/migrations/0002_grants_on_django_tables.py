"""What the role that serves requests may do on the tables of Django, guardian and the many-to-many tables of this app."""

from django.db import migrations

from edatrs.core.database import Grant


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0001_partners_people_work"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        Grant("app", "SELECT, INSERT, UPDATE", "auth_group"),
        Grant(
            "app",
            "SELECT, INSERT, UPDATE, DELETE",
            "organisations_membership_services",
            "organisations_user_groups",
            "organisations_user_user_permissions",
            "guardian_groupobjectpermission",
            "django_session",
        ),
        Grant(
            "app",
            "SELECT",
            "auth_permission",
            "auth_group_permissions",
            "django_content_type",
            "django_migrations",
        ),
        Grant("app", "SELECT", "guardian_userobjectpermission"),
    ]
