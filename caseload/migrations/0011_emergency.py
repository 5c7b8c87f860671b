"""What an emergency access opens: the records that partners hold of one person, found by ids alone, inside the act itself (T11).

Both functions answer only for partners with a protocol in force today, never with a sensitive or voided record, and give ids, no data.
"""

from django.db import migrations

PARTNERS = "k.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner)) AND NOT k.voided AND NOT k.sensitive"
LINKED = """
CREATE FUNCTION caseload_emergency_linked(own_client uuid) RETURNS TABLE (client uuid, organisation uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT k.client_id, k.organisation_id
        FROM caseload_matchkey own JOIN caseload_matchkey k ON k.of_person = own.of_person
        WHERE own.client_id = own_client
          AND own.organisation_id = nullif(current_setting('app.organisation', true), '')::uuid
          AND NOT own.voided
          AND PARTNERS;
END
$$
""".replace("PARTNERS", PARTNERS)
STRANGER = """
CREATE FUNCTION caseload_emergency_stranger(nhs_number text, forenames text[], surnames text[], born_on date)
RETURNS TABLE (client uuid, organisation uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT k.client_id, k.organisation_id
        FROM caseload_matchkey k
        WHERE (
            (nhs_number <> '' AND k.nhs = nhs_number)
            OR (
                nhs_number = '' AND born_on IS NOT NULL AND cardinality(forenames) > 0 AND cardinality(surnames) > 0
                AND k.born = born_on AND k.fore = forenames AND k.sur = surnames
            )
          )
          AND PARTNERS;
END
$$
""".replace("PARTNERS", PARTNERS)
OWNED = {
    "caseload_emergency_linked(uuid)": LINKED,
    "caseload_emergency_stranger(text, text[], text[], date)": STRANGER,
}


def _given(function: str) -> str:
    """To `app` alone, with the rights of `matcher`, which may create in the schema for this moment only."""
    return (
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO app; "
        f"GRANT CREATE ON SCHEMA public TO matcher; ALTER FUNCTION {function} OWNER TO matcher; "
        "REVOKE CREATE ON SCHEMA public FROM matcher"
    )


class Migration(migrations.Migration):
    dependencies = [("caseload", "0010_known_elsewhere")]

    operations = [
        migrations.RunSQL([make, _given(function)], f"DROP FUNCTION {function}")
        for function, make in OWNED.items()
    ]
