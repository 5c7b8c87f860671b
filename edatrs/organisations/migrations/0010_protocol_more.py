"""A party that was put into a draft by mistake can be taken out again; one that signed, or whose agreement is no draft, never."""

import edatrs.core.database
from django.db import migrations

KEPT = """
CREATE FUNCTION organisations_party_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_on IS NOT NULL OR OLD.leaves_on IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM organisations_agreement a WHERE a.id = OLD.agreement_id AND a.status = 'draft'
    ) THEN
        RAISE EXCEPTION 'a party is taken out of a draft alone, and not once it has signed or given notice' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER party_is_kept BEFORE DELETE ON organisations_agreementparty
    FOR EACH ROW EXECUTE FUNCTION organisations_party_is_kept();
"""
GONE = """
DROP TRIGGER party_is_kept ON organisations_agreementparty;
DROP FUNCTION organisations_party_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0009_passkeys"),
    ]

    operations = [
        edatrs.core.database.Grant("app", "DELETE", "organisations_agreementparty"),
        migrations.RunSQL(KEPT, GONE),
    ]
