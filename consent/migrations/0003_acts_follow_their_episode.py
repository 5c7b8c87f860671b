"""When two clients of an organisation are merged, acts follow their episode to the survivor by the key itself: nobody is given a right to
change an act.
"""

from django.db import migrations

_KEYS = {
    "consent_consentact": "consent_act_of_episode",
    "consent_consentdeferral": "consent_deferral_of_episode",
}


def _again(action: str) -> str:
    return ";".join(
        f'ALTER TABLE "{table}" DROP CONSTRAINT {name}, ADD CONSTRAINT {name} '
        'FOREIGN KEY (organisation_id, client_id, episode_id) REFERENCES "caseload_episode" (organisation_id, client_id, id) '
        f"{action} DEFERRABLE INITIALLY IMMEDIATE"
        for table, name in _KEYS.items()
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_competence_and_deferrals")]

    operations = [migrations.RunSQL(_again("ON UPDATE CASCADE"), _again(""))]
