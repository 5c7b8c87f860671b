"""At a merge signed forms and what was recorded in error follow their episode by the key itself, as in 0003."""

from django.db import migrations

_FOLLOW = {
    "consent_consentform": "consent_form_of_episode",
    "consent_consentinvalidation": "consent_invalidation_of_episode",
}


def _again(action: str) -> str:
    return ";".join(
        f'ALTER TABLE "{table}" DROP CONSTRAINT {name}, ADD CONSTRAINT {name} '
        'FOREIGN KEY (organisation_id, client_id, episode_id) REFERENCES "caseload_episode" (organisation_id, client_id, id) '
        f"{action} DEFERRABLE INITIALLY IMMEDIATE"
        for table, name in _FOLLOW.items()
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0004_wishes_errors_and_forms")]

    operations = [migrations.RunSQL(_again("ON UPDATE CASCADE"), _again(""))]
