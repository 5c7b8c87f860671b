"""The trail: tables, who may do what, row security, and triggers that refuse change whoever asks."""

from django.db import migrations, models

from edatrs.core.database import Grant

# Reading is for the organisation's own chain, and the partnership's chain is the operator's. Writing is open to every chain, because one
# disclosure is entered in several. There is no policy for UPDATE and DELETE: under row security that means no row.
POLICIES = """
ALTER TABLE audit_auditevent ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_auditevent FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON audit_auditevent FOR SELECT TO app USING (
    chain = (SELECT nullif(current_setting('app.organisation', true), '')::uuid)
    OR (chain = '00000000-0000-0000-0000-000000000000' AND (SELECT current_setting('app.operator', true)) = 'on')
);
CREATE POLICY append ON audit_auditevent FOR INSERT TO app WITH CHECK (true);
CREATE POLICY verify ON audit_auditevent FOR SELECT TO verifier USING (true);
"""
NO_POLICIES = """
DROP POLICY verify ON audit_auditevent;
DROP POLICY append ON audit_auditevent;
DROP POLICY own ON audit_auditevent;
ALTER TABLE audit_auditevent NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_auditevent DISABLE ROW LEVEL SECURITY;
"""

# Raw triggers, not pgtrigger's: those can be switched off for a session by anyone who can set a variable.
TRIGGERS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trail is appended to and never changed: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION audit_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION 'only the owner of the table may empty %', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION audit_head_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.chain <> OLD.chain OR NEW.sequence <= OLD.sequence THEN
        RAISE EXCEPTION 'the head of a chain only goes forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER emptied_by_owner BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate();
CREATE TRIGGER never_deleted BEFORE DELETE ON audit_chainhead
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER emptied_by_owner BEFORE TRUNCATE ON audit_chainhead
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate();
CREATE TRIGGER goes_forward BEFORE UPDATE ON audit_chainhead
    FOR EACH ROW EXECUTE FUNCTION audit_head_goes_forward();
"""
NO_TRIGGERS = """
DROP TRIGGER goes_forward ON audit_chainhead;
DROP TRIGGER emptied_by_owner ON audit_chainhead;
DROP TRIGGER never_deleted ON audit_chainhead;
DROP TRIGGER emptied_by_owner ON audit_auditevent;
DROP TRIGGER never_changed ON audit_auditevent;
DROP FUNCTION audit_head_goes_forward();
DROP FUNCTION audit_refuse_truncate();
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ChainHead",
            fields=[
                ("chain", models.UUIDField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                ("mac", models.BinaryField()),
                ("at", models.DateTimeField(help_text="Time of the last row")),
            ],
            options={"verbose_name": "head of a chain", "verbose_name_plural": "heads of chains"},
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "chain",
                    models.UUIDField(
                        help_text="Id of the organisation whose chain this is; all zeros: the partnership's"
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("act", models.UUIDField()),
                ("name", models.CharField(max_length=60)),
                (
                    "actor",
                    models.CharField(help_text="Kind of actor: person, worker, operator", max_length=10),
                ),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_label", models.CharField(blank=True, max_length=120)),
                (
                    "roles",
                    models.CharField(
                        blank=True, help_text="Roles held in the act, sorted, with commas", max_length=200
                    ),
                ),
                (
                    "organisation_id",
                    models.UUIDField(
                        help_text="The organisation acted for; null: the partnership", null=True
                    ),
                ),
                ("organisation_label", models.CharField(blank=True, max_length=60)),
                (
                    "subject",
                    models.CharField(
                        blank=True, help_text="Id or record number of what it was about", max_length=40
                    ),
                ),
                ("details", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "previous",
                    models.BinaryField(help_text="Hash of the row before, 32 zero bytes for the first"),
                ),
                ("hash", models.BinaryField()),
                ("mac", models.BinaryField()),
            ],
            options={
                "verbose_name": "entry of the trail",
                "verbose_name_plural": "entries of the trail",
                "ordering": ["-sequence"],
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("subject", ""), _negated=True),
                        fields=["chain", "subject", "sequence"],
                        name="trail_by_subject",
                    ),
                    models.Index(fields=["chain", "actor_id", "sequence"], name="trail_by_actor"),
                    models.Index(fields=["chain", "name", "sequence"], name="trail_by_name"),
                    models.Index(fields=["chain", "at"], name="trail_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "sequence"), name="trail_sequence_once"),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gte", 1)), name="trail_counts_from_one"
                    ),
                ],
            },
        ),
        Grant("app", "SELECT, INSERT", "audit_auditevent"),
        Grant("app", "SELECT, INSERT, UPDATE", "audit_chainhead"),
        Grant("verifier", "SELECT", "audit_auditevent", "audit_chainhead"),
        migrations.RunSQL(POLICIES, NO_POLICIES),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
