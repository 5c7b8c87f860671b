"""A merge moves an episode to the survivor: what is known of its quality goes with it, by the key itself."""

from django.db import migrations


def _again(action: str) -> str:
    return (
        "ALTER TABLE caseload_episodequality DROP CONSTRAINT quality_of_episode, ADD CONSTRAINT quality_of_episode "
        "FOREIGN KEY (organisation_id, client_id, episode_id) REFERENCES caseload_episode (organisation_id, client_id, id) "
        f"{action} DEFERRABLE INITIALLY IMMEDIATE"
    )


class Migration(migrations.Migration):
    dependencies = [("caseload", "0005_allocations_quality_views")]

    operations = [migrations.RunSQL(_again("ON UPDATE CASCADE"), _again(""))]
