import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import edatrs.core.database

# Inside a definer function the current user is the owner of the function. `owner` is a member of `matcher` and does not pass by that.
AS_MATCHER = "(SELECT current_user) = 'matcher'"
READ = (
    "client_id, organisation_id, of_person, voided, sensitive, "
    "fore, fore_spelt, fore_sounds, sur, sur_spelt, sur_sounds, earlier, first, full_name, born, sex, nhs, postcode, district"
)
POLICIES = [
    (
        f"CREATE POLICY matching ON caseload_matchkey FOR SELECT TO matcher USING ({AS_MATCHER})",
        "DROP POLICY matching ON caseload_matchkey",
    ),
    (
        f"CREATE POLICY follows ON caseload_matchkey FOR UPDATE TO matcher USING ({AS_MATCHER})",
        "DROP POLICY follows ON caseload_matchkey",
    ),
    # Not for `matcher`: who flags a record as sensitive may be the last who finds it, and its key must follow.
    (
        "CREATE POLICY hidden ON caseload_matchkey AS RESTRICTIVE FOR ALL TO app "
        f"USING ({edatrs.core.database.NOT_HIDDEN.format(client='client_id')})",
        "DROP POLICY hidden ON caseload_matchkey",
    ),
    (
        f"GRANT SELECT ({READ}), UPDATE (of_person, voided, sensitive) ON caseload_matchkey TO matcher",
        f"REVOKE SELECT ({READ}), UPDATE (of_person, voided, sensitive) ON caseload_matchkey FROM matcher",  # noqa: S608  # names of columns
    ),
]

# Two words that may be one, typed wrongly: one letter more, less or other, or two letters in each other's place; in long words two. An
# initial stands for its name. People get the first letter of a short name right: another one is another name (Jaden, Kaden).
IS_TYPO = """
CREATE FUNCTION caseload_is_typo(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    shorter integer := least(length(a), length(b));
    longer integer := greatest(length(a), length(b));
    apart integer;
BEGIN
    IF shorter = 1 THEN
        RETURN left(a, 1) = left(b, 1);
    END IF;
    IF shorter < 3 OR longer < 4 OR longer - shorter > 2 THEN
        RETURN false;
    END IF;
    apart := public.levenshtein_less_equal(a, b, 2);
    RETURN apart = 1 OR apart = 2 AND (
        (longer >= 8 AND left(a, 1) = left(b, 1))
        OR (
            longer = shorter
            AND (SELECT string_agg(x, '' ORDER BY x) FROM regexp_split_to_table(a, '') x)
              = (SELECT string_agg(x, '' ORDER BY x) FROM regexp_split_to_table(b, '') x)
        )
    );
END
$$
"""

# How much two names are one: 3 the same words or spellings, 2 they sound the same or are forms of one name, 1 a typing error apart, 0 different; NULL
# where one is not known. Every word of the name with fewer words must be found in the other: a middle name may be missing.
NAME_LEVEL = """
CREATE FUNCTION caseload_name_level(
    a text[], a_spelt text[], a_sounds text[], b text[], b_spelt text[], b_sounds text[]
) RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    worst integer := 3;
    best integer;
BEGIN
    IF cardinality(a) = 0 OR cardinality(b) = 0 THEN
        RETURN NULL;
    END IF;
    IF cardinality(a) > cardinality(b) THEN
        RETURN public.caseload_name_level(b, b_spelt, b_sounds, a, a_spelt, a_sounds);
    END IF;
    FOR i IN 1 .. cardinality(a) LOOP
        best := 0;
        IF a[i] = ANY (b) OR a_spelt[i] = ANY (b_spelt) THEN
            best := 3;
        ELSIF a_sounds[i] <> '' AND a_sounds[i] = ANY (b_sounds) THEN
            best := 2;
        ELSE
            FOR j IN 1 .. cardinality(b) LOOP
                IF public.caseload_is_typo(a[i], b[j])
                    OR (left(a_sounds[i], 1) = '=' AND public.caseload_is_typo(substr(a_sounds[i], 2), b[j]))
                    OR (left(b_sounds[j], 1) = '=' AND public.caseload_is_typo(a[i], substr(b_sounds[j], 2)))
                THEN
                    best := 1;
                END IF;
            END LOOP;
        END IF;
        worst := least(worst, best);
        EXIT WHEN worst = 0;
    END LOOP;
    IF worst = 0 AND cardinality(b) > 1 AND (
        array_to_string(a, '') = array_to_string(b, '')
        OR public.caseload_is_typo(array_to_string(a, ''), array_to_string(b, ''))
    ) THEN
        RETURN 2;
    END IF;
    RETURN worst;
END
$$
"""

# The dates that may be a date of birth written wrongly: one digit other, two neighbours in each other's place, a day or a year beside; day
# and month swapped comes first.
NEAR_DATES = """
CREATE FUNCTION caseload_near_dates(born date) RETURNS date[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    y integer := extract(year FROM born);
    m integer := extract(month FROM born);
    d integer := extract(day FROM born);
    found date[] := '{}';
    near record;
BEGIN
    IF d <= 12 AND d <> m THEN
        found := ARRAY[make_date(y, d, m)];
    END IF;
    FOR near IN
        SELECT x AS year, m AS month, d AS day FROM generate_series(y - 90, y + 90) x
        WHERE x <> y AND (
            abs(x - y) = 1 OR (x / 10 = y / 10) OR (x % 10 = y % 10 AND x / 100 = y / 100)
            OR (x / 100 = y / 100 AND x % 10 = y / 10 % 10 AND x / 10 % 10 = y % 10)
        )
        UNION
        SELECT y, x, d FROM generate_series(1, 12) x
        WHERE x <> m AND (x / 10 = m / 10 OR x % 10 = m % 10 OR (x % 10 = m / 10 AND x / 10 = m % 10))
        UNION
        SELECT y, m, x FROM generate_series(1, 31) x
        WHERE x <> d AND (abs(x - d) = 1 OR x / 10 = d / 10 OR x % 10 = d % 10 OR (x % 10 = d / 10 AND x / 10 = d % 10))
    LOOP
        IF near.day <= extract(day FROM make_date(near.year, near.month, 1) + interval '1 month - 1 day') THEN
            found := found || make_date(near.year, near.month, near.day);
        END IF;
    END LOOP;
    RETURN found;
END
$$
"""

# Yes or no: is this client of the organisation acted for known to an organisation with which a protocol is in force today? The only way in
# which two organisations' clients ever meet, and nothing but the answer comes out.
#
# The NHS number decides where both have one. Otherwise evidence is counted in bits, as the chance that somebody else of that name agrees as
# well: a date of birth is one of about 2^14; a name counts less the more clients of the partners bear it. Who has another forename is
# somebody else (twins), unless it is a typing error of a name that hardly anybody bears.
KNOWN_ELSEWHERE = """
CREATE FUNCTION caseload_known_elsewhere(asked uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    enough CONSTANT double precision := 6;
    ours uuid := nullif(current_setting('app.organisation', true), '')::uuid;
    partners uuid[];
    own record;
    other record;
    near date[];
    swapped date;
    f integer;
    s integer;
    f_crossed integer;
    s_crossed integer;
    crossed boolean;
    mine double precision;
    theirs double precision;
    others double precision;
    bits double precision;
BEGIN
    SELECT array_agg(partner) INTO partners FROM organisations_partners_in_force() AS partner;
    SELECT k.client_id, k.of_person, k.fore, k.fore_spelt, k.fore_sounds, k.sur, k.sur_spelt, k.sur_sounds, k.earlier, k.first,
        k.full_name, k.born, k.sex, k.nhs,
        k.postcode, k.district
    INTO own
    FROM caseload_matchkey k
    WHERE k.client_id = asked AND k.organisation_id = ours AND NOT k.voided AND NOT k.sensitive;
    IF partners IS NULL OR own.client_id IS NULL THEN
        RETURN false;
    END IF;
    IF own.nhs <> '' AND EXISTS (
        SELECT FROM caseload_matchkey k
        WHERE k.organisation_id = ANY (partners) AND k.nhs = own.nhs AND k.nhs <> ''
          AND NOT k.voided AND NOT k.sensitive AND k.of_person <> own.of_person
    ) THEN
        RETURN true;
    END IF;
    IF own.born IS NULL THEN
        RETURN false;
    END IF;
    near := caseload_near_dates(own.born);
    IF extract(day FROM own.born) <= 12 AND extract(day FROM own.born) <> extract(month FROM own.born) THEN
        swapped := near[1];
    END IF;
    FOR other IN
        SELECT k.fore, k.fore_spelt, k.fore_sounds, k.sur, k.sur_spelt, k.sur_sounds, k.earlier, k.first, k.full_name, k.born, k.sex,
            k.postcode, k.district
        FROM caseload_matchkey k
        WHERE k.organisation_id = ANY (partners) AND k.born = ANY (near || own.born)
          AND NOT k.voided AND NOT k.sensitive AND k.of_person <> own.of_person
          AND (own.nhs = '' OR k.nhs = '')
          AND (
              k.born = own.born OR k.born = swapped
              OR k.fore_spelt && (own.fore_spelt || own.sur_spelt) OR k.sur_spelt && (own.sur_spelt || own.fore_spelt)
              OR k.fore_sounds && array_remove(own.fore_sounds, '') OR k.sur_sounds && array_remove(own.sur_sounds, '')
          )
    LOOP
        f := caseload_name_level(own.fore, own.fore_spelt, own.fore_sounds, other.fore, other.fore_spelt, other.fore_sounds);
        s := caseload_name_level(own.sur, own.sur_spelt, own.sur_sounds, other.sur, other.sur_spelt, other.sur_sounds);
        CONTINUE WHEN f IS NULL OR s IS NULL;
        crossed := false;
        IF f = 0 OR s = 0 THEN
            f_crossed := caseload_name_level(own.fore, own.fore_spelt, own.fore_sounds, other.sur, other.sur_spelt, other.sur_sounds);
            s_crossed := caseload_name_level(own.sur, own.sur_spelt, own.sur_sounds, other.fore, other.fore_spelt, other.fore_sounds);
            IF f_crossed > 0 AND s_crossed > 0 THEN
                f := f_crossed;
                s := s_crossed;
                crossed := true;
            END IF;
        END IF;
        CONTINUE WHEN f = 0;
        IF s = 0 AND (own.earlier && other.sur_spelt OR other.earlier && own.sur_spelt) THEN
            s := 2;
        END IF;
        CONTINUE WHEN f < 3 AND own.sex <> '' AND other.sex <> '' AND own.sex <> other.sex;
        -- A father and a son of one name, born on one day of the year.
        CONTINUE WHEN abs(extract(year FROM own.born) - extract(year FROM other.born)) >= 15;
        CONTINUE WHEN s = 0 AND (own.postcode = '' OR other.postcode <> own.postcode);
        IF f < 3 AND NOT crossed AND own.first <> other.first AND length(own.first) > 1 AND length(other.first) > 1
            AND NOT (
                own.fore_sounds[1] = other.fore_sounds[1]
                AND (left(own.fore_sounds[1], 1) = '=' OR length(translate(own.fore_sounds[1], 'au', '')) >= 4)
            )
        THEN
            SELECT count(*) INTO mine FROM (
                SELECT FROM caseload_matchkey k WHERE k.organisation_id = ANY (partners || ours) AND k.first = own.first LIMIT 1000
            ) bearers;
            SELECT count(*) INTO theirs FROM (
                SELECT FROM caseload_matchkey k WHERE k.organisation_id = ANY (partners || ours) AND k.first = other.first LIMIT 1000
            ) bearers;
            CONTINUE WHEN least(mine, theirs) >= 3 AND 10 * least(mine, theirs) >= greatest(mine, theirs);
        END IF;
        IF s > 0 THEN
            SELECT count(*) INTO others FROM (
                SELECT FROM caseload_matchkey k
                WHERE k.organisation_id = ANY (partners) AND k.full_name = ANY (ARRAY[own.full_name, other.full_name]) LIMIT 4000
            ) bearers;
        ELSE
            SELECT count(*) INTO others FROM (
                SELECT FROM caseload_matchkey k
                WHERE k.organisation_id = ANY (partners) AND k.first = ANY (ARRAY[own.first, other.first]) LIMIT 4000
            ) bearers;
        END IF;
        bits := -ln(greatest(others, 1)) / ln(2)
            + CASE
                WHEN other.born <> own.born AND other.born = swapped THEN 9
                WHEN other.born <> own.born THEN 3
                WHEN extract(doy FROM own.born) = 1 THEN 9
                ELSE 14
              END
            + CASE
                WHEN own.sex = '' OR other.sex = '' THEN 0
                WHEN own.sex = other.sex THEN 1
                ELSE -6
              END
            + CASE
                WHEN own.postcode <> '' AND own.postcode = other.postcode THEN 10
                WHEN own.district = '' OR other.district = '' THEN 0
                WHEN own.district = other.district THEN 4
                ELSE -1
              END
            - CASE f WHEN 3 THEN 0 WHEN 2 THEN 1 ELSE 3 END
            - CASE s WHEN 3 THEN 0 WHEN 2 THEN 1 WHEN 1 THEN 2 ELSE 5 END
            - CASE WHEN s = 1 AND NOT crossed AND left(own.sur[1], 1) <> left(other.sur[1], 1) THEN 7 ELSE 0 END
            - CASE WHEN crossed THEN 3 ELSE 0 END;
        IF bits >= enough THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$
"""

# Keeps what a key repeats of its client and of a sensitive flag, whoever changes those. As `matcher`, because the person who flags a record
# may not find it any more in the next moment.
FOLLOWS = """
CREATE FUNCTION caseload_match_key_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'caseload_client' THEN
        UPDATE caseload_matchkey SET of_person = NEW.person_id, voided = NEW.voided_at IS NOT NULL WHERE client_id = NEW.id;
    ELSE
        UPDATE caseload_matchkey SET sensitive = NEW.lifted_at IS NULL WHERE client_id = NEW.client_id;
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGERS = [
    (
        "CREATE TRIGGER match_key_follows AFTER UPDATE OF person_id, voided_at ON caseload_client FOR EACH ROW "
        "WHEN (OLD.person_id IS DISTINCT FROM NEW.person_id OR OLD.voided_at IS DISTINCT FROM NEW.voided_at) "
        "EXECUTE FUNCTION caseload_match_key_follows()",
        "DROP TRIGGER match_key_follows ON caseload_client",
    ),
    (
        "CREATE TRIGGER match_key_follows AFTER INSERT OR UPDATE ON caseload_sensitiverecord FOR EACH ROW "
        "EXECUTE FUNCTION caseload_match_key_follows()",
        "DROP TRIGGER match_key_follows ON caseload_sensitiverecord",
    ),
]
HELPERS = {
    "caseload_is_typo(text, text)": IS_TYPO,
    "caseload_name_level(text[], text[], text[], text[], text[], text[])": NAME_LEVEL,
    "caseload_near_dates(date)": NEAR_DATES,
}
# Who gives a function to a role needs that role to be allowed to create in the schema: for this moment, and not a moment longer.
OWNED = {
    "caseload_known_elsewhere(uuid)": (KNOWN_ELSEWHERE, "app"),
    "caseload_match_key_follows()": (FOLLOWS, "matcher"),
}


def _only(function: str, role: str) -> str:
    return f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO {role}"


def _given(function: str, role: str) -> str:
    return (
        f"{_only(function, role)}; GRANT CREATE ON SCHEMA public TO matcher; "
        f"ALTER FUNCTION {function} OWNER TO matcher; REVOKE CREATE ON SCHEMA public FROM matcher"
    )


def _words():
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.TextField(), db_default=[], default=list, size=None
    )


def _text(**options):
    return models.TextField(blank=True, db_default="", default="", **options)


class Migration(migrations.Migration):
    dependencies = [
        ("caseload", "0009_sharing"),
    ]

    operations = [
        # Part of PostgreSQL and trusted, so the owner of the database may add it: how many letters two words differ by.
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA public",
            "DROP EXTENSION IF EXISTS fuzzystrmatch",
        ),
        migrations.CreateModel(
            name="MatchKey",
            fields=[
                (
                    "client",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="match_key",
                        serialize=False,
                        to="caseload.client",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                ("of_person", models.UUIDField(editable=False)),
                ("voided", models.BooleanField(db_default=False, default=False, editable=False)),
                ("sensitive", models.BooleanField(db_default=False, default=False, editable=False)),
                ("fore", _words()),
                ("fore_spelt", _words()),
                ("fore_sounds", _words()),
                ("sur", _words()),
                ("sur_spelt", _words()),
                ("sur_sounds", _words()),
                ("earlier", _words()),
                ("first", _text()),
                ("full_name", _text()),
                ("born", models.DateField(blank=True, null=True)),
                ("sex", _text()),
                ("nhs", _text()),
                ("postcode", _text()),
                ("district", _text()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="match_key_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    )
                ],
                "indexes": [
                    models.Index(fields=["organisation", "born"], name="match_key_born"),
                    models.Index(fields=["organisation", "full_name"], name="match_key_full_name"),
                    models.Index(fields=["organisation", "first"], name="match_key_first"),
                    models.Index(
                        condition=models.Q(("nhs", ""), _negated=True),
                        fields=["organisation", "nhs"],
                        name="match_key_nhs",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PartnerCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "asked_by",
                    models.UUIDField(help_text="The person; an id, no foreign key, so that it outlives them"),
                ),
                ("asked_by_label", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("known", models.BooleanField()),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="partner_checks",
                        to="caseload.client",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    edatrs.core.database.TenantForeignKey(
                        fields=("organisation", "client"),
                        name="partner_check_of_client",
                        to="caseload.Client",
                        to_fields=("organisation", "id"),
                    )
                ],
                "indexes": [
                    models.Index(fields=["organisation", "client", "-asked_at"], name="partner_check_latest"),
                    models.Index(
                        fields=["organisation", "asked_by", "asked_at"], name="partner_check_of_person"
                    ),
                ],
            },
        ),
        edatrs.core.database.Grant("app", "SELECT, INSERT, UPDATE", "caseload_matchkey"),
        edatrs.core.database.Grant("app", "SELECT, INSERT", "caseload_partnercheck"),
        edatrs.core.database.Grant(
            "destroyer", "SELECT, DELETE", "caseload_matchkey", "caseload_partnercheck"
        ),
        edatrs.core.database.RowSecurity("caseload_matchkey"),
        edatrs.core.database.RowSecurity("caseload_partnercheck"),
        edatrs.core.database.Policy(
            "caseload_partnercheck",
            "hidden",
            edatrs.core.database.NOT_HIDDEN.format(client="client_id"),
            command="ALL",
            restrictive=True,
        ),
        *(migrations.RunSQL(make, take) for make, take in POLICIES),
        *(
            operation
            for function, make in HELPERS.items()
            for operation in (
                migrations.RunSQL(make, f"DROP FUNCTION {function}"),
                migrations.RunSQL(_only(function, "matcher"), migrations.RunSQL.noop),
            )
        ),
        *(
            operation
            for function, (make, role) in OWNED.items()
            for operation in (
                migrations.RunSQL(make, f"DROP FUNCTION {function}"),
                migrations.RunSQL(_given(function, role), migrations.RunSQL.noop),
            )
        ),
        *(migrations.RunSQL(make, take) for make, take in TRIGGERS),
    ]
