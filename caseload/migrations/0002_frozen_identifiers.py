import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0001_record"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="episode",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."episode_id" IS DISTINCT FROM (NEW."episode_id") OR OLD."service_id" IS DISTINCT FROM (NEW."service_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="6eabec8442db11235bfbe54cd7c8ee926c007750",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_6bc36",
                    table="caseload_episode",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registration",
            trigger=pgtrigger.compiler.Trigger(
                name="frozen",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."clientid" IS DISTINCT FROM (NEW."clientid") OR OLD."service_id" IS DISTINCT FROM (NEW."service_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="716dabae47f95289c56837011e3bb047ef916a2f",
                    operation="UPDATE",
                    pgid="pgtrigger_frozen_8274c",
                    table="caseload_registration",
                    when="BEFORE",
                ),
            ),
        ),
    ]
